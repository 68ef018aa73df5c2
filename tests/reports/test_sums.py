"""Weeks of stores, days and weeks of nodes equal what the raw rows say, whatever happened to them."""

import random
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from alerts.models import Case
from core.personal import erase_response
from core.work import drain, run_once, watches
from reports.checking import check_sample
from reports.models import (
    CellCheck,
    NodeDay,
    NodeWeek,
    Rebuild,
    StaleMark,
    StaleSum,
    StoreDay,
    StoreSpan,
    StoreWeek,
    TrafficSpan,
)
from reports.rebuilding import rebuild
from reports.sums import COUNTS, SOURCE, SPAN, SPAN_BY, SPAN_COUNTS, in_spans, span_of, sum_nodes
from reports.traffic import Count, record_traffic
from sentiment.models import Analysis, Sentiment
from sentiment.signals import reading_corrected
from stores.actions import move_node, move_stores
from stores.choices import NodeKind
from stores.models import Node, Store, Touchpoint
from surveys.models import Response
from tests.factories import make_node, make_response, make_store, make_touchpoint
from tests.reports.makers import announce, answer, make_case, random_history
from tests.reports.test_facts import counted_by_hand

pytestmark = pytest.mark.django_db
# A Monday on which four weeks begin.
FIRST_SPAN = date(2026, 11, 2)
Cells = dict[tuple[Any, ...], dict[str, Any]]


def cells_of(model: type[Any], owner: str, when: str) -> Cells:
    rows = model.objects.values(owner, when, *SOURCE, *COUNTS)
    return {tuple(row[name] for name in (owner, when, *SOURCE)): {name: row[name] for name in COUNTS} for row in rows}


def added_up(cells: Cells, keys_of: Any) -> Cells:
    """Cells added up in Python: `keys_of(owner, day)` names the cells that each one is part of."""
    found: Cells = {}
    for (owner, day, *source), counts in cells.items():
        for key in keys_of(owner, day):
            whole = found.setdefault(
                (*key, *source), dict.fromkeys(COUNTS, 0) | {"score_counts": [0] * 11, "topics": {}}
            )
            for name in COUNTS:
                if name == "topics":
                    for topic, of in counts["topics"].items():
                        sums = whole["topics"].setdefault(topic, dict.fromkeys(of, 0))
                        for column, number in of.items():
                            sums[column] += number
                elif name == "score_counts":
                    whole[name] = [a + b for a, b in zip(whole[name], counts[name], strict=True)]
                else:
                    whole[name] += counts[name]
    return found


