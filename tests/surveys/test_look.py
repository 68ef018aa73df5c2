"""The chain's name, logo and colours on every shopper's page: chosen by head office, readable, and within the page."""

import gzip
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from core import look as looks
from core.inline import Block, accents, heads
from core.logo import BadLogo, page_logo, sheet_logo
from core.models import ChainLook
from core.theme import READABLE, contrast
from stores.choices import TouchpointKind
from surveys.defaults import ensure_surveys
from tests.factories import Chain, make_touchpoint

pytestmark = pytest.mark.django_db
PAGE = "/setup/look/"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 20"><rect width="80" height="20" fill="#c00"/></svg>'


# Each level draws the one before it ten times.
LAUGHS = SVG.replace(
    "<rect",
    '<g id="l0"><path d="M0 0h9v9z"/></g>'
    + "".join(f'<g id="l{n}">' + f'<use href="#l{n - 1}"/>' * 10 + "</g>" for n in range(1, 12))
    + "<rect",
)
# The same in small, hidden from whoever reads the last of two elements with one name.
TWINS = SVG.replace(
    "<rect",
    '<g id="a"><use href="#b"/></g><g id="b"><use href="#c"/></g><linearGradient id="b"/><g id="c"/>'
    '<use href="#a"/><rect',
)
# Breaks the compiler itself.
THREAD = SVG.replace("80 20", "0.0001 900000").replace('width="80" height="20"', 'width="0.0001" height="900000"')


@pytest.fixture
def office(client: Client, chain: Chain) -> Iterator[Client]:
    ensure_surveys()
    looks.forget()
    client.force_login(chain.head_office)
    yield client


def picture(*, size: tuple[int, int] = (1600, 500), noise: bool = False) -> bytes:
    """A logo as agencies send it: large; or a photograph."""
    drawn = Image.effect_noise(size, 90).convert("RGB") if noise else Image.new("RGBA", size, (0, 0, 0, 0))
    if not noise:
        ImageDraw.Draw(drawn).ellipse((20, 20, 480, 480), fill="#0b6e4f")
        ImageDraw.Draw(drawn).text((600, 150), "Finch", fill="#111111", font_size=200)
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return file.getvalue()


def bring(office: Client, data: bytes, name: str = "logo.svg", **fields: str) -> Any:
    sent = {"accent": "#0b6e4f", "file": SimpleUploadedFile(name, data)} | fields
    return office.post(PAGE, sent)


@pytest.mark.parametrize(("data", "name"), [(SVG.encode(), "logo.svg"), (picture(), "logo.png")])
def test_a_look_is_tried_seen_and_then_holds(office: Client, chain: Chain, data: bytes, name: str) -> None:
    address = f"/q/{chain.touchpoint.code}/"
    before = office.get(address).content.decode()
    assert "<b>Halfhour</b>" in before and "<img" not in before
    tried = bring(office, data, name, accent="#FFD400", with_second="on", second="#1D3557")
    assert tried.status_code == 303 and "?look=" in tried["Location"]
    seen = office.get(tried["Location"])
    assert b"Shoppers do not see it yet" in seen.content
    frames = re.findall(r'src="(/setup/look/page/[^"]+)"', seen.content.decode())
    assert len(frames) == 4
    for frame in frames:
        shown = office.get(frame.replace("&amp;", "&"))
        assert shown.status_code == 200 and "frame-ancestors 'self'" in shown["Content-Security-Policy"]
        assert "sandbox" in shown["Content-Security-Policy"]
        assert b"#1d3557" in shown.content
    assert office.get(address).content.decode().count("#1d3557") == 0
    assert office.post(tried["Location"], {"choose": "1"}).status_code == 303
    worn = office.get(address)
    page = worn.content.decode()
    assert '<img class="logo" src="data:image/' in page and 'alt="Halfhour"' in page and "#1d3557" in page
    # The policy admits just this style; the picture is a part of the page.
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    assert style and Block.of(style[1]).source in worn["Content-Security-Policy"]
    assert "img-src 'self' data:" in worn["Content-Security-Policy"]
    assert ChainLook.objects.get().made_by == chain.head_office.pk
    assert b"#1d3557" in office.get("/q/NOTACODE/").content
    assert b"--accent:#ffd400" in office.get("/theme.css").content
    # And back.
    bring(office, SVG.encode(), accent="#112233")
    first = ChainLook.objects.exclude(chosen_at=None).get()
    office.post(f"{PAGE}?look={first.pk}", {"choose": "1"})
    assert ChainLook.objects.filter(chosen_at=None).count() == 0 and ChainLook.objects.count() == 2


