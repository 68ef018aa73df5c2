"""The wall on paper. Shoppers' words reach the typesetter as JSON data only, never as markup."""

import json
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import get_language, get_language_bidi, gettext

from core.look import look
from core.typefaces import typefaces
from reports.wall import Done, Voice, Wall
from reports.wall_figures import WallFigure
from reports.writing import direction_of, percent, points, printable

# The names of the paper sizes and how much larger than on A4 everything is.
PAPERS = {"a4": 1.0, "a3": 1.38}
_FOLDER = Path(__file__).parent / "typst"


def typeset(form: str, data: dict[str, Any]) -> bytes:
    """A form of our folder as a PDF with the chain's look, in the language that is active.

    Names, words and figures reach the typesetter as JSON data only.
    """
    about = {
        "accent": look().accent,
        "chain": settings.CHAIN_NAME,
        "language": (get_language() or "en").split("-")[0],
        "rtl": get_language_bidi(),
    }
    found = typst.compile(
        _FOLDER / form,
        root=_FOLDER,
        font_paths=typefaces(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": json.dumps(about | data)},
    )
    assert isinstance(found, bytes)
    return found


def wall_pdf(wall: Wall, *, paper: str = "a4") -> bytes:
    """One or more pages of a paper of PAPERS, in the language that is active. Raises KeyError for another paper."""
    return typeset("wall.typ", _data(wall) | {"paper": paper, "scale": PAPERS[paper]})


def _data(wall: Wall) -> dict[str, Any]:
    return {
        "title": gettext("What our shoppers said"),
        "store": wall.store.name,
        "week": gettext("Week %(number)s") % {"number": wall.week.number},
        "dates": wall.week.dates,
        "figures": _figures(wall),
        "praise_title": gettext("Praise"),
        "praises": [_voice(one) for one in wall.praises],
        "lesson_title": gettext("To learn from"),
        "lessons": [_voice(one) for one in wall.lessons],
        "done_title": gettext("You said, we did"),
        "said": gettext("You said"),
        "done": [_done(one) for one in wall.done],
        "empty": gettext("Nobody left words in this week.") if wall.empty else "",
        "footer": gettext("Names, numbers and addresses are removed. In the shoppers' own language."),
    }


def _figures(wall: Wall) -> list[dict[str, str]]:
    rows = [{"value": str(wall.responses), "label": gettext("answers in all"), "note": ""}]
    if wall.kudos.n:
        note = gettext("thanked for %(n)s") % {"n": wall.kudos.thanked}
        rows.append({"value": str(wall.kudos.n), "label": gettext("very happy"), "note": note})
    for one in wall.figures:
        label = gettext("NPS · %(source)s") if one.nps else gettext("happy or very happy · %(source)s")
        rows.append({"value": _value(one), "label": label % {"source": one.source.name}, "note": _note(one)})
    return rows


def _value(one: WallFigure) -> str:
    if one.hidden:
        return gettext("hidden")
    if one.nps:
        return f"{points(one.nps.nps.score)} ± {points(one.nps.nps.margin)}"
    return f"{percent(one.happy.value)} ± {percent(one.happy.margin)}" if one.happy else ""


def _note(one: WallFigure) -> str:
    parts = [gettext("n = %(n)s") % {"n": one.n}, one.when, one.why_hidden if one.hidden else ""]
    return " · ".join(part for part in parts if part)


def _voice(one: Voice) -> dict[str, str]:
    return _words(one.text, one.direction, one.language) | {"note": f"{date_format(one.day, 'l')} · {one.source}"}


def _done(one: Done) -> dict[str, Any]:
    said = _words(one.said.text, one.said.direction, one.said.language) if one.said else None
    if said is None and one.about:
        said = _words(one.about, direction_of(one.about), "")
    did = gettext("We did · %(whose)s") % {"whose": one.whose} if one.whose else gettext("We did")
    return {"said": said, "did": _words(one.did, one.direction, ""), "who": printable(did)}


def _words(text: str, direction: str, language: str) -> dict[str, str]:
    return {"text": printable(text), "direction": direction, "language": language}
