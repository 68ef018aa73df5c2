"""Ukrainian and Russian in Latin letters, as people type them who have no others at hand: told and written anew.

Everybody has their own way to spell ("khoroshyi", "horoshij", "xoroshiy"), so words are compared by a skeleton in which
the ways are alike. The lists `typed` of words/uk.toml and words/ru.toml have what no language in Latin letters begins a
word with: chosen so from the comments that are learnt from and from the commonest words of 22 such languages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from .lexicon import load

LANGUAGES = ("uk", "ru")
# Two listed words, one in ten at least, and nobody's diacritics: so it is in none of 4,895 real comments in ten
# languages, and in 56 of 100 that were typed so; in 80, where the page's language lets one of six words suffice.
_SHARE = 0.1
_FEW_WORDS = 6
_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ`][^\W\d_]+)*")
_SIGN = "['’ʼ`]"
_ALIKE = [
    (re.compile(pattern), instead)
    for pattern, instead in [
        (_SIGN, ""),
        (r"s(?:h?ch|hh)|sh", "S"),
        (r"[zj]h", "Z"),
        (r"ch", "C"),
        (r"[kg]h|x|g", "h"),
        (r"ts|tz|c", "T"),
        (r"w", "v"),
        (r"[yji]+", "i"),
        (r"i([aeou])", r"\1"),
        (r"(.)\1+", r"\1"),
    ]
]
_LATIN = {
    "uk": "а a б b в v г h ґ g д d е e є ye ж zh з z и y і i ї yi й y к k л l м m н n о o п p р r с s т t у u ф f х kh "
    "ц ts ч ch ш sh щ shch ь ' ю yu я ya",
    "ru": "а a б b в v г g д d е e ё yo ж zh з z и i й y к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch "
    "ш sh щ shch ъ ' ы y ь ' э e ю yu я ya",
}
# Before я the sign stays where Ukrainian writes it so.
_SOFT = {
    language: re.compile(f"(?<=[бвгґдзклмнпрстфхцчшщ]){_SIGN}{but}", re.I)
    for language, but in (("uk", "(?![яюєї])"), ("ru", ""))
}
# What redaction has put there is nobody's word.
_MARK = r"\[[a-z-]+\]"
_SHORT_I = re.compile("(?<=[aeou])[yj](?![aeiouyj])", re.I)
_BOTH = (
    "shch щ shh щ sch щ zh ж kh х ch ч sh ш ts ц tz ц yu ю ju ю iu ю ya я ja я ia я a а b б v в w в d д z з "
    "k к l л m м n н o о p п r р s с t т u у f ф x х c ц q к j й"
)
_CYRILLIC = {
    "uk": f"{_BOTH} tsya ться tsja ться tsia ться ye є je є ie є yi ї ji ї jo йо yo йо h г g г e е y и i і",
    "ru": f"{_BOTH} tsya тся tsja тся tsia тся ye е je е ie ие yi ый ji и jo ё yo ё h х g г e е y ы i и",
}
# Endings; what follows begins no other letter.
_ENDINGS = {
    "uk": {"yy": "ий", "yj": "ий", "iy": "ій", "ij": "ій", "ets": "ець", "ec": "ець"},
    "ru": {"yy": "ый", "yj": "ый", "iy": "ий", "ij": "ий", "ii": "ий", "ye": "ые"},
}


@dataclass(frozen=True)
class _List:
    whole: frozenset[str]
    starts: frozenset[str]
    longest: int

    def has(self, skeleton: str) -> bool:
        lengths = range(2, min(len(skeleton), self.longest) + 1)
        return skeleton in self.whole or any(skeleton[:n] in self.starts for n in lengths)


def tell_typed(text: str, page: str | None, among: Sequence[str] = LANGUAGES) -> str | None:
    """Whether a text in Latin letters is in Ukrainian or Russian, of those `among` which it may be; of equally likely
    ones the page's."""
    among = [code for code in LANGUAGES if code in among]
    words = _WORD.findall(text.lower()) if among else []
    if not words or not re.sub(_SIGN, "", "".join(words)).isascii():
        return None
    skeletons = _skeleton(" ".join(words)).split()
    hits = {code: sum(_list_of(code).has(word) for word in skeletons) for code in among}
    best = max(among, key=lambda code: (hits[code], code == page))
    if hits[best] < _SHARE * len(words):
        return None
    # One alone may be a name or a dish, but in few words on a page of such a language.
    return best if hits[best] > 1 or (page in LANGUAGES and hits[best] * _FEW_WORDS >= len(words)) else None


def to_cyrillic(text: str, language: str) -> str:
    """The text in the language's own letters, as far as anybody can guess."""
    letters, pattern = _letters_of(language)

    def own(match: re.Match[str]) -> str:
        # Not "İ", which only a pattern takes for an i.
        found = letters.get(match[0].lower(), match[0])
        return found.capitalize() if match[0][0].isupper() else found

    return _SOFT[language].sub("ь", pattern.sub(own, _SHORT_I.sub("й", text)))


def in_own_letters(text: str, language: str, page: str | None) -> str:
    """A text of that language, written anew where it is Ukrainian or Russian in Latin letters, any other as it stands.

    `page`: that of the page it was typed on, or the language again where this is all that is known.
    """
    return to_cyrillic(text, language) if tell_typed(text, page, (language,)) else text


def in_all_letters(text: str, language: str) -> str:
    """What words are searched in: a text in its own letters below itself as typed, for a brand's name stays Latin."""
    own = in_own_letters(text, language, language)
    return text if own == text else f"{text}\n{own}"


def _skeleton(words: str) -> str:
    for pattern, instead in _ALIKE:
        words = pattern.sub(instead, words)
    return words


@cache
def _list_of(language: str) -> _List:
    pairs = _LATIN[language].split()
    table = str.maketrans(dict(zip(pairs[::2], pairs[1::2], strict=True)))
    listed = [entry.translate(table) for entry in load(language)["typed"]]
    whole = frozenset(_skeleton(entry[:-1]) for entry in listed if entry.endswith("!"))
    starts = frozenset(_skeleton(entry) for entry in listed if not entry.endswith("!"))
    return _List(whole, starts, max(map(len, starts)))


@cache
def _letters_of(language: str) -> tuple[dict[str, str], re.Pattern[str]]:
    pairs, endings = _CYRILLIC[language].split(), _ENDINGS[language]
    letters = dict(zip(pairs[::2], pairs[1::2], strict=True))
    known = "|".join(sorted(letters, key=len, reverse=True))
    return letters | endings, re.compile(rf"(?:{'|'.join(endings)})(?![a-z'])|{_MARK}|{known}", re.I)
