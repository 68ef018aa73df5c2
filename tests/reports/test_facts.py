"""Cells are exactly what the raw rows say, soon after the rows change."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from importlib import import_module
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.choices import CaseState
from alerts.models import Case
from core.personal import erase_response
from core.work import drain, run_once, watches
from reports import facts
from reports.models import StaleMark, StoreDay
from sentiment.models import Analysis, Sentiment
from sentiment.signals import verbatim_analysed
from stores.models import Store
from surveys.models import Response
from tests.factories import make_response, make_touchpoint
from tests.reports.makers import announce, answer, make_analysis, make_case, random_history

COUNTS = [
    field.name
    for field in StoreDay._meta.fields
    if field.name not in ("id", "store", "local_day", "headline_kind", "channel", "sample_kind")
]


Key = tuple[int, date, str, str, str]
Counts = dict[str, Any]


def cells() -> dict[Key, Counts]:
    return {
        (c.store_id, c.local_day, c.headline_kind, c.channel, c.sample_kind): {n: getattr(c, n) for n in COUNTS}
        for c in StoreDay.objects.all()
    }


def counted_by_hand() -> dict[Key, Counts]:
    """The same figures by another way: row by row, in Python."""
    now = timezone.now()
    found: dict[Key, Counter[str]] = defaultdict(Counter)
    scores: dict[Key, list[int]] = defaultdict(lambda: [0] * 11)
    topics: dict[Key, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for r in Response.objects.all():
        key = (r.store_id, r.local_day, r.headline_kind, r.channel, r.sample_kind)
        if "staff" in r.flags:
            found[key]["staff_responses"] += 1
            continue
        found[key]["responses"] += 1
        band = ""
        if r.score is not None:
            scores[key][r.score] += 1
            if r.headline_kind == "nps":
                band = "promoters" if r.score > 8 else "passives" if r.score > 6 else "detractors"
                found[key][band] += 1
        for analysis in Analysis.objects.filter(verbatim__response=r, analysed_at__isnull=False):
            found[key][analysis.sentiment] += 1
            for hit in analysis.topics if r.score is not None or r.headline_kind != "nps" else ():
                counts = topics[key][hit["topic"]]
                counts["n"] += 1
                counts[band] += 1
                counts[hit["sentiment"]] += 1
        for case in Case.objects.filter(response=r):
            if not case.fix_only:
                said_no = case.verifications.filter(solved=False).exists()
                outcome = "reopened" if said_no else case.state
                found[key]["asked"] += outcome in ("confirmed", "unconfirmed", "reopened")
                found[key][outcome] += outcome in ("confirmed", "unconfirmed", "reopened")
            if case.due_at > now:
                found[key]["running"] += 1
            elif case.fix_only:
                found[key]["fix_only"] += 1
                found[key]["acted"] += case.fixed_at is not None and case.fixed_at <= case.due_at
            else:
                found[key]["contactable"] += 1
                if case.contacted_at and case.contacted_at <= case.due_at:
                    found[key]["reached"] += 1
                elif case.attempted_at and case.attempted_at <= case.due_at:
                    found[key]["attempted"] += 1
    shown = ("n", "promoters", "detractors", "negative", "positive")
    return {
        key: {name: counts[name] for name in COUNTS}
        | {
            "score_counts": scores[key],
            "topics": {topic: {name: of[name] for name in shown} for topic, of in topics[key].items()},
        }
        for key, counts in found.items()
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cells_equal_the_raw_rows(chain, seed):
    touchpoints = [chain.touchpoint, chain.foreign_touchpoint, make_touchpoint(store=chain.neighbour)]
    random_history(touchpoints, seed=seed, responses=120)
    drain(["facts"])
    by_hand = counted_by_hand()
    assert len(by_hand) > 20
    assert cells() == by_hand


def test_rebuilding_some_stores_gives_the_same_cells_from_nothing_and_mends_wrong_ones(chain):
    random_history([chain.touchpoint, chain.foreign_touchpoint], seed=4, responses=60)
    drain(["facts"])
    right = cells()
    StoreDay.objects.filter(store=chain.foreign).delete()
    StoreDay.objects.update(promoters=99)
    StoreDay.objects.create(
        store=chain.neighbour,
        local_day=timezone.now().date(),
        headline_kind="nps",
        channel="qr",
        sample_kind="volunteer",
        score_counts=[0] * 11,
    )
    out = StringIO()
    call_command("rebuild_facts", "KY1", "KY2", "LV1", stdout=out)
    assert cells() == right
    assert "3/3 LV1" in out.getvalue()
    with pytest.raises(CommandError, match="No store NOWHERE"):
        call_command("rebuild_facts", "NOWHERE")


def test_counting_twice_changes_nothing(chain):
    (response,) = answer(chain.touchpoint, 9, day=timezone.now().date())
    before = cells()
    announce(response)
    announce(response)
    assert drain(["facts"]) == 2
    assert cells() == before
    assert not StaleMark.objects.exists()


def test_a_correction_moves_the_response_to_its_new_score(chain):
    (response,) = answer(chain.touchpoint, 10, day=timezone.now().date())
    response.score = 2
    response.save()
    announce(response)
    drain(["facts"])
    cell = StoreDay.objects.get()
    assert (cell.responses, cell.promoters, cell.detractors) == (1, 0, 1)


def test_a_rolled_back_submission_marks_nothing(chain):
    response = make_response(touchpoint=chain.touchpoint, score=9)
    with pytest.raises(RuntimeError), transaction.atomic():
        announce(response)
        raise RuntimeError
    assert not StaleMark.objects.exists()


def test_a_reading_is_counted_with_its_topics(chain):
    (response,) = answer(chain.touchpoint, 3, day=timezone.now().date(), words="The staff were rude.")
    analysis = make_analysis(
        response.verbatims.get(), sentiment=Sentiment.NEGATIVE, topics=[{"topic": "staff", "sentiment": "negative"}]
    )
    with transaction.atomic():
        verbatim_analysed.send(sender=Analysis, analysis=analysis)
    drain(["facts"])
    cell = StoreDay.objects.get()
    assert cell.negative == 1
    assert cell.topics == {"staff": {"n": 1, "promoters": 0, "detractors": 1, "negative": 1, "positive": 0}}


def test_silence_counts_as_not_tried_once_the_time_is_over_without_anybody_doing_anything(chain):
    (response,) = answer(chain.touchpoint, 1, day=timezone.now().date())
    case = make_case(response, due_in=timedelta(minutes=30))
    announce(response, case)
    case.version = 2
    announce(response, case)
    drain(["facts"])
    cell = StoreDay.objects.get()
    assert (cell.running, cell.contactable) == (1, 0)
    waiting = StaleMark.objects.get()  # one for the due time, however often the case changed
    assert waiting.run_at == case.due_at
    past = timezone.now() - timedelta(seconds=1)
    Case.objects.update(due_at=past)
    StaleMark.objects.update(run_at=past)
    drain(["facts"])
    cell = StoreDay.objects.get()
    assert (cell.running, cell.contactable, cell.reached, cell.attempted) == (0, 1, 0, 0)


def test_erasing_keeps_the_counts(chain):
    (response,) = answer(chain.touchpoint, 2, day=timezone.now().date(), words="Please forget me.")
    make_analysis(response.verbatims.get(), sentiment=Sentiment.NEGATIVE)
    announce(response, make_case(response, state=CaseState.CONFIRMED, contacted=5))
    drain(["facts"])
    before = cells()
    with transaction.atomic():
        erase_response(response.pk)
    announce(response)
    drain(["facts"])
    assert cells() == before


def test_smileys_never_have_promoters(chain):
    answer(chain.touchpoint, 5, day=timezone.now().date(), headline_kind="smiley5", times=3)
    cell = StoreDay.objects.get()
    assert (cell.promoters, cell.passives, cell.detractors) == (0, 0, 0)
    assert cell.score_counts[5] == 3


def test_a_day_that_cannot_be_counted_holds_up_no_other(chain, monkeypatch):
    good = make_response(touchpoint=chain.touchpoint, score=9)
    bad = make_response(touchpoint=chain.foreign_touchpoint, score=9)
    announce(bad)
    announce(good)
    real = facts.count_days

    def count(days):
        if any(store == chain.foreign.pk for store, _ in days):
            raise ValueError("broken day")
        real(days)

    monkeypatch.setattr("reports.work.count_days", count)
    run_once(["facts"])
    assert [cell.store_id for cell in StoreDay.objects.all()] == [chain.store.pk]
    later = StaleMark.objects.get().run_at
    assert later is not None
    assert later > timezone.now()
    StaleMark.objects.update(attempts=3)
    assert next(w for w in watches() if w.name == "reports behind").overdue(60) == 1


def test_days_of_words_without_a_score_are_counted_again_store_by_store(chain, monkeypatch):
    migration = import_module("reports.migrations.0016_topics_of_scores_alone")
    monkeypatch.setattr(migration, "_BATCH", 1)
    today = timezone.now().date()
    for number, score in enumerate((None, 3)):
        (response,) = answer(chain.touchpoint, score, day=today - timedelta(days=number), words="rude")
        make_analysis(
            response.verbatims.get(), sentiment=Sentiment.NEGATIVE, topics=[{"topic": "staff", "sentiment": "negative"}]
        )
    with CaptureQueriesContext(connection) as queries:
        migration.count_again(apps, SimpleNamespace(connection=connection))
    assert sum("INSERT" in query["sql"] for query in queries) == Store.objects.count()
    assert [(mark.store, mark.local_day) for mark in StaleMark.objects.all()] == [(chain.store, today)]
    assert not migration.Migration.atomic


def test_days_of_reopened_cases_wait_until_the_release_before_is_gone(chain):
    today = timezone.now().date()
    for score, round_ in ((1, 1), (2, 0)):
        (response,) = answer(chain.touchpoint, score, day=today - timedelta(days=score))
        make_case(response, round=round_)
    StaleMark.objects.all().delete()
    (operation,) = import_module("reports.migrations.0021_outcomes_of_reopened_cases").Migration.operations
    with connection.cursor() as cursor:
        cursor.execute(operation.sql)
    mark = StaleMark.objects.get()
    assert mark.local_day == today - timedelta(days=1)
    assert mark.run_at is not None
    assert mark.run_at > timezone.now() + timedelta(minutes=10)
