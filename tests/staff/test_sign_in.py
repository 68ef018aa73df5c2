"""The way in: sign-in, start page, language, password, and what is shown to whom who may not."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.core import mail
from django.test import Client

from tests.factories import PASSWORD, Chain


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password, **more})


def test_signing_in_leads_to_where_one_wanted_to_go(client: Client, chain: Chain) -> None:
    answer = client.get("/inbox/")
    assert answer.status_code == 302 and answer["Location"] == "/accounts/login/?next=/inbox/"
    assert client.get(answer["Location"]).status_code == 200
    answer = sign_in(client, "manager@chain.example", next="/stores/")
    assert answer["Location"] == "/stores/"
    assert client.get("/stores/").status_code == 200


def test_never_to_another_origin(client: Client, chain: Chain) -> None:
    assert sign_in(client, "manager@chain.example", next="https://evil.example/")["Location"] == "/"


def test_a_wrong_password_says_so_and_keeps_the_address(client: Client, chain: Chain) -> None:
    page = sign_in(client, "manager@chain.example", "wrong wrong wrong").content.decode()
    assert 'role="alert"' in page and 'value="manager@chain.example"' in page
    assert client.get("/inbox/").status_code == 302


@pytest.mark.parametrize(
    ("who", "where"),
    [
        ("manager", "/inbox/"),
        ("deputy", "/inbox/"),
        ("call_centre_lead", "/inbox/"),
        ("area_manager", "/inbox/"),
        ("head_office", "/inbox/"),
        ("operator", "/stores/"),
    ],
)
def test_each_role_starts_where_its_day_begins(client: Client, chain: Chain, who: str, where: str) -> None:
    client.force_login(getattr(chain, who))
    assert client.get("/")["Location"] == where


def test_somebody_without_a_role_is_told(client: Client, chain: Chain) -> None:
    client.force_login(chain.nobody)
    answer = client.get("/")
    assert answer.status_code == 403 and "You have no role yet" in answer.content.decode()


def test_nobody_signs_up(client: Client, db: None) -> None:
    for address in ("/accounts/signup/", "/accounts/email/", "/accounts/"):
        assert client.get(address).status_code == 404


def test_signing_out_is_a_form(manager: Client) -> None:
    assert "Do you want to sign out" in manager.get("/accounts/logout/").content.decode()
    assert manager.get("/inbox/").status_code == 200
    manager.post("/accounts/logout/")
    assert manager.get("/inbox/").status_code == 302


def test_the_language_is_kept(manager: Client, chain: Chain) -> None:
    answer = manager.post("/accounts/language/", {"language": "de", "next": "/stores/?q=x"})
    assert answer["Location"] == "/stores/?q=x"
    assert '<html lang="de" dir="ltr">' in manager.get("/stores/").content.decode()
    manager.post("/accounts/language/", {"language": "xx", "next": "//evil.example"})
    chain.manager.refresh_from_db()
    assert chain.manager.language == "de"
    assert manager.post("/accounts/language/", {"language": "de", "next": "//evil.example"})["Location"] == "/"


def test_a_forgotten_password(client: Client, chain: Chain) -> None:
    assert client.post("/accounts/password/reset/", {"email": "manager@chain.example"}).status_code == 302
    [message] = mail.outbox
    assert message.to == ["manager@chain.example"] and "Choose a new password" in message.subject
    link = next(line for line in message.body.splitlines() if "/accounts/password/reset/key/" in line)
    answer = client.get(urlsplit(link).path, follow=True)
    page = answer.content.decode()
    assert "Choose a new password" in page
    form = {"password1": "another long passphrase", "password2": "another long passphrase"}
    answer = client.post(answer.redirect_chain[-1][0], form, follow=True)
    assert "Your password is changed" in answer.content.decode()
    assert sign_in(client, "manager@chain.example").status_code == 200
    assert sign_in(client, "manager@chain.example", "another long passphrase").status_code == 302


def test_a_new_password_must_be_long(manager: Client) -> None:
    form = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    page = manager.post("/accounts/password/change/", form).content.decode()
    assert "at least 15" in page


def test_the_demo_lists_its_logins_and_nobody_else_does(
    client: Client, chain: Chain, settings: LazySettings, tmp_path: Path
) -> None:
    logins = [{"role": "Store manager", "email": "manager@chain.example", "password": PASSWORD, "store": "Kyiv One"}]
    (tmp_path / "demo.json").write_text(json.dumps({"logins": logins}))
    settings.VAR_DIR = tmp_path
    assert PASSWORD not in client.get("/accounts/login/").content.decode()
    settings.DEMO = True
    page = client.get("/accounts/login/").content.decode()
    assert "Kyiv One" in page and f'value="{PASSWORD}"' in page
    (tmp_path / "demo.json").write_text("{broken")
    assert client.get("/accounts/login/").status_code == 200


@pytest.mark.parametrize("language", ["en", "ar"])
def test_pages_name_their_language_and_direction(
    client: Client, db: None, settings: LazySettings, language: str
) -> None:
    settings.LANGUAGES = settings.STAFF_LANGUAGES = [("en", "English"), ("ar", "العربية")]
    page = client.get(f"/accounts/login/?lang={language}").content.decode()
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page


def test_no_page_carries_inline_style_or_script(manager: Client) -> None:
    for address in ("/inbox/", "/stores/", "/stores/KY1/", "/accounts/password/change/", "/nothing-here/"):
        answer = manager.get(address)
        page = answer.content.decode()
        assert "<style" not in page and "style=" not in page and " onclick" not in page
        assert page.count("<script") == page.count("<script src=")
        assert '"allowEval": false' in page and "htmx-2" in page
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self'" in policy and "unsafe" not in policy


def test_a_form_that_was_open_too_long_says_what_to_do(chain: Chain) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(chain.manager)
    answer = client.post("/accounts/language/", {"language": "de"})
    assert answer.status_code == 403 and "Please send it again" in answer.content.decode()
    german = client.post("/accounts/language/?lang=de", {}).content.decode()
    assert '<html lang="de" dir="ltr">' in german and "Please send it again" not in german
