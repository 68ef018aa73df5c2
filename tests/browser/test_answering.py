"""At a case in a real browser: prepared replies, single keys, the last step back, and no connection at all."""

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Error, Page, expect

from alerts.models import Case
from alerts.policy import ensure_defaults
from surveys.choices import ContactWish
from tests.browser.conftest import DESKTOP, PHONE, Stack, Visitor, eventually
from tests.factories import Chain
from tests.staff.cases import make_case

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEPT = "caches.match('/inbox/kept/').then((kept) => kept ? kept.text() : '')"


@pytest.fixture
def shop(stack: Stack) -> Chain:
    ensure_defaults()
    return Chain()


def sign_in(visitor: Visitor, chain: Chain) -> Page:
    """The manager's session in this browser; the door itself has tests of its own."""
    client = Client()
    client.force_login(chain.manager, backend="allauth.account.auth_backends.AuthenticationBackend")
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    visitor.page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": visitor.origin}])
    visitor.go("/inbox/")
    return visitor.page


def test_single_keys_a_prepared_reply_and_the_last_step_back(visit: Callable[..., Visitor], shop: Chain) -> None:
    case = make_case(shop.touchpoint, words="Nobody at the till.", wish=ContactWish.EMAIL, minutes_ago=1)
    make_case(shop.touchpoint, words="Second in the list.")
    manager = visit(viewport=DESKTOP)
    page = sign_in(manager, shop)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    manager.check("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(str(case.pk)))
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.wait_for_load_state()  # where the whole page came, no key is heard before
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
    page.wait_for_load_state()
    assert Case.objects.get(pk=case.pk).state == "open"
    # Typed words are letters, not shortcuts; a prepared reply goes behind them.
    page.keyboard.press("r")
    area = page.get_by_label("Your answer to the shopper")
    expect(area).to_be_focused()
    page.keyboard.type("Dear a u")
    page.locator("summary", has_text="Prepared replies").click()
    page.get_by_role("link", name="Sorry for the wait").click()
    expect(area).to_have_value(re.compile(r"^Dear a u\n\nHello,\n\nyou had to wait", re.S))
    manager.check("case-reply")
    assert Case.objects.get(pk=case.pk).state == "open"
    # Switched off in this browser, no key does anything.
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Single keys are shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("a")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_have_count(0)
    assert Case.objects.get(pk=case.pk).state == "open"


def test_a_tap_on_the_number_is_on_record(visit: Callable[..., Visitor], shop: Chain) -> None:
    case = make_case(shop.touchpoint, words=("I stood there for ever. " * 210)[:5000])
    manager = visit(viewport=PHONE)
    page = sign_in(manager, shop)
    page.goto(f"{page.url.split('/inbox')[0]}/cases/{case.pk}/")
    # However much was said, the way to call stands above the thumb on the first screen; all of it is a tap away.
    call, bar = page.locator("[data-begins]").bounding_box(), page.get_by_role("navigation").first.bounding_box()
    assert call and bar and call["y"] + call["height"] <= bar["y"]
    said = page.locator(".case__voice blockquote")
    folded = said.bounding_box()
    page.locator("summary", has_text="Show all").click()
    expect(page.locator("summary", has_text="Show less")).to_be_visible()
    whole = said.bounding_box()
    assert folded and whole and whole["height"] > 10 * folded["height"]
    manager.check("case-long")
    # The telephone itself is none of the test's business.
    page.evaluate("document.querySelector('[data-begins]').removeAttribute('href')")
    page.locator("[data-begins]").click()
    eventually(lambda: case.events.filter(kind="started").exists(), "the tap on record")
    assert Case.objects.get(pk=case.pk).state == "acknowledged"


def test_the_clock_is_right_after_a_sleep(visit: Callable[..., Visitor], shop: Chain) -> None:
    """Ten minutes in which no timer of the page ran: it tells so when it is looked at again, not second by second."""
    case = make_case(shop.touchpoint)
    page = sign_in(visit(viewport=PHONE), shop)
    page.clock.install()
    page.goto(f"{page.url.split('/inbox')[0]}/cases/{case.pk}/")
    number = page.locator("[data-number]").first
    expect(number).to_have_text(re.compile(r"^(30:00|2\d:\d\d)$"))
    before = minutes_in(number.inner_text())
    page.clock.fast_forward("10:00")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert 9.9 < before - minutes_in(number.inner_text()) < 11


def minutes_in(text: str) -> float:
    minutes, seconds = text.split(":")
    return int(minutes) + int(seconds) / 60


def come_back_online(page: Page) -> None:
    """A kept page loads itself anew then. Some versions of the browser say `online` themselves, and are quicker."""
    with page.expect_navigation():
        page.context.set_offline(False)
        with suppress(Error):  # the page that was to be told is gone
            page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_load_state()


def test_open_cases_are_read_without_a_connection_and_forgotten_at_sign_out(
    visit: Callable[..., Visitor], shop: Chain
) -> None:
    case = make_case(shop.touchpoint, words="The roof leaks over the rings.", value="+380501112233")
    manager = visit(viewport=PHONE)
    page = sign_in(manager, shop)
    assert not page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)")
    # Somebody's own phone: the worker came with its alerts.
    page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)")
    page.reload()
    eventually(lambda: "The roof leaks" in page.evaluate(KEPT), "the open cases on the phone")
    page.goto(page.url)
    page.context.set_offline(True)
    page.goto(page.url)
    expect(page.get_by_text(re.compile(r"As it was [01] min ago\."))).to_be_visible()
    expect(page.get_by_text("The roof leaks over the rings.")).to_be_visible()
    expect(page.locator('a[href="tel:+380501112233"]')).to_be_visible()
    # A case that was never opened on this phone is read on the page of all.
    page.goto(f"{manager.origin}/cases/{case.pk}/")
    expect(page.get_by_text("The roof leaks over the rings.")).to_be_visible()
    come_back_online(page)
    manager.complaints.clear()
    page.goto(f"{manager.origin}/cases/{case.pk}/")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
    eventually(lambda: page.evaluate(f"caches.match('/cases/{case.pk}/').then(Boolean)"), "the case on the phone")
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("Nothing can be sent from here")).to_be_visible()
    page.locator("summary", has_text="Add a note for colleagues").click()
    page.locator("#note-text").fill("Typed in the cellar")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#note-text")).to_have_value("Typed in the cellar")
    come_back_online(page)
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
    expect(page.locator("[data-kept]")).to_be_hidden()
    expect(page.locator("#note-text")).to_have_value("Typed in the cellar")
    manager.complaints.clear()
    page.get_by_text("Menu of").locator("..").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile(r"/accounts/login/"))
    # A page that was on its way when they signed out is put away once it has come.
    kept = "caches.keys().then((all) => all.some((name) => name.startsWith('kept pages')))"
    eventually(lambda: not page.evaluate(kept), "that nothing is kept")
