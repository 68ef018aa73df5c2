"""What was published stays; today's figure stands beside it with reasons that add up to the difference."""

import random
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from core.personal import erase_response
from core.work import drain
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
)
from reports.statistics import Nps
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
        found = reasons(period, node, one.source)
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
    found = {reason.why: reason for reason in reasons(period, chain.area, QR)}
    assert {why: (reason.answers, *(reason.change[band] for band in BANDS)) for why, reason in found.items()} == {
        Why.JOINED: (10, 1, 0, 9),
        Why.LATE: (1, 0, 0, 1),
        Why.CORRECTED: (1, 0, 1, -1),
        Why.MARKED: (1, 0, 0, -1),
    }
    assert [reason.why for reason in reasons(period, chain.other_area, QR)] == [Why.LEFT]
    assert Why.JOINED not in {reason.why for reason in reasons(period, chain.root, QR)}
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
    assert span not in [f"{one.kind}:{one.first}" for one in offered()]

    for _ in range(6):
        late(chain.touchpoint, 1, week.first)
    late(chain.foreign_touchpoint, 1, week.first)
    drain(["facts"])
    page = client.get(f"/reports/published/{period.pk}/").content.decode()
    assert "Answers that came in after it was published" in page and "Restated, as of today" in page
    client.force_login(chain.area_manager)
    page = client.get(f"/reports/published/{period.pk}/").content.decode()
    assert "Lviv" not in page and "Restated, as of today" in page
    assert client.get(f"/reports/published/{period.pk}/?node={chain.root.pk}").status_code == 404
    client.force_login(chain.foreign_area_manager)
    page = client.get(f"/reports/published/{period.pk}/").content.decode()
    assert "fewer than 5" in page and "Restated" not in page
    assert "few answers differ" in client.get("/reports/published/").content.decode()
    client.force_login(chain.manager)
    assert client.get("/reports/published/").status_code == 200
    assert client.get(f"/reports/published/{period.pk}/").status_code == 404
