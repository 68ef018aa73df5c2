"""A shopper reads one language from the first page to the last, whichever of the thirteen it is."""

import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from core.catalogues import said
from surveys.inviting import receipt_link
from surveys.receipt_block import block_of
from tests.factories import Chain

pytestmark = pytest.mark.django_db
OTHERS = [code for code, _name in settings.LANGUAGES if code != "en"]
# Words that other languages spell alike say nothing.
_TELLING = 12


def english_sentences() -> list[str]:
    """The pieces between blanks of everything we say, where they are long enough to be English alone."""
    known = [message.id for message in said() if message.id]
    ids = [one for name in known for one in ([name] if isinstance(name, str) else name)]
    pieces = {piece.strip() for sentence in ids for piece in re.split(r"%\(\w+\)[sd]|\{\w+\}", sentence)}
    return [piece for piece in pieces if len(piece) >= _TELLING and " " in piece]


@pytest.mark.parametrize("language", OTHERS)
def test_no_page_falls_back_to_english(client: Client, chain: Chain, address: str, answer: Any, language: str) -> None:
    sent = answer(lang=language, score="1", reason="…")
    private = sent["Location"].split("?")[0].replace("/t/", "/c/")
    pages = [
        client.get(address, {"lang": language}),
        answer(lang=language, score="3", contact="call", phone="12"),
        client.get(sent["Location"].split("?")[0], {"lang": language}),
        client.get(private, {"lang": language}),
        client.get(f"{private}delete/", {"lang": language}),
        client.get("/q/NOSUCHCODE00/", {"lang": language}),
        client.get("/r/nothing/", {"lang": language}),
    ]
    english = english_sentences()
    for page in pages:
        shown = page.content.decode()
        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in shown
        text = " ".join(unescape(re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", " ", shown, flags=re.DOTALL)).split())
        assert not [one for one in english if one in text]
        assert len(re.findall(r'<(?:button|a)[^>]*lang="', shown)) == len(settings.LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
def test_no_receipt_falls_back_to_english(chain: Chain, surveys: Any, language: str) -> None:
    invitation = receipt_link(chain.store, "R-1", timezone.now()).invitation
    assert invitation is not None
    with translation.override(language):
        block = block_of(invitation)
        assert block is not None
        mail = render_to_string("surveys/receipt_survey.html", block.context() | {"leave_url": "/u/x/"})
    text = " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", mail, flags=re.DOTALL)).split())
    assert block.hint in text and not [one for one in english_sentences() if one in text]


def test_staff_read_their_own_languages_only(client: Client, chain: Chain) -> None:
    client.force_login(chain.head_office)
    type(chain.head_office).objects.filter(pk=chain.head_office.pk).update(language="fr")
    page = client.get("/setup/surveys/", {"lang": "ar"}, HTTP_ACCEPT_LANGUAGE="fr,de;q=0.5").content.decode()
    assert '<html lang="de"' in page and 'value="uk"' in page
