"""Which language a comment is written in, among those the chain speaks."""

import re
from collections.abc import Sequence
from copy import copy
from functools import cache, lru_cache
from threading import Lock

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from .lexicon import base_of
from .typed_latin import tell_typed

# Below this many letters the words say less than the page they were typed on.
_FEW_LETTERS = 12
# "ok" and "wow" are written on pages of any script.
_FEWEST_LETTERS = 4
# How much likelier the page's own language is than any other, before a word is read.
_PAGE_ODDS = 5.0
_LETTER, _WORD = re.compile(r"[^\W\d_]"), re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
# Letters that only one of two near languages has.
_ONLY = {"uk": re.compile("[іїєґ]", re.I), "ru": re.compile("[ыэъё]", re.I)}
# Words that the other has not, nor takes where people mix the two: for comments too short to hold such a letter.
_UKRAINIAN = (
    "дуже що але дякую добре нема ще щось був була було були бути буде будуть цей це ця мене вже знов знову якщо "
    "чому хоч зате гарний гарна гарне поганий погане жахливо жахливий сподобалось сподобалося "
    "подобається файно файний файна чемно чемний чемна смачний смачне черга черги чергу черг кошик "
    "годинник тиждень хвилин хвилини одразу здав здала швидко одягу взуття знижка знижки знижку вибачте помилка "
    "ввечері зламалась зламався"
)
_RUSSIAN = (
    "очень что как нет хорошо плохо когда если только ничего меня себя сейчас отлично нельзя нужно или кто почему "
    "где здесь меньше помощь вежливо вежливый вежливая девушка обслуживание подарок часов никого человек товара денег"
)
_WORDS_ONLY = {"uk": frozenset(_UKRAINIAN.split()), "ru": frozenset(_RUSSIAN.split())}
_CYRILLIC_LANGUAGES = frozenset({"be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "uk"})
# Words of Arabic typed in Latin letters; those of another language of Latin script are left out.
_TYPED_ARABIC = (
    "shukran shokran momtaz momtaza el3amal mo7tram el-mahal mahal helw helwa awy awi bas mesh mish msh kteer ketir "
    "ghali ghalya el5edma khidma 3ala 3ashan inshallah mashallah wallah walla habibi ana enta ya3ni yalla shway zay "
    "keda kida fein leh mafish"
)
_ARABIC = frozenset(_TYPED_ARABIC.split())
# A run of hyphens is no word, but a pattern that said so would look at a long one from each of its signs anew.
_LATIN_WORD = re.compile(r"[a-z0-9'-]+")
_LATIN_LETTER = re.compile("[a-z]")
# Arabic typed in Latin letters writes some of its sounds as digits: "el 5edma 3ala"; "2sht po 5kg" has measures.
_DIGIT_SOUND = re.compile(r"[a-z][23578][a-z]|^[23578](?!kg|gr|ml|cm|mm|km|gb|sht|st)[a-z]{2}|[a-z]{2}[37]$", re.I)
_TYPED_SURE = 0.5
_lock = Lock()


@lru_cache(maxsize=4)  # a process has one chain
def _of_chain(languages: frozenset[str]) -> LanguageIdentifier | None:
    """Knows the chain's languages and no other: a third of the memory. None when it knows none of them."""
    every = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = languages & set(every.labels)
    if not known:
        return None
    every.set_languages(known)
    tables = every.nb_ptc, every.nb_pc, every.nb_classes, every.tk_nextmove, every.tk_output
    return LanguageIdentifier(*tables, norm_probs=True, tk_row=every.tk_row)


@cache
def known_languages() -> frozenset[str]:
    """The codes of all languages that can be told apart."""
    return frozenset(LanguageIdentifier.from_model_file(MODEL_FILE).labels)


@lru_cache(maxsize=64)
def _identifier(chain: frozenset[str], languages: frozenset[str]) -> LanguageIdentifier | None:
    identifier = copy(_of_chain(chain))
    known = languages & set(identifier.labels) if identifier else frozenset()
    if identifier is None or not known:
        return None
    identifier.set_languages(known)
    return identifier


def find_language(text: str, page: str | None, chain: Sequence[str]) -> tuple[str, float]:
    """The language's code and how sure that is (0 to 1).

    `page` is the language of the page the text was typed on; None when there was none. A chain of one language has no
    choice to make; where the detector knows none of them, it is the page's language or the first.
    """
    choice = tuple(dict.fromkeys(base_of(code) for code in chain)) or (base_of(page or "en"),)
    page = base_of(page) if page else None
    letters = len(_LETTER.findall(text))
    if not letters or (page in choice and letters < _FEWEST_LETTERS):
        return page or choice[0], 0.0
    if (typed := _typed_latin(text, choice, page)) is not None:
        return typed, _TYPED_SURE
    cyrillic = len(_CYRILLIC.findall(text)) * 2 > letters
    fitting = tuple(code for code in choice if (code in _CYRILLIC_LANGUAGES) == cyrillic) or choice
    marked = _marked(text, fitting) if cyrillic else []
    if len(marked) == 1:
        fitting = tuple(code for code in fitting if code not in _ONLY or code == marked[0])
    if len(fitting) == 1:
        return fitting[0], 0.95 if fitting != choice or len(choice) == 1 else 0.5
    with _lock:
        identifier = _identifier(frozenset(choice), frozenset(fitting))
    odds: dict[str, float] = dict(identifier.rank(text)) if identifier else {}
    if not odds:
        return page if page in choice else fitting[0], 0.0
    best = max(odds, key=odds.__getitem__)
    if page is not None and page in odds:
        odds[page] *= _PAGE_ODDS
        best = page if letters < _FEW_LETTERS else max(odds, key=odds.__getitem__)
    return best, odds[best] / sum(odds.values())


def _marked(text: str, languages: Sequence[str]) -> list[str]:
    """Of two near languages those of which a text has a letter; where it has of neither, a word."""
    near = [code for code in languages if code in _ONLY]
    words = set(_WORD.findall(text.lower()))
    return [code for code in near if _ONLY[code].search(text)] or [code for code in near if words & _WORDS_ONLY[code]]


def _typed_latin(text: str, choice: Sequence[str], page: str | None) -> str | None:
    """Ukrainian, Russian or Arabic in Latin letters; None when the text is not, or the chain does not speak it."""
    if typed := tell_typed(text, page, choice):
        return typed
    return "ar" if "ar" in choice and _is_typed_arabic(text) else None


def _is_typed_arabic(text: str) -> bool:
    words = [run for run in _LATIN_WORD.findall(text.lower()) if _LATIN_LETTER.search(run)]
    hits = sum(word in _ARABIC or bool(_DIGIT_SOUND.search(word)) for word in words)
    # One such word may be a name or a greeting among others; a quarter of the words is none.
    return hits >= 2 and hits * 4 >= len(words)
