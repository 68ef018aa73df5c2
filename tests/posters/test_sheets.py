"""Posters as they come out of the printer: their codes read again, their words, their looks under hostile names."""

import io
import re

import pytest
from django.conf import LazySettings
from pypdf import PdfReader

from core.logo import BadLogo, chain_logo
from core.theme import READABLE, contrast
from stores import qr
from stores.choices import TouchpointKind
from stores.models import Store, Touchpoint
from stores.posters import sheets
from stores.posters.formats import FORMATS, Format
from stores.posters.wording import WORDINGS, languages_of
from tests.posters.reading import codes_on, page_images

LONGEST = "Kaufhaus am Alexanderplatz, Untergeschoss"
HOSTILE = '#panic("x") *bold* $x^2$ @ref <label> \\ #{1+1} `code` [ ] "q" \u202egnp.\x07 // http://evil.example'


@pytest.fixture(autouse=True)
def domain(settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://feedback.example"


def spot(name: str = "Kyiv One", languages: tuple[str, ...] = ("en",), code: str = "7K2QX9MDA4TR") -> Touchpoint:
    store = Store(name=name, code="KY1", languages=list(languages))
    return Touchpoint(store=store, kind=TouchpointKind.TILL, name="Till 2", code=code)


def words_of(pdf: bytes) -> str:
    # Joined without spaces: typesetters move letters apart as they see fit.
    return re.sub(r"\s", "", "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize(
    ("public", "languages", "name"),
    [
        ("https://feedback.example", ("en",), "Kyiv One"),
        ("http://a.de", ("ar",), "متجر"),
        ("https://feedback.a-chain-with-a-long-name.example", ("uk", "en", "de"), LONGEST),
    ],
    ids=["short", "right-to-left", "long"],
)
def test_the_code_is_read_from_the_printed_page(
    settings: LazySettings, format: Format, public: str, languages: tuple[str, ...], name: str
) -> None:
    settings.PUBLIC_URL = public
    touchpoint = spot(name, languages)
    pages = page_images(sheets.poster_pdf(format, [touchpoint], marks=True), format.dpi)
    assert len(pages) == 1
    seen = codes_on(pages[0], format.dpi)
    assert [one.text for one in seen] == [qr.touchpoint_url(touchpoint.code)] * format.panels
    for one in seen:
        assert one.width_mm == pytest.approx(format.code, abs=0.4) and one.width_mm * 10 >= format.distance_cm * 10 - 4
        assert one.clean, "something lies in the quiet zone"


def test_domain_code_store_and_place_stand_beside_the_code() -> None:
    for format in FORMATS.values():
        words = words_of(sheets.poster_pdf(format, [spot()]))
        for part in ("feedback.example/q/", "7K2Q-X9MD-A4TR", "KyivOne", "Till2", "Howwasit?", "Wereadeveryword."):
            assert part in words, (format.key, part)


def test_every_language_says_everything_and_three_fit_on_a_sheet() -> None:
    assert len({wording.headline for wording in WORDINGS.values()}) >= 12
    for language, wording in WORDINGS.items():
        assert all((wording.headline, wording.promise, wording.scan, wording.typed)), language
        assert not re.search(r"win|gewinn|prize|voucher|gutschein", wording.promise + wording.scan, re.IGNORECASE)
    assert languages_of(["uk", "de-AT", "uk", "en", "fr"]) == ["uk", "de", "en"]
    assert languages_of(["zh"]) == languages_of([]) == ["en"]
    words = words_of(sheets.poster_pdf(FORMATS["a4"], [spot(languages=("pl", "cs", "sv"))]))
    assert all(part in words for part in ("Jakbyło?", "Jakétobylo?", "Hurvardet?"))


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize(
    "name", [HOSTILE, "X" * 120, LONGEST, " ", "店舗 🏬 Ω"], ids=["markup", "unbroken", "40", "empty", "signs"]
)
def test_no_name_breaks_a_sheet_or_is_taken_for_markup(format: Format, name: str) -> None:
    pdf = sheets.poster_pdf(format, [spot(name)])
    pages = page_images(pdf, 150)
    assert len(pages) == 1
    assert [one.text for one in codes_on(pages[0], 150)] == [qr.touchpoint_url("7K2QX9MDA4TR")] * format.panels
    words = words_of(pdf)
    if name == HOSTILE:
        assert '#panic("x")' in words and "*bold*" in words and "\u202e" not in words
    elif name == LONGEST:
        assert re.sub(r"\s", "", LONGEST) in words
    if format.height:
        page = PdfReader(io.BytesIO(pdf)).pages[0].mediabox
        assert (round(float(page.width) / 72 * 25.4), round(float(page.height) / 72 * 25.4)) == (
            format.width,
            format.height,
        )


def test_names_stay_within_the_sheet() -> None:
    """Nothing dark touches the edge of the page above the coloured band."""
    for format in (FORMATS["a4"], FORMATS["a5"], FORMATS["sticker"]):
        image = page_images(sheets.poster_pdf(format, [spot("X" * 120)]), 100)[0]
        edge = 12
        assert (image[: int(image.shape[0] * 0.8), :edge] > 250).all() and (
            image[: int(image.shape[0] * 0.8), -edge:] > 250
        ).all()


def test_crop_marks_and_bleed_make_room_around_the_sheet() -> None:
    plain = PdfReader(io.BytesIO(sheets.poster_pdf(FORMATS["a5"], [spot()]))).pages[0].mediabox
    marked = PdfReader(io.BytesIO(sheets.poster_pdf(FORMATS["a5"], [spot()], marks=True))).pages[0].mediabox
    assert round((float(marked.width) - float(plain.width)) / 72 * 25.4) == 22
    image = page_images(sheets.poster_pdf(FORMATS["a5"], [spot()], marks=True), 100)[0]
    # Colour runs three millimetres over the lower edge, and the marks stand in the corners.
    assert image[-int(9 / 25.4 * 100), image.shape[1] // 2] < 200 and (image[: int(4 / 25.4 * 100)] < 200).any()


def test_the_chains_second_colour_is_a_surface_with_readable_words(settings: LazySettings) -> None:
    settings.CHAIN_ACCENT, settings.CHAIN_SECOND = "#0b6e4f", "#ffcc00"
    data = sheets.common_data(FORMATS["a4"], marks=False)
    assert data["fill"] == "#ffcc00" and contrast(data["on_fill"], "#ffcc00") >= READABLE
    image = page_images(sheets.poster_pdf(FORMATS["a4"], [spot()]), 50)[0]
    # Bright, where the first colour would be dark.
    assert 120 < image[-3, image.shape[1] // 2] < 250


@pytest.mark.parametrize("colour", ["#0b6e4f", "#ffee00", "#ffffff", "#000000", "#ff6a00"])
def test_codes_are_black_on_white_and_words_readable_whatever_the_chains_colour(
    settings: LazySettings, colour: str
) -> None:
    settings.CHAIN_ACCENT = settings.CHAIN_SECOND = colour
    data = sheets.common_data(FORMATS["a4"], marks=False)
    assert contrast(data["accent"], "#ffffff") >= READABLE and contrast(data["on_fill"], data["fill"]) >= READABLE
    image = page_images(sheets.poster_pdf(FORMATS["a4"], [spot()]), 150)[0]
    assert [one.clean for one in codes_on(image, 150)] == [True]


def test_receipts_know_black_and_white_only() -> None:
    image = page_images(sheets.poster_pdf(FORMATS["receipt"], [spot(languages=("uk", "en"))]), 203.2)[0]
    middling = ((image > 60) & (image < 195)).mean()
    assert middling < 0.03, "grey turns into dirt on a receipt printer"


LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 20"><rect width="80" height="20" fill="#c00"/></svg>'
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)


@pytest.mark.parametrize(("name", "data"), [("logo.svg", LOGO.encode()), ("logo.png", PIXEL)])
def test_the_logo_takes_the_place_of_the_name(settings: LazySettings, tmp_path: object, name: str, data: bytes) -> None:
    path = tmp_path / name  # type: ignore[operator]
    path.write_bytes(data)
    settings.CHAIN_NAME, settings.CHAIN_LOGO = "Wordmark", ""
    assert "Wordmark" in words_of(sheets.poster_pdf(FORMATS["a4"], [spot()]))
    settings.CHAIN_LOGO = str(path)
    assert "Wordmark" not in words_of(sheets.poster_pdf(FORMATS["a4"], [spot()]))


@pytest.mark.parametrize(
    "data",
    [
        LOGO.replace("<rect", "<script>alert(1)</script><rect").encode(),
        LOGO.replace("<rect", '<rect onload="alert(1)"').encode(),
        LOGO.replace("<rect", '<image href="https://evil.example/x.png"/><rect').encode(),
        LOGO.replace("<rect", '<use href="file:///etc/passwd"/><rect').encode(),
        LOGO.replace('fill="#c00"', 'fill="url(https://evil.example/x)"').encode(),
        b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + LOGO.encode(),
        LOGO.replace("<rect", "<foreignObject/><rect").encode(),
        b"<html></html>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0 a photograph",
        b"<svg",
    ],
)
def test_a_logo_that_runs_or_fetches_something_is_refused(tmp_path: object, data: bytes) -> None:
    path = tmp_path / "logo"  # type: ignore[operator]
    path.write_bytes(data)
    with pytest.raises(BadLogo):
        chain_logo(str(path))


def test_no_logo_file_is_an_error_and_none_named_is_not(tmp_path: object) -> None:
    assert chain_logo("") == ""
    with pytest.raises(BadLogo):
        chain_logo(str(tmp_path / "nothing.svg"))  # type: ignore[operator]
