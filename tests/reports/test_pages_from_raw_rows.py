"""The pages' figures, recomputed from the raw rows by another way, agree exactly."""

import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts.choices import CaseState
from alerts.models import Case, Verification
from core.work import drain
from reports.figures import Source
from reports.filters import POOLED
from reports.periods import Period, Week, latest_day
from reports.statistics import MIN_RANKED, MIN_SHOWN, Nps
from reports.traffic import Count, record_traffic
from sentiment.models import Sentiment
from stores.models import Store
from surveys.choices import QuestionKind, ResponseChannel, SampleKind
from surveys.models import Response
from tests.factories import make_response, make_store, make_touchpoint
from tests.reports.makers import announce, make_analysis, make_case, noon

TODAY = latest_day(["Europe/Kyiv"])
PERIOD = Period(Week.of(TODAY), 13)


@pytest.fixture
def history(chain):
    """Random answers at six stores, now and before, with readings and cases."""
    rng = random.Random(7)
    stores = [chain.store, chain.neighbour, chain.foreign, chain.call_centre]
    stores += [make_store(node=chain.area, code="KY9"), make_store(node=chain.other_area, code="LV9")]
    spots = {store: make_touchpoint(store=store) for store in stores}
    for number in range(420):
        store = rng.choice(stores)
        day = PERIOD.before + timedelta(days=rng.randrange((TODAY - PERIOD.before).days + 1))
        channel, sample = rng.choice([("qr", "volunteer")] * 3 + [("receipt", "verified"), ("call", "verified")])
        kind = rng.choice(["nps"] * 5 + ["csat"])
        response = make_response(
            touchpoint=spots[store],
            score=rng.choice([None, *range(11)] if kind == "nps" else range(1, 6)),
            words=rng.choice(["", f"words {number}"]),
            submitted_at=noon(day),
            channel=ResponseChannel(channel),
            sample_kind=SampleKind(sample),
            headline_kind=QuestionKind(kind),
        )
        response.flags = rng.choice([[]] * 9 + [["staff"]])
        response.save()
        announce(response)
        for verbatim in response.verbatims.all():
            topics = [{"topic": t, "sentiment": "negative"} for t in rng.sample(["staff", "waiting", "price"], 2)]
            make_analysis(verbatim, sentiment=Sentiment.NEGATIVE, topics=topics)
            announce(response)
        if rng.random() < 0.4:
            case = make_case(response, fix_only=rng.random() < 0.3, contacted=rng.choice([None, 10, 50]))
            announce(response, case)
    drain(["facts"])
    return stores


def raw(**filters: Any) -> list[Response]:
    return [r for r in Response.objects.filter(**filters).select_related("store__node") if "staff" not in r.flags]


def nps(rows: list[Response], first: date, last: date, *, source: tuple[str, str] | None = None) -> Nps:
    scores = [
        r.score
        for r in rows
        if r.score is not None
        and r.headline_kind == "nps"
        and first <= r.local_day <= last
        and source in (None, (r.channel, r.sample_kind))
    ]
    return Nps(sum(s > 8 for s in scores), sum(s in (7, 8) for s in scores), sum(s < 7 for s in scores))


def under(store: Store, place: Any) -> bool:
    return store == place or (not isinstance(place, Store) and store.node.path.startswith(place.path))


def test_every_figure_is_what_the_rows_say(client, chain, history):
    client.force_login(chain.head_office)
    rows = raw()
    names: dict[str, Any] = {store.name: store for store in history}
    for place in (chain.root, chain.area.parent, chain.area, chain.other_area, chain.store):
        query = {"store": place.code} if isinstance(place, Store) else {"node": place.pk}
        here = [r for r in rows if under(r.store, place)]
        now = [r for r in here if PERIOD.start <= r.local_day <= PERIOD.end]
        overview = client.get(reverse("reports"), query).context["overview"]
        assert overview.responses == len(now)
        assert len(overview.cards) == 3
        for card in overview.cards:
            assert card.figure.nps == nps(here, PERIOD.start, PERIOD.end, source=card.source)
            if card.figure.change:
                before = nps(here, PERIOD.before, PERIOD.start - timedelta(days=1), source=card.source)
                assert card.figure.change.points == (card.figure.nps.score or 0) - (before.score or 0)
        for point in overview.points:
            assert point.figure.nps == nps(here, point.first.monday, point.last.sunday, source=overview.source)
        for row in overview.rows:
            if row.name in names:
                assert row.figure.nps == nps(
                    [r for r in here if r.store == names[row.name]], PERIOD.start, PERIOD.end, source=overview.source
                )
        for one in overview.answers:
            asked = [r for r in now if r.headline_kind == one.kind and (r.channel, r.sample_kind) == one.source]
            counts = Counter(r.score for r in asked)
            assert one.counts == tuple(counts[score] for score in range(1, 6))
        mix = Counter((r.channel, r.sample_kind) for r in now)
        assert {row.source: row.now.part for row in overview.mix} == mix
        loop = {part.key: (part.share.part, part.share.n) for part in overview.loop.contactable}
        cases = Case.objects.filter(response__in=now, fix_only=False)
        reached = [case for case in cases if case.contacted_at and case.contacted_at <= case.due_at]
        assert loop["reached"] == (len(reached), len(cases))
        assert overview.loop.fix_only[0].share.n == Case.objects.filter(response__in=now, fix_only=True).count()
    check_the_league_and_scores_afterwards(client, history)


