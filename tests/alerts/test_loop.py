"""The loop itself: quick, and not held up by anybody's slow server."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from alerts.choices import StepState
from alerts.models import CaseStep
from alerts.policy import ensure_defaults
from core.models import Heartbeat
from core.work import THREADS, run_forever
from messaging.catcher import Catcher
from messaging.choices import MessageState
from messaging.models import Message
from tests.alerts.conftest import open_case
from tests.alerts.processes import kill, start, start_worker, wait_until
from tests.factories import Chain

SMTP: dict[str, Any] = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1"}


@pytest.fixture
def cast(transactional_db: None) -> Chain:
    ensure_defaults()
    return Chain()


@contextmanager
def loop_running() -> Iterator[None]:
    """The loop of the lane in a thread of this process."""
    stopped = threading.Event()

    def work() -> None:
        try:
            run_forever(["alerts"], stop=stopped.is_set)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(timeout=30)
        assert not thread.is_alive()


def test_a_notice_is_at_the_server_within_two_seconds(cast: Chain) -> None:
    with Catcher() as catcher, override_settings(EMAIL_PORT=catcher.smtp_port, **SMTP), loop_running():
        time.sleep(0.7)
        lateness = []
        for _ in range(5):
            begun, known = time.monotonic(), len(catcher.messages)
            open_case(cast, contact=None)
            assert wait_until(lambda known=known: len(catcher.messages) > known, secs=5)  # type: ignore[misc]
            lateness.append(time.monotonic() - begun)
        assert Heartbeat.objects.filter(name="work alerts").exists()
    assert median(lateness) < 2, lateness


def test_a_server_that_hangs_does_not_hold_up_the_ladder(cast: Chain) -> None:
    """Every sender waits in vain for a greeting; the steps are on time all the same."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = {"EMAIL_PORT": silent.getsockname()[1], "EMAIL_TIMEOUT": 4, **SMTP}
        with override_settings(**hanging), loop_running():
            for _ in range(2 * THREADS):
                open_case(cast, contact=None)
            assert wait_until(lambda: Message.objects.filter(state=MessageState.SENDING).count() == THREADS, secs=5)
            now = timezone.now()
            CaseStep.objects.filter(ordinal=1).update(run_at=now, due_at=now)
            fired = CaseStep.objects.filter(ordinal=1, state=StepState.FIRED)
            assert wait_until(lambda: fired.count() == 2 * THREADS, secs=5)
            assert max(step.done_at - now for step in fired if step.done_at) < timedelta(seconds=2)


def test_a_killed_loop_is_replaced_by_the_audit(cast: Chain) -> None:
    """No loop, no django-q2: the auditor alone does the lane's work, and says that all is not well."""
    with Catcher() as catcher:
        open_case(cast, contact=None)
        worker = start_worker(catcher)
        assert wait_until(lambda: Message.objects.filter(state=MessageState.SENT).count() == 1, secs=20)
        kill(worker)
        CaseStep.objects.filter(ordinal=1).update(run_at=timezone.now())
        Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=16))
        assert start(catcher, "audit", "--once").wait(timeout=30) == 1
        assert Message.objects.filter(state=MessageState.SENT).count() == 3
        assert len(catcher.messages) == 3
    assert CaseStep.objects.get(ordinal=1).state == StepState.FIRED
