"""The page that asks, in a real browser whose network comes and goes: nothing lost, nothing doubled."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from stores.models import Touchpoint
from surveys.defaults import ensure_surveys
from surveys.inviting import receipt_link
from surveys.models import PartialAnswer, Response
from surveys.partials import settle_left
from tests.browser.conftest import PATIENCE_SECS, eventually
from tests.factories import Chain, make_touchpoint

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
SEND, ARRIVED = "main .send", "**/t/**"
KEEP = "sessionStorage.draft = JSON.stringify(draft)"


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A phone that has opened the page of a till and chosen a 2."""
    chain = Chain()
    ensure_surveys()
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_SECS * 1000)
    opened.goto(f"{live_server.url}/q/{chain.touchpoint.code}/")
    opened.check("#f-score2", force=True)
    opened.fill("#f-reason", "In the tunnel")
    yield opened
    context.close()


def only_response() -> Response:
    return Response.objects.get()


def test_what_is_sent_without_network_goes_out_when_it_is_back(page: Page) -> None:
    page.context.set_offline(True)
    page.click(SEND)
    expect(page.locator("#net")).to_contain_text("kept")
    assert not Response.objects.exists()
    page.context.set_offline(False)
    page.wait_for_url(ARRIVED)
    assert only_response().answers["reason"] == "In the tunnel"
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0 and not page.context.cookies()


def test_whoever_opens_the_page_anew_on_a_tablet_meets_nobody_else(page: Page) -> None:
    """The first one types and leaves, the second sends without network and leaves, the third is led nowhere."""
    address = page.url
    page.check("#w-call", force=True)
    page.fill("#f-phone", "0501112233")
    page.goto(address)
    assert not given(page) and page.evaluate("sessionStorage.length + localStorage.length") == 0
    page.fill("#f-reason", "In the tunnel")
    page.check("#f-score2", force=True)
    nonce = sent_without_network(page)
    page.goto("about:blank")
    page.context.set_offline(False)
    page.goto(address)
    expect(page.locator("h1 + .net")).to_contain_text("has now been sent")
    assert only_response().pk.hex == nonce[:32]
    assert page.url == address and not given(page) and page.get_attribute("input[name=form]", "value") != nonce


def given(page: Page) -> list[str]:
    """Whatever stands or is chosen in the fields of the page."""
    fields: list[str] = page.evaluate(
        "[...new FormData(document.getElementById('ask'))]"
        ".filter(([name, value]) => value && !/^(form|lang|contact.*)$/.test(name)).map(String)"
    )
    return fields


def sent_without_network(page: Page) -> str:
    """Press Send while offline. Returns the submission's nonce."""
    page.context.set_offline(True)
    page.click(SEND)
    expect(page.locator("#net")).to_contain_text("three days")
    return page.get_attribute("input[name=form]", "value") or ""


def given_up(page: Page) -> None:
    """Wait until nothing is on its way: as long as something is, the page does not try anew."""
    expect(page.locator(SEND)).not_to_have_attribute("aria-disabled", "true")


def page_of_the_exit(page: Page) -> str:
    """Where another spot of the same store asks."""
    origin, _, code = page.url.rstrip("/").rpartition("/q/")
    return f"{origin}/q/{make_touchpoint(store=Touchpoint.objects.get(code=code).store, name='Exit').code}/"


def closed_without_network(page: Page) -> BrowserContext:
    """The tab is closed after Send, before its answer could leave."""
    sent_without_network(page)
    context = page.context
    page.close()
    assert not Response.objects.exists()
    context.set_offline(False)
    return context


def test_what_a_closed_tab_left_is_sent_once_by_any_page_that_asks_and_shown_on_none(page: Page) -> None:
    address, nonce = page.url, page.get_attribute("input[name=form]", "value") or ""
    exit_page = page_of_the_exit(page)
    context = closed_without_network(page)
    later = context.new_page()
    later.goto(exit_page)
    expect(later.locator("main > .net").first).to_contain_text("has now been sent")
    assert (only_response().pk.hex, only_response().answers["reason"]) == (nonce[:32], "In the tunnel")
    assert later.url == exit_page and "In the tunnel" not in later.content()
    again = context.new_page()
    again.goto(address)
    assert again.input_value("#f-reason") == "" and not again.locator("h1 + .net").count()
    assert again.evaluate("localStorage.length") == 0 and only_response().revision == 1


def test_what_a_closed_tab_left_is_forgotten_after_three_days(page: Page) -> None:
    address = page.url
    later = closed_without_network(page).new_page()
    later.clock.install(time=timezone.now() + timedelta(days=3, minutes=1))
    later.goto(address)
    eventually(lambda: later.evaluate("localStorage.length == 0"), "that nothing is kept")
    assert not Response.objects.exists()