def assert_all_cells_are_right() -> int:
    """Compare every cell with what the raw rows say, added up in Python; returns how many there were."""
    days = counted_by_hand()
    above = {store.pk: store.node.above for store in Store.objects.select_related("node")}

    def week(day: date) -> date:
        return day - timedelta(days=day.weekday())

    assert cells_of(StoreDay, "store_id", "local_day") == days
    assert cells_of(StoreWeek, "store_id", "monday") == added_up(days, lambda pk, day: [(pk, week(day))])
    assert cells_of(NodeDay, "node_id", "local_day") == added_up(days, lambda pk, day: [(n, day) for n in above[pk]])
    weeks = added_up(days, lambda pk, day: [(n, week(day)) for n in above[pk]])
    assert cells_of(NodeWeek, "node_id", "monday") == weeks
    spans = added_up(days, lambda pk, day: [(pk, FIRST_SPAN + (day - FIRST_SPAN) // SPAN * SPAN)])
    assert set(StoreSpan.objects.values_list("store_id", "start", *SPAN_BY, *SPAN_COUNTS)) == {
        (store, start, *source, *(counts[name] for name in SPAN_COUNTS))
        for (store, start, kind, *source), counts in spans.items()
        if kind == "nps" and any(counts[name] for name in SPAN_COUNTS)
    }
    return len(weeks)


ZONES = ("Europe/Kyiv", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kathmandu")


def at_some_hour(rng: random.Random, *, days: int) -> datetime:
    return timezone.now() - timedelta(days=rng.randrange(days), minutes=rng.randrange(24 * 60))


def disturb(rng: random.Random, touchpoints: list[Touchpoint], nodes: list[Node]) -> None:
    """Something that changes what was counted already."""
    response = rng.choice(list(Response.objects.order_by("local_day", "score", "pk")))
    deed = rng.randrange(6)
    if deed == 0:
        response.score = None if response.score is None else rng.choice([1, 2, 3])
        response.save()
        announce(response)
    elif deed == 1:
        with transaction.atomic():
            erase_response(response.pk)
    elif deed == 2:
        store = rng.choice(touchpoints).store
        move_stores(Store.objects.filter(pk=store.pk), to=rng.choice(nodes), actor=None)
    elif deed == 3:
        move_node(nodes[-1], to=rng.choice(nodes[:-1]), actor=None)
    elif deed == 4:
        late = at_some_hour(rng, days=60)
        announce(make_response(touchpoint=rng.choice(touchpoints), score=rng.randrange(11), submitted_at=late))
    else:
        analysis = rng.choice(list(Analysis.objects.filter(analysed_at__isnull=False).order_by("pk")))
        analysis.sentiment = rng.choice(list(Sentiment))
        analysis.save()
        with transaction.atomic():
            reading_corrected.send(sender=Analysis, analysis=analysis, correction=None, raised=False)


@pytest.fixture
def grove(chain):
    """The chain with stores on several levels and in several zones, and a node below another area."""
    below = make_node(kind=NodeKind.AREA, name="Left bank", parent=chain.area)
    nodes = [chain.root, chain.other_area, chain.area, below]
    stores = [make_store(node=node, code=f"Z{n}", time_zone=ZONES[n]) for n, node in enumerate(nodes)]
    return [chain.touchpoint, *(make_touchpoint(store=store) for store in stores)], nodes


@pytest.mark.parametrize("seed", [1, 2])
def test_every_cell_equals_the_raw_rows_whatever_happened(grove, seed):
    touchpoints, nodes = grove
    rng = random.Random(seed)
    random_history(touchpoints, seed=seed, responses=60)
    for touchpoint in touchpoints:
        for _ in range(6):
            score, at = rng.randrange(11), at_some_hour(rng, days=20)
            announce(make_response(touchpoint=touchpoint, score=score, words="Well.", submitted_at=at))
    drain(["facts"])
    assert assert_all_cells_are_right() > 30
    for _ in range(3):
        for _ in range(5):
            disturb(rng, touchpoints, nodes)
        drain(["facts"])
        assert_all_cells_are_right()
    assert not StaleMark.objects.filter(run_at__lte=timezone.now()).exists()
    assert not StaleSum.objects.exists()
    call_command("check_facts", stdout=StringIO())


def test_a_store_that_moves_takes_all_its_weeks_along(chain):
    today = timezone.now().date()
    for weeks in (0, 1, 60):
        answer(chain.touchpoint, 10, day=today - timedelta(weeks=weeks))
        answer(chain.foreign_touchpoint, 0, day=today - timedelta(weeks=weeks))
    move_stores(Store.objects.filter(pk=chain.store.pk), to=chain.other_area, actor=None)
    assert drain(["facts"]) == 2 + 2 * 61
    assert not NodeWeek.objects.filter(node=chain.area).exists()
    both = NodeWeek.objects.filter(node=chain.other_area).values_list("promoters", "detractors")
    assert list(both) == [(1, 1)] * 3
    assert list(NodeWeek.objects.filter(node=chain.root).values_list("responses", flat=True)) == [2, 2, 2]
    assert_all_cells_are_right()


def test_a_move_that_is_undone_marks_nothing(chain):
    answer(chain.touchpoint, 10, day=timezone.now().date())
    with pytest.raises(RuntimeError), transaction.atomic():
        move_stores(Store.objects.filter(pk=chain.store.pk), to=chain.other_area, actor=None)
        raise RuntimeError
    assert not StaleSum.objects.exists()


def test_the_day_is_that_of_the_store_and_so_is_the_week(chain):
    sunday_night = datetime(2026, 11, 15, 22, 30, tzinfo=UTC)  # Monday in Kyiv, Sunday still in Los Angeles
    west = make_store(node=chain.area, code="LA1", time_zone="America/Los_Angeles")
    for touchpoint in (chain.touchpoint, make_touchpoint(store=west)):
        announce(make_response(touchpoint=touchpoint, score=9, submitted_at=sunday_night))
    drain(["facts"])
    assert dict(StoreWeek.objects.values_list("store__code", "monday")) == {
        "KY1": date(2026, 11, 16),
        "LA1": date(2026, 11, 9),
    }
    assert NodeWeek.objects.filter(node=chain.root).count() == 2


def wreck() -> None:
    """Wrong, missing and surplus cells on every level."""
    StoreDay.objects.filter(pk__in=list(StoreDay.objects.values_list("pk", flat=True)[:3])).delete()
    StoreWeek.objects.update(promoters=77)
    NodeDay.objects.filter(node__parent=None).delete()
    NodeWeek.objects.update(topics={"price": {"n": 9, "promoters": 9, "detractors": 9, "negative": 9, "positive": 9}})
    store = Store.objects.order_by("pk")[0]
    for start in (FIRST_SPAN - 2 * SPAN, FIRST_SPAN - 50 * SPAN):
        StoreSpan.objects.update_or_create(
            store=store, start=start, channel="call", sample_kind="invited",
            defaults={"promoters": 5, "passives": 0, "detractors": 0},
        )  # fmt: skip
    TrafficSpan.objects.update(transactions=1)
    node = Node.objects.filter(stores=None).exclude(parent=None).first()
    if node:
        NodeWeek.objects.create(
            node=node, monday=date(2026, 1, 5), headline_kind="nps", channel="qr", sample_kind="volunteer",
            score_counts=[0] * 11,
        )  # fmt: skip


def known_to_the_planner() -> set[str]:
    """The tables of whose content the database has an idea."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tablename FROM pg_stats WHERE attname = 'channel'")
        return {table for (table,) in cursor.fetchall()}


def test_a_rebuild_mends_everything_and_goes_on_where_it_was_stopped(grove):
    touchpoints, _nodes = grove
    random_history(touchpoints, seed=5, responses=40)
    for weeks in (1, 2, 3):
        answer(touchpoints[1], 9, day=timezone.now().date() - timedelta(weeks=weeks))
    drain(["facts"])
    weeks_of_nodes = assert_all_cells_are_right()
    for model in (NodeWeek, NodeDay, StoreSpan, StoreWeek, StoreDay):
        model.objects.all().delete()
    for _step in rebuild():
        break
    run = Rebuild.objects.get()
    assert (run.done, run.finished_at) == (1, None)
    assert len(run.weeks) >= 4
    out = StringIO()
    call_command("rebuild_facts", stdout=out)
    assert assert_all_cells_are_right() == weeks_of_nodes
    assert f"1/{len(run.weeks)}" not in out.getvalue() and f"{len(run.weeks)}/{len(run.weeks)}" in out.getvalue()
    assert {
        model._meta.db_table for model in (NodeWeek, NodeDay, StoreSpan, StoreWeek, StoreDay)
    } <= known_to_the_planner()
    today = timezone.now().date()
    record_traffic([Count(touchpoints[0].store_id, today - timedelta(weeks=n), "qr", 40) for n in (0, 1)])
    wreck()
    call_command("rebuild_facts", "--anew", stdout=StringIO())
    assert assert_all_cells_are_right() == weeks_of_nodes
    assert TrafficSpan.objects.aggregate(n=Sum("transactions"))["n"] == 80


def test_the_check_names_what_differs_and_the_audit_hears_of_it(grove, monkeypatch):
    monkeypatch.setattr("reports.checking._PAUSE_SECS", 0)
    touchpoints, _nodes = grove
    answer(touchpoints[0], 9, day=timezone.now().date(), times=3)
    call_command("check_facts", stdout=StringIO())
    check_sample()
    watch = next(w for w in watches() if w.name == "cells unlike their rows")
    assert (watch.overdue(0), CellCheck.objects.get().cells > 4) == (0, True)

    StoreDay.objects.update(promoters=2)
    NodeWeek.objects.filter(node__parent=None).delete()
    out = StringIO()
    with pytest.raises(SystemExit) as refused:
        call_command("check_facts", stdout=out)
    assert refused.value.code == 1
    assert "store KY1: StoreDay" in out.getvalue() and "promoters 2 instead of 3" in out.getvalue()
    assert "cells 0 instead of 1" in out.getvalue()
    StoreSpan.objects.update(passives=8)
    with pytest.raises(SystemExit):
        call_command("check_facts", stdout=(out := StringIO()))
    assert "StoreSpan" in out.getvalue() and "passives 8 instead of 0" in out.getvalue()
    check_sample()
    assert watch.overdue(0) > 1
    drain(["facts"])
    assert_all_cells_are_right()
    check_sample()
    assert watch.overdue(0) == 0


def test_what_is_about_to_be_counted_is_no_fault(grove, monkeypatch):
    monkeypatch.setattr("reports.checking._PAUSE_SECS", 0)
    touchpoints, _nodes = grove
    answer(touchpoints[0], 9, day=timezone.now().date())
    announce(make_response(touchpoint=touchpoints[0], score=3))
    call_command("check_facts", stdout=StringIO())
    StaleMark.objects.all().delete()
    with pytest.raises(SystemExit):
        call_command("check_facts", stdout=StringIO())


def test_cases_grow_old_in_all_sums(chain):
    (response,) = answer(chain.touchpoint, 1, day=timezone.now().date())
    announce(response, make_case(response, due_in=timedelta(minutes=30)))
    drain(["facts"])
    week = NodeWeek.objects.filter(node=chain.root)
    assert list(week.values_list("running", "contactable")) == [(1, 0)]
    past = timezone.now() - timedelta(seconds=1)
    Case.objects.update(due_at=past)
    StaleMark.objects.update(run_at=past)
    drain(["facts"])
    assert list(week.values_list("running", "contactable")) == [(0, 1)]


def test_summing_twice_writes_nothing(chain):
    answer(chain.touchpoint, 9, day=timezone.now().date())
    rows = list(NodeDay.objects.order_by("pk").values())
    with transaction.atomic():
        sum_nodes([(chain.area.pk, timezone.now().date())])
    assert list(NodeDay.objects.order_by("pk").values()) == rows
    assert run_once(["facts"]) == 0


def test_the_update_fills_spans_as_counting_does(grove):
    touchpoints, _nodes = grove
    random_history(touchpoints, seed=8, responses=40)
    drain(["facts"])
    today = timezone.now().date()
    record_traffic(Count(one.store_id, today - timedelta(weeks=n), "qr", 40) for one in touchpoints for n in range(9))
    purchases = set(TrafficSpan.objects.values_list("store", "start", "channel", "transactions"))
    assert len(purchases) >= 3 * len(touchpoints)
    TrafficSpan.objects.update(transactions=1)
    StoreSpan.objects.update(promoters=77)
    with connection.cursor() as cursor:
        for statement in import_module("reports.migrations.0025_fill_spans").FILL:
            cursor.execute(statement)
    assert set(TrafficSpan.objects.values_list("store", "start", "channel", "transactions")) == purchases
    assert_all_cells_are_right()


def test_weeks_are_read_as_whole_spans_and_what_is_beside_them():
    first = date(2026, 8, 31)
    for begin in range(8):
        for weeks in range(1, 20):
            found, start = list[date](), first + timedelta(weeks=begin)
            parts = list(in_spans(start, start + timedelta(weeks=weeks - 1)))
            for whole, low, high in parts:
                for n in range((high - low) // (SPAN if whole else timedelta(weeks=1)) + 1):
                    monday = low + n * (SPAN if whole else timedelta(weeks=1))
                    assert not whole or monday == span_of(monday)
                    found += [monday + timedelta(weeks=k) for k in range(4 if whole else 1)]
            assert sorted(found) == [start + timedelta(weeks=n) for n in range(weeks)]
            assert weeks < 7 or any(whole for whole, _low, _high in parts)
