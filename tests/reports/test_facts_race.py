"""Several loops counting one store's day at the same moment."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core.work import run_once
from reports import facts
from reports.models import StaleMark, StoreDay
from tests.factories import Chain, make_response
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
                ready.wait(timeout=20)
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
        thread.join(timeout=60)
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
        thread.join(timeout=60)
    assert failures == []
    assert sum(cell.promoters for cell in StoreDay.objects.all()) == RESPONSES
