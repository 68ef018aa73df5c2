"""From invitation and scan to an answer with words: counted by week, read at every level of the chain."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.models import Message
from reports.asking import Asking, Row
from reports.asking_cells import count_behind, count_due, count_week, sum_week, weeks_due
from reports.models import AskedCount, AskedNodeWeek, AskedWeek, NodeWeek
from reports.pages import read
from reports.periods import Week
from reports.rebuilding import rebuild
from reports.tables import asked, asking_lines
from stores.actions import move_stores
from stores.choices import TouchpointKind
from stores.models import Store
from stores.touchpoints import change_touchpoint
from surveys.choices import ResponseChannel
from surveys.inviting import receipt_link
from surveys.models import Invitation, LinkHour, Response, ScanHour
from tests.factories import Chain, make_node, make_response
from tests.reports.makers import noon
from tests.threads import Beside

HOUR = timedelta(hours=1)


def now() -> datetime:
    """Noon of the running week's Monday: no zone has another week then."""
    return noon(Week.of(timezone.now().date()).monday)


def invite(store, number: int, *, at: datetime, arrived: int, answered: list[str], touchpoint) -> None:
    """So many receipts, with these answers: each the marks of one."""
    for each in range(number):
        receipt = f"{at:%j}-{store.code}-{each}"
        invitation = receipt_link(store, receipt, at, email=f"a{each}@example.com").invitation
        assert invitation
        Invitation.objects.filter(pk=invitation.pk).update(created_at=at)
        message = Message.objects.filter(dedup_key=f"receipt_survey:{invitation.pk}")
        message.update(state="sent" if each < arrived else "dead")
        if each < len(answered):
            response = make_response(touchpoint=touchpoint, score=9, submitted_at=at, channel=ResponseChannel.RECEIPT)
            flags = [answered[each]] if answered[each] else []
            Response.objects.filter(pk=response.pk).update(invitation=invitation, flags=flags)


def scan(touchpoint, *, at: datetime, scans: int, opens: int, sent: int, left: int = 0, words: int = 0) -> None:
    ScanHour.objects.create(touchpoint=touchpoint, hour=at, scans=scans, opens=opens, robots=9)
    for each in range(sent + left):
        response = make_response(touchpoint=touchpoint, score=9, submitted_at=at, words="Nice" if each < words else "")
        Response.objects.filter(pk=response.pk).update(flags=[] if each < sent else ["unsent"])


def found(client: Client, **query: Any) -> Asking:
    asking: Asking = client.get(reverse("report_asking"), query).context["asking"]
    return asking


def shares(row: Row) -> dict[str, tuple[int, int]]:
    return {name: (rate.share.part, rate.share.n) for name, rate in row.rates.items()}


def test_how_far_people_came_at_every_level_of_the_chain(head, chain):
    at = now()
    before = at - timedelta(weeks=13)
    invite(chain.store, 12, at=at, arrived=10, answered=["", "", "", "staff", "unsent"], touchpoint=chain.touchpoint)
    # A link that a till prints is no invitation.
    printed = receipt_link(chain.store, "printed", at).invitation
    assert printed
    Invitation.objects.filter(pk=printed.pk).update(created_at=at)
    LinkHour.objects.create(store=chain.store, channel="receipt", hour=at, opens=8, scanners=5)
    scan(chain.touchpoint, at=at, scans=400, opens=200, sent=20, left=20, words=5)
    scan(chain.touchpoint, at=before, scans=100, opens=90, sent=38, left=2)
    scan(chain.foreign_touchpoint, at=at, scans=6, opens=5, sent=1)
    assert found(head).counted_at is None
    count_due()
    chained = found(head)
    (mail,) = chained.invited
    assert (mail.name, shares(mail)["delivered"], shares(mail)["response"]) == ("Receipt", (10, 12), (3, 12))
    till, link = chained.ways
    assert (till.name, link.name) == ("Till", "Receipt")
    assert shares(till) == {"opened": (205, 406), "begun": (41, 205), "completion": (21, 41), "worded": (5, 21)}
    assert shares(link) == {"begun": (4, 8)}, "fewer than five began"
    completion = till.rates["completion"]
    assert completion.change
    assert (round(completion.change.points), completion.moved) == (round(100 * (21 / 41 - 38 / 40)), True)
    # Each place tells its own.
    areas = {row.name: row for row in found(head, node=chain.area.parent_id).places}
    assert shares(areas["Kyiv"])["completion"] == (23, 44)
    assert "completion" not in shares(areas["Lviv"]), "of fewer than five"
    store = found(head, store=chain.store.code)
    assert (store.places, shares(store.ways[0])["completion"]) == ([], (20, 40))
    assert [row.name for row in found(head, node=chain.area.pk).places] == ["Kyiv One"]
    lines = list(asking_lines(read(asked("", chain.head_office))))
    assert [line.value for line in lines if line.name == "Receipt" and "Response rate" in line.way] == [25.0]
    head.force_login(chain.foreign_manager)
    assert [row.now.completed for row in found(head).ways] == [1]


