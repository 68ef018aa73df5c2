"""The pages by which a chain is set up, in a real browser: whole on the narrowest phone, in every language, and usable
with and without JavaScript."""

from datetime import date, time
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, expect

from stores import actions
from stores.models import Store
from tests.browser.conftest import DESKTOP, NARROWEST, Visitor, eventually
from tests.factories import Chain, make_store

PAGES = (
    "/stores/",
    "/stores/?state=incomplete",
    "/stores/KY1/",
    "/stores/KY1/edit/",
    "/stores/KY1/hours/",
    "/stores/KY1/exceptions/",
    "/stores/KY1/closure/",
    "/stores/KY1/move/",
    "/stores/KY1/move/?to=LVIV",
    "/stores/KY1/history/",
    "/setup/",
    "/tree/",
    "/tree/nodes/KYIV/",
)
# Each page in one of these: together they cover what differs.
LOOKS: tuple[dict[str, Any], ...] = (
    {"viewport": NARROWEST, "color_scheme": "light", "language": "de"},
    {"viewport": NARROWEST, "color_scheme": "dark", "language": "uk"},
    {"viewport": DESKTOP, "color_scheme": "dark", "language": "en"},
)


@pytest.fixture
def chain(transactional_db: None) -> Chain:
    """A chain in which there is something to show."""
    chain = Chain()
    for n in range(55):
        name = f"Крамниця на Хрещатику {n}"
        make_store(node=chain.area, code=f"X{n}", name=name, hours=None if n % 2 else (time(9), time(20)))
    store = chain.store
    actions.set_hours(store, {0: [(time(9), time(13)), (time(14), time(20))]}, actor=chain.area_manager)
    actions.set_exception(store, date(2999, 12, 24), date(2999, 12, 24), [], reason="Feiertag", actor=chain.manager)
    actions.close_for_a_time(store, date(2026, 1, 1), actor=chain.manager, reason="Перебудова")
    return chain


def visitor(browser: Browser, url: str, chain: Chain, *, language: str = "en", **options: Any) -> Visitor:
    """Head office's browser, signed in."""
    chain.head_office.language = language
    chain.head_office.save()
    client = Client()
    client.force_login(chain.head_office)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(**options)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])
    found = Visitor(context.new_page(), url, options.get("java_script_enabled", True))
    found.page.on("pageerror", lambda error: found.complaints.append(f"page error: {error}"))
    return found


@pytest.mark.browser
def test_every_page_is_whole(live_server: Any, browser: Browser, chain: Chain) -> None:
    for look in LOOKS:
        reader = visitor(browser, live_server.url, chain, **look)
        for number, address in enumerate(PAGES):
            # Axe is slow: each page once, every look a third of them, and the two fullest always.
            if address in {"/stores/", "/stores/KY1/"} or number % len(LOOKS) == LOOKS.index(look):
                reader.go(address)
                reader.check(f"{address} {look['language']}")
        reader.page.context.close()


@pytest.mark.browser
def test_many_at_once_with_javascript_and_without(live_server: Any, browser: Browser, chain: Chain) -> None:
    desk = visitor(browser, live_server.url, chain, viewport=DESKTOP).page
    desk.goto(f"{live_server.url}/stores/")
    desk.fill("#store-search", "x1")
    desk.wait_for_selector(".grid tbody tr:nth-child(11):last-child")
    # A list that is fetched once more would come without the ticks.
    desk.wait_for_load_state("networkidle")
    desk.check("[data-tick-all]")
    desk.select_option("#bulk-action", "move")
    desk.click(".bulk button")
    desk.wait_for_url("**/setup/stores/bulk/")
    desk.select_option("[name=to]", "LVIV")
    desk.click(".button--primary")
    expect(desk.locator("#plan-title")).to_contain_text("11 stores move to Lviv")
    desk.click(".button--primary")
    eventually(lambda: chain.other_area.stores.filter(code__startswith="X").count() == 11, "that they have moved")
    desk.context.close()

    plain = visitor(browser, live_server.url, chain, viewport=DESKTOP, java_script_enabled=False).page
    plain.goto(f"{live_server.url}/stores/?q=хрещатику")
    plain.check("[name=all]")
    plain.select_option("#bulk-action", "holidays_closed")
    plain.click(".bulk button")
    plain.wait_for_url("**/setup/stores/bulk/")
    plain.click(".button--primary")
    eventually(lambda: Store.objects.filter(holiday_rule="closed").count() == 55, "the rule at every store")
    plain.context.close()
