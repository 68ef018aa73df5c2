"""When a session is over: idle, old, ended elsewhere, its owner closed or with a new password."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client

from core.retention import purge
from stores.models import SecurityEvent, StaffSession, User
from stores.security import end_sessions
from tests.factories import PASSWORD, Chain

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
PHONE = "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari/537.36"
NEW_PASSWORD = "lantern quiet orbit"


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def signed_in(user: User) -> Client:
    client = Client()
    assert client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/inbox/").status_code == 200


def test_a_session_ends_when_nobody_clicks_for_long(chain: Chain, clock: Any, settings: LazySettings) -> None:
    client = signed_in(chain.manager)
    clock.shift(settings.SESSION_IDLE - timedelta(minutes=1))
    assert is_in(client)
    clock.shift(settings.SESSION_IDLE - timedelta(minutes=1))
    assert is_in(client)
    clock.shift(settings.SESSION_IDLE + timedelta(minutes=1))
    assert not is_in(client)
    assert not StaffSession.objects.exists()


def test_a_page_that_only_looks_for_news_is_no_click(chain: Chain, clock: Any, settings: LazySettings) -> None:
    client = signed_in(chain.manager)
    for _ in range(4):
        clock.shift(settings.SESSION_IDLE / 4)
        assert client.get("/inbox/?version=x", headers={"hx-request": "true"}).status_code in {200, 204}
    clock.shift(timedelta(seconds=1))
    assert not is_in(client)


def test_a_session_ends_after_its_time_however_busy(chain: Chain, clock: Any, settings: LazySettings) -> None:
    client = signed_in(chain.manager)
    settings.SESSION_LIFETIME = timedelta(days=2)
    for _ in range(4):
        clock.shift(timedelta(hours=11))
        assert is_in(client)
    clock.shift(timedelta(hours=5))
    assert not is_in(client)


def test_a_closed_account_is_out_at_once_and_stays_out(chain: Chain) -> None:
    client = signed_in(chain.manager)
    User.objects.filter(pk=chain.manager.pk).update(is_active=False)
    assert not is_in(client)
    User.objects.filter(pk=chain.manager.pk).update(is_active=True)
    assert not is_in(client)


def test_ending_the_sessions_of_a_person(chain: Chain) -> None:
    clients = [signed_in(chain.manager), signed_in(chain.manager)]
    bystander = signed_in(chain.deputy)
    assert end_sessions(chain.manager) == 2
    assert not any(map(is_in, clients)) and is_in(bystander)


def test_a_new_password_ends_all_other_sessions(chain: Chain) -> None:
    here, there = signed_in(chain.manager), signed_in(chain.manager)
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert is_in(here) and not is_in(there)
    assert StaffSession.objects.filter(user=chain.manager).count() == 1


def test_a_password_by_e_mail_ends_every_session(chain: Chain, mailoutbox: list[Any]) -> None:
    there, stranger = signed_in(chain.manager), Client()
    stranger.post("/accounts/password/reset/", {"email": chain.manager.email})
    link = next(line for line in mailoutbox[0].body.splitlines() if "/key/" in line)
    form = stranger.get(urlsplit(link).path)["Location"]
    answer = stranger.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert answer.status_code == 302
    assert not is_in(there) and not is_in(stranger) and not StaffSession.objects.exists()
    assert "signed out everywhere" in mailoutbox[1].body


def test_the_list_of_ones_own_sessions(chain: Chain) -> None:
    here, other, stranger = signed_in(chain.manager), Client(headers={"user-agent": PHONE}), signed_in(chain.deputy)
    other.post("/accounts/login/", {"login": chain.manager.email, "password": PASSWORD})
    page = here.get("/accounts/security/").content.decode()
    assert "Chrome, Android" in page and "This one" in page and page.count('name="session" value=') == 2
    ids = {row.browser: str(row.pk) for row in StaffSession.objects.filter(user=chain.manager)}
    # Nobody ends another's session, and nonsense ends none.
    stranger.post("/accounts/security/sessions/end/", {"session": ids["Chrome, Android"]})
    assert here.post("/accounts/security/sessions/end/", {"session": "x"}).status_code == 404
    assert is_in(other)
    here.post("/accounts/security/sessions/end/", {"session": ids["Chrome, Android"]})
    assert not is_in(other) and is_in(here) and is_in(stranger)
    third = signed_in(chain.manager)
    here.post("/accounts/security/sessions/end/", {"session": "others"})
    assert not is_in(third) and is_in(here) and is_in(stranger)


def test_signing_out_ends_the_session_for_good(chain: Chain) -> None:
    client = signed_in(chain.manager)
    stolen = client.cookies["session"].value
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies["session"] = stolen
    assert not is_in(thief) and not StaffSession.objects.exists()


def test_the_session_has_a_new_name_after_signing_in(chain: Chain) -> None:
    client = Client()
    client.get("/accounts/oidc/")
    client.post("/accounts/login/", {"login": chain.manager.email, "password": "wrong wrong wrong"})
    before = client.cookies.get("session")
    client.post("/accounts/login/", {"login": chain.manager.email, "password": PASSWORD})
    assert before is None or before.value != client.cookies["session"].value


def test_signed_in_pages_are_kept_by_no_cache_and_cookies_by_no_script(chain: Chain) -> None:
    client = signed_in(chain.manager)
    answer = client.get("/inbox/")
    assert "no-store" in answer["Cache-Control"] and answer["X-Content-Type-Options"] == "nosniff"
    for name in ("session", "known"):
        assert client.cookies[name]["httponly"] and client.cookies[name]["samesite"] == "Lax"
    assert set(client.cookies) <= {"session", "csrf", "known", "device"}


@pytest.mark.parametrize("wish", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_way_back_is_always_ours(chain: Chain, wish: str) -> None:
    client = Client()
    answer = client.post("/accounts/login/", {"login": chain.manager.email, "password": PASSWORD, "next": wish})
    assert answer["Location"] == "/"
    client.get("/accounts/security/begin/", {"next": wish})
    assert "after_second_step" not in client.session


def test_what_is_old_is_forgotten(chain: Chain) -> None:
    def event(days_ago: int) -> SecurityEvent:
        at = datetime.now(UTC) - timedelta(days=days_ago)
        return SecurityEvent.objects.create(at=at, kind="signed_in", user=chain.manager, address_hash="x" * 43)

    signed_in(chain.manager)
    StaffSession.objects.update(last_seen_at=datetime.now(UTC) - timedelta(days=31))
    ancient, old, new = event(401), event(3), event(1)
    purge()
    assert not StaffSession.objects.exists()
    kept = dict(SecurityEvent.objects.values_list("pk", "address_hash"))
    assert ancient.pk not in kept and (kept[old.pk], kept[new.pk]) == ("", "x" * 43)
