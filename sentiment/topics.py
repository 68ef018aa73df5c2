"""Which of the twelve retail topics a comment speaks about."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from .lexicon import Phrases, Word, load

if TYPE_CHECKING:
    from .entries import ChainWords

TOPICS = (
    "staff",
    "waiting",
    "quality",
    "price",
    "availability",
    "environment",
    "delivery",
    "returns",
    "online",
    "checkout",
    "packaging",
    "call_centre",
)
_NONE = "none"  # entries that only keep a shorter one from matching: "priceless" is not about the price


@dataclass(frozen=True, slots=True)
class Mention:
    topic: str
    start: int
    end: int


@cache
def phrases_of(language: str) -> Phrases:
    """Our own list of a language."""
    lists = load(language).get("topics", {})
    unknown = set(lists) - {*TOPICS, _NONE}
    if unknown:
        raise ValueError(f"words/{language}.toml names unknown topics: {sorted(unknown)}")
    return Phrases((entry, topic) for topic, entries in lists.items() for entry in entries)


def find_mentions(words: list[Word], languages: tuple[str, ...], chain: "ChainWords | None" = None) -> list[Mention]:
    """Every mention, in the order of the text; where two topics claim one word, the longer entry wins.

    `chain` are our lists as the chain has changed them.
    """
    best: dict[int, tuple[int, set[str]]] = {}
    for language in dict.fromkeys(languages):
        for hit in (chain.phrases("topic", language) if chain else phrases_of(language)).find(words):
            for place in hit.words:
                weight, topics = best.get(place, (0, set()))
                if hit.weight > weight:
                    best[place] = (hit.weight, {hit.label})
                elif hit.weight == weight:
                    topics.add(hit.label)
    return [
        Mention(topic, words[place].start, words[place].end)
        for place, (_, topics) in sorted(best.items())
        for topic in TOPICS
        if topic in topics
    ]
