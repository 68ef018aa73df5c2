"""Tries slow down, in all processes together, and nobody is shut out of their own account."""

import multiprocessing
import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client

from core.database import database_url
from stores import accounts
from stores.choices import SecurityEventKind
from stores.models import SecurityEvent
from stores.security_limits import CODES, GUESSES, RESETS_FROM_ADDRESS, Rate, forget, give_back, take
from tests.factories import PASSWORD, Chain
from tests.staff.test_sign_in_factors import code_at, enrol

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
RATE = Rate("test", 3, timedelta(seconds=10))


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def guess(client: Client, email: str, password: str = "a wrong password", address: str = "203.0.113.1") -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR=address)


def slowed(answer: Any) -> bool:
    return "Too many tries" in answer.content.decode()


def test_a_burst_and_then_a_steady_rate(db: None, clock: Any) -> None:
    assert [take(RATE, "a") for _ in range(5)] == [True, True, True, False, False]
    assert take(RATE, "b")
    clock.shift(timedelta(seconds=10))
    assert [take(RATE, "a"), take(RATE, "a")] == [True, False]
    give_back(RATE, "a")
    assert [take(RATE, "a"), take(RATE, "a")] == [True, False]
    # However hard somebody tries in between, the next try comes as soon.
    for _ in range(50):
        take(RATE, "a")
    clock.shift(timedelta(seconds=10))
    assert take(RATE, "a")
    forget(RATE, "a")
    assert [take(RATE, "a") for _ in range(4)] == [True, True, True, False]


def test_the_rate_holds_across_processes(db: None) -> None:
    forked = multiprocessing.get_context("fork")
    granted, together = forked.SimpleQueue(), forked.Barrier(2)

    def try_often() -> None:
        # The parent's connection is neither used nor closed here: it is the parent's.
        inherited, connection.connection = connection.connection, None
        together.wait(120)
        granted.put(sum(take(Rate("processes", 25, timedelta(hours=1)), "a") for _ in range(20)))
        os._exit(0 if inherited else 1)

    processes = [forked.Process(target=try_often) for _ in range(2)]
    try:
        for process in processes:
            process.start()
        assert granted.get() + granted.get() == 25
    finally:
        for process in processes:
            process.join(120)
        with psycopg.connect(database_url(), autocommit=True) as outside:
            outside.execute("DELETE FROM stores_allowance")


def test_guessing_slows_down_and_locks_nobody_out(chain: Chain, clock: Any) -> None:
    owner = Client()
    assert guess(owner, chain.manager.email, PASSWORD, "198.51.100.7").status_code == 302
    owner.post("/accounts/logout/")
    attacker = Client()
    answers = [slowed(guess(attacker, chain.manager.email)) for _ in range(GUESSES.burst + 3)]
    assert answers == [False] * GUESSES.burst + [True] * 3
    # From any number of addresses it stays one account.
    assert slowed(guess(Client(), chain.manager.email, address="203.0.113.2"))
    # Even the right password is not looked at then, or the answer would tell.
    assert slowed(guess(Client(), chain.manager.email, PASSWORD, "203.0.113.3"))
    # The browser of its owner has tries of its own, wherever it is, and so has everybody else.
    assert guess(owner, chain.manager.email, PASSWORD, "203.0.113.1").status_code == 302
    assert guess(Client(), chain.deputy.email, PASSWORD, "203.0.113.9").status_code == 302
    clock.shift(GUESSES.each)
    assert guess(Client(), chain.manager.email, PASSWORD, "203.0.113.4").status_code == 302
    kinds = SecurityEvent.objects.filter(kind=SecurityEventKind.TOO_MANY_TRIES)
    assert kinds.count() == 5 and set(kinds.values_list("user", flat=True)) == {chain.manager.pk}


def test_spraying_from_one_address_slows_down(chain: Chain, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "GUESSES_FROM_ADDRESS", Rate("spraying", 5, timedelta(seconds=5)))
    answers = [slowed(guess(Client(), f"nobody-{n}@example.org")) for n in range(7)]
    assert answers == [False] * 5 + [True] * 2
    assert guess(Client(), chain.manager.email, PASSWORD, "2001:db8::1").status_code == 302
    # Of IPv6 a whole network counts as one.
    for n in range(5):
        guess(Client(), f"nobody-{n}@example.org", address=f"2001:db8::{n:x}")
    assert slowed(guess(Client(), chain.manager.email, PASSWORD, "2001:db8::ffff"))


