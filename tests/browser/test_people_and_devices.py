"""From the notice to the case in one tap, a store's shared device, and somebody who joins; in a real browser."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as installation
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import expect

from alerts.models import Case, CaseEvent
from alerts.policy import ensure_defaults
from messaging.models import CaughtMessage
from stores.choices import Role
from stores.devices import PIN_TRIES, set_pin
from stores.models import Device, User
from surveys.defaults import ensure_surveys
from tests.browser.conftest import DESKTOP, PHONE, Stack, Visitor, eventually
from tests.browser.test_loop import caught, sign_in
from tests.factories import Chain
from tests.staff.cases import make_case

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = "I waited forty minutes and nobody helped me."
TABLET = {"width": 1024, "height": 768}
MANAGERS, DEPUTYS = "837261", "592074"


@pytest.fixture
def shop(stack: Stack) -> Chain:
    ensure_surveys()
    ensure_defaults()
    return Chain()


def link_in(message: CaughtMessage, path: str) -> str:
    found = re.search(rf"https?://\S+{path}[\w-]+/", message.text)
    assert found, message.text
    return found[0]


@pytest.mark.usefixtures("working")
def test_one_tap_from_the_notice_to_the_case_until_the_phone_is_ended(
    visit: Callable[..., Visitor], shop: Chain
) -> None:
    phone = visit(viewport=PHONE)
    sign_in(phone, shop.manager)
    phone.page.locator("summary.menu__open").click()
    phone.page.get_by_role("link", name="This phone").click()
    phone.check("people-phone")
    phone.page.get_by_role("button", name="Enrol this phone").click()
    expect(phone.page.get_by_text("is enrolled until")).to_be_visible()
    phone.check("people-phone-enrolled")
    phone.page.context.clear_cookies(name=installation.SESSION_COOKIE_NAME)

    # Weeks later: a shopper, a notice, one tap.
    case = make_case(shop.touchpoint, words=WORDS)
    notice = eventually(lambda: caught(shop.manager.email, "/cases/"), "the notice")
    phone.go(link_in(notice, "/cases/"))
    expect(phone.page.get_by_text("forty minutes")).to_be_visible()
    phone.check("case-by-device")
    phone.page.get_by_role("button", name="Acknowledge").click()
    expect(phone.page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert CaseEvent.objects.filter(case=case, kind="acknowledged", actor=shop.manager).exists()
    phone.go("/people/")
    expect(phone.page.get_by_role("heading", name="Sign in")).to_be_visible()

    # The phone is lost: the area manager ends it, and the next look asks for a sign-in.
    desk = visit(viewport=DESKTOP)
    sign_in(desk, shop.area_manager)
    desk.go("/people/")
    desk.check("people")
    desk.page.get_by_role("link", name=shop.manager.name, exact=True).click()
    desk.check("person")
    desk.page.get_by_role("button", name=re.compile("^End ")).click()
    expect(desk.page.get_by_text("opens nothing any more")).to_be_visible()
    phone.go(f"/cases/{case.pk}/")
    expect(phone.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "forty minutes" not in phone.page.content()


def test_a_shared_device_changes_hands_and_hides_when_nobody_touches_it(
    visit: Callable[..., Visitor], shop: Chain, settings: Any
) -> None:
    set_pin(shop.manager, MANAGERS)
    set_pin(shop.deputy, DEPUTYS)
    case = make_case(shop.touchpoint, words=WORDS)
    tablet = visit(viewport=TABLET)
    page = tablet.page
    sign_in(tablet, shop.manager)
    tablet.go("/people/tablet/KY1/")
    tablet.check("shared-devices")
    page.get_by_label("What it is called").fill("Tablet at the till")
    page.get_by_role("button", name="Use this device as the store's own").click()
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    tablet.check("tablet")
    tablet.go(f"/cases/{case.pk}/")
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()

    def enter(person: User, pin: str) -> None:
        page.get_by_role("radio", name=person.name, exact=True).check()
        page.get_by_label("PIN").fill(pin)
        with page.expect_navigation():
            page.get_by_role("button", name="Go on").click()

    def later(minutes: int) -> None:
        """In the browser, and for the server."""
        page.clock.fast_forward(f"{minutes:02}:00")
        Device.objects.update(touched_at=F("touched_at") - timedelta(minutes=minutes))

    # The manager leads straight back to the case; then the deputy takes over.
    enter(shop.manager, MANAGERS)
    expect(page.get_by_text("forty minutes")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile(r"\+380"))).to_be_visible()
    tablet.check("case-at-tablet")
    page.get_by_role("button", name="Switch person").click()
    enter(shop.deputy, DEPUTYS)
    tablet.go(f"/cases/{case.pk}/")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert CaseEvent.objects.get(case=case, kind="acknowledged").actor == shop.deputy

    # Touched it stays, in the browser and at the server; left alone it hides, and going back shows nothing.
    settings.SHARED_DEVICE_IDLE = timedelta(minutes=10)
    page.clock.install()
    tablet.go(f"/cases/{case.pk}/")
    for _touch in range(3):
        later(6)
        with page.expect_response(lambda answer: answer.url.endswith("/people/tablet/")) as told:
            page.mouse.wheel(0, 20)
        assert told.value.status == 204
    expect(page.get_by_text("forty minutes")).to_be_visible()
    assert Device.objects.get().person == shop.deputy
    page.clock.fast_forward("10:01")
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    assert Device.objects.get().person is None
    page.go_back()
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    assert "forty minutes" not in page.content() and "+380" not in page.content()

    # A page whose script does not run is forgotten by the server all the same.
    plain = visit(viewport=PHONE, javascript=False)
    plain.page.context.add_cookies(cast(Any, page.context.cookies()))
    enter(shop.deputy, DEPUTYS)
    plain.go(f"/cases/{case.pk}/")
    assert "forty minutes" in plain.page.content()
    Device.objects.update(touched_at=F("touched_at") - timedelta(minutes=11))
    plain.go(f"/cases/{case.pk}/")
    assert "forty minutes" not in plain.page.content()

    # Guessing ends soon, for this device only.
    tablet.go("/people/tablet/")
    for _guess in range(PIN_TRIES.burst):
        enter(shop.manager, "000000")
        expect(page.get_by_text("That is not the PIN")).to_be_visible()
    enter(shop.manager, MANAGERS)
    expect(page.get_by_text("Too many wrong PINs")).to_be_visible()
    tablet.check("tablet-limited")


@pytest.mark.usefixtures("working")
def test_somebody_is_invited_joins_and_goes_on_holiday(visit: Callable[..., Visitor], shop: Chain) -> None:
    desk = visit(viewport=DESKTOP)
    page = desk.page
    sign_in(desk, shop.area_manager)
    desk.go("/people/invite/")
    page.get_by_label("Name").fill("Olena Nova")
    page.get_by_label("E-mail address").fill("olena@chain.example")
    page.get_by_label("Role").select_option(Role.DEPUTY.value)
    page.get_by_label("Store code").press_sequentially("kyiv t")
    page.wait_for_selector("#store-codes option[value=KY2]", state="attached")
    page.get_by_label("Store code").fill("KY2")
    desk.check("people-invite")
    page.get_by_role("button", name="Another role").click()
    expect(page.get_by_label("Role")).to_have_count(2)
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("heading", name="Olena Nova")).to_be_visible()
    expect(page.get_by_text("works until")).to_be_visible()

    mail = eventually(lambda: caught("olena@chain.example"), "the invitation")
    phone = visit(viewport=PHONE)
    phone.go(link_in(mail, "/people/join/"))
    phone.check("people-join")
    phone.page.get_by_label("Choose a password").fill("velvet otter quarry lantern")
    phone.page.get_by_role("button", name="Join").click()
    phone.page.wait_for_url(re.compile("/inbox/"))
    phone.page.locator("summary.menu__open").click()
    phone.page.get_by_role("link", name="My page").click()
    phone.page.get_by_text("Enter an absence").click()
    today = timezone.now().astimezone(ZoneInfo(shop.neighbour.time_zone)).date().isoformat()
    phone.page.get_by_label("First day").fill(today)
    phone.page.get_by_label("Last day").fill(today)
    phone.check("person-self")
    phone.page.get_by_role("button", name="Enter", exact=True).click()
    expect(phone.page.get_by_text("Notices go to whoever answers then")).to_be_visible()
    assert Case.objects.count() == 0