def test_rankings_topics_comparisons_and_changes_are_what_the_rows_say(client, chain, history):
    client.force_login(chain.head_office)
    rows = raw()
    for query in ({}, {"sample": POOLED}, {"channel": "receipt"}, {"weeks": 26}):
        response = client.get(reverse("report_stores"), query)
        source, weeks = response.context["source"], response.context["filters"].weeks
        period = Period(PERIOD.last, weeks)
        for row in response.context["ranking"].rows:
            if not row.figure.left_out and row.figure.nps.n:
                mine = [r for r in rows if r.store == row.store and source.covers(Source(r.channel, r.sample_kind))]
                if row.figure.shown:
                    assert row.figure.nps == nps(mine, period.start, period.end)
    found = client.get(reverse("report_topics"), {"channel": "qr"}).context["found"]
    speak: dict[str, list[Response]] = defaultdict(list)
    for r in rows:
        if r.channel == "qr" and r.headline_kind == "nps":
            for verbatim in r.verbatims.all():
                for hit in verbatim.analysis.topics:
                    speak[hit["topic"]].append(r)
    assert found.rows
    for row in found.rows:
        assert row.driver.named == nps(speak[row.topic], PERIOD.start, PERIOD.end)
        assert row.n == row.driver.named.n and row.share.n == found.total.n
        assert row.driver.named + row.driver.others == found.total
    for against, first, last in (
        ("before", PERIOD.before, PERIOD.start - timedelta(days=1)),
        ("group", PERIOD.start, PERIOD.end),
    ):
        query = {"node": chain.area.pk, "against": against, "node2": chain.other_area.pk}
        compared = client.get(reverse("report_compare"), query).context["comparison"]
        other = chain.other_area if against == "group" else chain.area
        assert len(compared.scores) == 3
        for score in compared.scores:
            one = score.name.split(" · ")[0]
            channel = {"QR code": "qr", "Receipt": "receipt", "Call": "call"}[one]
            sample = "volunteer" if channel == "qr" else "verified"
            here = [r for r in rows if under(r.store, chain.area)]
            there = [r for r in rows if under(r.store, other)]
            assert score.first.nps == nps(here, PERIOD.start, PERIOD.end, source=(channel, sample))
            assert score.second.nps == nps(there, first, last, source=(channel, sample))
    check_what_the_change_is_made_of(client, history)


