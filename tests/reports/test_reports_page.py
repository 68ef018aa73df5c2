"""`/reports/` says how the chosen stores do, how sure that is, and nothing about anybody else's."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alerts.choices import CaseState
from core.work import drain
from reports.periods import Week, latest_day
from sentiment.models import Sentiment
from stores.models import Node, Store, User
from tests.factories import make_response, make_store, make_touchpoint
from tests.reports.makers import announce, answer, make_analysis, make_case

TODAY = latest_day(["Europe/Kyiv"])


def page(client: Client, user: User, *, of: str = "reports", **query: str | int) -> Any:
    client.force_login(user)
    response = client.get(reverse(of), query)
    assert response.status_code == 200
    return response


def text_of(response: Any) -> str:
    """What a reader sees, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("manager", 200),
        ("deputy", 200),
        ("area_manager", 200),
        ("head_office", 200),
        ("call_centre_lead", 200),
        ("operator", 404),
        ("nobody", 404),
    ],
)
def test_who_may_read_reports(client, chain, who, code):
    client.force_login(getattr(chain, who))
    assert client.get(reverse("reports")).status_code == code


def test_a_stranger_is_asked_to_sign_in(client, db):
    assert client.get(reverse("reports")).status_code == 302


def test_an_empty_page_says_what_to_do(client, chain):
    assert "No answers yet" in text_of(page(client, chain.manager))


def test_nps_with_n_and_margin(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=40)
    answer(chain.touchpoint, 8, day=TODAY, times=12)
    answer(chain.touchpoint, 2, day=TODAY, times=8)
    found = page(client, chain.manager).context["overview"]
    assert (found.headline.nps.n, round(found.headline.nps.score, 1)) == (60, 53.3)
    assert re.search(r"53 ± 18 n = 60", text_of(page(client, chain.manager)))


def test_everyone_sees_only_their_stores(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=6, words="words of Kyiv")
    answer(chain.foreign_touchpoint, 0, day=TODAY, times=7, words="words of Lviv")
    assert page(client, chain.manager).context["overview"].headline.nps.n == 6
    assert page(client, chain.foreign_area_manager).context["overview"].headline.nps.n == 7
    assert page(client, chain.head_office).context["overview"].headline.nps.n == 13
    assert "words of Lviv" not in text_of(page(client, chain.manager))
    client.force_login(chain.manager)
    for query in (
        {"store": chain.foreign.code},
        {"node": chain.root.pk},
        {"node": chain.other_area.pk},
        {"node": "9" * 30},
        {"node": "x"},
    ):
        assert client.get(reverse("reports"), query).status_code == 404, query
    assert client.get(reverse("reports"), {"store": "\x00"}).status_code == 400


def test_regions_stores_and_periods_are_links(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=6)
    answer(chain.foreign_touchpoint, 0, day=TODAY, times=7)
    answer(chain.foreign_touchpoint, 0, day=TODAY - timedelta(weeks=20), times=5)
    head = chain.head_office
    assert page(client, head, node=chain.other_area.pk).context["overview"].headline.nps.n == 7
    assert page(client, head, store=chain.store.code).context["overview"].headline.nps.n == 6
    assert page(client, head, weeks=26).context["overview"].headline.nps.n == 18
    assert page(client, head, weeks="nonsense", channel="x", sample="y").context["filters"].weeks == 13
    content = page(client, head, weeks=26, node=chain.area.pk).content.decode()
    assert f"?store={chain.store.code}&amp;weeks=26" in content
    # Up again, and to the words behind a number.
    assert f'href="/reports/?node={chain.root.pk}&amp;weeks=26">Chain</a>' in content
    chosen = f"?node={chain.area.pk}&amp;channel=qr&amp;sample=volunteer&amp;weeks=26&amp;question=nps"
    assert f'href="/verbatims/{chosen}">n = 6</a>' in content