def test_what_was_tried_and_not_chosen_is_forgotten(office: Client) -> None:
    old = bring(office, SVG.encode(), accent="#112233")["Location"]
    ChainLook.objects.update(made_at=timezone.now() - timedelta(days=8))
    gone = office.get(old, follow=True)
    assert gone.status_code == 200 and b"That trial is over" in gone.content
    assert office.post(old, {"choose": "1"}).status_code == 303 and not ChainLook.objects.exclude(chosen_at=None)
    bring(office, SVG.encode(), accent="#223344")
    assert ChainLook.objects.get().accent == "#223344"
    # What held stays, however old it is.
    ChainLook.objects.update(chosen_at=timezone.now(), made_at=timezone.now() - timedelta(days=400))
    bring(office, SVG.encode(), accent="#334455")
    assert ChainLook.objects.count() == 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (SVG.replace("<rect", "<script>alert(1)</script><rect").encode(), "holds &lt;script&gt;"),
        (SVG.replace("<rect", '<rect onload="x()"').encode(), "runs something: onload"),
        (SVG.replace("<rect", '<image href="https://evil.example/x.png"/><rect').encode(), "holds &lt;image&gt;"),
        (SVG.replace('fill="#c00"', 'fill="url(https://evil.example/x)"').encode(), "outside of itself"),
        (b"<!DOCTYPE svg>" + SVG.encode(), "document type"),
        (SVG.replace("#c00", "#fffbe8").encode(), "hardly sees"),
        (SVG.replace("<rect", "<desc/><g/><path").encode(), "nothing to see"),
        (picture(size=(700, 220), noise=True), "heavier than"),
        (picture(size=(1600, 700), noise=True), "larger than 500 kB"),
        (LAUGHS.encode(), "within each other"),
        (TWINS.encode(), "within each other"),
        (THREAD.encode(), "cannot be drawn"),
        (b"\xff\xd8\xff a photograph", "neither a PNG nor an SVG"),
    ],
)
def test_a_logo_that_cannot_be_shown_is_refused_in_words(office: Client, data: bytes, why: str) -> None:
    refused = bring(office, data)
    assert refused.status_code == 422 and why in refused.content.decode()
    assert not ChainLook.objects.exists()


def test_a_logo_that_is_none_for_pages_is_drawn_once(office: Client) -> None:
    """Every page asks for it, and to draw it takes a while."""
    pale = looks.Look("Finch", "#000000", "#000000", logo=SVG.replace("#c00", "#fffbe9"))
    drawn = looks._on_pages.cache_info().misses
    assert pale.page_logo is None and pale.page_logo is None
    assert looks._on_pages.cache_info().misses == drawn + 1


@pytest.mark.parametrize("colour", ["red", "#12345", "#0b6e4f;}*{display:none", "#GGGGGG", "{{ 7|add:7 }}"])
def test_a_colour_is_a_colour(office: Client, colour: str) -> None:
    assert office.post(PAGE, {"accent": colour}).status_code == 422
    assert office.post(PAGE, {"accent": "#000000", "with_second": "1", "second": colour}).status_code == 422
    assert not ChainLook.objects.exists()


def test_no_shape_takes_more_than_its_room() -> None:
    wide, high = SVG.replace("0 0 80 20", "0 0 999999 1"), SVG.replace("0 0 80 20", "0 0 1 99999")
    flat = SVG.replace("0 0 80 20", "0 0 800 20").replace('width="80"', 'width="800"')
    for svg in (wide, high):
        with suppress(BadLogo):
            found = page_logo(sheet_logo(svg.encode()))
            assert found.width <= 160 and found.height <= 28
    assert (page_logo(flat).width, page_logo(flat).height) == (160, 4)
    assert (page_logo(SVG).width, page_logo(SVG).height) == (112, 28)


def test_a_page_with_a_logo_and_smileys_stays_light_in_every_language(
    office: Client, chain: Chain, settings: Any
) -> None:
    """The heaviest logo that is taken, the second colour, five smileys: with everything within ten kilobytes."""
    curves = "".join(f"<path d='M{i} {i * 7 % 31}q{i % 13} {i % 17} {i % 19} {i % 23}'/>" for i in range(190))
    heavy = SVG.replace("<rect", f"<g stroke='#123456' fill='none'>{curves}</g><rect").encode()
    room = make_touchpoint(store=chain.store, kind=TouchpointKind.FITTING_ROOM, name="Upstairs")
    ensure_surveys()
    office.post(bring(office, heavy, with_second="on", second="#ffcc00")["Location"], {"choose": "1"})
    logo = looks.look().page_logo
    assert logo and len(gzip.compress(logo.address.encode())) > 1_500
    for language, _name in settings.LANGUAGES:
        page = office.get(f"/q/{room.code}/", {"lang": language}).content
        assert page.count(b'<svg class="smiley"') == 5 and b'class="logo"' in page
        assert len(gzip.compress(page, 6)) <= 10_000, language


@given(st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}"))
def test_words_can_be_read_in_whatever_colour(colour: str) -> None:
    for shade, paper in zip(accents(colour), ("#ffffff", "#14171b"), strict=True):
        assert contrast(shade.edge, paper) >= READABLE and contrast(shade.fill, shade.ink) >= READABLE
    assert accents(colour)[0].fill == heads(colour)[0].fill == colour
    for shade in heads(colour):
        assert contrast(shade.fill, shade.ink) >= READABLE
