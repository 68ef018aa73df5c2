"""Names of a store's staff, wherever and however a shopper writes them: inflected, without accents, in other letters.

A name that is also a word of the comment's language (Will, Rose, Klein, Віра) is one only where something says so: a
capital away from a sentence's start, another part of the name beside it, or a word such as "thanks" or "was".
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise, product

from .lexicon import available, load

NAME = "[name]"

_APOSTROPHES = "'’ʼ`´"
_WORD = re.compile(rf"[\w\u0300-\u036f\u064b-\u0652]+(?:[{_APOSTROPHES}][\w\u0300-\u036f]+)*+[{_APOSTROPHES}]?")
_PARTS_A_WORD, _PIECE = re.compile(rf"[{_APOSTROPHES}\d_]"), re.compile(rf"[^{_APOSTROPHES}\d_]+")
_ARABIC, _CYRILLIC = re.compile("[\u0600-\u06ff]"), re.compile("[\u0400-\u04ff]")
_PARTED = re.compile(r"[\s.,()\-/]+")
# Longer words are no names, and would only cost time.
_LONGEST = 40
_SHORTEST_STEM, _SHORTEST_RESPELT = 2, 3
_VOWELS = "aeiouyáéíóúýěàèìòùäöüąęô"
_CYRILLIC_VOWELS = "аеиоуяюєїійьы"
_SLAVIC_IN_LATIN = frozenset({"pl", "cs"})
_INSTEAD = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "ß": "ss"}
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"})
_UNIFIED = str.maketrans({"ё": "е", "أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", **dict.fromkeys("’ʼ`´", "'")})


def _without_marks(text: str) -> str:
    # Ukrainian й and ї are letters of their own.
    if _CYRILLIC.search(text):
        return text
    apart = unicodedata.normalize("NFD", text.translate(_PLAIN))
    return "".join(char for char in apart if not unicodedata.combining(char))


def _endings(listed: str) -> frozenset[str]:
    return frozenset({*listed.split(), *map(_without_marks, listed.split())})


_GENITIVE = frozenset({"", "s", "'s", "'", "s'"})
# What Polish and Czech hang on a name. In other languages too, where they make no word of theirs.
_LATIN = _endings(
    "a e i o u y á é í ý ą ę ě ô em om ou ie iem owi ovi ami im ím ým ym iego ego iemu emu iej ej ích ich ých ých ych"
    " ího ého ému ímu imu ová ové ovou owa owej ową ův ovo ovu ech iu io ią ię ii ům ům mi ům"
)
# Without their marks some of these would be everybody's.
_UNMISTAKABLE = frozenset(
    re.findall(r"\w+", "em ou iem owi ovi ami ím iego iemu iej ího ému ová ové ovou owej ową ą ę ě")
)
_IN_CYRILLIC = _endings(
    "а я о е є и ы і ї у ю ь й ом ем єм їм ою ею єю ой ей ові еві єві ого ому его ему ої ій ий ый ая ую ие ии ию ия ія"
    " ії ію ією ием ієм ієві иею им ым ім их ых ами ями ам ям ах ях ів їв ов ев ин ін іна ина ино іно иної ову ова"
    " ового ове овим овым ової овой ка ки ку ко кою кой ке ці очка очки очку очкою очці ечка ечки ечку енька еньки"
    " еньку енькою енько 'ю 'я 'ї"
)
# A short stem with a syllable more is another word: "така" is no form of Тая.
_IN_SHORT_CYRILLIC = frozenset(ending for ending in _IN_CYRILLIC if ending[0] not in "кц")
_LATIN_OR_NONE = _LATIN | {""}
# Росія is no form of Rose: only Maria and the like have an і, and keep it.
_RESPELT_IN_CYRILLIC = frozenset(end for end in _IN_CYRILLIC if not re.match("[иі][яюїєие]", end)) | {""}
_SOFT = frozenset({"е", "ин", "ине", "ина"})
_OF_LOVED = frozenset({"я", "і", "ю", "ею", "ей", "є", "и", "е"})


@dataclass(frozen=True, slots=True)
class _Stem:
    """What a name may begin with, and what must follow; `part` is the name itself."""

    text: str
    endings: frozenset[str]
    part: str
    respelt: bool = False


@dataclass(frozen=True, slots=True)
class _Hit:
    """A place in the text that may name somebody, within the word `at`."""

    at: int
    start: int
    end: int
    part: str
    sure: bool
    is_as_given: bool


def hide_names(text: str, languages: Sequence[str], names: Sequence[str]) -> str:
    """The text with a mark instead of the names, whole or in part. `languages`: codes, likeliest first; any if none."""
    if not names:
        return text
    stems, initials = _stems_of(tuple(names))
    words = list(_WORD.finditer(text))
    lists = _Words.of(tuple(languages))
    hits = list(_hits(words, stems, initials, lists))
    told = [hit for i, hit in enumerate(hits) if hit.sure or _is_told(text, words, hits, i, lists)]
    out: list[str] = []
    end = 0
    for hit in told:
        # Parts side by side are one name.
        if out and out[-1] == NAME and _BESIDE.fullmatch(text, end, hit.start):
            end = hit.end
            continue
        out += [text[end : hit.start], NAME]
        end = hit.end
    return "".join([*out, text[end:]])


@dataclass(frozen=True, slots=True)
class _Words:
    """What the lists of some languages say about names that are words."""

    everyday: frozenset[str]
    thanks: frozenset[str]
    articles: frozenset[str]
    name_articles: frozenset[str]
    verbs: frozenset[str]
    verb_endings: tuple[str, ...]
    slavic: bool

    @staticmethod
    @lru_cache(maxsize=256)
    def of(languages: tuple[str, ...]) -> "_Words":
        lists = [load(language).get("names", {}) for language in languages or available()]
        every = {
            kind: frozenset(_fold(entry) for own in lists for entry in own.get(kind, ()))
            for kind in ("everyday", "thanks", "articles", "name_articles", "verbs")
        }
        return _Words(
            everyday=every["everyday"],
            thanks=every["thanks"],
            articles=every["articles"],
            name_articles=every["name_articles"],
            verbs=every["verbs"],
            verb_endings=tuple(sorted(verb[1:] for verb in every["verbs"] if verb.startswith("*"))),
            slavic=not languages or bool(_SLAVIC_IN_LATIN.intersection(languages)),
        )


def _fold(word: str) -> str:
    return unicodedata.normalize("NFC", word).lower().translate(_UNIFIED)


# Stores whose names are at hand: more than one batch of comments comes from.
@lru_cache(maxsize=64)
def _stems_of(names: tuple[str, ...]) -> tuple[Mapping[str, Sequence[_Stem]], frozenset[str]]:
    """All that the names may begin with, and the first two letters of what is respelt."""
    found: dict[str, dict[_Stem, None]] = {}
    for part in dict.fromkeys(part for name in names for part in _parts(name)):
        if 1 < len(part) <= _LONGEST:
            for stem in _stems_of_part(part):
                found.setdefault(stem.text, {})[stem] = None
    respelt = frozenset(text[:2] for text, stems in found.items() if any(stem.respelt for stem in stems))
    return {text: tuple(stems) for text, stems in found.items()}, respelt


def _parts(name: str) -> Iterator[str]:
    """What a name is made of; Anna-Maria is written in one word, too, and В'ячеслав without its apostrophe."""
    for word in _fold(name).split():
        yield from _PARTED.split(word)
        yield word.replace("-", "")
        yield word.replace("'", "")


