"""An enrolled phone opens cases for thirty days, nothing else, and for nobody who has copied its cookie."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from alerts.models import Case
from stores import people
from stores.choices import DeviceEnd, PersonEventKind
from stores.devices import GRACE, PHONE_LIFETIME
from stores.models import Device, Pin, RoleAssignment, StaffSession
from tests.alerts.conftest import open_case
from tests.factories import PASSWORD, Chain
from tests.people.conftest import PHONE, TABLET, Browsers, sign_in
from tests.staff.cases import make_case

COOKIE = settings.DEVICE_COOKIE_NAME
LATER = GRACE + timedelta(seconds=1)


@pytest.fixture
def case(chain: Chain) -> Case:
    return open_case(chain)


@pytest.fixture
def phone(chain: Chain, browser: Browsers) -> Client:
    """The manager's phone, enrolled, whose session is over."""
    client = browser(chain.manager)
    assert client.post("/people/phone/", {"action": "enrol"}).status_code == 302
    client.cookies.pop(settings.SESSION_COOKIE_NAME)
    return client


def copy_of(phone: Client, agent: str = PHONE) -> Client:
    """Another browser with the same cookie."""
    thief = Client(headers={"user-agent": agent})
    thief.cookies[COOKIE] = phone.cookies[COOKIE].value
    return thief


def opens(client: Client, case: Case) -> bool:
    return client.get(f"/cases/{case.pk}/").status_code == 200


