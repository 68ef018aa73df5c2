"""What indirect wording is made of: a fall, a floor, a hip; a purse, and that it is gone.

The lists `[concepts]` of words/*.toml name some fifty such things in every language. Rules tell which of them, close
together, make an urgency likely; they are the same in all languages, so what is learnt in one holds in the others.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache

from .lexicon import Hit, Phrases, Word, load
from .urgency import URGENCIES, is_negated

_NEAR_WORDS, _NEAR_SENTENCES = 12, 1
# Those that a negation takes back: "nobody fell", "nothing was stolen".
_DEEDS = frozenset({"fall", "force", "gone", "injury", "sick", "stuck"})
_RULES = {
    "safety": (
        "fall+ground fall+body fall+person fall+injury fall+medical drop+body drop+person drop+child foreign+food "
        "foreign+body sick+food sick+person sick+child smoke+device gas stuck+child stuck+body stuck+exit exit+blocked "
        "injury+body injury+person injury+child injury+device injury+medical medical+person medical+child "
        "medical+mine force+guard force+body force+mine force+child allergy+body allergy+injury allergy+medical "
        "edge+child edge+body edge+injury choke+child choke+food choke+foreign smoke+gas smoke+food"
    ),
    "discrimination": (
        "group+exclude group+guard exclude+mine intimate+grope intimate+guard grope+mine grope+guard grope+child "
        "group+force"
    ),
    "fraud": (
        "gone+valuables change+note fake+precious cash+pocket note+pocket debit+never extra+cash extra used+asnew "
        "accuse+mine accuse+guard accuse debit+extra copy+debit gone+guard fake+asnew note+never"
    ),
    "data_protection": (
        "other+record camera+cabin contact+message contact+other message+guard erase+everything copy+identity "
        "copy+mine copy+child record+openly other+openly copy+cabin contact+record other+contact record+message "
        "identity+openly"
    ),
}
RULES: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (kind, tuple(rule.split("+"))) for kind, rules in _RULES.items() for rule in rules.split()
)
CONCEPTS: tuple[str, ...] = tuple(sorted({concept for _, rule in RULES for concept in rule}))
assert {kind for kind, _ in RULES} <= set(URGENCIES)


@dataclass(frozen=True)
class Concepts:
    """The concepts of a text, and the rules of RULES (by place) that they fulfil."""

    found: frozenset[str]
    rules: frozenset[int]


@cache
def phrases_of(language: str) -> Phrases:
    """Our own list of a language."""
    lists = load(language).get("concepts", {})
    if lists and set(lists) != set(CONCEPTS):
        raise ValueError(f"words/{language}.toml: concepts unknown or missing: {sorted(set(lists) ^ set(CONCEPTS))}")
    return Phrases((entry, concept) for concept, entries in lists.items() for entry in entries)


def find_concepts(words: list[Word], languages: tuple[str, ...]) -> Concepts:
    """What a text in these languages speaks of."""
    places: dict[str, list[Hit]] = {}
    for language in dict.fromkeys(languages):
        for hit in phrases_of(language).find(words):
            if hit.label not in _DEEDS or not is_negated(hit, hit.label, words, language):
                places.setdefault(hit.label, []).append(hit)
    if not places:
        return Concepts(frozenset(), frozenset())
    for hits in places.values():
        hits.sort(key=_first)
    rules = frozenset(i for i, (_, rule) in enumerate(RULES) if _holds(rule, places, words))
    return Concepts(frozenset(places), rules)


def _holds(rule: tuple[str, ...], places: dict[str, list[Hit]], words: list[Word]) -> bool:
    if not all(concept in places for concept in rule):
        return False
    if len(rule) == 1:
        return True
    first, second = (places[concept] for concept in rule)
    return any(_are_near(one, other, words) for one in first for other in _around(one, second))


def _first(hit: Hit) -> int:
    return hit.words[0]


def _around(one: Hit, sorted_hits: list[Hit]) -> list[Hit]:
    """Those that begin near a hit: looking at all for each would make a long text of such words very slow."""
    low = bisect_left(sorted_hits, _first(one) - _NEAR_WORDS, key=_first)
    return sorted_hits[low : bisect_right(sorted_hits, _first(one) + _NEAR_WORDS, key=_first)]


def _are_near(one: Hit, other: Hit, words: list[Word]) -> bool:
    """In neighbouring sentences at most, and not the same word twice."""
    sentences = words[_first(one)].sentence, words[_first(other)].sentence
    return not set(one.words) & set(other.words) and abs(sentences[0] - sentences[1]) <= _NEAR_SENTENCES
