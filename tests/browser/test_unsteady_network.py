"""The page that asks, in a real browser whose network comes and goes: nothing lost, nothing doubled."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from stores.models import Touchpoint
from surveys.defaults import ensure_surveys
from surveys.models import PartialAnswer, Response
from surveys.partials import settle_left
from tests.browser.conftest import eventually
from tests.factories import Chain, make_touchpoint

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
SEND, ARRIVED = "main .send", "**/t/**"


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A phone that has opened the page of a till and chosen a 2."""
    chain = Chain()
    ensure_surveys()
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    opened = context.new_page()
    opened.set_default_timeout(15_000)
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


def test_a_page_that_was_closed_meanwhile_sends_the_same_answer_when_it_is_opened(page: Page) -> None:
    address, nonce = page.url, page.get_attribute("input[name=form]", "value") or ""
    page.context.set_offline(True)
    page.click(SEND)
    eventually(lambda: page.evaluate("localStorage.length == 1"), "what the page keeps")
    page.goto("about:blank")
    page.context.set_offline(False)
    page.goto(address, wait_until="commit")
    page.wait_for_url(ARRIVED)
    assert only_response().pk.hex == nonce[:32]


def page_of_the_exit(page: Page) -> str:
    """Where another spot of the same store asks."""
    origin, _, code = page.url.rstrip("/").rpartition("/q/")
    return f"{origin}/q/{make_touchpoint(store=Touchpoint.objects.get(code=code).store, name='Exit').code}/"


def closed_without_network(page: Page) -> BrowserContext:
    """The tab is closed after Send, before its answer could leave."""
    page.context.set_offline(True)
    page.click(SEND)
    expect(page.locator("#net")).to_contain_text("three days")
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


def test_what_a_closed_tab_left_and_is_refused_is_shown_on_its_own_page_alone(page: Page) -> None:
    address = page.url
    exit_page = page_of_the_exit(page)
    page.check("#w-call", force=True)
    page.fill("#f-phone", "12")
    context = closed_without_network(page)
    elsewhere = context.new_page()
    with elsewhere.expect_response(lambda response: response.status == 422):
        elsewhere.goto(exit_page)
    own = context.new_page()
    own.goto(address)
    own.wait_for_selector("[role=alert]")
    assert own.input_value("#f-reason") == "In the tunnel" and own.input_value("#f-phone") == "12"
    assert elsewhere.input_value("#f-reason") == "" and own.evaluate("localStorage.length") == 0


def test_what_is_typed_outlives_a_reload(page: Page) -> None:
    page.reload()
    assert page.input_value("#f-reason") == "In the tunnel" and page.is_checked("#f-score2")
    assert page.evaluate("localStorage.length") == 0
    page.click(SEND)
    page.wait_for_url(ARRIVED)
    assert page.evaluate("sessionStorage.length") == 0


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
    assert counter.inner_text() == "Characters: 8000 of 4000 at most."


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
    page.wait_for_url(ARRIVED)
    assert len(lost) == 2 and only_response().revision == 1


def test_what_is_tapped_is_kept_without_its_words_and_gone_with_send(page: Page) -> None:
    with page.expect_request(lambda request: request.url.endswith("?step")):
        page.check("#f-score3", force=True)
    until = time.monotonic() + 30
    while not PartialAnswer.objects.exists() and time.monotonic() < until:
        time.sleep(0.1)
    kept = PartialAnswer.objects.get()
    assert kept.answers == {"recommend": 3} or kept.answers == {"recommend": 2}
    assert "tunnel" not in str(kept.answers)
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
