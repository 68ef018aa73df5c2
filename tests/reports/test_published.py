"""What was published stays; today's figure stands beside it with reasons that add up to the difference."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.personal import erase_response
from core.work import drain
from reports import published
from reports.figures import Source
from reports.models import PeriodKind, PublishedNode, PublishedPeriod, PublishedStore
from reports.published import (
    BANDS,
    Bands,
    PeriodRefused,
    Restated,
    Why,
    offered,
    publish,
    reasons,
    restated,
    spans_over,
    told_today,
)
from reports.statistics import MIN_SHOWN, Nps
from stores.actions import move_node, move_stores
from stores.choices import NodeKind
from stores.models import Node, Store, Touchpoint
from surveys.models import Response, ResponseRevision
from tests.factories import make_node, make_response, make_store, make_touchpoint
from tests.reports.makers import announce, answer, noon

QR = Source("qr", "volunteer")


@pytest.fixture
def week(chain):
    return spans_over(PeriodKind.WEEK)[1]


def fill(touchpoint: Touchpoint, day: date, *, promoters: int = 0, passives: int = 0, detractors: int = 0) -> None:
    for score, number in ((10, promoters), (7, passives), (2, detractors)):
        answer(touchpoint, score, day=day, times=number)


def figure(period: PublishedPeriod, node: Node, source: Source = QR) -> Restated:
    return next(one for one in restated(period, [node.pk]) if one.source == source)


def late(touchpoint: Touchpoint, score: int, day: date) -> None:
    """An answer about that day that comes only now."""
    response = make_response(touchpoint=touchpoint, score=score)
    Response.objects.filter(pk=response.pk).update(local_day=day)
    response.refresh_from_db()
    announce(response)


def correct(response: Response, score: int) -> None:
    number = response.revision
    ResponseRevision.objects.create(response=response, number=number, answers={}, score=response.score)
    response.score, response.revision = score, number + 1
    response.save()
    announce(response)


def assert_reasons_add_up(period: PublishedPeriod, node: Node) -> None:
    for one in restated(period, [node.pk]):
        found = reasons(period, node, [one.source])[one.source]
        whole = Bands()
        for reason in found:
            whole = whole.plus(reason.change)
        assert dict(whole) == {band: getattr(one.today, band) - getattr(one.published, band) for band in BANDS}
        assert bool(found) or not one.differs


def test_periods_are_whole_and_over(chain):
    today = timezone.now().date()
    for kind, days in (
        (PeriodKind.WEEK, {7}),
        (PeriodKind.MONTH, {28, 29, 30, 31}),
        (PeriodKind.QUARTER, {90, 91, 92}),
    ):
        spans = spans_over(kind)
        assert all((span.last - span.first).days + 1 in days for span in spans)
        assert all(newer.first - timedelta(days=1) == older.last for newer, older in pairwise(spans))
        assert spans[0].last < today
        assert today - spans[0].last <= timedelta(days=max(days) + 1)


@pytest.mark.parametrize(("hour", "over"), [(21, False), (23, True)])
def test_a_week_is_offered_once_it_is_over_in_every_store(chain, monkeypatch, hour, over):
    # A Sunday in winter: Kyiv is two hours before UTC, London is there.
    Store.objects.update(time_zone="Europe/Kyiv")
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 1, 11, hour, tzinfo=UTC))
    assert (spans_over(PeriodKind.WEEK)[0].last == date(2026, 1, 11)) is over
    make_store(node=chain.area, code="LDN", time_zone="Europe/London")
    assert spans_over(PeriodKind.WEEK)[0].last == date(2026, 1, 4)


def test_published_figures_stay_and_cannot_be_changed(chain, week):
    fill(chain.touchpoint, week.first, promoters=6, passives=2, detractors=4)
    period = publish(week.kind, week.first, by=chain.head_office)
    assert figure(period, chain.root).published == figure(period, chain.area).published == Nps(6, 2, 4)
    assert PublishedNode.objects.get(node=chain.area).score_counts[2] == 4
    assert not figure(period, chain.root).differs
    with pytest.raises(PeriodRefused):
        publish(week.kind, week.first, by=chain.head_office)
    with pytest.raises(PeriodRefused):
        publish(week.kind, timezone.now().date(), by=chain.head_office)
    for statement in ("UPDATE reports_publishednode SET promoters = 9", "DELETE FROM reports_publishedstore"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    for _ in range(2):
        late(chain.touchpoint, 10, week.first)
    drain(["facts"])
    assert figure(period, chain.root).published == Nps(6, 2, 4)
    assert figure(period, chain.root).today == Nps(8, 2, 4)


def test_each_reason_is_told_apart(chain, week):
    fill(chain.touchpoint, week.first, promoters=6, passives=2, detractors=4)
    fill(chain.foreign_touchpoint, week.last, promoters=1, detractors=9)
    period = publish(week.kind, week.first, by=chain.head_office)
    late(chain.touchpoint, 3, week.last)
    unhappy = Response.objects.filter(store=chain.store, score=2).order_by("pk")
    correct(unhappy[0], 9)
    correct(Response.objects.filter(store=chain.store, score=9).get(), 8)
    marked = unhappy.filter(revision=1)[0]
    marked.flags = ["staff"]
    marked.save()
    announce(marked)
    with transaction.atomic():
        erase_response(unhappy.filter(revision=1)[1].pk)
    move_stores(Store.objects.filter(pk=chain.foreign.pk), to=chain.area, actor=None)
    drain(["facts"])
    found = {reason.why: reason for reason in reasons(period, chain.area, [QR])[QR]}
    assert {why: (reason.answers, *(reason.change[band] for band in BANDS)) for why, reason in found.items()} == {
        Why.JOINED: (10, 1, 0, 9),
        Why.LATE: (1, 0, 0, 1),
        Why.CORRECTED: (1, 0, 1, -1),
        Why.MARKED: (1, 0, 0, -1),
    }
    assert [reason.why for reason in reasons(period, chain.other_area, [QR])[QR]] == [Why.LEFT]
    assert Why.JOINED not in {reason.why for reason in reasons(period, chain.root, [QR])[QR]}
    for node in Node.objects.all():
        assert_reasons_add_up(period, node)


@pytest.mark.parametrize("seed", [1, 2])
def test_reasons_add_up_whatever_happens(chain, week, seed):
    rng = random.Random(seed)
    below = make_node(kind=NodeKind.AREA, name="Left bank", parent=chain.area)
    stores = [make_store(node=node, code=f"P{n}") for n, node in enumerate([chain.root, below, chain.other_area])]
    touchpoints = [chain.touchpoint, chain.foreign_touchpoint, *(make_touchpoint(store=store) for store in stores)]
    nodes = [chain.root, chain.area, chain.other_area, below]

    def some_day() -> date:
        first: date = week.first
        return first + timedelta(days=rng.randrange(7))

    for _ in range(60):
        score = rng.choice([None, *range(11)])
        announce(make_response(touchpoint=rng.choice(touchpoints), score=score, submitted_at=noon(some_day())))
    drain(["facts"])
    period = publish(week.kind, week.first, by=chain.head_office)
    assert sum(PublishedStore.objects.values_list("responses", flat=True)) == 60
    for _ in range(14):
        response = rng.choice(list(Response.objects.order_by("local_day", "score", "pk")))
        deed = rng.randrange(6)
        if deed == 0:
            late(rng.choice(touchpoints), rng.randrange(11), some_day())
        elif deed == 1:
            correct(response, rng.randrange(11))
        elif deed == 2:
            response.flags = [] if response.flags else ["staff"]
            response.save()
            announce(response)
        elif deed == 3:
            move_stores(Store.objects.filter(pk=rng.choice(touchpoints).store_id), to=rng.choice(nodes), actor=None)
        elif deed == 4:
            move_node(below, to=rng.choice(nodes[:3]), actor=None)
        else:
            with transaction.atomic():
                erase_response(response.pk)
    drain(["facts"])
    for node in Node.objects.all():
        assert_reasons_add_up(period, node)


def test_head_office_publishes_and_others_read_their_part(chain, week, client):
    fill(chain.touchpoint, week.first, promoters=40, detractors=10)
    fill(chain.foreign_touchpoint, week.first, promoters=5, detractors=20)
    span = f"week:{week.first}"
    client.force_login(chain.area_manager)
    assert client.post("/reports/published/", {"span": span}).status_code == 403
    client.force_login(chain.head_office)
    for nonsense in ("", "week:", "day:2026-01-01", f"week:{timezone.now().date()}", "week:2026-13-45"):
        assert client.post("/reports/published/", {"span": nonsense}).status_code == 302
    assert not PublishedPeriod.objects.exists()
    page = client.post("/reports/published/", {"span": span}, follow=True).content.decode()
    period = PublishedPeriod.objects.get()
    assert "Today&#x27;s figure is the same." in page or "Today's figure is the same." in page
    behind = (
        f'<a class="size" href="/verbatims/?node={chain.root.pk}&amp;channel=qr&amp;sample=volunteer'
        f'&amp;question=nps&amp;from={week.first}&amp;to={week.last}">'
    )
    assert f"{behind}n = 75</a>" in page and f"{behind}75</a>" in client.get("/reports/published/").content.decode()
    assert span not in [f"{one.kind}:{one.first}" for one in offered()]

    address = f"/reports/published/{period.pk}/"
    for _ in range(6):
        late(chain.touchpoint, 1, week.first)
    drain(["facts"])
    page = client.get(address).content.decode()
    assert "Answers that came in after it was published" in page and "Restated, as of today" in page
    # The words are those of today: what was published has others.
    assert f"{behind}n = 81</a>" in page and "n = 75" in page and f"{behind}n = 75" not in page
    client.force_login(chain.area_manager)
    page = client.get(address).content.decode()
    assert "Lviv" not in page and "Restated, as of today" in page
    assert client.get(f"{address}?node={chain.root.pk}").status_code == 404
    # The whole less this area would be the one answer of the other: now it is told of the whole alone.
    late(chain.foreign_touchpoint, 1, week.first)
    drain(["facts"])
    assert "Restated" not in client.get(address).content.decode()
    client.force_login(chain.foreign_area_manager)
    page = client.get(address).content.decode()
    assert "fewer than 5" in page and "Restated" not in page and 'class="size"' not in page
    assert "few answers differ" in client.get("/reports/published/").content.decode()
    client.force_login(chain.head_office)
    assert "Restated, as of today" in client.get(address).content.decode()
    client.force_login(chain.manager)
    assert client.get("/reports/published/").status_code == 200
    assert client.get(f"/reports/published/{period.pk}/").status_code == 404


def test_a_month_leaves_no_few_beside_the_live_weeks(chain):
    """Nothing else is published: the live pages show the weeks within the month."""
    month = next(one for one in spans_over(PeriodKind.MONTH) if one.first.weekday())
    fill(chain.touchpoint, month.first + timedelta(days=12), promoters=20)
    fill(chain.touchpoint, month.first, detractors=3)
    fill(chain.touchpoint, month.first - timedelta(days=1), detractors=9)
    assert not figure(publish(month.kind, month.first, by=chain.head_office), chain.root).shown


def test_pages_cost_as_many_queries_however_much_was_published(chain, client):
    weeks = spans_over(PeriodKind.WEEK)[:3]
    for week in weeks:
        for channel, sample in (("qr", "volunteer"), ("call", "verified")):
            answer(chain.touchpoint, 9, day=week.first, times=6, channel=channel, sample_kind=sample)
    client.force_login(chain.head_office)

    def queries_of(address: str) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return [query["sql"] for query in queries if '"reports_publishednode"' in query["sql"]]

    period = publish(weeks[0].kind, weeks[0].first, by=chain.head_office)
    assert len(queries_of("/reports/published/")) == 1
    for week in weeks[1:]:
        publish(week.kind, week.first, by=chain.head_office)
    assert len(queries_of("/reports/published/")) == 1
    for channel, sample in (("qr", "volunteer"), ("call", "verified")):
        answer(chain.touchpoint, 2, day=weeks[0].first, times=6, channel=channel, sample_kind=sample)
    # Of the place, of those below it, and once for the reasons of both ways of asking.
    assert len(queries_of(f"/reports/published/{period.pk}/")) == 3


def test_a_period_shows_no_place_of_which_another_period_leaves_a_few(chain, client):
    month = spans_over(PeriodKind.MONTH)[0]
    week = next(one for one in spans_over(PeriodKind.WEEK) if month.first <= one.first and one.last <= month.last)
    day = month.first if week.first > month.first else month.last
    fill(chain.touchpoint, week.first, promoters=20)
    fill(chain.touchpoint, day, detractors=3)
    fill(chain.foreign_touchpoint, day, promoters=30)
    of_week = publish(week.kind, week.first, by=chain.head_office)
    of_month = publish(month.kind, month.first, by=chain.head_office)

    def shown(period: PublishedPeriod) -> set[int]:
        return {one.node for one in restated(period, [chain.root.pk, chain.area.pk, chain.other_area.pk]) if one.shown}

    assert shown(of_week) == {chain.root.pk, chain.area.pk}
    # Of the month only the whole: either area would lead to the three answers outside the week.
    assert shown(of_month) == {chain.root.pk}
    client.force_login(chain.head_office)
    for _ in range(6):
        late(chain.touchpoint, 10, week.first)
    drain(["facts"])
    # Two differences would tell about the days between: today's figure stands beside the longer period.
    page = client.get(f"/reports/published/{of_week.pk}/").content.decode()
    assert "Restated" not in page and f'href="/reports/published/{of_month.pk}/' in page
    assert "Restated, as of today" in client.get(f"/reports/published/{of_month.pk}/").content.decode()
    assert "with a longer period" in client.get("/reports/published/").content.decode()


def test_what_was_never_shown_for_lack_of_answers_is_not_taken_for_known(chain, monkeypatch):
    """Before anything was decided all was kept as shown, and the page shows five answers alone."""
    month = spans_over(PeriodKind.MONTH)[0]
    weeks = [one for one in spans_over(PeriodKind.WEEK) if month.first <= one.first and one.last <= month.last][:3]
    for week, n in zip(weeks, (3, 2, 20), strict=True):
        fill(chain.touchpoint, week.first, promoters=n)
    with monkeypatch.context() as before:
        before.setattr(published, "shown_if_published", lambda first, last: {(chain.root.pk, QR)})
        publish(weeks[0].kind, weeks[0].first, by=chain.head_office)
    for week in weeks[1:]:
        publish(week.kind, week.first, by=chain.head_office)
    of_month = publish(month.kind, month.first, by=chain.head_office)
    assert figure(of_month, chain.root).shown


@pytest.mark.parametrize("seed", range(8))
def test_no_difference_of_a_few_follows_from_those_that_are_told(seed):
    rng = random.Random(seed)
    for _ in range(40):
        below: dict[int | None, list[int]] = {None: [0], 0: list(range(1, rng.randrange(3, 7)))}
        for area in below[0]:
            below[area] = [10 * area + n for n in range(rng.randrange(3))]
        nodes = [pk for of in below.values() for pk in of]
        # By how much what lies right below each node changed, band by band.
        direct = {pk: np.array([rng.choice([0, 0, 0, -2, 1, 3, 8]) for _ in BANDS]) * rng.randrange(2) for pk in nodes}

        def under(pk: int, below: dict[int | None, list[int]] = below) -> list[int]:
            return [pk, *(one for child in below.get(pk, ()) for one in under(child))]

        found = {}
        for pk in nodes:
            then = np.array([200, 200, 200])
            now = then + sum(direct[one] for one in under(pk))
            found[pk] = Restated(pk, QR, Nps(*then.tolist()), Nps(*now.tolist()), rng.random() < 0.9)
        told = told_today(found, below)
        known = [pk for pk in nodes if pk in told or (found[pk].shown and not found[pk].differs)]
        rows = np.array([[float(one in under(pk)) for one in nodes] for pk in known]).reshape(-1, len(nodes))
        _, values, directions = np.linalg.svd(rows, full_matrices=True)
        unknown = directions[int((values > 1e-9).sum()) :].T
        for group in [under(pk) for pk in nodes] + [[pk] for pk in nodes]:
            change = Bands(dict(zip(BANDS, np.sum([direct[one] for one in group], axis=0).tolist(), strict=True)))
            wanted = np.array([float(one in group) for one in nodes])
            if 0 < change.size < MIN_SHOWN:
                assert unknown.size and np.abs(wanted @ unknown).max() > 1e-6
