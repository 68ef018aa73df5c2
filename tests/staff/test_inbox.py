"""The inbox: order, clocks, the poll, and who sees what."""

import re
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from alerts import actions
from alerts.choices import CaseState
from alerts.models import Case
from sentiment.models import Analysis
from stores.choices import TouchpointKind
from surveys.choices import ContactWish, QuestionKind
from tests.factories import Chain, make_response, make_store, make_touchpoint, new_form_id
from tests.staff.cases import HTMX, make_case

INBOX = "/inbox/"


def page(client: Client, address: str = INBOX, headers: dict[str, str] | None = None) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def cases_on(html: str) -> list[str]:
    return re.findall(r'data-case="([0-9a-f-]+)"', html)


def version_on(html: str) -> str:
    found = re.search(r"version=([0-9.-]+)", html)
    assert found
    return found[1]


def test_what_burns_comes_first(manager: Client, chain: Chain) -> None:
    fresh = make_case(chain.touchpoint, words="fresh", minutes_ago=1)
    overdue = make_case(chain.touchpoint, words="overdue", minutes_ago=45)
    most_overdue = make_case(chain.touchpoint, words="most overdue", minutes_ago=90)
    contacted = make_case(chain.touchpoint, words="contacted", minutes_ago=200)
    actions.record_contact(contacted.pk, actor=chain.manager, channel="call", reached=True, form_id=new_form_id())
    # Who is still there leaves soon; who said so long ago has left.
    waits_there = make_case(chain.touchpoint, words="still here", minutes_ago=2, still_here=True)
    left = make_case(chain.touchpoint, words="left", minutes_ago=40, still_here=True)
    html = page(manager)
    order = (waits_there, most_overdue, overdue, left, fresh, contacted)
    assert cases_on(html) == [str(case.pk) for case in order]
    states = re.findall(r'class="card"[^>]*data-state="(\w+)"', html)
    assert states == ["running", "overdue", "overdue", "overdue", "running", "stopped"]


def test_a_card_says_everything_and_trusts_nothing(manager: Client, chain: Chain) -> None:
    fitting_room = make_touchpoint(store=chain.store, kind=TouchpointKind.FITTING_ROOM)
    case = make_case(
        fitting_room,
        words="<script>alert(1)</script> {{ 7*7 }}",
        score=3,
        still_here=True,
        language="uk",
        wish=ContactWish.EMAIL,
    )
    html = page(manager)
    card = html[html.index('class="card"') : html.index("</li>", html.index('class="card"'))]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }}" in card
    assert "<script>alert" not in html
    assert 'lang="uk" dir="auto"' in card
    assert card.index("Still here") < card.index("data-countdown") < card.index("&lt;script")
    assert "Fitting room" in card and "Kyiv One" in card and "wants an e-mail" in card and "severe" in card
    assert re.search(r">\s*3<span class=\"score__of\"> / 10", card)
    assert f"/cases/{case.pk}/" in card


def test_a_smiley_is_a_shape_with_words_beside_it(manager: Client, chain: Chain) -> None:
    make_case(chain.touchpoint, score=1, headline_kind=QuestionKind.SMILEY5)
    html = page(manager)
    assert 'class="smiley"' in html and "Smiley 1 of 5" in html


def test_the_language_that_was_read_in_the_words_goes_before_the_page_language(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint, words="Дуже погано", language="en")
    Analysis.objects.update_or_create(
        verbatim=case.response.verbatims.get(),
        defaults={"language": "uk", "analysed_at": timezone.now(), "run_at": None},
    )
    assert 'lang="uk" dir="auto"' in page(manager)


def clock_on(html: str) -> dict[str, str]:
    tag = re.search(r"<div class=\"countdown [^>]*data-countdown[^>]*>", html)
    assert tag
    return dict(re.findall(r'data-([a-z]+)="([^"]*)"', tag[0]))


def test_the_clock_writes_hours_and_days_as_the_language_does(manager: Client, chain: Chain) -> None:
    make_case(chain.touchpoint, minutes_ago=39 * 60 + 45)
    html = manager.get("/inbox/", {"lang": "uk"}).content.decode()
    assert "data-number>−39 год<" in html and clock_on(html)["hours"] == "# год" and clock_on(html)["days"] == "# д"


