"""Shoppers' pages go past the middleware of staff pages and say all the same what it would have said."""

import gzip
import re
import zlib
from typing import Any

import pytest
from django.test import Client

from surveys.kept import KeptPage, place
from tests.factories import Chain

pytestmark = pytest.mark.django_db


def _told(answered: Any) -> dict[str, str]:
    own = {"Content-Length", "Vary"}
    return {name: value for name, value in answered.headers.items() if name not in own}


def test_the_headers_are_those_of_the_long_way(client: Client, address: str, answer: Any, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 60
    thanks = answer(score="3")["Location"]
    pages = [address, f"{address}?score=3", thanks, thanks.replace("/t/", "/c/"), "/q/", "/q/NOTACODE/", "/r/none/"]
    for page in pages:
        short = client.get(page)
        settings.SHOPPER_PATHS = ()
        long = client.get(page)
        settings.SHOPPER_PATHS = ("/q/", "/r/", "/t/", "/c/")
        assert (short.status_code, _told(short)) == (long.status_code, _told(long)), page
        assert int(short["Content-Length"]) == len(short.content)


def test_whoever_is_signed_in_takes_the_long_way(client: Client, chain: Chain, address: str, answer: Any) -> None:
    client.force_login(chain.manager)
    answered = client.get(address)
    assert answered.status_code == 200 and hasattr(answered.wsgi_request, "user")
    client.logout()
    assert not hasattr(client.get(address).wsgi_request, "user")


def test_an_address_that_must_be_mended_is_mended(client: Client, address: str) -> None:
    assert client.get(address.rstrip("/"))["Location"] == address
    assert client.get("/q/a%00b/").status_code == client.get(f"{address}?x=%00").status_code == 400
    assert client.get(address, HTTP_HOST="bad host").status_code == 400


def test_a_page_from_parts_is_the_page(client: Client, address: str) -> None:
    plain, pressed = (client.get(address, HTTP_ACCEPT_ENCODING=wish) for wish in ("", "br;q=1, gzip"))
    assert pressed["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain
    assert "Accept-Encoding" in plain["Vary"] and "Accept-Encoding" in pressed["Vary"]

    def without_form(page: bytes) -> bytes:
        return re.sub(rb'name="form" value="[^"]*"', b"", page)

    assert without_form(gzip.decompress(pressed.content)) == without_form(plain.content)
    assert len(pressed.content) < 10_000


@pytest.mark.parametrize("secret", ["", "x", "ünï" * 500])
def test_secrets_lie_in_blocks_of_their_own(secret: str) -> None:
    page = KeptPage.of(f"{'before ' * 400}{place('one')}{'between' * 300}{place('two')}")
    secrets = {"one": secret, "two": "short"}
    pressed = page.fill_gzip(secrets)
    assert (
        gzip.decompress(pressed)
        == page.fill(secrets)
        == ("before " * 400 + secret + "between" * 300 + "short").encode()
    )
    # As browsers read it: one member, nothing after it.
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert reader.decompress(pressed) and reader.eof and not reader.unused_data
