"""A link to weeks means the same weeks later on, and tells no more than the pages of today."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from reports.exporting import _parts
from reports.pages import read
from reports.periods import Week, latest_day
from reports.stretches import cover, divided, latest
from reports.tables import asked, overview_lines
from tests.factories import Chain, make_touchpoint
from tests.reports.makers import answer

TODAY = latest_day(["Europe/Kyiv"])
WEEK = Week.of(TODAY)


def overview(client: Client, **query: str) -> Any:
    return client.get(reverse("reports"), query).context["overview"]


def test_a_link_to_weeks_shows_the_same_when_others_have_come(head: Client, chain: Chain) -> None:
    for ago in range(14):
        answer(chain.touchpoint, 10 if ago < 9 else 0, day=WEEK.monday - timedelta(weeks=ago), times=5)
    answer(chain.touchpoint, 0, day=WEEK.monday - timedelta(weeks=20), times=7)
    page = head.get(reverse("reports"))
    found = page.context["overview"]
    pinned = page.context["pinned"]
    assert pinned == f"?until={WEEK}" and f'href="{pinned}"' in page.content.decode()
    before = (found.headline.nps, found.headline.change, [point.figure.nps for point in found.points])
    with time_machine.travel(timedelta(weeks=3), tick=False):
        head.force_login(chain.head_office)
        answer(chain.touchpoint, 0, day=WEEK.monday + timedelta(weeks=1), times=9)
        now = head.get(reverse("reports") + pinned)
        found = now.context["overview"]
        assert (found.headline.nps, found.headline.change, [point.figure.nps for point in found.points]) == before
        assert now.context["period"].last == WEEK and found.points[-1].last == WEEK
        # What leads on from there leads on in these weeks, and back to the latest ones.
        assert f"until={WEEK}" in found.rows[0].query and f"until={WEEK}" in found.headline_words
        assert f'name="until" value="{WEEK}"' in now.content.decode()
        assert now.context["unpinned"] == "?"
        assert overview(head).headline.nps.n != before[0].n
        for name in (
            "report_stores",
            "report_topics",
            "report_loop",
            "report_change",
            "report_compare",
            "report_asking",
        ):
            assert head.get(reverse(name) + pinned).context["period"].last == WEEK
        lines = list(overview_lines(read(asked(pinned[1:], chain.head_office))))
        assert {line.last for line in lines if line.table == "ways"} == {WEEK.sunday}
        (part,) = _parts("reports", asked(pinned[1:], chain.head_office))
        assert part.period.end == WEEK.sunday
    assert overview(head, until=WEEK.monday.isoformat()).headline.nps == before[0]


def test_a_link_to_the_weeks_of_a_ranking_keeps_what_was_looked_for(head: Client, chain: Chain) -> None:
    page = head.get(reverse("report_stores"), {"q": "kyiv", "moved": "1"})
    assert page.context["pinned"] == f"?until={WEEK}&q=kyiv&moved=1"


@pytest.mark.parametrize("nonsense", ["2019", "2026-W99", "9999-12-31", "x", str(WEEK + 1), "0001-01-01", "2026-13-01"])
def test_weeks_that_make_no_sense_are_the_latest(head: Client, chain: Chain, nonsense: str) -> None:
    page = head.get(reverse("reports"), {"until": nonsense})
    assert (page.status_code, page.context["period"].last, page.context["filters"].until) == (200, WEEK, None)
    assert "makes no sense here" in page.content.decode()


@pytest.mark.parametrize("query", [{"weeks": "8"}, {"weeks": "-3"}, {"channel": "pigeon"}, {"sample": "x"}])
def test_what_makes_no_sense_in_an_address_is_said(head: Client, query: dict[str, str]) -> None:
    shown = head.get(reverse("report_stores"), query)
    assert shown.status_code == 200 and "makes no sense here" in shown.content.decode()
    for odd in ({"until2": "2026-W99"}, {"against": "mars"}):
        assert "makes no sense here" in head.get(reverse("report_compare"), {"against": "group"} | odd).content.decode()
    plain = head.get(reverse("report_stores"), {"weeks": "4", "channel": "qr", "sample": "pooled", "until": str(WEEK)})
    assert "makes no sense" not in plain.content.decode()


def test_weeks_chosen_freely_tell_of_no_week_that_is_hidden(head: Client, chain: Chain) -> None:
    answer(make_touchpoint(store=chain.neighbour), 9, day=TODAY, times=40)
    for ago in range(1, 8):
        answer(chain.touchpoint, 10, day=WEEK.monday - timedelta(weeks=ago), times=2 if ago == 4 else 9)
    four = {"store": "KY1", "weeks": "4"}
    # Weeks four to seven are shown as one; three to six would, less three alone, and so on, be the two of week four.
    assert overview(head, **four, until=str(WEEK + -4)).headline.nps.n == 29
    for back in (1, 2, 3):
        figure = overview(head, **four, until=str(WEEK + -back)).headline
        assert not figure.shown or not figure.nps.n % 9


def test_any_two_periods_compare_and_those_that_overlap_are_told(head: Client, chain: Chain) -> None:
    for ago, score in ((0, 10), (5, 0), (9, 0)):
        answer(chain.touchpoint, score, day=WEEK.monday - timedelta(weeks=ago), times=20)

    def compared(**query: str) -> Any:
        page = head.get(reverse("report_compare"), {"store": "KY1", "against": "group", "store2": "KY1"} | query)
        assert page.context["choice"].query().count("until2") == ("until2" in query)
        return page.context["comparison"]

    found = compared(weeks="4", weeks2="4", until2=str(WEEK + -4))
    (row,) = found.scores
    assert (found.relation, row.first.nps.n, row.second.nps.n, row.change.points, row.stands) == (
        "apart",
        20,
        20,
        200,
        True,
    )
    assert found.second.period != found.first.period and f"until={WEEK + -4}" in row.other_words
    # The newest weeks beside the rest of thirteen.
    found = compared(weeks="4", weeks2="13")
    (row,) = found.scores
    assert (found.relation, row.second.nps.n, row.change.points) == ("within", 40, 200)
    found = compared(weeks="13", weeks2="13", until2=str(WEEK + -4))
    (row,) = found.scores
    assert found.relation == "crossing" and row.overlap and row.change is None


def test_what_is_counted_by_makes_up_what_is_wanted() -> None:
    for weeks in (4, 13, 26, 52):
        for back in (0, 1, 5, 13, 40):
            leaves = divided(latest(weeks, back=back))
            assert sorted(leaves) == leaves and {end - first for first, end in leaves} <= {1, 2, 4, 5, 13}
            for first, end in cover(back, back + weeks):
                inside = [leaf for leaf in leaves if first <= leaf[0] and leaf[1] <= end]
                assert sum(b - a for a, b in inside) == end - first


def test_as_many_weeks_before_and_after_are_a_link_away(head: Client, chain: Chain) -> None:
    latest = head.get(reverse("report_stores"), {"q": "kyiv", "weeks": "4"})
    assert latest.context["earlier"] == f"?weeks=4&until={WEEK + -4}&q=kyiv"
    assert latest.context["later"] == latest.context["unpinned"] == ""
    for page in ("reports", "report_stores", "report_compare", "report_asking"):
        twice = head.get(reverse(page), {"weeks": "4", "until": str(WEEK + -8)})
        assert twice.context["period"].last == WEEK + -8
        links = {name: twice.context[name] for name in ("earlier", "later", "unpinned")}
        assert [f"until={WEEK + -12}" in links["earlier"], f"until={WEEK + -4}" in links["later"]] == [True, True]
        assert links["unpinned"] == "?weeks=4"
        assert all(f'href="{link.replace("&", "&amp;")}"' in twice.content.decode() for link in links.values())
        # Behind the last step are the latest weeks, which have their own link.
        assert head.get(reverse(page), {"weeks": "4", "until": str(WEEK + -4)}).context["later"] == ""
