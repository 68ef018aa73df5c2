"""Two groups of answers beside each other: what may stand there, and what of it differs more than chance."""

from datetime import timedelta
from typing import Any

from django.urls import reverse

from core.work import drain
from reports.periods import latest_day
from sentiment.models import Sentiment
from tests.factories import make_touchpoint
from tests.reports.makers import announce, answer, make_analysis, make_case

TODAY = latest_day(["Europe/Kyiv"])


def test_each_side_of_a_comparison_shows_the_sample_that_asks_most_there(head, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=12)
    answer(chain.touchpoint, 0, day=TODAY, times=9, channel="receipt", sample_kind="verified")
    query = {"store": chain.store.code, "channel": "qr", "against": "group", "store2": "KY1", "channel2": "receipt"}
    (row,) = head.get(reverse("report_compare"), query).context["comparison"].scores
    assert row.name == "QR code · Volunteer / Receipt · Verified purchase or call"
    assert (row.first.nps.n, row.second.nps.n, row.change.points, row.stands) == (12, 9, 200, True)


def test_topics_stand_beside_each_other_with_what_is_more_than_chance(head, chain):
    for spot, spoken in ((chain.touchpoint, 20), (chain.foreign_touchpoint, 6)):
        for number, response in enumerate(answer(spot, 8, day=TODAY, times=40, words="So long")):
            topics = [{"topic": "waiting", "sentiment": "negative"}] if number < spoken else []
            make_analysis(response.verbatims.get(), sentiment=Sentiment.NEGATIVE, topics=topics)
            announce(response)
    drain(["facts"])
    for query in ({"store": "KY1", "store2": "LV1"}, {"store": "KY1"}):
        page = head.get(reverse("report_compare"), {"against": "group"} | query)
        (row,) = page.context["comparison"].topics
        assert [(one.share.part, one.share.n) for one in (row.first, row.second)] == [(20, 40), (6, 40)]
        assert row.stands and "topic=waiting" in row.words
        assert "Topics · QR code · Volunteer" in page.content.decode()
    # One of forty is too few to be told.
    for response in answer(make_touchpoint(store=chain.neighbour), 8, day=TODAY, times=40, words="Fine"):
        announce(response)
    one = make_analysis(
        response.verbatims.get(), sentiment=Sentiment.NEGATIVE, topics=[{"topic": "waiting", "sentiment": "negative"}]
    )
    announce(one.verbatim.response)
    drain(["facts"])
    page = head.get(reverse("report_compare"), {"against": "group", "store": "LV1", "store2": "KY2"})
    (row,) = page.context["comparison"].topics
    assert row.second.hidden and row.change is None
    # Whoever read how many of the forty name it could work out the share.
    shown, hidden = (one.split("</td>")[0] for one in page.content.decode().split('<td class="numbers">')[-3:-1])
    assert "15%" in shown and "n = 40" in shown and "topic=waiting" in shown
    assert "hidden" in hidden and "n =" not in hidden and "topic=waiting" in hidden


def test_a_side_without_answers_is_said_to_have_none_instead_of_being_compared(head, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=12)
    page = head.get(reverse("report_compare"), {"against": "year"})
    assert page.context["comparison"].empty is page.context["comparison"].second
    assert "There is nothing to compare with: nobody gave a score in" in page.content.decode()
    assert "more than chance among" not in page.content.decode()
    # Words and a case, and no score: that stands beside it.
    (spoke,) = answer(chain.touchpoint, None, day=TODAY - timedelta(weeks=52), words="Call me")
    announce(spoke, make_case(spoke))
    drain(["facts"])
    assert head.get(reverse("report_compare"), {"against": "year"}).context["comparison"].empty is None
    # Another question was answered: then somebody did.
    answer(chain.touchpoint, 4, day=TODAY - timedelta(weeks=52), times=9, headline_kind="smiley5")
    assert head.get(reverse("report_compare"), {"against": "year"}).context["comparison"].empty is None
    answer(chain.foreign_touchpoint, 9, day=TODAY, times=8)
    page = head.get(reverse("report_compare"), {"against": "group", "store": "KY1", "store2": "LV1"})
    assert page.context["comparison"].empty is None
    assert "more than chance among" in page.content.decode()


def test_a_group_is_compared_with_the_rest_of_what_contains_it(head, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=20)
    answer(chain.foreign_touchpoint, 0, day=TODAY, times=30)
    for response in answer(chain.foreign_touchpoint, 0, day=TODAY, times=6, channel="receipt"):
        announce(response, make_case(response, contacted=20))
    for response in answer(chain.touchpoint, 10, day=TODAY, times=5, channel="receipt"):
        announce(response, make_case(response))
    drain(["facts"])

    def compared(**query: str) -> tuple[Any, list[tuple[str, int, int, float | None]]]:
        found = head.get(reverse("report_compare"), {"against": "group"} | query).context["comparison"]
        rows = [(row.name, row.first.nps.n, row.second.nps.n, row.change and row.change.points) for row in found.scores]
        return found, rows

    found, rows = compared(store="KY1")
    assert found.second.name == "Everything else"
    assert rows == [("QR code · Volunteer", 20, 30, 200), ("Receipt · Volunteer", 5, 6, 200)]
    reached = found.shares[0]
    assert [(one.share.part, one.share.n) for one in (reached.first, reached.second)] == [(0, 5), (6, 6)]
    found, rows = compared(store2="KY1")
    assert (found.first.name, found.second.name, rows[0][1:3]) == ("Everything else", "Kyiv One", (30, 20))
    found, rows = compared(store="KY1", node2=str(chain.area.parent_id))
    assert found.second.name == f"The rest of {chain.area.parent.name}"
    # By way of asking as well: all volunteers of the store less those of its code.
    found, rows = compared(store="KY1", channel="qr", sample="volunteer", store2="KY1", sample2="volunteer")
    assert rows == [("QR code · Volunteer / All channels · Volunteer", 20, 5, 0)]
    # Some in common and some not: no margin is right. And nothing differs from itself.
    found, rows = compared(store="KY1", sample="volunteer", channel2="qr", sample2="volunteer")
    assert rows == [("All channels · Volunteer / QR code · Volunteer", 25, 50, None)]
    assert found.scores[0].overlap and {share.overlap for share in found.shares} <= {True}
    page = head.get(reverse("report_compare"), {"against": "group"})
    assert (page.context["comparison"].relation, page.context["comparison"].scores) == ("same", [])
    assert "Both sides are the same answers." in page.content.decode()
    # What is left would be the neighbour's three.
    answer(make_touchpoint(store=chain.neighbour), 5, day=TODAY, times=3)
    found, _rows = compared(store="KY1", channel="qr", node2=str(chain.area.pk))
    row = found.scores[0]
    assert row.first.hidden and row.second.hidden and row.second.size_hidden and row.change is None