def test_the_clock_is_given_by_moments_and_not_by_a_number_of_seconds(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint, minutes_ago=10)
    html = page(manager)
    clock = clock_on(html)
    assert int(clock["due"]) == round(case.due_at.timestamp() * 1000)
    assert clock["state"] == "running" and clock["minutes"] == "30"
    # Open round the clock is a span for each day: around the store's midnight there are two, which touch.
    spans = [tuple(map(int, span.split("-"))) for span in clock["open"].split()]
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    opens, closes = spans[0][0], spans[-1][1]
    assert closes == int(clock["due"])
    assert 19 * 60_000 < closes - opens <= 20 * 60_000
    server_now = re.search(r'data-server-now="(\d+)"', html)
    assert server_now and abs(int(server_now[1]) / 1000 - timezone.now().timestamp()) < 5
    # Without JavaScript the time of day says the same, in the store's own zone.
    local = case.due_at.astimezone(ZoneInfo("Europe/Kyiv"))
    assert f"due {local:%H:%M}</time>" in html or f"due {local:%a %H:%M}</time>" in html


def test_the_clock_stands_while_the_store_is_closed(client: Client, chain: Chain) -> None:
    store = make_store(node=chain.area, code="SHUT", time_zone="Europe/Berlin", hours=(time(9), time(18)))
    touchpoint = make_touchpoint(store=store)
    with time_machine.travel(datetime(2026, 11, 21, 16, 50, tzinfo=UTC), tick=False):  # Saturday, 17:50 in Berlin
        make_case(touchpoint)
        client.force_login(chain.head_office)
        html = page(client)
        clock = clock_on(html)
        assert clock["state"] == "running"
        spans = [tuple(map(int, span.split("-"))) for span in clock["open"].split()]
        assert [round((closes - opens) / 1000) for opens, closes in spans] == [600, 1200]
    with time_machine.travel(datetime(2026, 11, 21, 19, 0, tzinfo=UTC), tick=False):
        client.force_login(chain.head_office)
        html = page(client)
        assert clock_on(html)["state"] == "closed"
        assert "store closed, due Sun 09:20" in html
        assert "data-number>20:00</span>" in html
    with time_machine.travel(datetime(2026, 11, 22, 8, 30, tzinfo=UTC), tick=False):
        client.force_login(chain.head_office)
        assert "overdue since 09:20" in page(client)


def test_an_action_stops_the_clock_of_a_case_without_contact_in_its_own_round_only(
    manager: Client, chain: Chain
) -> None:
    case = make_case(chain.touchpoint, wish=ContactWish.NONE)
    assert "data-countdown" in page(manager)
    actions.record_action(case.pk, actor=chain.manager, text="Mopped.", form_id=new_form_id())
    assert "data-countdown" not in page(manager)
    Case.objects.filter(pk=case.pk).update(round=1)
    assert "data-countdown" in page(manager)


