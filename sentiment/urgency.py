"""Words that no one may leave until tomorrow: a person hurt, someone treated as less, a lawyer, a theft, a leak.

Each list has entries that are `certain` (they open a case by themselves) and entries that are only `possible` (they
ask a person to look). A negation in the same clause takes an entry back: "nobody was hurt".
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from .lexicon import Hit, Phrases, Word, load

if TYPE_CHECKING:
    from .entries import ChainWords

URGENCIES = ("safety", "discrimination", "legal", "fraud", "data_protection")
_BEFORE, _AFTER = 4, 2


@dataclass(frozen=True)
class Urgency:
    kinds: tuple[str, ...]
    certain: bool


@cache
def phrases_of(language: str) -> Phrases:
    """Our own list of a language."""
    lists = load(language).get("urgency", {})
    unknown = set(lists) - set(URGENCIES)
    if unknown:
        raise ValueError(f"words/{language}.toml names unknown urgencies: {sorted(unknown)}")
    return Phrases(
        (entry, f"{kind}:{grade}")
        for kind, grades in lists.items()
        for grade, entries in grades.items()
        for entry in entries
    )


@cache
def _negations(language: str) -> frozenset[str]:
    return frozenset(load(language).get("negation", ()))


def is_negated(hit: Hit, kind: str, words: list[Word], language: str) -> bool:
    """Whether the text takes a hit back; `kind` is that of the hit."""
    negations = _negations(language)
    # "Not served because of my headscarf" is what it says: there the negation belongs to the deed, not to the reason.
    if kind == "discrimination" and len(hit.words) > 1:
        return False
    first, last = hit.words[0], hit.words[-1] + (_AFTER if kind == "safety" else 0)
    clauses = {words[place].clause for place in hit.words}
    return any(
        words[i].text in negations and words[i].clause in clauses
        for i in range(max(0, first - _BEFORE), min(len(words), last + 1))
        if i not in hit.words
    )


def find_grades(
    words: list[Word], languages: tuple[str, ...], chain: "ChainWords | None" = None
) -> set[tuple[str, str]]:
    """The kinds of urgency that the lists find in a text, each with its grade."""
    found = set()
    for language in dict.fromkeys(languages):
        for hit in (chain.phrases("urgency", language) if chain else phrases_of(language)).find(words):
            kind, grade = hit.label.split(":")
            if not is_negated(hit, kind, words, language):
                found.add((kind, grade))
    return found


def find_urgency(words: list[Word], languages: tuple[str, ...], chain: "ChainWords | None" = None) -> Urgency:
    """The kinds of urgency in a text by the lists alone, in a fixed order, and whether any of them is beyond doubt.

    `chain` are our lists as the chain has changed them.
    """
    found = find_grades(words, languages, chain)
    kinds = {kind for kind, _ in found}
    certain = any(grade == "certain" for _, grade in found)
    return Urgency(tuple(kind for kind in URGENCIES if kind in kinds), certain)
