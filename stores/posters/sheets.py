"""Posters as PDF and as pictures: what is on them. It reaches the typesetter as JSON data only, never as markup."""

import re
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext

from core.look import look
from core.theme import WHITE, readable_ink, readable_on
from core.writing import direction_of, printable
from stores import qr
from stores.models import Touchpoint
from stores.posters.formats import Format
from stores.posters.press import set_sheets
from stores.posters.wording import WORDINGS, languages_of

# A row without a space for longer than this may be broken anywhere.
_LONGEST_WORD = 24
# A name of so many letters fits on one line of the narrowest column, whichever they are.
_SHORT = 14
# Where the code of a sheet that is wider than tall begins, in millimetres from above.
_TOP = {"tent": 15, "sticker": 7}


def poster_pdf(format: Format, touchpoints: Iterable[Touchpoint], *, marks: bool = False) -> bytes:
    """One sheet for each touchpoint (with its store), in one PDF; `marks` adds bleed and crop marks for a printer."""
    return set_sheets([common_data(format, marks=marks) | {"rows": [row_data(one) for one in touchpoints]}])


def poster_png(format: Format, touchpoint: Touchpoint, *, dpi: float) -> bytes:
    """The sheet of a touchpoint as a picture to look at."""
    return set_sheets([common_data(format, marks=False) | {"rows": [row_data(touchpoint)]}], format="png", ppi=dpi)


def common_data(format: Format, *, marks: bool) -> dict[str, Any]:
    """What all sheets of a print have in common."""
    worn = look()
    colour, second = worn.accent, worn.second
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
        "logo": "" if format.mono else worn.logo,
        "accent": readable_on(WHITE, colour),
        "fill": second,
        "on_fill": readable_ink(second),
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


def row_data(touchpoint: Touchpoint) -> dict[str, Any]:
    """What is on the sheet of one touchpoint."""
    languages = languages_of(touchpoint.store.languages)
    store, spot = breakable(printable(touchpoint.store.name)), breakable(printable(touchpoint.name))
    return {
        "look": _look(tuple(languages)),
        "store": store,
        "store_rtl": direction_of(store) == "rtl",
        "store_short": len(store) <= _SHORT,
        "spot": spot,
        "spot_rtl": direction_of(spot) == "rtl",
        "spot_short": len(spot) <= _SHORT,
        "host": f"{urlsplit(settings.PUBLIC_URL).netloc}/q/",
        "typed": touchpoint.typed,
        "url": qr.touchpoint_url(touchpoint.code),
    }


@cache
def _look(languages: tuple[str, ...]) -> dict[str, Any]:
    """What all sheets in these languages have in common."""
    lines = [{"lang": language} | asdict(WORDINGS[language]) for language in languages]
    return {"rtl": WORDINGS[languages[0]].rtl, "lines": lines}


def breakable(text: str) -> str:
    """The text, with places to break in words that are too long for any line."""
    return re.sub(rf"(\S{{{_LONGEST_WORD}}})(?=\S)", "\\1\u200b", text)
