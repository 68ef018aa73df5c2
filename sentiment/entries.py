"""The entries of the word lists, one by one: the built-in ones, and what a chain adds to them or switches off."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from . import topics, urgency
from .lexicon import Phrases, Word, is_loose, load, split_words

Kind = Literal["topic", "urgency"]
GRADES = ("certain", "possible")
# Longer ones are sentences, and a list of them is no list of words.
_MOST_WORDS, _MOST_LETTERS = 8, 200
_FEWEST_LETTERS = 3
_SIGNS = str.maketrans("", "", "!*")


@dataclass(frozen=True, slots=True)
class Entry:
    """`grade` tells certain urgencies from possible ones; topics know only "certain"."""

    language: str
    kind: Kind
    target: str
    text: str
    grade: str = "certain"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is whatever its grade, which a release may change."""
        return self.language, self.kind, self.target, self.text

    @property
    def spoken(self) -> str:
        """Its words for people who read what was found: alternatives between strokes, and dots where others may be."""
        groups = (group.replace("|", " / ").replace("_", " ") for group in self.text.split())
        return " ".join(groups).translate(_SIGNS).replace("...", "…")

    @property
    def label(self) -> str:
        """What finding it means, in the words of topics.py and urgency.py."""
        return self.target if self.kind == "topic" else f"{self.target}:{self.grade}"


def built_in(kind: Kind, language: str, target: str | None = None) -> list[Entry]:
    """The entries of our own lists, in their order; of one topic or kind of urgency, or of all."""
    if kind == "topic":
        lists = load(language).get("topics", {})
        found = [Entry(language, kind, topic, text) for topic, texts in lists.items() for text in texts]
    else:
        graded = load(language).get("urgency", {})
        found = [
            Entry(language, kind, name, text, grade)
            for name, grades in graded.items()
            for grade, texts in grades.items()
            for text in texts
        ]
    return [entry for entry in found if target is None or entry.target == target]


_NOTHING = Phrases(())


class ChainWords:
    """Our lists as one chain has changed them. Build it once and keep it: the lists are put together on first use."""

    def __init__(self, added: Iterable[Entry] = (), off: Iterable[Entry] = (), *, only_own: bool = False) -> None:
        self.added, self.off, self._only_own = tuple(added), frozenset(off), only_own
        self._touched = {(entry.kind, entry.language) for entry in (*self.added, *self.off)}
        self._built: dict[tuple[Kind, str], Phrases] = {}
        self._own: ChainWords | None = None

    def phrases(self, kind: Kind, language: str) -> Phrases:
        """What to look for in texts of a language."""
        if (kind, language) not in self._touched:
            if self._only_own:
                return _NOTHING
            return topics.phrases_of(language) if kind == "topic" else urgency.phrases_of(language)
        if (kind, language) not in self._built:
            entries = self.entries(kind, language)
            self._built[kind, language] = Phrases((entry.text, entry.label) for entry in entries)
        return self._built[kind, language]

    def entries(self, kind: Kind, language: str) -> list[Entry]:
        """Everything that counts, the chain's own last."""
        off = {entry.key for entry in self.off}
        ours = [] if self._only_own else [entry for entry in built_in(kind, language) if entry.key not in off]
        return ours + [entry for entry in self.added if (entry.kind, entry.language) == (kind, language)]

    def own(self) -> "ChainWords":
        """The chain's own entries alone."""
        if self._own is None:
            self._own = ChainWords(self.added, only_own=True)
        return self._own

    def with_entry(self, entry: Entry) -> "ChainWords":
        return ChainWords((*self.added, entry), self.off - {entry})

    def without_entry(self, entry: Entry) -> "ChainWords":
        """Without one of the chain's own, or with one of ours switched off."""
        if entry in self.added:
            return ChainWords((one for one in self.added if one != entry), self.off)
        return ChainWords(self.added, self.off | {entry})


@dataclass(frozen=True, slots=True)
class Found:
    """An entry found in a text. It may still not count: negated, or claimed by a longer one."""

    entry: Entry
    own: bool
    words: str


class Tracer:
    """Tells which entries are found in texts of some languages; slower than reading, for people who ask why."""

    def __init__(self, chain: ChainWords, languages: Iterable[str]) -> None:
        self._chain = chain
        kinds: tuple[Kind, ...] = ("topic", "urgency")
        self._entries = [
            entry for language in dict.fromkeys(languages) for kind in kinds for entry in chain.entries(kind, language)
        ]

    @cached_property
    def _phrases(self) -> Phrases:
        return Phrases((entry.text, str(place)) for place, entry in enumerate(self._entries))

    def trace(self, text: str) -> list[Found]:
        words = split_words(text)
        own = set(self._chain.added)
        found = []
        for hit in self._phrases.find(words):
            entry = self._entries[int(hit.label)]
            found.append(Found(entry, entry in own, _quoted(text, words, hit.words)))
        return found


def finds(entry: Entry) -> Phrases:
    """Looks for this entry alone."""
    return Phrases([(entry.text, entry.label)])


def _quoted(text: str, words: list[Word], places: tuple[int, ...]) -> str:
    return text[words[places[0]].start : words[places[-1]].end]


def cleaned(text: str) -> str:
    """An entry as it is stored: single blanks, lower case. Raises ValueError, with one of the words `empty`, `long` and
    `short`, for what would match nothing, or nearly everything."""
    plain = " ".join(text.split()).lower()
    if not plain:
        raise ValueError("empty")
    if len(plain) > _MOST_LETTERS or len(plain.split()) > _MOST_WORDS:
        raise ValueError("long")
    try:
        # "a" as the beginning of a word is in every sentence; as a whole word, or followed by another, it may be meant.
        loose = is_loose(plain, _FEWEST_LETTERS)
    except ValueError:
        raise ValueError("empty") from None
    if plain.startswith("... ") or plain.endswith(" ..."):
        raise ValueError("empty")
    if loose:
        raise ValueError("short")
    return plain
