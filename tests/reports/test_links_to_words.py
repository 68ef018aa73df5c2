"""Every number of the pages of reports opens the words behind it, and no others."""

import html
import random
import re
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts.choices import CaseState, Exemption
from alerts.models import RootCause, Verification
from core.work import drain
from reports.actions import begin
from reports.models import Action, ActionState
from reports.periods import Week, latest_day
from sentiment.models import Sentiment
from surveys.choices import QuestionKind
from tests.factories import Chain, make_touchpoint
from tests.reports.makers import announce, answer, make_analysis, make_case

TODAY = latest_day(["Europe/Kyiv"])


def opened(client: Client, query: str) -> int:
    return len(client.get(reverse("verbatims") + query).context["found"].verbatims)


def links(page: Any, mark: str) -> list[str]:
    """The queries of links to words with this in them."""
    found = re.findall(r'href="/verbatims/(\?[^"]*)"', page.content.decode())
    return [html.unescape(one) for one in found if mark in one]


def test_an_nps_opens_the_answers_it_is_of_and_a_smiley_its_own(head: Client, chain: Chain) -> None:
    answer(chain.touchpoint, 9, day=TODAY, times=6, words="In it")
    answer(chain.touchpoint, None, day=TODAY, words="Without a score")
    answer(chain.touchpoint, 4, day=TODAY, times=5, words="A smiley", headline_kind=QuestionKind.CSAT)
    old = Week.of(TODAY) + -13
    answer(chain.touchpoint, 2, day=old.monday, times=7, words="Before")
    found = head.get(reverse("reports")).context["overview"]
    for link in (found.headline_words, found.cards[0].words, found.points[-1].words, found.rows[0].words):
        assert opened(head, link) == 6
    assert opened(head, found.answers[0].words) == 5
    without_words = "answers without words, too"
    assert without_words in head.get(reverse("verbatims") + found.headline_words).content.decode()
    assert without_words not in head.get(reverse("verbatims")).content.decode()
    assert without_words in head.get(reverse("verbatims") + "?channel=qr").content.decode()
    assert without_words not in head.get(reverse("verbatims") + "?channel=qr&topic=staff").content.decode()
    assert opened(head, found.mix[0].words_before) == found.mix[0].before.part == 7
    ranking = head.get(reverse("report_stores")).context["ranking"]
    assert opened(head, next(row.words for row in ranking.rows if row.store == chain.store)) == 6
    compared = head.get(reverse("report_compare")).context["comparison"]
    assert [opened(head, link) for row in compared.scores for link in (row.words, row.other_words)] == [6, 7]
    change = head.get(reverse("report_change")).context["made"]
    assert (opened(head, change.words), opened(head, change.words_before)) == (6, 7)


def test_a_year_of_any_place_opens_whole(head: Client, chain: Chain) -> None:
    answer(chain.touchpoint, 9, day=TODAY - timedelta(weeks=30), times=5, words="Long ago")
    answer(chain.touchpoint, 9, day=TODAY, times=6, words="Now")
    for place in ({"store": "KY1"}, {}):
        page = head.get(reverse("reports"), place | {"weeks": "52"})
        assert opened(head, page.context["overview"].headline_words) == 11


def test_every_number_of_the_closed_loop_opens_its_cases(head: Client, chain: Chain) -> None:
    rng = random.Random(7)
    for number in range(60):
        (response,) = answer(chain.touchpoint, 1, day=TODAY, words=f"Said {number}")
        case = make_case(
            response,
            fix_only=number % 4 == 0,
            contacted=rng.choice([None, 10, 50]),
            attempted=rng.choice([None, 5, 40]),
            fixed=rng.choice([None, 10, 45]),
            state=rng.choice([CaseState.OPEN, CaseState.CONFIRMED, CaseState.UNCONFIRMED]),
            due_in=timedelta(minutes=rng.choice([-300, -10, -5, 60])),
            exemption=rng.choice(["", "", "", "", "", Exemption.OUTSIDE]),
            round=int(number % 7 == 0),
        )
        if case.round:
            Verification.objects.create(case=case, round=0, asked_at=timezone.now(), solved=False)
        announce(response, case)
    drain(["facts"])
    page = head.get(reverse("reports"))
    loop = page.context["overview"].loop
    numbers = {"running": loop.running}
    for part in [*loop.contactable, *loop.fix_only, *loop.outcomes]:
        numbers |= {part.key: part.share.part, part.whole: part.share.n}
    there = {name: opened(head, link) for link in links(page, "loop=") if (name := link.partition("loop=")[2])}
    shown = {name: min(n, 25) for name, n in numbers.items()}
    assert there == {name: n for name, n in shown.items() if name in there} and len(there) >= 9
    league = head.get(reverse("report_loop"))
    (row,) = league.context["league"].few or league.context["league"].ranked
    assert opened(head, f"?store={chain.store.code}&loop=exempt") == row.left_out > 0
    assert any("loop=exempt" in link for link in links(league, "loop="))


