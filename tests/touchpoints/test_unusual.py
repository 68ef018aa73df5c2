"""Scans that look unlike shoppers: found by the stated rules, shown, dismissed with a reason; answers only marked."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from core.work import drain
from reports.models import StoreDay
from stores.choices import TouchpointKind
from stores.models import Store, Touchpoint
from surveys import scan_rules
from surveys.choices import UNUSUAL_SCANS
from surveys.funnel import funnel_of
from surveys.models import Response, ScanFlag, ScanHour
from surveys.scan_rules import judge_hours
from tests.factories import Chain, make_response, make_store, make_touchpoint

# A Thursday in Kyiv's winter: two hours ahead of UTC.
DAY = datetime(2026, 11, 19, tzinfo=UTC)


@pytest.fixture
def shop(chain: Chain) -> Store:
    """Open from nine to eight, every day."""
    return make_store(node=chain.area, code="SHOP", hours=(time(9), time(20)))


@pytest.fixture
def till(shop: Store) -> Touchpoint:
    return make_touchpoint(store=shop)


def scan(spot: Touchpoint, local_hour: float, scans: int, *, days_ago: int = 0) -> datetime:
    hour = DAY - timedelta(days=days_ago) + timedelta(hours=local_hour - 2)
    ScanHour.objects.create(touchpoint=spot, hour=hour, scans=scans, opens=scans)
    return hour


def judge() -> list[ScanFlag]:
    while judge_hours():
        pass
    assert not ScanHour.objects.filter(judged=False)
    return list(ScanFlag.objects.order_by("began_at"))


def ordinary_weeks(spot: Touchpoint, scans: int = 4) -> None:
    for day in range(1, 15):
        scan(spot, 12, scans, days_ago=day)


def test_an_ordinary_day_is_no_news(till: Touchpoint) -> None:
    ordinary_weeks(till)
    for hour in range(8, 21):
        scan(till, hour, 12)
    assert judge() == [] and judge_hours() == 0


def test_scans_at_night_are_flagged_once_for_the_night(till: Touchpoint) -> None:
    for hour, scans in ((22, 2), (23, 2), (25, 2)):
        scan(till, hour, scans)
        found = judge()
    (flag,) = found
    assert (flag.kind, flag.scans, flag.usual) == ("closed", 6, None)
    # From an hour after closing to an hour before opening, in the store's time.
    assert flag.began_at == DAY + timedelta(hours=19) and flag.ended_at == DAY + timedelta(hours=30)


@pytest.mark.parametrize(
    ("hour", "scans"),
    [(23, 4), (20, 40 // 3), (8, 13)],
    ids=["too few", "within the hour after closing", "within the hour before opening"],
)
def test_what_is_near_or_little_is_not_flagged(till: Touchpoint, hour: int, scans: int) -> None:
    scan(till, hour, scans)
    assert judge() == []


def test_receipts_are_taken_home_and_unknown_hours_prove_nothing(shop: Store, chain: Chain) -> None:
    receipt = make_touchpoint(store=shop, kind=TouchpointKind.RECEIPT)
    unknown = make_touchpoint(store=make_store(node=chain.area, code="NONE", hours=None))
    always = make_touchpoint(store=chain.store)
    for spot in (receipt, unknown, always):
        scan(spot, 23, 15)
    assert judge() == []


def test_a_store_closed_for_weeks_is_judged_by_the_day(till: Touchpoint, shop: Store) -> None:
    shop.closed_from = (DAY - timedelta(days=20)).date()
    shop.save()
    for day in (0, 1):
        scan(till, 12, 9, days_ago=day)
    flags = judge()
    assert [flag.ended_at - flag.began_at for flag in flags] == [timedelta(days=1)] * 2


def test_a_burst_is_more_than_five_times_the_usual_and_twenty_at_least(till: Touchpoint, shop: Store) -> None:
    busy = make_touchpoint(store=shop, name="Busy")
    new = make_touchpoint(store=shop, name="New")
    ordinary_weeks(till, 4)
    ordinary_weeks(busy, 10)
    assert judge() == []
    for spot in (till, busy, new):
        scan(spot, 12, 21)
    assert {(flag.touchpoint, flag.kind, flag.usual) for flag in judge()} == {
        (till, "burst", 4.0),
        (new, "burst", scan_rules.ASSUMED_USUAL),
    }
    quiet = make_touchpoint(store=shop, name="Quiet")
    ordinary_weeks(quiet, 1)
    scan(quiet, 12, 19)
    assert not [flag for flag in judge() if flag.touchpoint == quiet]


def test_an_hour_that_cannot_be_judged_steps_aside(till: Touchpoint, chain: Chain) -> None:
    """Whatever is wrong with one store's hours: here its zone is one that this machine does not know."""
    nowhere = make_touchpoint(store=make_store(node=chain.area, code="NOWHERE", hours=(time(9), time(20))))
    Store.objects.filter(pk=nowhere.store_id).update(time_zone="Atlantis/City")
    broken = ScanHour.objects.create(touchpoint=nowhere, hour=DAY, scans=50)
    scan(till, 12, 21)
    assert judge_hours() == 2 and judge_hours() == 0
    assert till.scan_flags.filter(kind="burst").exists() and not nowhere.scan_flags.exists()
    broken.refresh_from_db()
    assert not broken.judged and scan_rules.count_unjudged(0) == 0
    # It is tried again later: once its store is mended, it is judged like others.
    Store.objects.filter(pk=nowhere.store_id).update(time_zone="Europe/Kyiv")
    assert judge_hours() == 0
    ScanHour.objects.filter(pk=broken.pk).update(judge_after=timezone.now())
    assert judge_hours() == 1 and judge_hours() == 0 and nowhere.scan_flags.exists()


