"""Weights, recovery, the way to an answer, and comparisons, on the pages that show them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.choices import CaseState, Exemption
from alerts.models import Verification
from reports.pages import read
from reports.periods import Week, latest_day
from reports.tables import asked, loop_lines
from reports.traffic import Count, record_traffic
from tests.factories import make_response, make_touchpoint
from tests.reports.makers import announce, answer, make_case

TODAY = latest_day(["Europe/Kyiv"])


def test_a_store_counts_by_its_purchases_and_not_by_how_often_it_asks(head, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=30)
    answer(make_touchpoint(store=chain.neighbour), 0, day=TODAY, times=10)
    monday = Week.of(TODAY).monday
    for store, purchases in ((chain.store, 100), (chain.neighbour, 300)):
        record_traffic([Count(store.pk, monday, "qr", purchases)])
    made = head.get(reverse("reports"), {"node": chain.area.pk}).context["made"]
    assert (made.plain.score, made.weighted.score, made.weighted.transactions) == (50, -50, 400)
    assert made.weighted.margin > 0
    assert made.split is None
    # Where one of two stores is hidden, weights would tell about it: both count as one group.
    answer(chain.foreign_touchpoint, 0, day=TODAY, times=3)
    record_traffic([Count(chain.foreign.pk, monday, "qr", 600)])
    country = head.get(reverse("report_change"), {"node": chain.area.parent_id}).context["made"]
    assert country.weighted.n == 43
    assert country.weighted.score == pytest.approx((30 - 13) / 43 * 100)


def test_purchases_count_once_however_a_store_asks_about_them(head, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=10, sample_kind="verified")
    answer(make_touchpoint(store=chain.neighbour), 0, day=TODAY, times=10)
    monday = Week.of(TODAY).monday
    for store in (chain.store, chain.neighbour):
        record_traffic([Count(store.pk, monday, "qr", 100)])
    made = head.get(reverse("report_change"), {"node": chain.area.pk, "sample": "pooled"}).context["made"]
    assert (made.weighted.n, made.weighted.transactions, made.weighted.score) == (20, 200, 0)
    # All purchases were made where somebody answered: none is counted again for the way in which a store did not ask.
    assert made.weighted.covered == 1


def test_how_the_same_shoppers_score_afterwards_and_what_was_left_out(head, chain):
    for number in range(6):
        response = make_response(touchpoint=chain.touchpoint, score=2)
        announce(response)
        case = make_case(
            response,
            contacted=20,
            state=CaseState.CONFIRMED,
            exemption=Exemption.OUTSIDE if number == 5 else "",
        )
        Verification.objects.create(
            case=case, round=0, asked_at=timezone.now(), score=9 if number else 7, scored_at=timezone.now()
        )
        announce(response, case)
    answer(chain.touchpoint, 9, day=TODAY)
    context = head.get(reverse("report_loop"), {"node": chain.area.pk}).context
    (one,) = context["recovery"]
    assert (one.n, round(one.gain)) == (6, round(100 * (5 * 2 + 1) / 6))
    assert (one.happy[0].part, one.happy[1].part, one.unhappy[1].part) == (0, 5, 0)
    (row,) = context["league"].few
    assert (row.name, row.left_out, row.shares[0].share.n) == ("Kyiv One", 1, 5)


def test_scores_afterwards_are_hidden_where_other_places_or_weeks_would_tell_of_a_few(head, chain):
    def again(touchpoint, times: int, *, weeks_ago: int = 0) -> None:
        for _ in range(times):
            response = make_response(touchpoint=touchpoint, score=2)
            case = make_case(response, contacted=20, state=CaseState.CONFIRMED)
            at = timezone.now() - timedelta(weeks=weeks_ago)
            Verification.objects.create(case=case, round=0, asked_at=at, score=9, scored_at=at)

    def shown(**query: str) -> list[tuple[int, bool]]:
        return [(one.n, one.hidden) for one in head.get(reverse("report_loop"), query).context["recovery"]]

    again(chain.touchpoint, 6)
    store, beside = {"store": chain.store.code}, {"store": chain.neighbour.code}
    assert shown(node=chain.area.pk) == shown(**store) == [(6, False)]
    # The area less the store would be the neighbour's three.
    again(make_touchpoint(store=chain.neighbour), 3)
    assert (shown(node=chain.area.pk), shown(**store), shown(**beside)) == ([(9, False)], [(6, True)], [(3, True)])
    # Thirteen weeks less the last four would be the two of the weeks before.
    assert shown(node=chain.area.pk, weeks="4") == [(9, False)]
    again(chain.touchpoint, 2, weeks_ago=6)
    assert shown(node=chain.area.pk, weeks="4") == [(9, True)]
    assert shown(node=chain.area.pk) == [(11, False)] == shown()
    with CaptureQueriesContext(connection) as queries:
        assert shown(node=chain.area.pk, weeks="26") == [(11, False)]
    # Those of every stretch of weeks at once, and the scores themselves.
    assert sum('FROM "alerts_verification"' in query["sql"] for query in queries) == 2
    lines = list(loop_lines(read(asked(f"store={chain.store.code}", chain.head_office))))
    assert [(line.n, line.value, line.hidden) for line in lines if line.table == "recovery"] == [(8, None, True)]


def test_a_shift_between_channels_shows_as_such_by_default(head, chain):
    before = TODAY - timedelta(weeks=13)
    for day, receipts, calls in ((before, 30, 10), (TODAY, 20, 20)):
        answer(chain.touchpoint, 10, day=day, times=receipts, channel="receipt", sample_kind="verified")
        answer(chain.touchpoint, 0, day=day, times=calls, channel="call", sample_kind="verified")
    answer(chain.touchpoint, 7, day=TODAY, times=5)
    for page in ("reports", "report_change"):
        made = head.get(reverse(page), {"node": chain.area.pk}).context["made"]
        assert (made.source, made.channels) == (("", "verified"), 2)
        assert made.parts == [("stores", 0), ("channels", pytest.approx(-50)), ("within", 0)]
    # A chosen channel is kept to, and it is said that it can show no shift.
    page = head.get(reverse("report_change"), {"node": chain.area.pk, "channel": "receipt"})
    assert page.context["made"].split.channels == 0
    assert "All of these came by one channel" in page.content.decode()
    assert f"?node={chain.area.pk}&amp;sample=pooled" in page.content.decode()


def test_any_two_groups_and_periods_compare_by_a_link(head, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=40)
    answer(chain.touchpoint, 0, day=TODAY - timedelta(weeks=13), times=40)
    answer(chain.touchpoint, 8, day=TODAY - timedelta(weeks=52), times=40)
    answer(chain.foreign_touchpoint, 0, day=TODAY, times=40)
    answer(chain.foreign_touchpoint, 10, day=TODAY, times=40, channel="receipt", sample_kind="verified")
    where = {"store": chain.store.code}

    def rows(**query: str) -> list[tuple[str, float | None, float | None, bool]]:
        found = head.get(reverse("report_compare"), where | query).context["comparison"].scores
        return [(row.name, row.first.nps.score, row.second.nps.score, row.stands) for row in found]

    volunteers = "QR code · Volunteer"
    assert rows() == [(volunteers, 100, -100, True)]
    assert rows(against="year") == [(volunteers, 100, 0, True)]
    # Like beside like…
    assert rows(against="group", store2="LV1")[0] == (volunteers, 100, -100, True)
    # …but for what was chosen to differ.
    receipts = {"store2": "LV1", "channel": "qr", "sample": "volunteer", "channel2": "receipt", "sample2": "verified"}
    assert rows(against="group", **receipts) == [
        (f"{volunteers} / Receipt · Verified purchase or call", 100, 100, False)
    ]
    page = head.get(reverse("report_compare"), where).content.decode()
    until = str(Week.of(TODAY) + -13)
    assert f"/verbatims/?store=KY1&amp;channel=qr&amp;sample=volunteer&amp;until={until}" in page
    head.force_login(chain.area_manager)
    assert head.get(reverse("report_compare"), {"against": "group", "store2": "LV1"}).status_code == 404
    assert head.get(reverse("report_compare"), {"against": "group", "node2": chain.root.pk}).status_code == 404