def check_what_the_change_is_made_of(client: Client, history: list[Store]) -> None:
    rng = random.Random(3)
    purchases = {store: rng.randrange(100, 900) for store in history}
    for store, n in purchases.items():
        record_traffic([Count(store.pk, PERIOD.start, "qr", n)])
        for day in [PERIOD.start, PERIOD.before] * MIN_SHOWN:
            spot = store.touchpoints.all()[0]
            announce(make_response(touchpoint=spot, score=rng.randrange(11), submitted_at=noon(day)))
    drain(["facts"])
    made = client.get(reverse("report_change"), {"channel": "qr"}).context["made"]
    rows = [r for r in raw() if r.channel == "qr"]

    def sums(first: date, last: date) -> dict[Store, Nps]:
        return {store: nps([r for r in rows if r.store == store], first, last) for store in history}

    now, ago = sums(PERIOD.start, PERIOD.end), sums(PERIOD.before, PERIOD.start - timedelta(days=1))
    assert min(one.n for one in [*now.values(), *ago.values()]) >= MIN_SHOWN  # each store stands for itself
    assert made.plain == sum(now.values(), Nps(0, 0, 0)) and made.old == sum(ago.values(), Nps(0, 0, 0))
    # Only one channel asks: what is not the stores' mix is how they score.
    mix = within = 0.0
    for store in history:
        share, old = now[store].n / made.plain.n, ago[store].n / made.old.n
        score, old_score = now[store].score or 0, ago[store].score or 0
        mix += (share - old) * (score + old_score) / 2
        within += (share + old) / 2 * (score - old_score)
    split = made.split
    assert (split.stores, split.channels, split.within) == pytest.approx((mix, 0, within))
    assert sum(points for _name, points in made.parts) == pytest.approx(made.plain.score - made.old.score)
    weighted = sum(n * (now[store].score or 0) for store, n in purchases.items()) / sum(purchases.values())
    assert (made.weighted.score, made.weighted.n) == (pytest.approx(weighted), made.plain.n)


def check_the_league_and_scores_afterwards(client: Client, history: list[Store]) -> None:
    rng = random.Random(4)
    for number in range(80):
        response = make_response(touchpoint=history[number % 2].touchpoints.all()[0], score=rng.randrange(7))
        response.submitted_at = noon(PERIOD.start + timedelta(days=rng.randrange(60)))
        response.save()
        case = make_case(
            response,
            contacted=rng.choice([None, 10, 29, 45]),
            attempted=rng.choice([None, 5]),
            state=rng.choice([CaseState.CONFIRMED, CaseState.UNCONFIRMED, CaseState.OPEN]),
            said_no=rng.choice([False, False, True]),
        )
        if rng.random() < 0.5:
            at = timezone.now() - timedelta(weeks=rng.randrange(16))
            Verification.objects.create(case=case, round=1, score=rng.randrange(11), scored_at=at)
        announce(response, case)
    drain(["facts"])
    context = client.get(reverse("report_loop")).context
    found = context["league"]
    rows = {row.name: row for row in [*found.ranked, *found.few]}
    cases = [
        case
        for case in Case.objects.select_related("response")
        if PERIOD.start <= case.response.local_day <= PERIOD.end and "staff" not in case.response.flags
    ]
    assert found.ranked and found.few
    for store in history:
        mine = [case for case in cases if case.store_id == store.pk and not case.fix_only]
        in_time = [case for case in mine if case.contacted_at and case.contacted_at <= case.due_at]
        tried = [case for case in mine if case not in in_time and case.attempted_at]
        said_no = [case for case in mine if case.verifications.filter(solved=False).exists()]
        ended = Counter(case.state for case in mine if case not in said_no)
        asked = len(said_no) + ended[CaseState.CONFIRMED] + ended[CaseState.UNCONFIRMED]
        shares = {part.key: (part.share.part, part.share.n) for part in rows[store.name].shares}
        assert shares == {
            "reached": (len(in_time), len(mine)),
            "attempted": (len(tried), len(mine)),
            "untried": (len(mine) - len(in_time) - len(tried), len(mine)),
            "acted": (0, sum(case.store_id == store.pk and case.fix_only for case in cases)),
            "confirmed": (ended[CaseState.CONFIRMED], asked),
            "reopened": (len(said_no), asked),
            "unconfirmed": (ended[CaseState.UNCONFIRMED], asked),
        }
        assert (rows[store.name] in found.ranked) == (len(mine) >= MIN_RANKED)
    values = [row.shares[0].share.value for row in found.ranked]
    assert values == sorted(values, reverse=True)
    numbers = [row.place for row in found.ranked]
    assert numbers == (list(range(1, len(values) + 1)) if len(values) > 1 else [0])
    sizes = [row.shares[0].share.n for row in found.few]
    assert sizes == sorted(sizes, reverse=True)
    since = noon(PERIOD.start) - timedelta(hours=12)
    again = Verification.objects.filter(scored_at__gte=since).exclude(score=None)
    pairs = [(a or 0, b or 0) for a, b in again.values_list("case__response__score", "score")]
    (recovery,) = context["recovery"]
    gained = sum((b > 8) - (b < 7) - (a > 8) + (a < 7) for a, b in pairs)
    assert (recovery.n, recovery.gain) == (len(pairs), pytest.approx(100 * gained / len(pairs)))