def test_the_running_hour_waits_until_it_is_over(till: Touchpoint) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    ScanHour.objects.create(touchpoint=till, hour=now, scans=500)
    assert judge_hours() == 0 and not ScanFlag.objects.exists()


def test_answers_of_the_time_are_marked_and_kept_until_somebody_dismisses_it(chain: Chain, till: Touchpoint) -> None:
    hour = scan(till, 12, 50)
    within = make_response(touchpoint=till, score=9, submitted_at=hour + timedelta(minutes=10))
    before = make_response(touchpoint=till, score=9, submitted_at=hour - timedelta(minutes=1))
    elsewhere = make_response(touchpoint=chain.touchpoint, score=9, submitted_at=hour + timedelta(minutes=10))
    Response.objects.filter(pk=within.pk).update(flags=["other"])
    (flag,) = judge()

    def flags_of(response: Response) -> list[str]:
        response.refresh_from_db()
        return response.flags

    assert [flags_of(one) for one in (within, before, elsewhere)] == [["other", UNUSUAL_SCANS], [], []]
    client = Client()
    client.force_login(chain.manager)
    assert client.post(f"/scans/{flag.pk}/dismiss/", {"reason": "x"}).status_code == 404
    client.force_login(chain.area_manager)
    assert "Sudden burst" in client.get("/scans/").content.decode()
    client.post(f"/scans/{flag.pk}/dismiss/", {"reason": " "})
    assert flags_of(within) == ["other", UNUSUAL_SCANS]
    client.post(f"/scans/{flag.pk}/dismiss/", {"reason": "<b>Black Friday</b>"})
    assert flags_of(within) == ["other"]
    assert "Sudden burst" not in client.get("/scans/").content.decode()
    every = client.get("/scans/?all").content.decode()
    assert "&lt;b&gt;Black Friday&lt;/b&gt;" in every and chain.area_manager.name in every
    # More of the same hour changes the figure and opens nothing again.
    ScanHour.objects.filter(touchpoint=till).update(scans=60, judged=False)
    (again,) = judge()
    assert again.scans == 60 and again.dismissed_by == chain.area_manager and flags_of(within) == ["other"]


def test_a_mark_that_another_flag_needs_stays(chain: Chain, till: Touchpoint) -> None:
    hour = scan(till, 23, 50)
    response = make_response(touchpoint=till, score=1, submitted_at=hour + timedelta(minutes=5))
    flags = {flag.kind: flag for flag in judge()}
    assert set(flags) == {"closed", "burst"}
    drain(["facts"])
    assert StoreDay.objects.get().responses == 0
    scan_rules.dismiss(flags["burst"], actor=chain.head_office, reason="Stocktaking")
    response.refresh_from_db()
    assert response.flags == [UNUSUAL_SCANS]
    scan_rules.dismiss(flags["closed"], actor=chain.head_office, reason="Stocktaking")
    response.refresh_from_db()
    assert response.flags == []
    drain(["facts"])
    assert StoreDay.objects.get().responses == 1


@pytest.mark.parametrize(("who", "status"), [("manager", 403), ("foreign_area_manager", 404), ("operator", 302)])
def test_who_may_dismiss(chain: Chain, who: str, status: int) -> None:
    flag = ScanFlag.objects.create(
        touchpoint=chain.touchpoint,
        kind="burst",
        began_at=DAY,
        ended_at=DAY + timedelta(hours=1),
        scans=90,
        usual=3,
        found_at=DAY,
    )
    client = Client()
    client.force_login(getattr(chain, who))
    assert client.post(f"/scans/{flag.pk}/dismiss/", {"reason": "Tried it out"}).status_code == status
    flag.refresh_from_db()
    assert (flag.dismissed_at is not None) == (status == 302)


# --- the funnel ---------------------------------------------------------------------------------------------------
def test_thirteen_weeks_by_the_stores_own_calendar(till: Touchpoint, chain: Chain) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    ScanHour.objects.create(touchpoint=till, hour=now, scans=40, opens=30, robots=5, staff=2)
    for number in range(12):
        make_response(touchpoint=till, score=number % 11, submitted_at=now)
    Response.objects.filter(pk=Response.objects.values("pk")[:1]).update(flags=["staff"])
    funnel = funnel_of(till)
    total = funnel.total
    assert (total.scans, total.opens, total.answers, total.robots, total.staff) == (40, 30, 11, 5, 2)
    assert total.answered is not None and total.answered.n == 30 and len(funnel.weeks) == 13
    assert funnel.weeks[0].scans == 40 and sum(week.scans for week in funnel.weeks[1:]) == 0
    assert [week.counted for week in funnel.weeks] == [True] + [False] * 12
    ScanHour.objects.create(touchpoint=till, hour=now - timedelta(weeks=14), scans=999)
    assert funnel_of(till).total.scans == 40 and all(week.counted for week in funnel_of(till).weeks)
    assert sum(cell.scans for row in funnel.grid for cell in row) == 40
    client = Client()
    client.force_login(chain.area_manager)
    page = client.get(f"/stores/SHOP/touchpoints/{till.pk}/").content.decode()
    assert "37% ± " in page and "5 by programs and previews, 2 by people" in page


def test_open_hours_are_told_from_closed_ones(till: Touchpoint) -> None:
    row = funnel_of(till).grid[0]
    assert [cell.hour for cell in row if cell.is_open] == list(range(9, 20))