def test_who_began_where_no_opening_is_seen_is_no_part_of_those_who_opened(head, chain):
    """A smiley that is tapped in a mail opens no page that we count: such answers must not look like opened codes."""
    at = now()
    scan(chain.touchpoint, at=at, scans=90, opens=80, sent=20)
    invite(chain.store, 30, at=at, arrived=30, answered=[""] * 25, touchpoint=chain.touchpoint)
    count_due()
    (kyiv,) = (row for row in found(head, node=chain.area.parent_id).places if row.name == "Kyiv")
    assert shares(kyiv) == {"response": (25, 30), "begun": (20, 80), "completion": (45, 45), "worded": (0, 45)}
    shown = head.get(reverse("report_asking"), {"node": chain.area.parent_id}).content.decode()
    assert '20 <span class="muted">/ 80</span>' in shown and '45 <span class="muted">/ 80</span>' not in shown


def test_weeks_are_counted_by_the_clock_and_keep_what_was_purged(head, chain):
    at = now() - timedelta(weeks=20)
    week = Week.of(at.date())
    scan(chain.touchpoint, at=at, scans=40, opens=20, sent=10)
    count_due()
    assert AskedCount.objects.count() == 104
    assert not AskedCount.objects.filter(summed=False).exists()
    ScanHour.objects.all().delete()
    Response.objects.all().update(flags=["staff"])
    count_week(week.monday)
    row = AskedNodeWeek.objects.get()
    assert (row.scans, row.opens, row.begun, row.completed) == (40, 20, 0, 0)
    # Not its turn yet; but a store that moves takes its weeks along.
    Response.objects.all().update(flags=[])
    scan(chain.touchpoint, at=at + HOUR, scans=50, opens=0, sent=0)
    area = make_node(kind=chain.area.kind, name="New", parent=chain.root)
    move_stores(Store.objects.filter(pk=chain.store.pk), to=area, actor=chain.head_office)
    count_due()
    row = AskedNodeWeek.objects.get()
    assert (row.node, row.completed) == (area, 0)
    for _step in rebuild():
        pass
    assert AskedNodeWeek.objects.get().completed == 10
    assert count_behind(3600) == 0
    AskedCount.objects.update(counted_at=timezone.now() - 3 * HOUR)
    assert count_behind(3600) == 1


def test_a_touchpoint_of_another_kind_takes_its_scans_along(chain):
    at = now()
    scan(chain.touchpoint, at=at, scans=40, opens=20, sent=10)
    monday = Week.of(at.date()).monday
    count_week(monday)
    change_touchpoint(chain.touchpoint, actor=None, kind=TouchpointKind.EXIT, name="")
    count_week(monday)
    counted = AskedWeek.objects.order_by("kind").values_list("kind", "scans", "opens", "completed")
    assert {kind: counts for kind, *counts in counted if any(counts)} == {TouchpointKind.EXIT: [40, 20, 10]}


def test_as_far_back_as_a_period_may_lie(chain):
    newest = Week.of(timezone.now().date()).monday
    assert len(list(weeks_due(newest))) == 104
    first = newest - timedelta(weeks=200)
    NodeWeek.objects.create(
        node=chain.area, monday=first, channel="qr", sample_kind="random", headline_kind="nps", score_counts=[0] * 11
    )
    assert min(weeks_due(newest)) == first - timedelta(weeks=103)


@pytest.mark.django_db(transaction=True)
def test_a_store_that_moves_while_weeks_are_summed_takes_them_along():
    chain, at = Chain(), now()
    scan(chain.touchpoint, at=at, scans=40, opens=20, sent=1)
    monday = Week.of(at.date()).monday
    count_week(monday)
    summing = Beside(lambda: sum_week(monday))
    with transaction.atomic():
        move_stores(Store.objects.filter(pk=chain.store.pk), to=chain.other_area, actor=chain.head_office)
        summing.until_held()
    summing.end()
    assert AskedNodeWeek.objects.get().node == chain.other_area
    assert AskedCount.objects.get().summed