def _stems_of_part(part: str) -> Iterator[_Stem]:
    if _ARABIC.search(part):
        yield _Stem(part, _only(""), part)
    elif _CYRILLIC.search(part):
        yield from _in_cyrillic(part)
    else:
        for spelling in _spellings(part):
            yield from _in_latin(spelling, part)
        if len(part) > _SHORTEST_RESPELT:
            yield from _respelt(re.sub("[aeiouyj]$", "", part), _RESPELT_IN_CYRILLIC, part)
            if re.search("[iyj]a$", part):
                yield from _respelt(part[:-2], _OF_LOVED, part)


def _spellings(part: str) -> set[str]:
    """A name with its marks, without any, with the letters that stand for them, and without apostrophes."""
    spelt_out = "".join(_INSTEAD.get(char, char) for char in part)
    every = {part, _without_marks(part), _without_marks(spelt_out)}
    return every | {spelling.replace("'", "") for spelling in every}


def _in_latin(spelling: str, part: str) -> Iterator[_Stem]:
    yield _Stem(spelling, _GENITIVE, part)
    if len(spelling) < 3:
        return
    stem = spelling[:-1] if spelling[-1] in _VOWELS else spelling
    fleeting = re.fullmatch(rf"(.*[^{_VOWELS}])[eě]([kclł])", spelling)
    stems = [stem, *([f"{fleeting[1]}{fleeting[2]}"] if fleeting else [])]
    if spelling.endswith("něk"):
        stems.append(spelling[:-3] + "ňk")
    for one in stems:
        # Ani of Ania is a word too short to end in nothing.
        yield _Stem(one, _LATIN_OR_NONE if one.endswith("i") and len(one) > 2 else _LATIN, part)
        for last, instead, ending in _SOFTENED:
            if one.endswith(last):
                yield _Stem(one.removesuffix(last) + instead, _only(ending), part)