def test_samples_stand_side_by_side_and_are_pooled_only_when_asked_for(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=30)
    answer(chain.touchpoint, 0, day=TODAY, times=20, channel="receipt", sample_kind="verified")
    answer(chain.touchpoint, 0, day=TODAY, times=10, channel="call", sample_kind="verified")
    overview = page(client, chain.manager).context["overview"]
    assert [(card.source, card.figure.nps.n) for card in overview.cards] == [
        (("qr", "volunteer"), 30),
        (("receipt", "verified"), 20),
        (("call", "verified"), 10),
    ]
    assert (overview.source, overview.headline.nps.score) == (("qr", "volunteer"), 100)
    assert sum(one.figure.nps.n for one in overview.points) == 30
    pooled = page(client, chain.manager, sample="pooled")
    assert pooled.context["overview"].headline.nps.n == 60
    assert "All channels · all samples pooled" in text_of(pooled)
    verified = page(client, chain.manager, sample="verified").context["overview"]
    assert verified.headline.nps.n == 30
    calls = page(client, chain.manager, channel="call").context["overview"]
    assert (calls.source, calls.headline.nps.n) == (("call", "verified"), 10)


def test_other_questions_are_distributions_and_never_an_nps(client, chain):
    for kind, low, high in (("smiley5", 1, 5), ("csat", 1, 5), ("ces", 1, 7), ("smiley3", 1, 3)):
        answer(chain.touchpoint, high, day=TODAY, times=6, headline_kind=kind)
        answer(chain.touchpoint, low, day=TODAY, times=2, headline_kind=kind)
    response = page(client, chain.manager)
    overview = response.context["overview"]
    assert overview.cards == []
    counts = {one.kind: one.counts for one in overview.answers}
    assert counts == {
        "smiley5": (2, 0, 0, 0, 6),
        "csat": (2, 0, 0, 0, 6),
        "ces": (2, 0, 0, 0, 0, 0, 6),
        "smiley3": (2, 0, 6),
    }
    assert {(one.happy.part, one.unhappy.part, one.n) for one in overview.answers} == {(6, 2, 8)}
    assert "Happy 75% ± 27% · Unhappy 25% ± 27%" in text_of(response)


def test_staff_answers_are_shown_apart_and_in_no_figure(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=6, words="bravo us", flags=["staff"])
    answer(chain.touchpoint, 0, day=TODAY, times=5)
    response = page(client, chain.manager)
    assert response.context["overview"].headline.nps.score == -100
    assert "6 answers given by staff are kept apart" in text_of(response)
    assert "bravo us" not in text_of(response)


def rows_of(response: Any) -> dict[str, list[str]]:
    """The codes of the stores of the ranking by their group."""
    found: dict[str, list[str]] = {}
    for row in response.context["ranking"].rows:
        found.setdefault(row.group, []).append(row.store.code)
    return found


def test_no_score_below_five_and_no_rank_below_thirty(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=31)
    neighbour, third = make_touchpoint(store=chain.neighbour), make_store(node=chain.area, code="KY3")
    answer(neighbour, 10, day=TODAY, times=12)
    answer(make_touchpoint(store=third), 9, day=TODAY, times=4)
    answer(chain.foreign_touchpoint, 9, day=TODAY, times=10)
    # KY3 would follow from its area's total if KY2 were shown.
    assert rows_of(page(client, chain.head_office, of="report_stores")) == {
        "": ["KY1"],
        "few": ["LV1"],
        "hidden": ["KY2", "KY3"],
        "silent": ["CALL"],
    }
    # …nor does the neighbour's own page give it away, whoever reads it.
    alone = page(client, chain.head_office, store="KY2")
    assert alone.context["overview"].headline.hidden
    assert not any(one.figure.shown for one in alone.context["overview"].points)
    assert "100 ±" not in text_of(alone)


def test_a_sum_of_samples_is_of_those_that_are_shown(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=32)
    answer(chain.touchpoint, 0, day=TODAY, times=3, channel="receipt", sample_kind="verified")
    answer(make_touchpoint(store=chain.neighbour), 10, day=TODAY, times=9)
    apart = page(client, chain.area_manager).context["overview"]
    assert [(card.figure.nps.n, card.figure.shown) for card in apart.cards] == [(41, True), (3, False)]
    # Not 44 answers, of which 41 are known.
    pooled = page(client, chain.area_manager, sample="pooled")
    headline = pooled.context["overview"].headline
    assert (headline.nps.n, headline.shown, headline.nps.score) == (41, True, 100)
    assert "too few answers to be shown: Receipt · Verified purchase or call" in text_of(pooled)
    alone = page(client, chain.area_manager, sample="pooled", store="KY1").context["overview"]
    assert alone.headline.nps.n == 32


