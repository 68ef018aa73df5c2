"""Word lists: what an editable list entry means, and how entries are found in a text quickly.

An entry is a line of words. A word matches every word that begins with it (`wait` finds "waiting"); `bag!` matches
that word only; `*personal` matches anywhere inside a word, for languages that join them, and `*personal!` at its end.
`a|b_c` are alternatives, the second of two words, and `...` allows up to four other words of the same sentence in
between: `guard|security ... hit!|let_go`. What a text is cut at, an entry is too: `click-and-collect` is
`click!_and!_collect`.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "words"
_GAP = 4
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.!?…\n]+|[,;:()–—]+")
_ELIDED = re.compile(r"^(?:[cdjlmnst]|qu|un|all|dall|dell|nell|sull|quell)'(?=.)")


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: int
    end: int
    sentence: int
    clause: int


def normalise(text: str) -> str:
    """Fold case and unify apostrophes and ё, letter by letter, so that positions stay those of `text`.

    Unlike `casefold` it never changes the length: ß stays one letter.
    """
    folded = text.translate(_UNIFIED)
    lowered = folded.lower()
    return lowered if len(lowered) == len(folded) else "".join(c.lower()[:1] or c for c in folded)


_UNIFIED = str.maketrans({"’": "'", "ʼ": "'", "`": "'", "´": "'", "ё": "е", "Ё": "Е"})


def split_words(text: str) -> list[Word]:
    """The words of a text with their places, their sentence and their clause."""
    words: list[Word] = []
    sentence = clause = 0
    for match in _TOKEN.finditer(normalise(text)):
        token, start = match.group(), match.start()
        if token[0] in ".!?…\n":
            sentence, clause = sentence + 1, clause + 1
        elif token[0] in ",;:()–—":
            clause += 1
        else:
            if elided := _ELIDED.match(token):
                words.append(Word(elided.group(), start, start + elided.end(), sentence, clause))
                token, start = token[elided.end() :], start + elided.end()
            words.append(Word(token, start, match.end(), sentence, clause))
    return words


@dataclass(frozen=True, slots=True)
class Hit:
    label: str
    words: tuple[int, ...]  # places in the list of words, ascending
    weight: int  # letters that the entry spells out: the more, the surer


@dataclass(frozen=True, slots=True)
class _Part:
    """One word of an alternative."""

    text: str
    whole: bool
    inside: bool

    def fits(self, word: str) -> bool:
        if self.whole:
            return word.endswith(self.text) if self.inside else word == self.text
        return self.text in word if self.inside else word.startswith(self.text)


@dataclass(frozen=True, slots=True)
class _Element:
    options: tuple[tuple[_Part, ...], ...]
    gap_before: bool

    def match(self, words: list[Word], at: int) -> tuple[int, int]:
        """Letters spelled out by the longest alternative that fits at a word, and how many words it takes."""
        best = (0, 0)
        for option in self.options:
            end = at + len(option)
            if end > len(words) or words[end - 1].sentence != words[at].sentence:
                continue
            if all(part.fits(words[at + k].text) for k, part in enumerate(option)):
                best = max(best, (sum(len(part.text) for part in option), len(option)))
        return best


def _parse(entry: str) -> list[_Element]:
    elements: list[_Element] = []
    gap = False
    for group in normalise(entry).split():
        if group == "...":
            gap = True
            continue
        options = [[_parts_of(word) for word in option.split("_")] for option in group.split("|")]
        if not all(parts for option in options for parts in option):
            raise ValueError(f"a word list has an empty alternative: {entry!r}")
        elements.append(_Element(tuple(tuple(chain.from_iterable(option)) for option in options), gap))
        gap = False
    if not elements:
        raise ValueError(f"a word list has an empty entry: {entry!r}")
    return elements


def _parts_of(word: str) -> list[_Part]:
    """A word of an entry as texts are cut into words; none where no text could have it."""
    plain, whole, inside = word.strip("*!"), word.endswith("!"), word.startswith("*")
    elided = _ELIDED.match(f"{plain}_")
    if elided and elided.end() == len(plain):  # an article by itself, as in `d'_achat`
        return [_Part(plain, whole, inside)]
    pieces = split_words(plain)
    if not pieces or pieces[-1].sentence != pieces[0].sentence:
        return []
    last = len(pieces) - 1
    return [_Part(one.text, whole or k < last, inside and k == 0) for k, one in enumerate(pieces)]


def is_loose(entry: str, fewest: int) -> bool:
    """Whether fewer letters than `fewest` at the beginning of a word, or inside it, are enough to be found by.
    Raises ValueError for what is no entry."""
    first, *others = _parse(entry)
    options = [] if others else first.options
    return any(not option[-1].whole and sum(len(part.text) for part in option) < fewest for option in options)


_Candidates = tuple[tuple[str, list[_Element]], ...]
# No word is longer, and thousands of long lines without a space must not fill a worker's memory.
_MOST_KNOWN, _LONGEST_KNOWN = 4000, 40


class Phrases:
    """Many entries, each with a label, found in one pass over the words."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._by_start: dict[str, list[tuple[str, list[_Element]]]] = {}
        self._inside: list[tuple[str, str, list[_Element]]] = []
        for entry, label in entries:
            elements = _parse(entry)
            firsts = [option[0] for option in elements[0].options]
            for start in {part.text for part in firsts if not part.inside}:
                self._by_start.setdefault(start, []).append((label, elements))
            self._inside += [(part.text, label, elements) for part in firsts if part.inside]
        self._longest = max(map(len, self._by_start), default=0)
        self._known: dict[str, _Candidates] = {}

    def find(self, words: list[Word]) -> list[Hit]:
        """Every entry found, by its first word; several may start at one word."""
        hits: dict[Hit, None] = {}
        known = self._known
        for i, word in enumerate(words):
            candidates = known.get(word.text)
            if candidates is None:
                candidates = self._candidates(word.text)
            for label, elements in candidates:
                if hit := _follow(words, i, label, elements):
                    hits[hit] = None
        return list(hits)

    def _candidates(self, word: str) -> "_Candidates":
        """The entries that may start at a word. Remembered, for comments say the same words over and over."""
        found = [
            candidate
            for length in range(1, min(len(word), self._longest) + 1)
            for candidate in self._by_start.get(word[:length], ())
        ]
        found += [(label, elements) for part, label, elements in self._inside if part in word]
        if len(self._known) >= _MOST_KNOWN:
            self._known = {}
        # Few words start an entry; all the others share one empty tuple.
        candidates = tuple(found)
        if len(word) <= _LONGEST_KNOWN:
            self._known[word] = candidates
        return candidates


def _follow(words: list[Word], first: int, label: str, elements: list[_Element]) -> Hit | None:
    weight, used = elements[0].match(words, first)
    if not weight:
        return None
    places = list(range(first, first + used))
    for element in elements[1:]:
        nearest = places[-1] + 1
        for j in range(nearest, min(nearest + 1 + (_GAP if element.gap_before else 0), len(words))):
            if words[j].sentence != words[first].sentence:
                return None
            letters, used = element.match(words, j)
            if letters:
                weight += letters
                places += range(j, j + used)
                break
        else:
            return None
    return Hit(label, tuple(places), weight)


@cache
def load(language: str, folder: Path = FOLDER) -> Mapping[str, Any]:
    """The list file of a language; empty when there is none."""
    # By name among the files: a language may come from a stranger, and is no path.
    if language not in available(folder):
        return {}
    return tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8"))


def available(folder: Path = FOLDER) -> list[str]:
    """Languages that have a list file."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def base_of(code: str) -> str:
    """The language of a code that may name a country or a script too: "pt" of "pt-BR" and of "pt_BR"."""
    return code.replace("_", "-").split("-")[0].lower()
