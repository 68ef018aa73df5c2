"""The page that asks: light, without cookies, in the reader's language, forgiving."""

import gzip
import re
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.inline import Block, page_script, page_style
from stores.choices import TouchpointKind
from stores.models import Store
from surveys.defaults import ensure_surveys
from surveys.documents import RESERVED_KEYS
from surveys.models import Response, SurveyVersion
from tests.factories import Chain, make_touchpoint
from tests.surveys.conftest import hidden

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>{{ 7|add:7 }}{% now 'Y' %}\"'><img src=x onerror=alert(1)>\u202egnp.\x00exe"
WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE|TRUNCATE|CREATE|ALTER)", re.IGNORECASE)


def test_the_store_the_question_and_all_eleven_answers(client: Client, chain: Chain, address: str) -> None:
    page = client.get(address).content.decode()
    assert "Kyiv One" in page and "Halfhour" in page
    assert "recommend Kyiv One to a friend or colleague?" in page
    assert re.findall(r'type="radio" name="score" value="(\d+)"', page) == [str(n) for n in range(11)]
    assert "What is the main reason for your score?" in page
    assert "Not at all likely" in page and "Extremely likely" in page
    assert page.count("<fieldset") == page.count("<legend") == 2


def test_a_name_in_a_question_stays_in_one_piece_where_words_run_from_the_right(
    client: Client, chain: Chain, address: str
) -> None:
    legend = r"<legend><h2>[^<]*\u2068Kyiv One\u2069"
    assert re.search(legend, client.get(f"{address}?lang=ar").content.decode())
    assert "\u2068" not in client.get(address).content.decode()


def test_a_fitting_room_asks_with_five_named_smileys(client: Client, chain: Chain) -> None:
    room = make_touchpoint(store=chain.store, kind=TouchpointKind.FITTING_ROOM, name="Upstairs")
    ensure_surveys()
    page = client.get(f"/q/{room.code}/").content.decode()
    assert page.count('<svg class="smiley"') == 5
    assert len(set(re.findall(r"<svg.*?</svg>", page))) == 5
    for name in ("Very unhappy", "Unhappy", "Neutral", "Happy", "Very happy"):
        assert f"<span>{name}</span>" in page
    assert "Upstairs" in page


def test_one_request_of_ten_kilobytes(client: Client, address: str) -> None:
    page = client.get(address, HTTP_ACCEPT_LANGUAGE="uk").content
    assert len(gzip.compress(page, 6)) <= 10_000 and len(brotli.compress(page, quality=5)) <= 10_000
    assert not re.findall(rb"""(?:src|href)=["'](?!data:|#|\?)""", page), "the page loads or links to something else"
    assert b"url(" not in page and b"@import" not in page
    assert len(page_script().text) <= 4_500
    squeezed = client.get(address, HTTP_ACCEPT_ENCODING="gzip")
    assert squeezed["Content-Encoding"] == "gzip" and len(squeezed.content) <= 10_000


def test_the_policy_admits_this_style_and_this_script_and_nothing_else(client: Client, address: str) -> None:
    answered = client.get(address)
    page = answered.content.decode()
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    policy = dict(part.strip().split(" ", 1) for part in answered["Content-Security-Policy"].split(";"))
    assert policy["style-src"] == Block.of(styles[0]).source == page_style().source
    assert policy["script-src"] == Block.of(scripts[0]).source == page_script().source
    assert len(styles) == len(scripts) == 1 and " style=" not in page and " onclick" not in page
    assert policy["default-src"] == "'none'"
    lost = client.get("/q/NOTACODE/")
    assert "script-src 'none'" in lost["Content-Security-Policy"]


def test_no_cookie_ever(client: Client, address: str, answer: Any) -> None:
    sent = answer(score="3", reason="x", lang="de")
    for answered in (client.get(address), sent, client.get(sent["Location"]), client.get("/q/NOTACODE/")):
        assert not answered.cookies
    assert not client.cookies


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_writes_nothing_and_asks_the_database_twice(
    client: Client, address: str, answer: Any, method: str
) -> None:
    thanks = answer(score="3", reason="x")["Location"]
    private = thanks.replace("/t/", "/c/")
    for target in (
        address,
        f"{address}?score=1",
        thanks,
        private,
        f"{private}delete/",
        "/q/?code=NOTACODE",
        "/r/none/",
    ):
        with CaptureQueriesContext(connection) as queries:
            answered = getattr(client, method)(target)
        assert answered.status_code in {200, 404}
        assert not [q["sql"] for q in queries.captured_queries if WRITES.match(q["sql"])], target
        if target.startswith(address):
            assert len(queries) <= 2, [q["sql"] for q in queries.captured_queries]
    assert Response.objects.count() == 1