def test_a_week_that_is_not_over_is_told_from_whole_ones(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=6)
    answer(chain.touchpoint, 10, day=TODAY - timedelta(weeks=1), times=6)
    shown = page(client, chain.manager)
    *whole, running = shown.context["overview"].points
    assert running.running and not any(one.running for one in whole)
    body = shown.content.decode()
    assert body.count("chart__hole") == 1 and ", so far: NPS 100" in body and "not over yet" in body
    table = body.split('<details class="figures">')[1].split("</details>")[0]
    # The newest stands first.
    assert table.count("so far") == 1
    assert table.index("so far") < table.index(f">{whole[-1].name}<") < table.index(f">{whole[0].name}<")
    past = page(client, chain.manager, until=str(whole[-1].last.sunday)).content.decode()
    assert "so far" not in past and "chart__hole" not in past


def test_places_with_few_answers_a_week_are_drawn_by_four_or_five_of_them(client, chain):
    spots = [chain.touchpoint, make_touchpoint(store=chain.neighbour)]
    for week in range(13):
        for spot in spots:
            answer(spot, 9, day=TODAY - timedelta(weeks=week), times=3)
    shown = page(client, chain.area_manager)
    found = shown.context["overview"]
    assert [one.figure.nps.n for one in found.points] == [6] * 13
    assert [[one.figure.nps.n for one in row.points if one.figure.shown] for row in found.rows] == [[15, 12, 12]] * 2
    assert "each point stands for four or five" in text_of(shown)
    assert shown.content.decode().split('<ul class="multiples"')[1].count("13 of 13 weeks are shown") == 2
    # Places that nobody answered are not drawn and have no say; other weeks are not cut into the same parts.
    for number in range(5):
        make_store(node=chain.area, code=f"NEW{number}")
    assert page(client, chain.area_manager).context["overview"].rows_coarse
    past = page(client, chain.area_manager, until=str(found.points[-3].last.sunday)).context["overview"]
    assert [len(row.points) for row in past.rows] == [13, 13] and not past.rows_coarse
    for week in range(13):
        for spot in spots:
            answer(spot, 9, day=TODAY - timedelta(weeks=week), times=3)
    shown = page(client, chain.area_manager)
    assert [len(row.points) for row in shown.context["overview"].rows] == [13, 13]
    small = shown.content.decode().split('<ul class="multiples"')[1]
    assert small.count("chart__hole") == 2 and small.split("</thead>")[0].count("so far") == 1 + 2
    assert "each point stands for four or five" not in text_of(shown)


def test_parts_of_thirteen_weeks_are_shown_only_together(client, chain):
    """Thirteen weeks less four of them would otherwise tell of three answers."""
    answer(chain.touchpoint, 10, day=TODAY, times=30)
    answer(chain.touchpoint, 0, day=TODAY - timedelta(weeks=6), times=3)
    answer(make_touchpoint(store=chain.neighbour), 9, day=TODAY, times=30)
    answer(chain.foreign_touchpoint, 9, day=TODAY, times=30)
    thirteen, four = (page(client, chain.manager, weeks=weeks).context["overview"].headline for weeks in (13, 4))
    assert (thirteen.nps.n, thirteen.shown) == (33, True)
    assert (four.shown, four.size_hidden) == (False, True)
    assert "n = 30" not in text_of(page(client, chain.manager, weeks=4))
    # Nor does the area show its four weeks: they would lead there by way of the neighbour.
    assert not page(client, chain.area_manager, weeks=4).context["overview"].headline.shown


