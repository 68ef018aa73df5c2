"""Lanes that share a process wait for nobody but themselves, and end together."""

import threading
import time

import pytest

from core.models import Heartbeat
from core.work import Step, run_forever
from tests.alerts.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_slow_count_holds_up_no_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    counting, counted, looks, stopped = threading.Event(), threading.Event(), list[float](), threading.Event()

    def count() -> int:
        counting.set()
        counted.wait(120)
        return 0

    def alert() -> int:
        looks.append(time.monotonic())
        return 0

    monkeypatch.setattr("core.work._steps", [Step("facts", "count", count), Step("alerts", "alert", alert)])
    loop = threading.Thread(target=run_forever, args=(["alerts", "facts"],), kwargs={"stop": stopped.is_set})
    loop.start()
    try:
        assert counting.wait(120)
        before = len(looks)
        assert wait_until(lambda: len(looks) >= before + 3, secs=120)
    finally:
        counted.set()
        stopped.set()
        loop.join(120)
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"work alerts", "work facts"}


def test_a_lane_that_fails_for_good_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a process would look alive and leave one lane undone."""

    def beat(name: str) -> None:
        if name == "work facts":
            raise MemoryError

    monkeypatch.setattr(Heartbeat, "beat", beat)
    with pytest.raises(MemoryError):
        run_forever(["alerts", "facts"], stop=lambda: False)