def test_the_poll_is_empty_until_something_changes(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    version = version_on(page(manager))
    poll = f"{INBOX}?page=1&version={version}"
    answer = manager.get(poll, headers=HTMX)
    assert answer.status_code == 204 and answer.content == b""
    assert abs(int(answer["X-Server-Now"]) / 1000 - timezone.now().timestamp()) < 5
    actions.acknowledge(case.pk, actor=chain.deputy)
    html = page(manager, poll, headers=HTMX)
    assert "Acknowledged" in html
    assert version_on(html) != version
    new = make_case(chain.touchpoint)
    html = page(manager, f"{INBOX}?page=1&version={version_on(html)}", headers=HTMX)
    assert set(cases_on(html)) == {str(case.pk), str(new.pk)}


def test_a_case_that_goes_while_another_comes_is_noticed(manager: Client, chain: Chain) -> None:
    case = make_case(chain.touchpoint)
    version = version_on(page(manager))
    Case.objects.filter(pk=case.pk).update(state=CaseState.UNCONFIRMED)
    make_case(chain.touchpoint)
    assert manager.get(f"{INBOX}?version={version}", headers=HTMX).status_code == 200


def test_htmx_gets_the_list_and_the_counts_and_everybody_else_the_page(manager: Client, chain: Chain) -> None:
    make_case(chain.touchpoint)
    part = page(manager, INBOX, headers=HTMX)
    assert "<html" not in part and part.lstrip().startswith("<section")
    assert 'hx-swap-oob="innerHTML:#nav-count">1<' in part and 'hx-swap-oob="innerHTML:#todo-count">1<' in part
    whole = page(manager)
    assert "<html" in whole and "hx-swap-oob" not in whole
    assert 'data-live="3000"' in whole and 'hx-trigger="look"' in whole


def test_the_other_tabs(manager: Client, chain: Chain) -> None:
    waiting, closed, mine = (make_case(chain.touchpoint, words=words) for words in ("waiting", "closed", "mine"))
    Case.objects.filter(pk=waiting.pk).update(state=CaseState.RESOLVED, resolved_at=timezone.now())
    Case.objects.filter(pk=closed.pk).update(state=CaseState.CONFIRMED, resolved_at=timezone.now())
    assert cases_on(page(manager)) == [str(mine.pk)]
    assert cases_on(page(manager, "/inbox/?tab=waiting")) == [str(waiting.pk)]
    assert cases_on(page(manager, "/inbox/?tab=closed")) == [str(closed.pk)]
    assert cases_on(page(manager, "/inbox/?tab=nonsense")) == [str(mine.pk)]


def test_pages_and_a_page_too_far(manager: Client, chain: Chain) -> None:
    for number in range(27):
        make_case(chain.touchpoint, minutes_ago=number)
    first, second = page(manager), page(manager, "/inbox/?page=2")
    assert len(cases_on(first)) == 25 and len(cases_on(second)) == 2
    assert not set(cases_on(first)) & set(cases_on(second))
    assert cases_on(page(manager, "/inbox/?page=99")) == cases_on(second)


def test_when_nothing_burns_it_opens_on_todays_praise(manager: Client, chain: Chain, settings: LazySettings) -> None:
    make_response(touchpoint=chain.touchpoint, score=10, words="The best advice I ever had")
    make_response(touchpoint=chain.touchpoint, score=7, words="Neither here nor there")
    make_response(
        touchpoint=chain.touchpoint, score=10, words="Last week", submitted_at=timezone.now() - timedelta(days=7)
    )
    make_response(touchpoint=chain.foreign_touchpoint, score=10, words="Somebody else")
    settings.FLAGS_LEFT_OUT = ["hasty"]
    for words, mark in (("A colleague tries it out", "staff"), ("Left out by rule", "hasty")):
        marked = make_response(touchpoint=chain.touchpoint, score=10, words=words)
        marked.flags = [mark]
        marked.save()
    html = page(manager)
    assert "Nothing burns." in html and "The best advice I ever had" in html
    for unwanted in ("Neither here", "Last week", "Somebody else", "A colleague", "Left out by rule"):
        assert unwanted not in html
    make_case(chain.touchpoint)
    assert "The best advice" not in page(manager)


@pytest.mark.parametrize(
    ("who", "own", "foreign"),
    [("manager", 1, 0), ("deputy", 1, 0), ("area_manager", 1, 0), ("head_office", 1, 1), ("call_centre_lead", 0, 0)],
)
def test_everyone_sees_only_theirs(client: Client, chain: Chain, who: str, own: int, foreign: int) -> None:
    make_case(chain.touchpoint, words="words of our own store")
    make_case(chain.foreign_touchpoint, words="words of a foreign store")
    client.force_login(getattr(chain, who))
    html = page(client)
    assert html.count("words of our own store") == own
    assert html.count("words of a foreign store") == foreign


@pytest.mark.parametrize("count", [1, 25])
def test_the_number_of_queries_does_not_grow_with_the_cases(
    manager: Client, chain: Chain, django_assert_max_num_queries: object, count: int
) -> None:
    for number in range(count):
        make_case(chain.touchpoint, minutes_ago=number)
    html = page(manager)
    with django_assert_max_num_queries(13):  # type: ignore[operator]
        assert len(cases_on(page(manager))) == count
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        assert manager.get(f"{INBOX}?version={version_on(html)}", headers=HTMX).status_code == 204
