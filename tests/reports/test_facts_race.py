"""Several loops counting one store's day at the same moment."""

import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core.work import run_once
from reports import facts
from reports.models import NodeWeek, StaleMark, StoreDay
from tests.factories import Chain, make_response, make_touchpoint
from tests.reports.makers import announce

pytestmark = pytest.mark.django_db(transaction=True)
LOOPS, RESPONSES = 4, 12


def count_at_once(pairs) -> list[Exception]:
    """Count the same days in several transactions that all begin before any of them ends."""
    failures: list[Exception] = []
    ready = threading.Barrier(LOOPS)

    def count():
        try:
            for _ in range(5):
                ready.wait(timeout=120)
                with transaction.atomic():
                    facts.count_days(pairs)
        except Exception as error:
            failures.append(error)
            ready.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=count) for _ in range(LOOPS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    return failures


@pytest.fixture
def pairs():
    chain = Chain()
    for score in range(RESPONSES):
        make_response(touchpoint=chain.touchpoint, score=score % 11)
    return [(chain.store.pk, day) for day in {r.local_day for r in chain.store.responses.all()}]


def test_counting_at_once_is_counting_in_turn(pairs):
    assert count_at_once(pairs) == []
    assert sum(cell.responses for cell in StoreDay.objects.all()) == RESPONSES


def test_without_the_lock_they_collide(pairs, monkeypatch):
    monkeypatch.setattr(facts, "lock_store", lambda store_id: None)
    assert count_at_once(pairs)


def sum_while_another_sums() -> list[int]:
    """Two transactions count two stores of one area, the second while the first is still open; what the area has."""
    chain = Chain()
    here = make_response(touchpoint=chain.touchpoint, score=10)
    beside = make_response(touchpoint=make_touchpoint(store=chain.neighbour), score=0)
    failures: list[Exception] = []

    def count_beside():
        try:
            with transaction.atomic():
                facts.count_days([(beside.store_id, beside.local_day)])
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    second = threading.Thread(target=count_beside)
    with transaction.atomic():
        facts.count_days([(here.store_id, here.local_day)])
        second.start()
        until = time.monotonic() + 60
        with connection.cursor() as cursor:
            waiting = False
            while not waiting and time.monotonic() < until:
                time.sleep(0.02)
                cursor.execute(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY("
                    "pg_blocking_pids(pid)))"
                )
                waiting = cursor.fetchone()[0]
    second.join(300)
    assert waiting
    assert failures == []
    return list(NodeWeek.objects.filter(node=chain.area).values_list("responses", flat=True))


def test_stores_of_one_area_counted_at_once_are_both_in_its_sums():
    assert sum_while_another_sums() == [2]


def test_without_the_lock_of_sums_one_of_them_is_missing(monkeypatch):
    monkeypatch.setattr("reports.sums.lock_sums", lambda: None)
    assert sum_while_another_sums() == [1]


def test_loops_share_the_marks_and_lose_none():
    chain = Chain()
    failures: list[Exception] = []
    sent = threading.Event()

    def loop():
        try:
            while not (sent.is_set() and not StaleMark.objects.filter(run_at__lte=timezone.now()).exists()):
                run_once(["facts"])
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=loop) for _ in range(LOOPS)]
    for thread in threads:
        thread.start()
    for _ in range(RESPONSES):
        announce(make_response(touchpoint=chain.touchpoint, score=10))
    sent.set()
    for thread in threads:
        thread.join(timeout=300)
    assert failures == []
    assert sum(cell.promoters for cell in StoreDay.objects.all()) == RESPONSES
