"""A store's shared device: PINs, who is in front of it, and that it forgets them."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from alerts.models import Case
from stores import devices, people
from stores.choices import Role, SecurityEventKind
from stores.devices import PIN_TRIES, PinRefused, WeakPin, check_strength, set_pin
from stores.models import Device, Pin, RoleAssignment, SecurityEvent, User
from tests.alerts.conftest import open_case
from tests.factories import PASSWORD, Chain, make_user
from tests.people.conftest import TABLET, Browsers
from tests.staff.cases import make_case

MANAGERS, DEPUTYS = "837261", "592074"
IDLE = settings.SHARED_DEVICE_IDLE


@pytest.fixture
def case(chain: Chain) -> Case:
    return open_case(chain)


@pytest.fixture
def tablet(chain: Chain, browser: Browsers) -> Client:
    """Enrolled at `chain.store` by its manager, who set a PIN as the deputy did. Nobody is in front of it."""
    set_pin(chain.manager, MANAGERS)
    set_pin(chain.deputy, DEPUTYS)
    client = browser(chain.manager, TABLET)
    answer = client.post("/people/tablet/KY1/", {"action": "enrol", "name": "Tablet"})
    assert answer["Location"] == "/people/tablet/"
    return client


def enter(tablet: Client, person: User, pin: str, **more: str) -> Any:
    return tablet.post("/people/tablet/", {"action": "enter", "person": str(person.pk), "pin": pin} | more)


def shows(tablet: Client, case: Case) -> bool:
    answer = tablet.get(f"/cases/{case.pk}/")
    if answer.status_code == 302:
        assert answer["Location"].startswith("/people/tablet/?next=%2Fcases%2F")
    return answer.status_code == 200


def test_enrolling_signs_out_and_asks_who_is_there(tablet: Client, chain: Chain, case: Case) -> None:
    assert not shows(tablet, case)
    page = tablet.get(f"/people/tablet/?next=/cases/{case.pk}/").content.decode()
    assert chain.manager.name in page and chain.deputy.name in page and chain.foreign_manager.name not in page
    assert f'value="/cases/{case.pk}/"' in page and "Kyiv One" in page
    assert "settings" not in tablet.cookies and tablet.get("/stores/").status_code == 302


def test_one_after_the_other_acts_in_their_own_name(tablet: Client, chain: Chain, case: Case) -> None:
    answer = enter(tablet, chain.manager, MANAGERS, next=f"/cases/{case.pk}/")
    assert answer["Location"] == f"/cases/{case.pk}/"
    page = tablet.get(f"/cases/{case.pk}/").content.decode()
    assert "Switch person" in page and "data-idle-secs" in page and chain.manager.name in page
    form = {"action": "note", "text": "Looked at it.", "form_id": str(uuid4())}
    assert tablet.post(f"/cases/{case.pk}/", form).status_code == 303
    assert tablet.post("/people/tablet/", {"action": "leave"}).status_code == 302
    assert not shows(tablet, case)
    enter(tablet, chain.deputy, DEPUTYS)
    assert "Note added" not in tablet.get("/inbox/").content.decode(), "what was said to somebody else"
    assert tablet.post(f"/cases/{case.pk}/", form | {"form_id": str(uuid4())}).status_code == 303
    actors = case.events.filter(kind="noted").values_list("actor", flat=True)
    assert set(actors) == {chain.manager.pk, chain.deputy.pk}


def test_within_that_store_only_and_nothing_but_cases(tablet: Client, chain: Chain, case: Case) -> None:
    RoleAssignment.objects.create(user=chain.manager, role=Role.AREA_MANAGER, node=chain.root)
    elsewhere = make_case(chain.foreign_touchpoint)
    enter(tablet, chain.manager, MANAGERS)
    assert shows(tablet, case) and tablet.get(f"/cases/{elsewhere.pk}/").status_code == 404
    assert "Lviv One" not in tablet.get("/inbox/").content.decode()
    for address in ("/people/", "/people/pin/", "/reports/", "/stores/", "/people/tablet/KY1/"):
        assert tablet.get(address)["Location"].startswith("/accounts/login/"), address
    assert tablet.get("/people/phone/")["Location"] == "/people/tablet/"


def test_the_server_forgets_who_does_not_touch_it(tablet: Client, chain: Chain, case: Case) -> None:
    enter(tablet, chain.manager, MANAGERS)
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        clock.shift(IDLE - timedelta(seconds=5))
        assert shows(tablet, case)
        clock.shift(IDLE - timedelta(seconds=5))
        # A page that looks for news by itself touches nothing.
        looked = tablet.get("/inbox/?version=0", headers={"HX-Request": "true"})
        assert looked.status_code == 200
        clock.shift(timedelta(seconds=6))
        form = {"action": "acknowledge", "form_id": str(uuid4())}
        assert tablet.post(f"/cases/{case.pk}/", form).status_code == 302
        assert tablet.get("/inbox/?version=0", headers={"HX-Request": "true"}).status_code == 302
        assert tablet.post("/people/tablet/", {"action": "touch"}).status_code == 410
        assert not shows(tablet, case)
    case.refresh_from_db()
    assert case.state == "open" and Device.objects.get().person is None


def test_touches_that_the_page_tells_of_keep_them(tablet: Client, chain: Chain, case: Case) -> None:
    enter(tablet, chain.manager, MANAGERS)
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        for _touch in range(4):
            clock.shift(IDLE / 2)
            assert tablet.post("/people/tablet/", {"action": "touch"}).status_code == 204
        assert shows(tablet, case)


def test_a_full_sign_in_there_is_forgotten_too(tablet: Client, chain: Chain) -> None:
    tablet.post("/accounts/login/", {"login": chain.manager.email, "password": PASSWORD})
    assert tablet.get("/stores/").status_code == 200
    with time_machine.travel(timezone.now() + IDLE + timedelta(seconds=1)):
        assert tablet.get("/stores/")["Location"].startswith("/people/tablet/")
        assert tablet.get("/stores/")["Location"].startswith("/accounts/login/")


def test_whoever_enters_ends_a_full_sign_in_there(tablet: Client, chain: Chain) -> None:
    tablet.post("/accounts/login/", {"login": chain.manager.email, "password": PASSWORD})
    assert chain.manager.sessions.exists()
    assert enter(tablet, chain.deputy, DEPUTYS).status_code == 302
    assert tablet.get("/stores/")["Location"].startswith("/accounts/login/")
    assert not chain.manager.sessions.exists(), "nor does their own page list a session that is over"


# --- PINs -----------------------------------------------------------------------------------------------------
def test_wrong_pins_are_limited_by_the_device_and_shut_nobody_out(
    tablet: Client, chain: Chain, browser: Browsers
) -> None:
    answers = [enter(tablet, chain.manager, "000000").status_code for _try in range(PIN_TRIES.burst + 1)]
    assert answers == [422] * PIN_TRIES.burst + [429]
    assert enter(tablet, chain.manager, MANAGERS).status_code == 429, "not even the right one is looked at"
    assert enter(tablet, chain.deputy, DEPUTYS).status_code == 429
    assert browser(chain.manager).get("/inbox/").status_code == 200, "the person is not shut out"
    other = browser(chain.manager, TABLET)
    other.post("/people/tablet/KY1/", {"action": "enrol"})
    assert enter(other, chain.manager, MANAGERS).status_code == 302, "at another device nothing happened"
    with time_machine.travel(timezone.now() + PIN_TRIES.each + timedelta(seconds=1)):
        assert enter(tablet, chain.manager, MANAGERS).status_code == 302
    wrong = SecurityEvent.objects.filter(kind=SecurityEventKind.WRONG_CODE, detail="pin", user=chain.manager)
    assert wrong.count() == PIN_TRIES.burst


def test_ones_own_pin_does_not_pay_for_guessing_anothers(tablet: Client, chain: Chain) -> None:
    guesses = 0
    for number in range(20):
        if enter(tablet, chain.manager, f"{number:06}").status_code == 422:
            guesses += 1
        enter(tablet, chain.deputy, DEPUTYS)
    assert guesses == PIN_TRIES.burst


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_the_same_moment_are_each_counted() -> None:
    chain = Chain()
    set_pin(chain.manager, MANAGERS)
    device = Device.objects.create(
        store=chain.store,
        name="Tablet",
        family="Safari, iPad",
        series_hash="a",
        rotated_at=timezone.now(),
        last_used_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=1),
    )
    refused: list[bool] = []
    start = threading.Barrier(12)

    def guess(number: int) -> None:
        start.wait(60)
        try:
            devices.enter(RequestFactory().post("/"), device, chain.manager.pk, f"{number:06}")
        except PinRefused as refusal:
            refused.append(refusal.again_later)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert refused.count(False) == PIN_TRIES.burst and refused.count(True) == 12 - PIN_TRIES.burst


ROWS = "111111 123456 654321 121212 123123 112233 123321 147258 345012 890123"
DATES = "010190 311299 199004"
NOT_SIX_DIGITS = "12345 1234567 12345a １２３４５６ -12345"


@pytest.mark.parametrize("weak", [pin for line in (ROWS, DATES, NOT_SIX_DIGITS) for pin in line.split()])
def test_pins_that_anybody_would_try_are_refused(weak: str) -> None:
    with pytest.raises(WeakPin):
        check_strength(weak)


def test_most_pins_are_left() -> None:
    def is_weak(pin: str) -> bool:
        try:
            check_strength(pin)
        except WeakPin:
            return True
        return False

    sample = [f"{number:06}" for number in range(0, 1_000_000, 997)]
    assert sum(is_weak(pin) for pin in sample) / len(sample) < 0.12


@given(st.text(max_size=8))
def test_whatever_is_typed_is_a_pin_or_refused(typed: str) -> None:
    try:
        check_strength(typed)
    except WeakPin:
        return
    assert len(typed) == 6 and typed.isascii() and typed.isdecimal()


def test_a_pin_is_kept_as_a_hash_that_differs_between_people(chain: Chain) -> None:
    set_pin(chain.manager, MANAGERS)
    set_pin(chain.deputy, MANAGERS)
    first, second = Pin.objects.values_list("hash", flat=True)
    assert first != second and MANAGERS not in first


def test_setting_and_removing_from_the_page(chain: Chain, browser: Browsers) -> None:
    client = browser(chain.manager)
    assert client.post("/people/pin/", {"pin": "123456", "again": "123456"}).status_code == 422
    assert client.post("/people/pin/", {"pin": MANAGERS, "again": DEPUTYS}).status_code == 422
    assert not Pin.objects.exists()
    assert client.post("/people/pin/", {"pin": MANAGERS, "again": MANAGERS}).status_code == 302
    assert "You have a PIN" in client.get("/people/pin/").content.decode()
    assert client.post("/people/pin/", {"action": "remove"}).status_code == 302
    assert not Pin.objects.exists()


# --- who may, and the end -------------------------------------------------------------------------------------
def test_who_may_make_a_device_the_stores_own(chain: Chain, browser: Browsers) -> None:
    for who, status in (("manager", 200), ("area_manager", 200), ("head_office", 200), ("deputy", 404)):
        assert browser(getattr(chain, who)).get("/people/tablet/KY1/").status_code == status, who
    for who in ("foreign_manager", "operator", "call_centre_lead"):
        assert browser(getattr(chain, who)).post("/people/tablet/KY1/", {"action": "enrol"}).status_code == 404
    assert not Device.objects.exists()


@pytest.mark.parametrize("how", ["ended", "left", "role", "pin"])
def test_what_sends_the_person_away(tablet: Client, chain: Chain, browser: Browsers, case: Case, how: str) -> None:
    enter(tablet, chain.manager, MANAGERS)
    assert shows(tablet, case)
    if how == "ended":
        form = {"action": "end", "device": str(Device.objects.get().pk)}
        assert browser(chain.area_manager).post("/people/tablet/KY1/", form).status_code == 302
        assert tablet.get(f"/cases/{case.pk}/")["Location"].startswith("/accounts/login/")
        assert tablet.get("/people/tablet/")["Location"] == "/accounts/login/"
        return
    if how == "left":
        people.let_go(chain.manager, actor=chain.head_office)
    elif how == "role":
        people.take_role(chain.manager.roles.get(), actor=chain.head_office)
    else:
        devices.remove_pin(chain.manager, actor=chain.manager)
    assert not shows(tablet, case)
    assert enter(tablet, chain.manager, MANAGERS).status_code == 422


def test_only_the_stores_own_people_take_their_place(tablet: Client, chain: Chain) -> None:
    neighbour = make_user(email="neighbour@chain.example", role=Role.STORE_MANAGER, store=chain.neighbour)
    for stranger in (neighbour, chain.area_manager, chain.foreign_manager):
        set_pin(stranger, "604815")
        assert enter(tablet, stranger, "604815").status_code == 422


def test_never_to_another_origin(tablet: Client, chain: Chain) -> None:
    answer = enter(tablet, chain.manager, MANAGERS, next="https://evil.example/")
    assert answer["Location"] == "/inbox/"