def test_a_score_in_the_link_only_preselects(client: Client, address: str) -> None:
    page = client.get(f"{address}?score=4").content.decode()
    assert re.search(r'value="4" id="f-score4" checked', page)
    assert not Response.objects.exists()
    assert " checked" not in client.get(f"{address}?score=99").content.decode().split("contact")[0]


@pytest.mark.parametrize(
    ("wish", "language", "question"),
    [
        ("de-AT,de;q=0.9", "de", "weiterempfehlen"),
        ("uk", "uk", "порекомендуєте"),
        ("fr", "fr", "recommandiez"),
        ("pt-BR,en;q=0.5", "pt", "recomendar"),
        ("fi", "en", "recommend"),
        ("", "en", "recommend"),
    ],
)
def test_the_browsers_language(client: Client, address: str, wish: str, language: str, question: str) -> None:
    answered = client.get(address, HTTP_ACCEPT_LANGUAGE=wish)
    page = answered.content.decode()
    assert f'<html lang="{language}"' in page and question in page
    assert answered["Content-Language"] == language


def test_the_link_switches_the_language(client: Client, address: str) -> None:
    assert b'<html lang="uk"' in client.get(f"{address}?lang=uk", HTTP_ACCEPT_LANGUAGE="de").content


def test_switching_the_language_keeps_everything_and_stores_nothing(client: Client, address: str) -> None:
    nonce = hidden(client.get(address), "form")
    sent = {"form": nonce, "lang": "en", "score": "6", "reason": "Half written", "contact": "email", "email": "a@b"}
    answered = client.post(address, sent | {"switch": "de"})
    page = answered.content.decode()
    assert answered.status_code == 200 and '<html lang="de"' in page and 'name="lang" value="de"' in page
    assert "Half written" in page and 'value="a@b"' in page and 'role="alert"' not in page
    assert re.search(r'id="f-score6" checked', page) and re.search(r'value="email" id="w-email" checked', page)
    assert hidden(answered, "form") == nonce
    assert not Response.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field", "help_text"),
    [
        ({}, "score", "Please choose an answer or write a few words."),
        ({"score": "11"}, "score", "Please choose one of the answers."),
        ({"score": "3", "contact": "call"}, "phone", "Please write the phone number"),
        ({"score": "3", "contact": "text", "phone": "123"}, "phone", "We cannot dial this number"),
        ({"score": "3", "contact": "call", "phone": "+49 900 1 234567"}, "phone", "We cannot dial this number"),
        ({"score": "3", "contact": "email", "email": "ann@"}, "email", "is not complete"),
        ({"score": "3", "contact": "email", "email": f"{'a' * 243}@example.com"}, "email", "is not complete"),
        ({"score": "3", "reason": "x" * 4001}, "reason", "Please shorten your text. Characters: 4001 of 4000 at most."),
    ],
)
def test_an_error_says_what_to_do_and_keeps_what_was_typed(
    client: Client, answer: Any, fields: dict[str, str], field: str, help_text: str
) -> None:
    answered = answer(**({"reason": "Kept words"} if field not in {"reason", "score"} else {}) | fields)
    page = answered.content.decode()
    assert answered.status_code == 422 and help_text in page
    assert f'href="#f-{field}"' in page and f'id="f-{field}"' in page and 'role="alert"' in page
    for value in fields.values():
        if field != "score":
            assert value in page
    assert not Response.objects.exists()


def test_errors_speak_the_readers_language(answer: Any) -> None:
    page = answer(lang="de", score="3", contact="call").content.decode()
    assert "Please write" not in page and '<html lang="de"' in page


def test_hostile_words_are_kept_as_words(client: Client, answer: Any) -> None:
    shown = answer(score="12", reason=HOSTILE, contact="email", email='"><script>x</script>').content.decode()
    assert "<script>alert" not in shown and "<img" not in shown and '"><script>x' not in shown
    assert "{{ 7|add:7 }}" in shown and "\x00" not in shown
    sent = answer(score="1", reason=HOSTILE)
    assert sent.status_code == 303
    assert Response.objects.get().verbatims.get().text == HOSTILE.replace("\x00", "")
    private = client.get(sent["Location"].replace("/t/", "/c/")).content.decode()
    assert "<script>alert" not in private and "&lt;script&gt;alert(1)" in private