# Marta, Marcie; Olga, Oldze or Olze; Barbara, Barbarze; Petr, Petře; Lenka, Lence.
_SOFTENED = (
    ("st", "śc", "ie"), ("t", "c", "ie"), ("d", "dz", "ie"), ("ch", "sz", "e"), ("ch", "š", "e"), ("r", "rz", "e"),
    ("r", "ř", "e"), ("ł", "l", "e"), ("k", "c", "e"), ("k", "č", "e"), ("g", "dz", "e"), ("g", "z", "e"),
    ("h", "z", "e"),
)  # fmt: skip
# Ольга, Ользі, Ольжин; Дарка, Дарці; Мельник, Мельниче; Солоха, Солосі.
_SOFTENED_IN_CYRILLIC = {"г": ("з", "ж"), "к": ("ц", "ч"), "х": ("с", "ш")}


def _in_cyrillic(part: str) -> Iterator[_Stem]:
    yield _Stem(part, _only(""), part)
    stem = part[:-1] if part[-1] in _CYRILLIC_VOWELS and len(part) > 2 else part
    stems = [stem]
    if len(part) > 5 and part.endswith(("ий", "ый", "ой", "ій", "ая", "яя")):
        stems.append(part[:-2])
    if fleeting := re.fullmatch(rf"(.*[^{_CYRILLIC_VOWELS}])[еєо]([цклвн]ь?)", part):
        stems += [fleeting[1] + fleeting[2].rstrip("ь"), f"{fleeting[1]}ь{fleeting[2].rstrip('ь')}"]
    if closed := re.fullmatch(r"(.*)і([^аеиоуяюєїійьы])", part):
        stems += [f"{closed[1]}о{closed[2]}", f"{closed[1]}е{closed[2]}"]
    # Юлія is called Юля, too.
    loved = [(stem[:-1], _OF_LOVED)] if part.endswith(("ія", "ия")) and len(stem) > 2 else []
    softened = [
        (one[:-1] + instead, endings)
        for one in stems
        for instead, endings in zip(_SOFTENED_IN_CYRILLIC.get(one[-1], ()), (_only("і"), _SOFT), strict=False)
    ]
    whole = _IN_CYRILLIC if len(stem) > 3 else _IN_SHORT_CYRILLIC
    for one, endings in [*((one, whole) for one in stems), *softened, *loved]:
        yield _Stem(one, endings, part)
    if len(part) > _SHORTEST_RESPELT:
        yield from _respelt(stem, _in_latin_after(part[-1]), part)