def test_a_tab_that_waits_for_three_days_forgets_as_well(page: Page) -> None:
    page.clock.install()
    nonce = sent_without_network(page)
    since = page.evaluate("JSON.parse(Object.values(localStorage))[0]")
    page.clock.run_for(60_000)
    given_up(page)
    assert page.evaluate("JSON.parse(Object.values(localStorage))[0]") == since
    page.clock.fast_forward(timedelta(days=3) // timedelta(milliseconds=1))
    expect(page.locator("#net")).to_contain_text("press Send once more")
    assert page.evaluate("localStorage.length") == 0 and page.get_attribute("input[name=form]", "value") == nonce


def test_a_refused_answer_that_a_closed_tab_left_is_shown_to_nobody_at_a_till(page: Page) -> None:
    address = page.url
    page.check("#w-call", force=True)
    page.fill("#f-phone", "12")
    another = closed_without_network(page).new_page()
    with another.expect_response(lambda response: response.status == 422):
        another.goto(address)
    another.wait_for_timeout(200)
    assert another.url == address and not given(another)
    assert another.evaluate("localStorage.length") == 1


def test_a_refused_answer_is_shown_by_its_own_private_link(page: Page) -> None:
    origin, _, code = page.url.rstrip("/").rpartition("/q/")
    invited = receipt_link(Touchpoint.objects.get(code=code).store, "A 1", timezone.now()).invitation
    assert invited is not None
    address = f"{origin}/r/{invited.token}/"
    page.goto(address)
    page.fill("#f-reason", "In the tunnel")
    page.check("#w-call", force=True)
    page.fill("#f-phone", "12")
    own = closed_without_network(page).new_page()
    with own.expect_navigation(url="**/?send"):
        own.goto(address)
    assert refused(own) == ("In the tunnel", "12")


def refused(page: Page) -> tuple[str, str]:
    """The words and the number on a page that shows what is to be put right, once the device keeps them no more."""
    page.wait_for_selector("[role=alert]")
    eventually(lambda: page.evaluate("localStorage.length == 0"), "that the page has taken over what was kept")
    return page.input_value("#f-reason"), page.input_value("#f-phone")


def test_a_refused_answer_is_shown_where_it_was_sent_and_by_a_reload_of_it(page: Page) -> None:
    page.check("#w-call", force=True)
    page.fill("#f-phone", "12")
    sent_without_network(page)
    page.context.set_offline(False)
    with page.expect_navigation(url="**/?send"):
        page.reload()
    assert refused(page) == ("In the tunnel", "12")
    page.fill("#f-reason", "In the lift")
    sent_without_network(page)
    with page.expect_navigation(url="**/?send"):
        page.context.set_offline(False)
    assert refused(page) == ("In the lift", "12")


def test_what_is_typed_outlives_a_reload_for_five_minutes_without_who_it_is(page: Page) -> None:
    nonce = page.get_attribute("input[name=form]", "value")
    page.check("#w-call", force=True)
    page.fill("#f-phone", "0501112233")
    typed = page.evaluate("sessionStorage.draft")
    for older in ("draft[0] -= 3e5", "draft[2] = draft[2].replace(/\\.\\d+/, '.0')", ""):
        page.evaluate(f"typed => {{ const draft = JSON.parse(typed); {older}; {KEEP} }}", typed)
        page.reload()
        assert given(page) == ([] if older else ["score,2", "reason,In the tunnel"])
    assert "0501112233" not in typed and page.get_attribute("input[name=form]", "value") != nonce
    assert page.evaluate("localStorage.length") == 0
    page.check("#w-none", force=True)
    page.click(SEND)
    page.wait_for_url(ARRIVED)
    assert page.evaluate("sessionStorage.length") == 0


def test_what_is_typed_after_send_waits_for_the_next_send(page: Page) -> None:
    sent_without_network(page)
    page.fill("#f-reason", "In the tunnel, and half of a")
    page.context.set_offline(False)
    expect(page.locator("h1 + .net")).to_contain_text("has now been sent")
    assert only_response().answers["reason"] == "In the tunnel"
    assert page.input_value("#f-reason") == "In the tunnel, and half of a"
    page.click(SEND)
    page.wait_for_url(ARRIVED)
    assert (only_response().revision, only_response().answers["reason"]) == (2, "In the tunnel, and half of a")


def test_a_second_send_while_the_first_is_on_its_way_is_sent_too(page: Page) -> None:
    held: list[Route] = []
    page.route("**/*?send", lambda route: route.continue_() if held else held.append(route))
    page.click(SEND)
    # Playwright calls a route's handler only while it is itself waiting for the browser.
    eventually(lambda: page.evaluate("true") and held, "the first Send")
    page.check("#f-score9", force=True)
    page.click(SEND, force=True)
    held[0].continue_()
    page.wait_for_url(ARRIVED)
    assert (only_response().revision, only_response().score) == (2, 9)


def test_who_is_too_busy_or_finds_it_too_large_has_not_refused_it(page: Page) -> None:
    statuses = [413, 429]
    page.route("**/*?send", lambda route: route.fulfill(status=statuses.pop()) if statuses else route.continue_())
    with page.expect_response(lambda response: response.status == 413):
        page.click(SEND)
        expect(page.locator("#net")).to_contain_text("kept")
        page.evaluate("dispatchEvent(new Event('online'))")
    given_up(page)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url(ARRIVED)
    assert not statuses and only_response().revision == 1


def test_a_browser_that_keeps_nothing_asks_for_the_page_to_stay_open(page: Page) -> None:
    page.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage']) "
        "Object.defineProperty(window, name, {get() { throw new DOMException('blocked', 'SecurityError') }})"
    )
    page.goto(page.url)
    page.fill("#f-reason", "In the tunnel")
    page.context.set_offline(True)
    page.click(SEND)
    expect(page.locator("#net")).to_contain_text("leave this page open")
    page.context.set_offline(False)
    page.wait_for_url(ARRIVED)
    assert only_response().answers["reason"] == "In the tunnel"