def test_small_charts_and_that_of_a_store_have_their_figures_in_a_table_of_links(head: Client, chain: Chain) -> None:
    answer(chain.touchpoint, 9, day=TODAY, times=6, words="Now")
    answer(chain.touchpoint, 9, day=TODAY - timedelta(weeks=1), times=7, words="A week ago")
    for spot in (make_touchpoint(store=chain.neighbour), chain.foreign_touchpoint):
        answer(spot, 0, day=TODAY, times=8, words="Beside it")
    page = head.get(reverse("reports"), {"node": str(chain.area.pk)})
    table = page.content.decode().partition("NPS by place and week")[2].partition("</table>")[0]
    cells = [html.unescape(one) for one in re.findall(r'href="/verbatims/([^"]*)"', table)]
    assert sorted(opened(head, one) for one in cells) == [6, 7, 8]
    again = Client()
    again.force_login(chain.area_manager)
    view = again.get(reverse("store_view", args=["KY1"]))
    table = view.content.decode().partition('aria-label="NPS by week"')[2].partition("</table>")[0]
    numbers = re.findall(r'href="/verbatims/([^"]*)">([^<]*)</a>', table)
    assert numbers and all(opened(again, html.unescape(link)) == int(n) for link, n in numbers)


def test_the_effect_of_an_action_opens_the_cases_of_its_cause_in_these_weeks(head: Client, chain: Chain) -> None:
    cause, other = RootCause.objects.create(name="Long wait"), RootCause.objects.create(name="Rude")
    for weeks, named in ((16, [cause] * 6), (5, [cause] * 4 + [other]), (1, [cause] * 2)):
        day = Week.of(TODAY).monday - timedelta(weeks=weeks)
        answer(chain.touchpoint, 9, day=day, times=5, words="All well")
        unhappy = answer(chain.touchpoint, 1, day=day, times=len(named), words="Oh")
        for response, why in zip(unhappy, named, strict=True):
            announce(response, make_case(response, root_cause=why))
    drain(["facts"])
    action = begin(chain.store, by=chain.manager, cause=cause).action
    at = timezone.now()
    Action.objects.filter(pk=action.pk).update(
        created_at=at - timedelta(weeks=3), state=ActionState.DONE, ended_at=at - timedelta(weeks=2)
    )
    page = head.get(reverse("action", args=[action.pk]))
    own = page.context["effect"].measures[0]
    assert [(side.share.part, side.share.n) for side in (own.before, own.after)] == [(10, 21), (2, 7)]
    # Each in its own weeks: those after it are two.
    assert [opened(head, side.part_words) for side in (own.before, own.after)] == [10, 2]
    assert [opened(head, side.words) for side in (own.before, own.after)] == [21, 7]
    assert html.escape(own.after.part_words) in page.content.decode()


def test_on_a_monday_the_week_before_stands_with_the_running_one(head: Client, chain: Chain) -> None:
    this = Week.of(TODAY)
    for weeks, times in ((0, 2), (1, 20), (2, 10), (3, 7)):
        answer(chain.touchpoint, 9, day=(this + -weeks).monday, times=times, words="Words")
    page = head.get(reverse("reports"))
    *others, both = page.context["overview"].points
    assert (both.first, both.last, both.places, both.figure.nps.n) == (this + -1, this, 2, 22)
    assert (len(others), [one.figure.nps.n for one in others[-2:]]) == (11, [7, 10])
    assert opened(head, both.words) == 22
    shown = page.content.decode()
    assert f">{both.label}</li>" in shown and "4 of 13 weeks are shown" in shown
    table = shown.partition('aria-label="NPS by place and week"')[2].partition("</table>")[0]
    head_row, *rows = re.findall(r"<tr>.*?</tr>", table, re.S)
    assert head_row.count("<th") == 14 and all(row.count("<td") == 12 and 'colspan="2"' in row for row in rows)
    # Once there are five, each stands for itself.
    answer(chain.touchpoint, 9, day=this.monday, times=3)
    newest = head.get(reverse("reports")).context["overview"].points[-2:]
    assert [(one.figure.nps.n, one.places) for one in newest] == [(20, 1), (5, 1)]


def test_who_speaks_badly_of_a_topic_is_opened_and_nobody_else(head: Client, chain: Chain) -> None:
    said = answer(chain.touchpoint, 3, day=TODAY, times=12, words="Said")
    for number, response in enumerate(said):
        # Of some the whole is bad and the topic good, of others the other way around.
        bad = number % 3 == 0
        make_analysis(
            response.verbatims.get(),
            sentiment=Sentiment.POSITIVE if bad else Sentiment.NEGATIVE,
            topics=[
                {"topic": "staff", "sentiment": "negative" if bad else "positive"},
                {"topic": "price", "sentiment": "positive" if bad else "negative"},
            ],
        )
    announce(said[0])
    drain(["facts"])
    rows = {row.topic: row for row in head.get(reverse("report_topics"), {"store": "KY1"}).context["found"].all}
    for topic, n in (("staff", 4), ("price", 8)):
        assert (rows[topic].negative.part, opened(head, rows[topic].words_negative)) == (n, n)
    assert "About the topic: negative" in head.get(reverse("verbatims") + rows["staff"].words_negative).content.decode()
    # Without a topic there is nothing to be said of it.
    assert opened(head, "?tone=negative") == 12
