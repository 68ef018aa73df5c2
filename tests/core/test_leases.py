"""One row, one worker: also when two claim at the same moment, and when the first was only slow."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from alerts.models import Case, CaseStep
from core.leases import Claim, ClockNow, claim, finish, from_now
from tests.alerts.conftest import open_case
from tests.factories import Chain

LEASE = timedelta(seconds=30)


@pytest.fixture
def steps(transactional_db: None) -> Iterator[QuerySet[CaseStep]]:
    from alerts.policy import ensure_defaults

    ensure_defaults()
    chain = Chain()
    for _ in range(10):
        open_case(chain, contact=None)
    CaseStep.objects.filter(ordinal=1).update(run_at=ClockNow())
    yield CaseStep.objects.filter(ordinal=1)


def claim_at_once(rows: QuerySet[CaseStep], workers: int = 4) -> list[list[int]]:
    start = threading.Barrier(workers)
    taken: list[list[int]] = []

    def work() -> None:
        start.wait()
        taken.append([one.row.pk for one in claim(rows, limit=10, lease=LEASE)])
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return taken


def test_two_workers_never_claim_the_same_row(steps: QuerySet[CaseStep]) -> None:
    taken = [pk for pks in claim_at_once(steps) for pk in pks]
    assert len(taken) == len(set(taken)) == 10
    assert set(steps.values_list("attempts", flat=True)) == {1}


def test_without_the_lock_they_do(steps: QuerySet[CaseStep], monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin that shows the test above can fail."""
    together = threading.Barrier(4)

    def no_lock(self: QuerySet[CaseStep], **_: Any) -> QuerySet[CaseStep]:
        return self.all()

    def list_together(rows: Any) -> list[Any]:
        found = list(rows)
        together.wait(timeout=60)
        return found

    monkeypatch.setattr(QuerySet, "select_for_update", no_lock)
    monkeypatch.setitem(claim.__globals__, "list", _first_call_only(list_together))
    taken = [pk for pks in claim_at_once(steps) for pk in pks]
    assert len(taken) > len(set(taken))


def _first_call_only(do: Any) -> Any:
    """Meet at the choice of rows; the later reading of what was claimed is left alone."""
    local = threading.local()

    def call(rows: Any) -> list[Any]:
        if getattr(local, "met", False):
            return list(rows)
        local.met = True
        found: list[Any] = do(rows)
        return found

    return call


def test_a_lease_that_ran_out_is_free_and_its_old_token_finishes_nothing(steps: QuerySet[CaseStep]) -> None:
    first = claim(steps, limit=1, lease=LEASE)[0]
    assert first.row.pk not in [one.row.pk for one in claim(steps, limit=10, lease=LEASE)]
    steps.filter(pk=first.row.pk).update(lease_until=from_now(-timedelta(seconds=1)))
    (second,) = claim(steps, limit=10, lease=LEASE)
    assert second.row.attempts == 2
    assert not finish(first)
    assert finish(second)
    assert not finish(second)
    assert CaseStep.objects.get(pk=first.row.pk).run_at is None


def test_a_poll_finds_what_is_due_by_its_index(steps: QuerySet[CaseStep]) -> None:
    """A volatile clock in the comparison would make each poll walk all that is not due yet."""
    from core.leases import due

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE alerts_casestep; SET LOCAL enable_seqscan = off")
        cursor.execute("SET enable_seqscan = off")
        plan = due(CaseStep.objects.filter(state="pending")).order_by("run_at").explain()
        cursor.execute("RESET enable_seqscan")
    assert "step_due" in plan
    assert "Index Cond: (run_at <=" in plan


def test_a_claim_keeps_what_the_query_joins(steps: QuerySet[CaseStep], django_assert_num_queries: Any) -> None:
    claims: list[Claim[CaseStep]] = claim(steps.select_related("case"), limit=1, lease=LEASE)
    with django_assert_num_queries(0):
        assert isinstance(claims[0].row.case, Case)


def test_work_that_is_broken_for_weeks_stays_claimable(steps: QuerySet[CaseStep]) -> None:
    steps.update(attempts=32_767)
    assert len(claim(steps, limit=10, lease=LEASE)) == 10