def test_shares_of_cases_are_guarded_like_scores(client, chain):
    third = make_store(node=chain.area, code="KY3")
    spots = (chain.touchpoint, make_touchpoint(store=chain.neighbour), make_touchpoint(store=third))
    for spot, times in zip(spots, (9, 6, 2), strict=True):
        for _ in range(times):
            response = make_response(touchpoint=spot, score=1)
            announce(response)
            announce(response, make_case(response, contacted=20))
        answer(spot, 9, day=TODAY, times=30)
    league = page(client, chain.area_manager, of="report_loop").context["league"]
    assert league.ranked == []
    rows = {row.name: (row.shares[0].share.n, row.shares[0].hidden) for row in league.few}
    # KY3 would follow from its area's share if KY2's were shown.
    assert rows == {"Kyiv One": (9, False), "Kyiv Two": (6, True), third.name: (2, True)}
    alone = page(client, chain.area_manager, store="KY2")
    assert [part.hidden for part in alone.context["overview"].loop.contactable] == [True] * 3
    assert "too few to show a share" not in text_of(alone).split("Cases without a way")[0]
    best = page(client, chain.area_manager, store="KY1").context["overview"]
    assert [part.hidden for part in best.loop.contactable] == [False] * 3


def test_shares_of_cases_are_of_the_chosen_way_of_asking_and_tell_no_few_by_what_is_left(client, chain):
    def cases(times: int, channel: str, *, reached: bool) -> None:
        for response in answer(chain.touchpoint, 1, day=TODAY, times=times, channel=channel):
            announce(response, make_case(response, contacted=20 if reached else None))
        drain(["facts"])

    def shares(**query: str) -> tuple[str, int, int, bool]:
        loop = page(client, chain.manager, **query).context["overview"].loop
        reached = loop.contactable[0]
        return loop.source.name, reached.share.part, reached.share.n, reached.hidden

    cases(6, "qr", reached=True)
    cases(5, "receipt", reached=False)
    assert shares() == ("All channels", 6, 11, False)
    assert shares(channel="qr") == ("QR code", 6, 6, False)
    assert shares(channel="receipt", sample="volunteer") == ("Receipt · Volunteer", 0, 5, False)
    groups = {"channel": "qr", "against": "group", "channel2": "receipt"}
    (compared, *_) = page(client, chain.manager, of="report_compare", **groups).context["comparison"].shares
    assert (compared.first.share.part, compared.first.share.n) == (6, 6)
    assert (compared.second.share.part, compared.second.share.n) == (0, 5)
    assert "channel=qr" in compared.words and "channel=receipt" in compared.other_words
    # All of them less those two would be these three.
    cases(3, "call", reached=True)
    assert shares() == ("All channels", 9, 14, False)
    assert shares(channel="qr") == ("QR code", 6, 6, True)


def test_an_arrow_only_for_more_than_chance_among_all_that_stand_together(client, chain):
    before = TODAY - timedelta(weeks=13)
    answer(chain.touchpoint, 0, day=before, times=40)
    answer(chain.touchpoint, 10, day=TODAY, times=40)
    answer(chain.foreign_touchpoint, 10, day=before, times=20)
    answer(chain.foreign_touchpoint, 2, day=before, times=20)
    answer(chain.foreign_touchpoint, 10, day=TODAY, times=24)
    answer(chain.foreign_touchpoint, 2, day=TODAY, times=16)
    stores = page(client, chain.head_office, of="report_stores").context["ranking"]
    moved = {row.store.code: row.figure.moved for row in stores.rows if row.estimate}
    assert moved == {"KY1": True, "LV1": False}
    only = page(client, chain.head_office, of="report_stores", moved=1).context["ranking"]
    assert [row.store.code for row in only.rows] == ["KY1"]
    country = page(client, chain.head_office, node=chain.area.parent_id)
    assert [one.name for one in country.context["overview"].moved] == ["Kyiv", "Kyiv One"]
    assert country.context["overview"].cards[0].figure.moved
    # All of it is other scores: the same two stores answered by the same channel.
    made = country.context["made"]
    assert made.split.total == pytest.approx(made.split.within)
    assert made.split.total > 0