# One object for all names: a worker keeps many.
@cache
def _only(ending: str) -> frozenset[str]:
    return frozenset({ending})


@cache
def _in_latin_after(last: str) -> frozenset[str]:
    """How a name that ends in this letter may end in Latin letters."""
    ways = {"а": ["a"], "я": ["ya", "ia", "ja", "a"], "о": ["o"], "й": ["y", "i", "j", ""], "е": ["e"], "і": ["i"]}
    return _UNMISTAKABLE | {f"{vowel}{end}" for vowel, end in product(ways.get(last, [""]), _GENITIVE)}


def _respelt(stem: str, endings: frozenset[str], part: str) -> Iterator[_Stem]:
    sound = _sound(stem)
    if len(sound) >= _SHORTEST_RESPELT:
        yield _Stem(sound, endings, part, respelt=True)
        if sound[-1] in "hk" and _CYRILLIC.search("".join(endings)):
            yield _Stem(sound[:-1] + {"h": "z", "k": "c"}[sound[-1]], _only("і"), part, respelt=True)


_SOUNDS_IN_LATIN = (
    ("shch", "Q"), ("szcz", "Q"), ("sch", "S"), ("kh", "h"), ("zh", "Z"), ("sh", "S"), ("sz", "S"), ("cz", "C"),
    ("ch", "C"), ("ts", "c"), ("tz", "c"), ("ph", "f"), ("ck", "k"), ("š", "S"), ("č", "C"), ("ž", "Z"), ("x", "ks"),
)  # fmt: skip
_LETTERS = str.maketrans({"w": "v", "q": "k", "g": "h", "j": "i", "y": "i", "'": ""})
_SOUNDS = str.maketrans(
    dict(zip("абвгґдежзиіїйклмнопрстуфхцчшщыэ", "abvhhdeZziiiiklmnoprstufhcCSQie", strict=True))
    | {"є": "ie", "ю": "iu", "я": "ia", "ь": "", "ъ": "", "'": ""}
)


def _sound(word: str) -> str:
    """What a name sounds like, the same for Олена and Olena; letters that are told apart by nobody are one."""
    if _CYRILLIC.search(word):
        sound = word.translate(_SOUNDS)
    else:
        # What is written c is ц only with its t.
        sound = re.sub("c(?![^a-z])", "k", word) if "c" in word and not re.search("c[hzk]|ts|tz", word) else word
        for written, heard in _SOUNDS_IN_LATIN:
            sound = sound.replace(written, heard)
        sound = _without_marks(sound).translate(_LETTERS)
    return re.sub("i+", "i", sound).replace("ie", "e").replace("io", "o")


# Few words begin otherwise than others.
@lru_cache(maxsize=4096)
def _opening(letters: str) -> str:
    return _sound(letters)[:2]


def _hits(
    words: Iterable[re.Match[str]], stems: Mapping[str, Sequence[_Stem]], respelt: frozenset[str], lists: _Words
) -> Iterator[_Hit]:
    for at, match in enumerate(words):
        for start, end in _places(match):
            if end - start > _LONGEST:
                continue
            written = match.string[start:end]
            if stem := _find(written, stems, respelt, lists):
                word = _fold(written)
                sure = not lists.everyday.intersection((word, word.removesuffix("'s"), stem.part))
                yield _Hit(at, start, end, stem.part, sure, is_as_given=word == stem.part)
                if (start, end) == match.span():
                    break