def test_a_long_text_is_counted_before_it_is_too_long_and_never_cut(page: Page) -> None:
    counter = page.locator("#f-reason + p")
    assert counter.inner_text() == ""
    page.fill("#f-reason", "x" * 3801)
    assert counter.inner_text() == "Characters: 3801 of 4000 at most."
    page.fill("#f-reason", "ї" * 8000)
    expect(counter).to_have_class("wrong")
    page.click(SEND)
    page.wait_for_selector("[role=alert]")
    assert page.input_value("#f-reason") == "ї" * 8000
    expect(counter).to_have_text("Characters: 8000 of 4000 at most.")


def test_a_phone_that_was_locked_sends_the_same_answer_once_it_is_opened_again(page: Page) -> None:
    nonce, chrome = page.get_attribute("input[name=form]", "value") or "", page.context.new_cdp_session(page)
    page.context.set_offline(True)
    page.click(SEND)
    eventually(lambda: page.evaluate("localStorage.length == 1"), "what the page keeps")
    chrome.send("Page.setWebLifecycleState", {"state": "frozen"})
    page.context.set_offline(False)
    assert not Response.objects.exists()
    chrome.send("Page.setWebLifecycleState", {"state": "active"})
    page.wait_for_url(ARRIVED)
    assert only_response().pk.hex == nonce[:32] and only_response().revision == 1


def test_answers_that_are_lost_after_they_were_stored(page: Page) -> None:
    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and len(lost) < 2:
            lost.append(route.request.url)
            route.fetch(max_redirects=0)
            route.abort()
        else:
            route.continue_()

    page.route("**/q/**", lose)
    page.click(SEND)
    for tries in (1, 2):
        eventually(lambda tries=tries: page.evaluate("true") and len(lost) >= tries, "the answer that is lost")  # type: ignore[misc]
        given_up(page)
        page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url(ARRIVED)
    assert len(lost) == 2 and only_response().revision == 1


def test_what_is_tapped_is_kept_without_its_words_and_gone_with_send(page: Page) -> None:
    with page.expect_request(lambda request: request.url.endswith("?step")):
        page.check("#f-score3", force=True)
    eventually(lambda: PartialAnswer.objects.filter(answers={"recommend": 3}).exists(), "what was tapped, and no words")
    kept = PartialAnswer.objects.get()
    page.click(SEND)
    page.wait_for_url(ARRIVED)
    assert only_response().score == 3 and only_response().pk == kept.pk
    # One that was still on its way finds the answer there; what came before it is taken away, or found to be answered.
    PartialAnswer.objects.update(run_at=timezone.now())
    settle_left()
    assert not PartialAnswer.objects.exists() and only_response().flags == []


def test_three_taps_are_one_answer(page: Page) -> None:
    page.evaluate("for (const tap of [1, 2, 3]) document.querySelector('main .send').click()")
    page.wait_for_url(ARRIVED)
    assert only_response().revision == 1


def test_back_and_send_again_corrects(page: Page) -> None:
    page.click(SEND)
    page.wait_for_url(ARRIVED)
    page.go_back()
    assert page.input_value("#f-reason") == "In the tunnel"
    page.fill("#f-reason", "Out of the tunnel")
    page.click(SEND)
    page.wait_for_url(ARRIVED)
    response = only_response()
    assert (response.revision, response.answers["reason"]) == (2, "Out of the tunnel")


def test_an_error_shows_the_page_with_everything_on_it(page: Page) -> None:
    page.check("#w-call", force=True)
    page.fill("#f-phone", "12")
    page.press("#f-phone", "Enter")
    page.wait_for_selector("[role=alert]")
    assert page.input_value("#f-reason") == "In the tunnel" and page.input_value("#f-phone") == "12"
    page.click(".langs summary")
    page.click("button[name=switch][value=de]")
    page.wait_for_selector("html[lang=de]")
    assert page.input_value("#f-phone") == "12" and not Response.objects.exists()