def test_weeks_follow_the_iso_calendar(client, chain):
    monday = Week.of(TODAY).monday
    for ago, times in ((0, 9), (1, 8), (2, 6)):
        answer(chain.touchpoint, 10, day=monday - timedelta(weeks=ago), times=times)
    answer(chain.touchpoint, 0, day=monday - timedelta(days=1), times=2)
    overview = page(client, chain.manager).context["overview"]
    ends = [(one.name, one.figure.nps.n, one.figure.shown) for one in overview.points[-3:]]
    weeks = [str(Week.of(TODAY) + number) for number in (-2, -1, 0)]
    assert ends == [(weeks[0], 6, True), (weeks[1], 10, True), (weeks[2], 9, True)]
    assert len(overview.points) == 13


def test_how_people_came_to_answer_is_hidden_where_few_answered(client, chain):
    def mix() -> list[tuple[int, bool, int, bool]]:
        found = page(client, chain.manager).context["overview"].mix
        return [(row.now.part, row.hidden, row.before.part, row.hidden_before) for row in found]

    old = TODAY - timedelta(weeks=14)
    answer(chain.touchpoint, 9, day=TODAY, times=6)
    answer(chain.touchpoint, 9, day=old, times=3)
    answer(chain.touchpoint, 9, day=old, channel="receipt", sample_kind="verified")
    assert mix() == [(6, False, 3, True)]
    assert "75%" not in text_of(page(client, chain.manager))
    answer(chain.touchpoint, 9, day=old)
    assert mix() == [(6, False, 4, False)]
    assert re.search(r"80% ± \d+% .*All together 6 n = 5", text_of(page(client, chain.manager)))


def test_nothing_to_compare_says_so(client, chain):
    answer(chain.touchpoint, 9, day=TODAY, times=6)
    shown = text_of(page(client, chain.manager))
    assert "Nothing can be compared yet" in shown and "of 0" not in shown


def test_times_say_their_zone_where_several_stand_in_one_list(client, chain):
    answer(chain.touchpoint, 9, day=TODAY, words="In Kyiv")
    assert "EET" not in text_of(page(client, chain.head_office))
    chain.foreign.time_zone = "Europe/Berlin"
    chain.foreign.save()
    answer(chain.foreign_touchpoint, 9, day=TODAY, words="In Berlin")
    for of in ("reports", "verbatims"):
        zones = re.findall(r" (EES?T|CES?T)</time>", page(client, chain.head_office, of=of).content.decode())
        assert sorted(zone[0] for zone in zones) == ["C", "E"]


def test_the_closed_loop_in_shares_with_n(client, chain):
    def case(**settings: Any) -> None:
        response = make_response(touchpoint=chain.touchpoint, score=1)
        announce(response)
        announce(response, make_case(response, **settings))

    for _ in range(4):
        case(contacted=20, state=CaseState.CONFIRMED)
    case(contacted=50, attempted=10, state=CaseState.UNCONFIRMED)
    case(contacted=50, state=CaseState.CONTACTED)
    # Solved in the end, and reopened: once. Opened again by a colleague, nobody was asked about it.
    case(said_no=True, state=CaseState.CONFIRMED)
    case(round=1)
    case(due_in=timedelta(minutes=10))
    for number in range(5):
        case(fix_only=True, fixed=10 if number else None)
    answer(chain.touchpoint, 9, day=TODAY)
    overview = page(client, chain.manager).context["overview"]
    shares = {part.key: (part.share.part, part.share.n) for part in overview.loop.contactable}
    assert shares == {"reached": (4, 8), "attempted": (1, 8), "untried": (3, 8)}
    assert [(part.share.part, part.share.n) for part in overview.loop.fix_only] == [(4, 5)]
    outcomes = {part.key: (part.share.part, part.share.n) for part in overview.loop.outcomes}
    assert outcomes == {"confirmed": (4, 6), "reopened": (1, 6), "unconfirmed": (1, 6)}
    found = page(client, chain.manager)
    shown = text_of(found)
    # Each n is of other cases than the link leads to, which is one and has a name.
    leading = re.compile(r"""<a [^>]*href="[^"]*case=yes[^"]*"[^>]*>(.*?)</a>""")
    assert leading.findall(found.content.decode()) == ["Words of these cases"]
    league = page(client, chain.area_manager, of="report_loop").content.decode()
    assert leading.findall(league) == ["Words of these cases", "Words"]
    assert "1 case is still within its thirty minutes and not counted." in shown
    assert re.search(r"Reached 50% ± \d+%", shown)
    # The other page tells the same of the same cases, and both say what is counted.
    closing = client.get(reverse("closing"))
    for key, (part, n) in outcomes.items():
        other = getattr(closing.context["closing"], key).share
        assert (other.part, other.n) == (part, n)
    assert sum(part for part, _ in outcomes.values()) == 6
    for one in (shown, text_of(closing)):
        assert "Each case once: reopened if its shopper ever said no" in one