def test_a_typed_code_is_forgiven(client: Client, chain: Chain, surveys: Any) -> None:
    type(chain.touchpoint).objects.filter(pk=chain.touchpoint.pk).update(code="ABC0DEF1GHJK")
    assert client.get("/q/abco-def1-ghjk/").status_code == 200
    found = client.get("/q/", {"code": " abc0 defl ghjk"})
    assert found.status_code == 302 and found["Location"] == "/q/ABC0DEF1GHJK/"


def test_a_replaced_code_leads_on_and_a_form_under_way_is_kept(client: Client, chain: Chain, answer: Any) -> None:
    old, new = chain.touchpoint, make_touchpoint(store=chain.store)
    nonce = hidden(client.get(f"/q/{old.code}/"), "form")
    type(old).objects.filter(pk=old.pk).update(retired_at=timezone.now(), replaced_by=new)
    moved = client.get(f"/q/{old.code}/?lang=de")
    assert moved.status_code == 302 and moved["Location"] == f"/q/{new.code}/?lang=de"
    sent = client.post(f"/q/{old.code}/", {"form": nonce, "score": "5", "contact": "none"})
    assert sent.status_code == 303 and Response.objects.get().touchpoint == old


def test_unknown_and_retired_codes_get_the_same_helpful_page(client: Client, chain: Chain, surveys: Any) -> None:
    type(chain.touchpoint).objects.filter(pk=chain.touchpoint.pk).update(retired_at=timezone.now())
    retired, unknown = client.get(f"/q/{chain.touchpoint.code}/"), client.get("/q/AAAAAAAAAAAA/")
    assert retired.status_code == unknown.status_code == 404
    assert retired.content == unknown.content
    assert b'action="/q/"' in unknown.content and b'name="code"' in unknown.content


def test_what_was_asked_is_what_is_stored(client: Client, address: str, answer: Any, surveys: Any) -> None:
    """A version published while the form was open changes nothing about it."""
    nonce = hidden(client.get(address), "form")
    old = surveys["recommend"]
    SurveyVersion.objects.create(
        survey=old.survey, number=2, headline_kind=old.headline_kind, document=old.document | {}
    )
    answer(form=nonce, score="5")
    assert Response.objects.get().version == old


def test_back_finds_the_form_that_was_sent(client: Client, address: str) -> None:
    """A POST drops its own address from the browser's cache, and `no-store` would never let the page in."""
    answered = client.get(address)
    assert answered["Cache-Control"] == "private, no-cache"
    assert b'<form method="post" action="?send"' in answered.content


def test_the_page_kept_for_everybody_holds_nothing_of_anybody(client: Client, chain: Chain, address: str) -> None:
    first, second = (hidden(client.get(address), "form") for _visit in range(2))
    assert first != second and len(first) > 40
    typed = client.post(address, {"form": first, "reason": "Only mine", "contact": "call", "phone": "1"})
    assert typed.status_code == 422 and "Only mine" in typed.content.decode()
    assert 'id="f-score7" checked' in client.get(address, {"score": "7"}).content.decode()
    again = client.get(address).content.decode()
    assert "Only mine" not in again and 'id="f-score7">' in again
    Store.objects.filter(pk=chain.store.pk).update(name="Kyiv Renamed")
    assert "Kyiv Renamed" in client.get(address).content.decode()


def test_the_page_for_typing_a_code_complains_of_nothing_yet(client: Client, chain: Chain) -> None:
    opened = client.get("/q/")
    assert opened.status_code == 200 and "not in use" not in opened.content.decode()
    assert "not in use" in client.get("/q/ABCDABCDABCD/").content.decode()


def test_no_question_bears_a_name_that_the_page_has_another_use_for(client: Client, address: str) -> None:
    drawn = set(re.findall(r' name="(\w+)"', client.get(address).content.decode()))
    sent_by_script = set(re.findall(r"\['(\w+)', |note\('(\w+)'\)|\{(\w+): f\.", page_script().text))
    words = drawn | {word for found in sent_by_script for word in found if word}
    assert {"form", "lang", "website", "switch", "step", "stepped", "seen"} <= words
    assert words - RESERVED_KEYS == {"score", "reason", "viewport", "robots"}