def _places(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """A word, and what stands between its apostrophes, digits and underscores (d'Anna, Anna2)."""
    yield match.span()
    if _PARTS_A_WORD.search(match.group()):
        for piece in _PIECE.finditer(match.group()):
            yield match.start() + piece.start(), match.start() + piece.end()


def _find(written: str, stems: Mapping[str, Sequence[_Stem]], respelt: frozenset[str], lists: _Words) -> _Stem | None:
    word, capital = _fold(written), written[0].isupper()
    if _ARABIC.match(word):
        # "And Ahmad", "to Ahmad" are one word in Arabic.
        bare = re.sub("[\u064b-\u0652]", "", word)
        rests = (bare.removeprefix(rest) for rest in ["", *_prefixes(bare)])
        return next((stems[rest][0] for rest in rests if rest in stems), None)
    by_sound = respelt and _opening(word[:4]) in respelt
    for length in range(len(word), max(1, len(word) - 8), -1):
        ending = word[length:]
        for stem in stems.get(word[:length], ()):
            if not stem.respelt and _fits(stem, ending, capital, lists):
                return stem
        for stem in stems.get(_sound(word[:length]), ()) if by_sound else ():
            is_other = bool(_CYRILLIC.search(word)) != bool(_CYRILLIC.search(stem.part))
            if stem.respelt and is_other and ending in stem.endings and (capital or len(stem.text) > _SHORTEST_RESPELT):
                return stem
    return None


def _prefixes(word: str) -> list[str]:
    found = re.match("[وف]?[بلك]?", word)
    return [found.group()[:size] for size in range(1, len(found.group()) + 1)] if found else []


def _fits(stem: _Stem, ending: str, capital: bool, lists: _Words) -> bool:
    if ending not in stem.endings or len(stem.text) < _SHORTEST_STEM or (len(stem.part) < 3 and not capital):
        return False
    if _CYRILLIC.match(stem.text) or stem.endings is _GENITIVE or lists.slavic:
        return True
    return ending in _UNMISTAKABLE and len(stem.text) > 3


_AND = {"and", "und", "et", "e", "y", "i", "a", "og", "och", "en", "та", "і", "и", "й", "&"}
_BESIDE = re.compile(r"[ \u00a0-]?")
_SENTENCE = re.compile(r"[^\s,'’&/-]|\n")
_MOSTLY_CAPITALS = 0.6


def _is_told(text: str, words: Sequence[re.Match[str]], hits: Sequence[_Hit], i: int, lists: _Words) -> bool:
    """Whether something says that a word of the language is a name here."""
    hit = hits[i]
    for one, other in pairwise(hits[max(0, i - 1) : i + 2]):
        beside = _BESIDE.fullmatch(text, one.end, other.start)
        both = all(text[each.start].isupper() for each in (one, other))
        if beside and one.part != other.part and (both or one.sure or other.sure):
            return True
    at = hit.at
    last, following = (words[at - 1] if at else None), (words[at + 1] if at + 1 < len(words) else None)
    begins = last is None or bool(_SENTENCE.search(text[last.end() : hit.start]))
    ends = following is None or bool(_SENTENCE.search(text[hit.end : following.start()]))
    before = _fold(last.group()) if last and not begins else ""
    after = _fold(following.group()) if following and not ends else ""
    asked = f"{_fold(words[at - 2].group())} {before}" if at > 1 and before else before
    if lists.thanks.intersection((before, asked)) or (
        text[hit.start].isupper() and _fold(text[hit.end - 2 : hit.end]) == "'s"
    ):
        return True
    capital = text[hit.start].isupper() and not (hit.end - hit.start > 1 and text[hit.start : hit.end].isupper())
    is_verb = after in lists.verbs or (lists.verb_endings and after.endswith(lists.verb_endings))
    if begins:
        alone = capital and (not after or (hit.is_as_given and text[hit.end : hit.end + 1] == ","))
        joined = capital and after in _AND and _has_capital(words, at + 2)
        return bool(is_verb or alone or joined or after in lists.thanks)
    if capital and is_verb and before in lists.name_articles:
        return True
    if not capital or before in lists.articles or before[:1].isdecimal() or after[:1].isdecimal():
        return False
    near = [word.group() for word in words[max(0, at - 4) : at + 5]]
    return sum(word[0].isupper() for word in near) <= _MOSTLY_CAPITALS * len(near) or len(near) < 4


def _has_capital(words: Sequence[re.Match[str]], at: int) -> bool:
    return at < len(words) and words[at].group()[0].isupper()