def test_the_cookie_is_as_closed_as_a_link_from_a_mail_allows(phone: Client) -> None:
    cookie = phone.cookies[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/" and not cookie["domain"]
    token = cookie.value.split(".")[1]
    kept = Device.objects.values_list("series_hash", "token_hash", "next_hash").get()
    assert len(token) == 64 and not any(part in kept for part in cookie.value.split("."))


def test_a_case_opens_and_is_worked_on_without_a_sign_in(phone: Client, case: Case, chain: Chain) -> None:
    page = phone.get(f"/cases/{case.pk}/")
    assert page.status_code == 200 and page["Content-Language"] == chain.manager.language
    assert phone.post(f"/cases/{case.pk}/", {"action": "acknowledge", "form_id": str(uuid4())}).status_code == 303
    case.refresh_from_db()
    assert case.state == "acknowledged" and case.events.filter(actor=chain.manager).exists()
    assert phone.get("/inbox/").status_code == 200
    assert StaffSession.objects.filter(user=chain.manager).count() == 1, "no session came of it"


def test_it_opens_nothing_else(phone: Client, case: Case, chain: Chain) -> None:
    foreign = make_case(chain.foreign_touchpoint)
    assert phone.get(f"/cases/{foreign.pk}/").status_code == 404
    for address in ("/people/", f"/people/{chain.manager.pk}/", "/people/pin/", "/stores/", "/reports/"):
        assert phone.get(address)["Location"].startswith("/accounts/login/"), address
    assert phone.get("/accounts/login/").status_code == 200, "the way to the full sign-in is open"
    assert phone.post("/people/pin/", {"pin": "837261", "again": "837261"}).status_code == 302
    assert phone.post("/people/phone/", {"action": "enrol"})["Location"].startswith("/accounts/login/")
    assert Device.objects.count() == 1


def test_every_page_that_opens_on_devices_is_one_of_these() -> None:
    """A new page asks for a full sign-in unless somebody decides otherwise, here."""
    from django.urls import URLPattern, get_resolver

    def walk(patterns: list[Any]) -> Any:
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield pattern
            else:
                yield from walk(pattern.url_patterns)

    found = {one.name for one in walk(get_resolver().url_patterns) if getattr(one.callback, "opens_on_devices", False)}
    assert found == {"home", "inbox", "kept", "case", "kudos", "thank", "my_phone", "set_language"}


def test_a_second_factor_is_in_the_enrolment(phone: Client, case: Case, settings: Any) -> None:
    settings.MFA_REQUIRED = True
    assert opens(phone, case)


def test_thirty_days_from_the_enrolment_not_from_the_last_use(phone: Client, case: Case) -> None:
    start = timezone.now()
    for days in (10, 20, 29.9):
        with time_machine.travel(start + timedelta(days=days)):
            assert opens(phone, case)
    with time_machine.travel(start + PHONE_LIFETIME + timedelta(minutes=1)):
        assert not opens(phone, case)


def test_the_token_changes_and_pages_asked_for_at_once_are_all_answered(phone: Client, case: Case) -> None:
    first = phone.cookies[COOKIE].value
    with time_machine.travel(timezone.now() + LATER) as clock:
        parallel = copy_of(phone)
        assert opens(phone, case) and opens(parallel, case)
        second = phone.cookies[COOKIE].value
        assert second != first and parallel.cookies[COOKIE].value == second
        assert opens(phone, case)
        late = Client(headers={"user-agent": PHONE})
        late.cookies[COOKIE] = first
        assert opens(late, case), "asked for before the change"
        clock.shift(GRACE / 2)
        assert opens(phone, case)
    assert Device.objects.get().revoked_at is None


def test_an_answer_that_never_arrived_does_no_harm(phone: Client, case: Case) -> None:
    kept = phone.cookies[COOKIE].value
    start = timezone.now()
    for minutes in (5, 10, 600):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert opens(phone, case)
        phone.cookies[COOKIE] = kept
    assert Device.objects.get().revoked_at is None


def test_a_new_link_key_ends_no_phone(phone: Client, case: Case, settings: Any) -> None:
    start = timezone.now()
    settings.LINK_KEYS = ["a key of today", *settings.LINK_KEYS]
    for minutes in (5, 10, 15):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert opens(phone, case)
    assert Device.objects.get().revoked_at is None


def test_a_browser_that_was_left_open_enrols_nothing(chain: Chain, browser: Browsers) -> None:
    """Neither a phone nor a PIN: whoever comes by must prove who they are, and then does what they wanted."""
    left = browser(chain.manager)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        asked = left.post("/people/phone/", {"action": "enrol"})["Location"]
        assert asked == "/accounts/reauthenticate/?next=%2Fpeople%2Fphone%2F" and not Device.objects.exists()
        for answer in (left.get("/people/pin/"), left.post("/people/pin/", {"pin": "837261", "again": "837261"})):
            assert answer["Location"].startswith("/accounts/reauthenticate/") and not Pin.objects.exists()
        assert left.post(asked, {"password": PASSWORD, "next": "/people/phone/"})["Location"] == "/people/phone/"
        left.post("/people/phone/", {"action": "enrol"})
        left.post("/people/pin/", {"pin": "837261", "again": "837261"})
    assert Device.objects.count() == 1 and Pin.objects.count() == 1


def test_a_copied_cookie_ends_the_device_for_both(phone: Client, case: Case, chain: Chain) -> None:
    thief = copy_of(phone)
    start = timezone.now()
    for minutes in (5, 10):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert opens(thief, case)
    with time_machine.travel(start + timedelta(minutes=15)):
        assert not opens(phone, case)
        assert not opens(thief, case)
    device = Device.objects.get()
    assert device.ended_by == DeviceEnd.COPIED
    assert chain.manager.events.filter(kind=PersonEventKind.DEVICE_ENDED).exists()


def test_a_cookie_of_another_kind_of_browser_opens_nothing(phone: Client, case: Case) -> None:
    assert not opens(copy_of(phone, TABLET), case)
    assert opens(phone, case)


@pytest.mark.parametrize("nonsense", ["", ".", "x", "x.y", "é.é", "a" * 3000])
def test_nonsense_is_nobodys(case: Case, browser: Browsers, nonsense: str) -> None:
    client = browser()
    client.cookies[COOKIE] = nonsense
    assert client.get(f"/cases/{case.pk}/").status_code == 302


@pytest.mark.parametrize(
    "how", ["owner", "superior", "password", "role", "leaving", "closed", "sign_out", "again", "lost"]
)
def test_what_ends_a_device(phone: Client, case: Case, chain: Chain, browser: Browsers, how: str) -> None:
    assert opens(phone, case)
    device = Device.objects.get()
    if how == "owner":
        form = {"action": "end_device", "device": str(device.pk)}
        assert browser(chain.manager, TABLET).post(f"/people/{chain.manager.pk}/", form).status_code == 303
    elif how == "superior":
        form = {"action": "end_device", "device": str(device.pk)}
        stranger = browser(chain.foreign_area_manager)
        assert stranger.post(f"/people/{chain.manager.pk}/", form).status_code == 404 and opens(phone, case)
        assert browser(chain.area_manager).post(f"/people/{chain.manager.pk}/", form).status_code == 303
    elif how == "password":
        chain.manager.set_password("velvet otter quarry lantern")
        chain.manager.save()
    elif how == "role":
        RoleAssignment.objects.create(user=chain.manager, role="deputy", store=chain.store)
        people.take_role(chain.manager.roles.get(role="deputy"), actor=chain.head_office)
    elif how == "leaving":
        people.let_go(chain.manager, actor=chain.head_office)
    elif how == "lost":
        form = {"action": "forget_factors"}
        assert browser(chain.head_office).post(f"/people/{chain.manager.pk}/", form).status_code == 303
    elif how == "closed":
        type(chain.manager).objects.filter(pk=chain.manager.pk).update(is_active=False)
    elif how == "sign_out":
        phone.force_login(chain.manager)
        assert phone.post("/accounts/logout/").status_code == 302
    elif how == "again":
        old = copy_of(phone)
        sign_in(phone, chain.manager)
        phone.post("/people/phone/", {"action": "enrol"})
        phone.cookies.pop(settings.SESSION_COOKIE_NAME)
        assert opens(phone, case) and Device.objects.filter(revoked_at=None).count() == 1
        phone = old
    assert not opens(phone, case)
    assert not opens(phone, case)


def test_a_session_that_runs_out_leaves_the_phone_enrolled(phone: Client, case: Case, chain: Chain) -> None:
    phone.force_login(chain.manager)
    StaffSession.objects.filter(user=chain.manager).delete()
    assert opens(phone, case), "signed out elsewhere, and the phone goes on"


def test_signing_in_on_an_enrolled_phone_opens_the_rest(phone: Client, chain: Chain) -> None:
    answer = phone.post("/accounts/login/", {"login": chain.manager.email, "password": PASSWORD, "next": "/stores/"})
    assert answer["Location"] == "/stores/" and phone.get("/stores/").status_code == 200


def test_by_the_phone_itself_it_can_be_ended(phone: Client, case: Case) -> None:
    assert "This phone" in phone.get("/people/phone/").content.decode()
    assert phone.post("/people/phone/", {"action": "end"}).status_code == 302
    assert not opens(phone, case) and Device.objects.get().ended_by == DeviceEnd.OWNER
