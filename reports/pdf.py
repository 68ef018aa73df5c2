"""The wall on paper. Shoppers' words reach the typesetter as JSON data only, never as markup."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import get_language, get_language_bidi, gettext, ngettext

from core.look import look
from core.typefaces import printed_characters, typefaces
from reports.wall import Done, Voice, Wall
from reports.wall_figures import WallFigure
from reports.writing import direction_of, percent, points, printable

# The names of the paper sizes and how much larger than on A4 everything is.
PAPERS = {"a4": 1.0, "a3": 1.38}
_FOLDER = Path(__file__).parent / "typst"
_KANA = re.compile("[\u3040-\u30ff]")


def typeset(form: str, data: dict[str, Any]) -> bytes:
    """A form of our folder as a PDF with the chain's look, in the language that is active.

    Names, words and figures reach the typesetter as JSON data only.
    """
    worn = look()
    about = {
        "accent": worn.accent,
        "second": worn.second,
        "logo": worn.logo,
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
    praises, lessons = [_voice(one) for one in wall.praises], [_voice(one) for one in wall.lessons]
    done = [_done(one) for one in wall.done]
    elsewhere = sum(one is None for one in [*praises, *lessons, *done])
    return {
        "title": gettext("What our shoppers said"),
        "store": on_paper(wall.store.name) or wall.store.code,
        "week": gettext("Week %(number)s") % {"number": wall.week.number},
        "dates": wall.week.dates,
        "figures": _figures(wall),
        "praise_title": gettext("Praise"),
        "praises": [one for one in praises if one],
        "lesson_title": gettext("To learn from"),
        "lessons": [one for one in lessons if one],
        "done_title": gettext("You said, we did"),
        "said": gettext("You said"),
        "done": [one for one in done if one],
        "elsewhere": ngettext(
            "%(n)s more is in letters that cannot be printed here; it hangs on the screen and on the wall's page.",
            "%(n)s more are in letters that cannot be printed here; they hang on the screen and on the wall's page.",
            elsewhere,
        )
        % {"n": elsewhere}
        if elsewhere
        else "",
        "empty": _why_empty(wall),
        "footer": " ".join(
            [
                gettext("Contacts, numbers and known names of staff are removed. In the shoppers' own language."),
                *([] if wall.empty else [_how_seen(wall)]),
            ]
        ),
    }


def _why_empty(wall: Wall) -> str:
    if not wall.empty:
        return ""
    if wall.waiting:
        return gettext("What was written and done in that week waits until somebody has looked through it.")
    return gettext("Nobody left words in this week.")


def _how_seen(wall: Wall) -> str:
    if wall.waiting:
        return ngettext(
            "%(n)s more waits until somebody has looked through it.",
            "%(n)s more wait until somebody has looked through them.",
            wall.waiting,
        ) % {"n": wall.waiting}
    if wall.looked_through:
        return ""
    if wall.approval:
        return gettext("It has changed since somebody looked through it.")
    return gettext("Nobody has looked through it yet.")


def _figures(wall: Wall) -> list[dict[str, str]]:
    rows = [{"value": str(wall.responses), "label": gettext("answers in all"), "note": ""}]
    if wall.kudos and wall.kudos.n:
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


def on_paper(text: str, *, emoji: bool = False) -> str | None:
    """The words as they are printed, without signs that no typeface has; None where letters would be missing, for what
    was printed then is boxes."""
    plain = printable(text, emoji=emoji)
    missing = {sign for sign in plain if ord(sign) not in printed_characters() and not sign.isspace()}
    if any(unicodedata.category(sign)[0] in "LMN" for sign in missing):
        return None
    return "".join(sign for sign in plain if sign not in missing)


def _voice(one: Voice) -> dict[str, str] | None:
    words = _words(one.text, one.direction, one.language)
    return words and words | {"note": f"{date_format(one.day, 'l')} · {one.source}"}


def _done(one: Done) -> dict[str, Any] | None:
    said = _words(one.said.text, one.said.direction, one.said.language) if one.said else None
    if said is None and one.about:
        said = _words(one.about, direction_of(one.about), "")
    whose = on_paper(one.whose)
    who = gettext("We did · %(whose)s") % {"whose": whose} if whose else gettext("We did")
    did = _words(one.did, one.direction, "")
    return did and {"said": said, "did": did, "who": who}


def _words(text: str, direction: str, language: str) -> dict[str, str] | None:
    """None of what cannot be printed, or of newer emoji, which leave nothing but what joined them."""
    plain = on_paper(text, emoji=True)
    if not plain or not plain.strip("\u200c\u200d"):
        return None
    # Chinese and Japanese draw the same letter each in its own way.
    shapes = "JP" if _KANA.search(plain) else "SC"
    return {"text": plain, "direction": direction, "language": language, "shapes": shapes}
