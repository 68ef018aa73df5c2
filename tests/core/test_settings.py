"""What an operator sets is checked at the start, so that a typing error meets them and not a shopper."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from feedback import env
from stores import accounts
from stores.security_limits import Rate
from tests.factories import PASSWORD, Chain

KEYS = {"SECRET_KEY": "s" * 50, "FIELD_KEY": "f" * 32, "LINK_KEY": "l" * 32}
PRODUCTION = KEYS | {
    "DATABASE_URL": "postgresql://halfhour@127.0.0.1:9/halfhour",
    "PUBLIC_URL": "https://feedback.example",
    "ALLOWED_HOSTS": "inside.example",
    "BEHIND_PROXY": "1",
    "TRUSTED_PROXY_HOPS": "1",
}


def in_production(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "feedback.settings"} | PRODUCTION | more,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_production_passes_the_checks_for_deployment() -> None:
    done = in_production("manage.py", "check", "--deploy", "--fail-level=WARNING", SECRET_KEY=os.urandom(40).hex())
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_further_hosts_are_further_and_nothing_of_the_demo_is_on() -> None:
    names = ["ALLOWED_HOSTS", "ALLAUTH_TRUSTED_PROXY_COUNT", "DEMO", "DEBUG", "TESTING", "MAILBOX_URL", "SECURE"]
    code = f"import json; from feedback import settings as s; print(json.dumps([getattr(s, n) for n in {names}]))"
    done = in_production("-c", code)
    assert json.loads(done.stdout) == [["feedback.example", "inside.example"], 1, False, False, False, "", True]


@pytest.mark.parametrize("name", ["secret_key", "field_key", "link_key"])
@pytest.mark.parametrize("value", ["", "short"])
def test_a_short_key_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for key, text in (KEYS | {name.upper(): value}).items():
        monkeypatch.setenv(key, text)
    monkeypatch.delenv("HALFHOUR_SECRETS", raising=False)
    with pytest.raises(ImproperlyConfigured, match=name.upper()):
        env.load_secrets(throwaway=False)


@pytest.mark.parametrize("value", ["l" * 32 + ",", "," + "l" * 32, "l" * 32 + ", ," + "m" * 32, "l" * 32 + ",short"])
def test_a_stray_comma_is_not_an_empty_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps({name.lower(): key for name, key in KEYS.items()} | {"link_key": value}))
    monkeypatch.setenv("HALFHOUR_SECRETS", str(file))
    with pytest.raises(ImproperlyConfigured, match="LINK_KEY"):
        env.load_secrets(throwaway=True)


@pytest.mark.parametrize("value", ["green", "#0b6", "0b6e4f", "#0b6e4f;}", "#0b6e4g"])
def test_the_accent_is_a_colour(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CHAIN_ACCENT", value)
    with pytest.raises(ImproperlyConfigured, match="CHAIN_ACCENT"):
        env.colour("CHAIN_ACCENT", default="#0b6e4f")


@pytest.mark.parametrize("value", ["feedback.example", "ftp://feedback.example", "https://", "https://a.example/b?c"])
def test_our_address_is_an_origin(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PUBLIC_URL", value)
    with pytest.raises(ImproperlyConfigured, match="PUBLIC_URL"):
        env.origin("PUBLIC_URL", default="")


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://a.example", "a.example"), ("http://127.0.0.1:8000", "127.0.0.1"), ("http://[::1]:80", "[::1]")],
)
def test_the_host_of_an_address(url: str, host: str) -> None:
    assert env.host_of(url) == host


def test_behind_a_proxy_one_persons_wrong_passwords_slow_down_nobody_else(
    chain: Chain, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    monkeypatch.setattr(accounts, "GUESSES_FROM_ADDRESS", Rate("behind a proxy", 4, timedelta(hours=1)))

    def sign_in(address: str, email: str, password: str) -> Any:
        # The leftmost entry is whatever the client said.
        headers = {"X-Forwarded-For": f"10.9.8.7, {address}"}
        return Client(headers=headers).post("/accounts/login/", {"login": email, "password": password})

    for number in range(4):
        sign_in("203.0.113.5", f"guess{number}@chain.example", "wrong wrong wrong")
    slowed = sign_in("203.0.113.5", chain.manager.email, PASSWORD)
    assert slowed.status_code == 200 and "Too many" in slowed.content.decode()
    assert sign_in("203.0.113.6", chain.manager.email, PASSWORD).status_code == 302
