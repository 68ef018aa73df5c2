"""Words in which people write opening hours, turned into the signs that `stores.stretches` reads.

All languages of the staff pages at once: hours are copied from mails and signs, whoever reads the page.
"""

import re

from django.utils.translation import gettext

CLOSED, ALWAYS = "-", "24h"
_CLOSED = {
    *("", "-", "closed", "shut", "geschlossen", "zu", "ruhetag"),
    *("зачинено", "закрито", "вихідний", "не працює", "не працюємо"),
}
_ALWAYS = {
    *("24h", "24 h", "24/7", "24 hours", "24 hours a day", "all day", "round the clock", "around the clock", "always"),
    *("24 stunden", "rund um die uhr", "durchgehend", "ganztägig", "immer"),
    *("цілодобово", "24 год", "24 години", "24 години на добу", "завжди"),
}
_WORDS = {
    **dict.fromkeys(("to", "till", "until", "bis", "до", "по"), "-"),
    **dict.fromkeys(("and", "und", "та", "і", "й"), ","),
    **dict.fromkeys(("from", "von", "uhr", "o'clock", "з", "із", "від", "год", "година", "години", "годин"), ""),
    **dict.fromkeys(("morgens", "vormittags", "ранку", "ночі"), "am"),
    **dict.fromkeys(("nachmittags", "abends", "дня", "вечора"), "pm"),
    **dict.fromkeys(("noon", "midday", "mittag", "mittags", "полудень", "полудня", "опівдні"), "12pm"),
    **dict.fromkeys(("midnight", "mitternacht", "північ", "півночі", "опівночі"), "24:00"),
}
_HALF = re.compile(r"\b([ap])\.?\s?m\b\.?")
_DASH = re.compile("[‐‑‒–—−]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?\.?")


def in_signs(text: str) -> str:
    """ "9 a.m. to 5 p.m." as "9am-5pm", "9 bis 17 Uhr" as "9-17"; CLOSED, ALWAYS; unknown words stay as they are."""
    plain = " ".join(_DASH.sub("-", text.casefold()).split())
    if plain in _CLOSED | {gettext("closed").casefold()}:
        return CLOSED
    if plain in _ALWAYS | {gettext("round the clock").casefold()}:
        return ALWAYS
    signs = _WORD.sub(_sign, _HALF.sub(r"\1m", plain))
    return "".join(signs.split())


def _sign(word: re.Match[str]) -> str:
    return _WORDS.get(word[0].rstrip(".").replace("’", "'"), word[0])
