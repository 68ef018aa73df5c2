"""Posters as PDF and as pictures, set by typst. What is printed reaches it as JSON data only, never as markup."""

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fontpkg_noto_sans
import fontpkg_noto_sans_arabic
import numpy
import typst
import zxingcpp
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext

from core.logo import chain_logo
from core.theme import INK, READABLE, WHITE, contrast, readable_on
from core.writing import direction_of, printable
from stores import qr
from stores.models import Touchpoint
from stores.posters.formats import Format
from stores.posters.wording import WORDINGS, languages_of

_FOLDER = Path(__file__).parent
# A row without a space for longer than this may be broken anywhere.
_LONGEST_WORD = 24
# Where the code of a sheet that is wider than tall begins, in millimetres from above.
_TOP = {"tent": 15, "sticker": 7}


@cache
def _fonts() -> typst.Fonts:
    """The typefaces, read once per process: the machine's own ones would make every printer's poster another."""
    folders = [Path(package.__file__).parent / "files" for package in (fontpkg_noto_sans, fontpkg_noto_sans_arabic)]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def poster_pdf(format: Format, touchpoints: Iterable[Touchpoint], *, marks: bool = False) -> bytes:
    """One sheet for each touchpoint (with its store), in one PDF; `marks` adds bleed and crop marks for a printer."""
    found = _compile(format, [_row(one) for one in touchpoints], marks=marks, format_out="pdf", pdf_tags=False)
    assert isinstance(found, bytes)
    return found


def poster_png(format: Format, touchpoint: Touchpoint, *, dpi: float) -> bytes:
    """The sheet of a touchpoint as a picture to look at."""
    found = _compile(format, [_row(touchpoint)], marks=False, format_out="png", ppi=dpi)
    assert isinstance(found, bytes)
    return found


def _compile(
    format: Format, rows: Sequence[dict[str, Any]], *, marks: bool, format_out: str, **options: Any
) -> bytes | list[bytes] | None:
    return typst.compile(  # type: ignore[no-any-return]
        _FOLDER / "poster.typ",
        root=_FOLDER,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format=format_out,
        sys_inputs={"data": json.dumps(_data(format, marks=marks) | {"rows": rows})},
        **options,
    )


def _data(format: Format, *, marks: bool) -> dict[str, Any]:
    """What all sheets of a print have in common."""
    colour = settings.CHAIN_ACCENT.lower()
    return {
        "form": {
            "key": format.key,
            "width": format.width,
            "height": format.height,
            "code": format.code,
            "mono": format.mono,
            "top": _TOP.get(format.key, 0),
        },
        "marks": marks and format.height is not None,
        "title": gettext("Posters"),
        "chain": printable(settings.CHAIN_NAME),
        "logo": "" if format.mono else chain_logo(settings.CHAIN_LOGO),
        "accent": readable_on(WHITE, colour),
        "fill": colour,
        # Where white fails, black does not: no colour is too far from both.
        "on_fill": next((ink for ink in (WHITE, INK) if contrast(ink, colour) >= READABLE), "#000000"),
        "faces": _faces("#000000" if format.mono else readable_on(WHITE, colour)),
        "folding": gettext("Base: fold along the dashed lines."),
        "glue": gettext("Glue this flap behind the upper edge."),
    }


def _faces(colour: str) -> list[str]:
    """Our smileys, unhappy first, as pages draw them."""
    drawn = (render_to_string("components/_smiley.html", {"face": face}) for face in range(1, 6))
    return [
        one.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace("currentColor", colour).strip()
        for one in drawn
    ]


def _row(touchpoint: Touchpoint) -> dict[str, Any]:
    """What is on the sheet of one touchpoint."""
    languages = languages_of(touchpoint.store.languages)
    rtl = WORDINGS[languages[0]].rtl
    drawing, modules = _code(qr.touchpoint_url(touchpoint.code))
    store, spot = breakable(printable(touchpoint.store.name)), breakable(printable(touchpoint.name))
    return {
        "rtl": rtl,
        "lines": [
            {
                "lang": language,
                "rtl": words.rtl,
                "headline": words.headline,
                "promise": words.promise,
                "scan": words.scan,
                "typed": words.typed,
            }
            for language in languages
            for words in (WORDINGS[language],)
        ],
        "store": store,
        "store_rtl": direction_of(store) == "rtl",
        "spot": spot,
        "spot_rtl": direction_of(spot) == "rtl",
        "host": f"{urlsplit(settings.PUBLIC_URL).netloc}/q/",
        "typed": touchpoint.typed,
        "qr": drawing,
        "modules": modules,
    }


def breakable(text: str) -> str:
    """The text, with places to break in words that are too long for any line."""
    return re.sub(rf"(\S{{{_LONGEST_WORD}}})(?=\S)", "\\1\u200b", text)


def _code(text: str) -> tuple[str, int]:
    """The QR code without its quiet zone, as an SVG of horizontal runs, and its width in modules.

    Error correction M, as on the pages (`stores.qr`): indoors a code is rather read from too far away than scratched,
    and each step up makes the modules a tenth smaller. Nothing is laid over it that would use the correction up.
    """
    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(
        scale=1, add_quiet_zones=False
    )
    rows = [bytes(row) for row in numpy.asarray(symbol)]
    runs = [
        f"M{found.start()} {y}h{len(found[0])}v1h-{len(found[0])}z"
        for y, row in enumerate(rows)
        for found in _DARK.finditer(row)
    ]
    side = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path d="{"".join(runs)}"/></svg>',
        side,
    )


_DARK = re.compile(rb"\x00+")
