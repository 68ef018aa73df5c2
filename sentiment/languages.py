"""Which language a comment is written in, among those the chain speaks."""

import re
from collections.abc import Sequence
from copy import copy
from functools import cache
from threading import Lock

from py3langid.langid import MODEL_FILE, LanguageIdentifier

# Below this many letters the words say less than the page they were typed on.
_FEW_LETTERS = 12
# "ok" and "wow" are written on pages of any script.
_FEWEST_LETTERS = 4
# How much likelier the page's own language is than any other, before a word is read.
_PAGE_ODDS = 5.0
_LETTER = re.compile(r"[^\W\d_]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
# Letters that only one of two near languages has.
_ONLY = {"uk": re.compile("[іїєґ]", re.I), "ru": re.compile("[ыэъё]", re.I)}
_CYRILLIC_LANGUAGES = frozenset({"be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "uk"})
_lock = Lock()


@cache
def _all() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@cache
def _identifier(languages: tuple[str, ...]) -> LanguageIdentifier:
    identifier = copy(_all())
    identifier.set_languages([code for code in languages if code in identifier.labels])
    return identifier


def find_language(text: str, page: str | None, chain: Sequence[str]) -> tuple[str, float]:
    """The language's code and how sure that is (0 to 1).

    `page` is the language of the page the text was typed on; None when there was none. A chain of one language, or
    of none that the detector knows, has no choice to make.
    """
    choice = tuple(dict.fromkeys(_base(code) for code in chain)) or (_base(page or "en"),)
    page = _base(page) if page else None
    letters = len(_LETTER.findall(text))
    if not letters or (page in choice and letters < _FEWEST_LETTERS):
        return page or choice[0], 0.0
    cyrillic = len(_CYRILLIC.findall(text)) * 2 > letters
    fitting = tuple(code for code in choice if (code in _CYRILLIC_LANGUAGES) == cyrillic) or choice
    marked = [code for code in fitting if code in _ONLY and _ONLY[code].search(text)]
    if cyrillic and len(marked) == 1:
        fitting = tuple(code for code in fitting if code not in _ONLY or code == marked[0])
    if len(fitting) == 1:
        return fitting[0], 0.95 if fitting != choice or len(choice) == 1 else 0.5
    with _lock:
        identifier = _identifier(tuple(sorted(fitting)))
    odds: dict[str, float] = dict(identifier.rank(text))
    if not odds:
        return page or fitting[0], 0.0
    best = max(odds, key=odds.__getitem__)
    if page is not None and page in odds:
        odds[page] *= _PAGE_ODDS
        best = page if letters < _FEW_LETTERS else max(odds, key=odds.__getitem__)
    return best, odds[best] / sum(odds.values())


def _base(code: str) -> str:
    return code.replace("_", "-").split("-")[0].lower()
