"""`/reports/` says how the chosen stores do, how sure that is, and nothing about anybody else's."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.choices import CaseState
from reports.periods import Week
from sentiment.models import Sentiment
from stores.models import User
from tests.factories import make_response, make_store, make_touchpoint
from tests.reports.makers import announce, answer, make_analysis, make_case

TODAY = timezone.now().date()


def page(client: Client, user: User, **query: str | int) -> Any:
    client.force_login(user)
    response = client.get(reverse("reports"), query)
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
    content = page(client, head, weeks=26).content.decode()
    assert f"?store={chain.store.code}&amp;weeks=26" in content


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
    assert sum(one.figure.nps.n for one in overview.weeks) == 30
    pooled = page(client, chain.manager, sample="pooled")
    assert pooled.context["overview"].headline.nps.n == 60
    assert "All channels · all samples pooled" in text_of(pooled)
    verified = page(client, chain.manager, sample="verified").context["overview"]
    assert verified.headline.nps.n == 30
    calls = page(client, chain.manager, channel="call").context["overview"]
    assert (calls.source, calls.headline.nps.n) == (("call", "verified"), 10)


def test_smileys_are_a_distribution_and_never_an_nps(client, chain):
    answer(chain.touchpoint, 5, day=TODAY, times=6, headline_kind="smiley5")
    answer(chain.touchpoint, 1, day=TODAY, times=2, headline_kind="smiley5")
    overview = page(client, chain.manager).context["overview"]
    assert overview.cards == []
    assert overview.smileys[0].counts == (2, 0, 0, 0, 6)


def test_staff_answers_are_shown_apart_and_in_no_figure(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=6, words="bravo us", flags=["staff"])
    answer(chain.touchpoint, 0, day=TODAY, times=5)
    response = page(client, chain.manager)
    assert response.context["overview"].headline.nps.score == -100
    assert "6 answers given by staff are kept apart" in text_of(response)
    assert "bravo us" not in text_of(response)


def test_no_score_below_five_and_no_rank_below_thirty(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=31)
    neighbour, third = make_touchpoint(store=chain.neighbour), make_store(node=chain.area, code="KY3")
    answer(neighbour, 10, day=TODAY, times=12)
    answer(make_touchpoint(store=third), 9, day=TODAY, times=4)
    answer(chain.foreign_touchpoint, 9, day=TODAY, times=10)
    overview = page(client, chain.head_office).context["overview"]
    assert [row.store.code for row in overview.ranked] == ["KY1"]
    assert [row.store.code for row in overview.few] == ["LV1"]
    # KY3 would follow from its area's total if KY2 were shown.
    assert {row.store.code for row in overview.hidden} == {"KY2", "KY3"}
    assert [row.store.code for row in overview.silent] == ["CALL"]
    # …nor does the neighbour's own page give it away.
    alone = page(client, chain.head_office, store="KY2")
    assert alone.context["overview"].headline.hidden
    assert not any(one.figure.shown for one in alone.context["overview"].weeks)
    assert "100 ±" not in text_of(alone)


def test_a_sum_is_hidden_where_it_would_give_away_a_small_sample(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=32)
    answer(chain.touchpoint, 0, day=TODAY, times=3, channel="receipt", sample_kind="verified")
    answer(make_touchpoint(store=chain.neighbour), 10, day=TODAY - timedelta(weeks=1), times=9)
    apart = page(client, chain.area_manager).context["overview"]
    assert [(card.figure.nps.n, card.figure.shown) for card in apart.cards] == [(41, True), (3, False)]
    assert [one.figure.nps.n for one in apart.weeks if one.figure.shown] == [9, 32]
    assert [row.store.code for row in apart.ranked] == ["KY1"]
    # 44 answers less the 41, a week's 35 less its 32, or the store's: always the same three.
    pooled = page(client, chain.area_manager, sample="pooled").context["overview"]
    assert (pooled.headline.nps.n, pooled.headline.shown) == (44, False)
    assert not any(one.figure.shown for one in pooled.weeks)
    assert {row.store.code for row in pooled.hidden} == {"KY1", "KY2"}
    alone = page(client, chain.area_manager, sample="pooled", store="KY1").context["overview"]
    assert not alone.headline.shown


def test_shares_of_cases_are_guarded_like_scores(client, chain):
    third = make_store(node=chain.area, code="KY3")
    spots = (chain.touchpoint, make_touchpoint(store=chain.neighbour), make_touchpoint(store=third))
    for spot, times in zip(spots, (9, 6, 2), strict=True):
        for _ in range(times):
            response = make_response(touchpoint=spot, score=1)
            announce(response)
            announce(response, make_case(response, contacted=20))
        answer(spot, 9, day=TODAY, times=30)
    response = page(client, chain.area_manager)
    rows = {row.store.code: (row.reached.n, row.reached_hidden) for row in response.context["overview"].ranked}
    # KY3 would follow from its area's share if KY2's were shown.
    assert rows == {"KY1": (9, False), "KY2": (6, True), "KY3": (2, True)}
    assert re.search(r"100% ± \d+% of 9", text_of(response))
    alone = page(client, chain.area_manager, store="KY2")
    assert [part.hidden for part in alone.context["overview"].loop.contactable] == [True] * 3
    assert "too few to show a share" not in text_of(alone).split("Cases without a way")[0]
    best = page(client, chain.area_manager, store="KY1").context["overview"]
    assert [part.hidden for part in best.loop.contactable] == [False] * 3


def test_an_arrow_only_for_more_than_chance_among_all_stores(client, chain):
    before = TODAY - timedelta(weeks=13)
    answer(chain.touchpoint, 0, day=before, times=40)
    answer(chain.touchpoint, 10, day=TODAY, times=40)
    answer(chain.foreign_touchpoint, 10, day=before, times=20)
    answer(chain.foreign_touchpoint, 2, day=before, times=20)
    answer(chain.foreign_touchpoint, 10, day=TODAY, times=24)
    answer(chain.foreign_touchpoint, 2, day=TODAY, times=16)
    overview = page(client, chain.head_office).context["overview"]
    moved = {row.store.code: row.figure.moved for row in overview.ranked}
    assert moved == {"KY1": True, "LV1": False}
    assert overview.cards[0].figure.moved
    assert overview.cards[0].figure.change.points > 0


def test_weeks_follow_the_iso_calendar_and_small_ones_are_hidden(client, chain):
    monday = Week.of(TODAY).monday
    answer(chain.touchpoint, 10, day=monday, times=9)
    answer(chain.touchpoint, 10, day=monday - timedelta(days=1), times=8)
    answer(chain.touchpoint, 0, day=monday - timedelta(days=8), times=2)
    overview = page(client, chain.manager).context["overview"]
    ends = [(str(one.week), one.figure.nps.n, one.figure.shown) for one in overview.weeks[-3:]]
    weeks = [str(Week.of(TODAY) + number) for number in (-2, -1, 0)]
    assert ends == [(weeks[0], 2, False), (weeks[1], 8, False), (weeks[2], 9, True)]
    assert len(overview.weeks) == 13


def test_the_closed_loop_in_shares_with_n(client, chain):
    def case(**settings: Any) -> None:
        response = make_response(touchpoint=chain.touchpoint, score=1)
        announce(response)
        announce(response, make_case(response, **settings))

    for _ in range(4):
        case(contacted=20, state=CaseState.CONFIRMED)
    case(contacted=50, attempted=10, state=CaseState.UNCONFIRMED)
    case(contacted=50, state=CaseState.CONTACTED)
    case(round=1)
    case(due_in=timedelta(minutes=10))
    for number in range(5):
        case(fix_only=True, fixed=10 if number else None)
    answer(chain.touchpoint, 9, day=TODAY)
    overview = page(client, chain.manager).context["overview"]
    shares = {part.key: (part.share.part, part.share.n) for part in overview.loop.contactable}
    assert shares == {"reached": (4, 7), "attempted": (1, 7), "untried": (2, 7)}
    assert [(part.share.part, part.share.n) for part in overview.loop.fix_only] == [(4, 5)]
    outcomes = {part.key: (part.share.part, part.share.n) for part in overview.loop.outcomes}
    assert outcomes == {"confirmed": (4, 6), "reopened": (1, 6), "unconfirmed": (1, 6)}
    shown = text_of(page(client, chain.manager))
    assert "1 case is still within its thirty minutes and not counted." in shown
    assert re.search(r"Reached 57% ± \d+%", shown)


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
    assert len(dots) == 2
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
    assert len(queries) <= 16, [query["sql"][:90] for query in queries]


def test_a_call_centre_is_not_counted_as_a_store(client, chain):
    text = text_of(page(client, chain.head_office))
    assert "3 stores" in text
    assert "1 call centre" in text
    assert "call centre" not in text_of(page(client, chain.manager))
