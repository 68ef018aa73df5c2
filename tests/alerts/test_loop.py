"""The loop itself: quick, and not held up by anybody's slow server."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
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
from tests.alerts.processes import PATIENCE_SECS, Workers, environment_with, start, wait_until
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
        thread.join(timeout=PATIENCE_SECS)
        assert not thread.is_alive()


def test_a_notice_is_at_the_server_within_seconds(cast: Chain) -> None:
    """How many it takes on a quiet machine measures `./run bench`; here a busy one has ten times as long."""
    with Catcher() as catcher, override_settings(EMAIL_PORT=catcher.smtp_port, **SMTP), loop_running():
        assert wait_until(lambda: Heartbeat.objects.filter(name="work alerts").exists())
        lateness = []
        for _ in range(3):
            begun, known = time.monotonic(), len(catcher.messages)
            open_case(cast, contact=None)
            assert wait_until(lambda known=known: len(catcher.messages) > known)  # type: ignore[misc]
            lateness.append(time.monotonic() - begun)
    assert min(lateness) < 8, lateness


def test_a_server_that_hangs_does_not_hold_up_the_ladder(cast: Chain) -> None:
    """Every sender waits in vain for a greeting; the steps climb all the same."""
    hanging = {"EMAIL_TIMEOUT": 2 * PATIENCE_SECS, **SMTP}
    with socket.create_server(("127.0.0.1", 0)) as silent, override_settings(EMAIL_PORT=port_of(silent), **hanging):
        sending = Message.objects.filter(state=MessageState.SENDING)
        with loop_running():
            try:
                for _ in range(2 * THREADS):
                    open_case(cast, contact=None)
                assert wait_until(lambda: sending.count() == THREADS)
                now = timezone.now()
                CaseStep.objects.filter(ordinal=1).update(run_at=now, due_at=now)
                fired = CaseStep.objects.filter(ordinal=1, state=StepState.FIRED)
                assert wait_until(lambda: fired.count() == 2 * THREADS)
                assert sending.count() == THREADS
            finally:
                silent.close()  # and nobody waits any longer


def port_of(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def test_a_killed_loop_is_replaced_by_the_audit(cast: Chain) -> None:
    """No loop, no django-q2: the auditor alone does the lane's work, and says that all is not well."""
    with Catcher() as catcher, Workers(environment_with(catcher)) as workers:
        # Without words, so that the audit finds none unread and loads no model.
        open_case(cast, contact=None, words="")
        worker = workers.start()
        assert wait_until(lambda: Message.objects.filter(state=MessageState.SENT).count() == 1)
        worker.kill()
        CaseStep.objects.filter(ordinal=1).update(run_at=timezone.now())
        Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=16))
        assert start(catcher, "audit", "--once").wait(timeout=PATIENCE_SECS) == 1
        assert Message.objects.filter(state=MessageState.SENT).count() == 3
        assert len(catcher.messages) == 3
    assert CaseStep.objects.get(ordinal=1).state == StepState.FIRED