def test_the_newest_words_are_escaped_and_lead_to_their_case(client, chain):
    hostile = '<script>alert(1)</script> {{ 7*7 }} " onmouseover=x'
    (response,) = answer(chain.touchpoint, 1, day=TODAY, words=hostile)
    case = make_case(response)
    make_analysis(
        response.verbatims.get(), sentiment=Sentiment.NEGATIVE, topics=[{"topic": "staff", "sentiment": "negative"}]
    )
    content = page(client, chain.manager).content.decode()
    assert "<script>alert(1)" not in content
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }} &quot; onmouseover=x" in content
    assert reverse("case", args=[case.pk]) in content
    assert 'dir="auto"' in content
    assert "style=" not in content


def test_words_that_wait_for_being_read_are_shown_too(client, chain):
    answer(chain.touchpoint, 8, day=TODAY, words="nobody has read me")
    shown = text_of(page(client, chain.manager))
    assert "nobody has read me" in shown
    assert "being read" in shown


@pytest.mark.parametrize("language", ["de", "uk"])
def test_drawings_have_no_decimal_commas(client, chain, language):
    answer(chain.touchpoint, 10, day=TODAY, times=13)
    answer(chain.touchpoint, 3, day=TODAY - timedelta(weeks=1), times=7)
    content = page(client, chain.manager, lang=language).content.decode()
    (drawing,) = re.findall(r'<svg class="chart__drawing".*?</svg>', content, flags=re.DOTALL)
    dots = re.findall(r'class="chart__dot" d="([^"]+)"', drawing)
    # Each week that may be shown opens its words, and says its figures to who cannot see the drawing.
    assert len(dots) == len(re.findall(r'<a href="/verbatims/\?[^"]*weeks=1[^"]*" aria-label="', drawing)) == 2
    for dot in dots:
        assert re.fullmatch(r"M[0-9]+\.[0-9] [0-9]+\.[0-9]h0", dot)
    for line in re.findall(r' points="([^"]+)"', drawing):
        assert all(re.fullmatch(r"[0-9]+\.[0-9],[0-9]+\.[0-9]", point) for point in line.split())


def test_a_page_costs_few_queries_however_many_stores(client, chain):
    for number in range(20):
        store = make_store(node=chain.area, code=f"X{number}")
        answer(make_touchpoint(store=store), 9, day=TODAY, times=2, words="fine words")
    client.force_login(chain.head_office)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(reverse("reports"))
    assert len(queries) <= 28, [query["sql"][:90] for query in queries]


def test_names_in_choices_are_text(client, chain):
    hostile = '"><script>alert(1)</script>'
    Store.objects.filter(pk=chain.store.pk).update(name=hostile)
    Node.objects.filter(pk=chain.area.pk).update(name=hostile)
    client.force_login(chain.head_office)
    for name in ("reports", "report_compare", "verbatims"):
        text = client.get(reverse(name)).content.decode()
        assert "<script>alert" not in text
        assert text.count("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;</option>") >= 2


def test_a_call_centre_is_not_counted_as_a_store(client, chain):
    text = text_of(page(client, chain.head_office))
    assert "3 stores" in text
    assert "1 call centre" in text
    assert "call centre" not in text_of(page(client, chain.manager))