def test_signing_in_often_costs_nothing(chain: Chain, clock: Any) -> None:
    for _ in range(GUESSES.burst + 5):
        assert guess(Client(), chain.manager.email, PASSWORD).status_code == 302


def test_unknown_and_known_addresses_are_answered_alike(chain: Chain, clock: Any) -> None:
    def answers(email: str) -> list[str]:
        client = Client()
        pages = [guess(client, email).content.decode() for _ in range(GUESSES.burst + 1)]
        pages.append(client.post("/accounts/password/reset/", {"email": email}, follow=True).content.decode())
        return [re.sub(r'value="[^"]{64}"', "", page.replace(email, "…").split("<main")[1]) for page in pages]

    assert answers(chain.manager.email) == answers("nobody-at-all@chain.example")
    assert [message.to for message in mail.outbox] == [[chain.manager.email], ["nobody-at-all@chain.example"]]


def test_nobodys_mailbox_is_filled(chain: Chain, clock: Any) -> None:
    for n in range(8):
        answer = Client().post(
            "/accounts/password/reset/", {"email": chain.manager.email}, REMOTE_ADDR=f"203.0.113.{n}"
        )
        assert answer.status_code == 302
    assert len(mail.outbox) == 3
    from_one = [
        Client().post("/accounts/password/reset/", {"email": f"{n}@x.example"}, REMOTE_ADDR="203.0.113.99").status_code
        for n in range(RESETS_FROM_ADDRESS.burst + 1)
    ]
    assert from_one == [302] * RESETS_FROM_ADDRESS.burst + [429]


def test_codes_are_not_guessed(chain: Chain, clock: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MFA_REQUIRED = True
    monkeypatch.setattr("django.db.transaction.on_commit", lambda told, **_: told())
    owner = Client()
    enrol(owner, chain.manager)
    owner.post("/accounts/logout/")
    clock.shift(timedelta(minutes=5))
    thief = Client()
    guess(thief, chain.manager.email, PASSWORD)
    right = code_at(chain.manager, MONDAY + timedelta(minutes=5))
    wrong = "123456" if right != "123456" else "654321"
    answers = [slowed(thief.post("/accounts/security/code/", {"code": wrong})) for _ in range(CODES.burst + 2)]
    assert answers == [False] * CODES.burst + [True] * 2
    # Whoever knows the password can slow down strangers, not the owner.
    guess(owner, chain.manager.email, PASSWORD)
    assert owner.post("/accounts/security/code/", {"code": right}).status_code == 302
    assert owner.get("/inbox/").status_code == 200


def test_a_signed_in_browser_does_not_guess_the_password_either(chain: Chain, clock: Any) -> None:
    client = Client()
    guess(client, chain.manager.email, PASSWORD)
    address = "/accounts/password/change/"
    new = "velvet otter quarry lantern"
    for _ in range(GUESSES.burst):
        client.post(address, {"oldpassword": "a wrong password", "password1": new, "password2": new})
    right = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert slowed(client.post(address, right))
    clock.shift(GUESSES.each)
    assert client.post(address, right).status_code == 302
    chain.manager.refresh_from_db()
    assert chain.manager.check_password(new)


def test_the_link_of_a_mail_leads_to_us_whatever_host_a_request_claims(chain: Chain, settings: Any) -> None:
    settings.PUBLIC_URL = "https://feedback.chain.example"
    Client().post("/accounts/password/reset/", {"email": chain.manager.email}, HTTP_HOST="evil.example")
    [message] = mail.outbox
    assert "https://feedback.chain.example/accounts/password/reset/key/" in message.body
    assert "evil.example" not in str(message.message())


def test_who_never_had_a_password_gets_the_first_by_mail(chain: Chain, client: Client) -> None:
    """As people do who joined by single sign-on."""
    chain.manager.set_unusable_password()
    chain.manager.save()
    client.force_login(chain.manager)
    answer = client.get("/accounts/password/change/")
    assert answer["Location"] == "/accounts/password/reset/" and client.get(answer["Location"]).status_code == 200
