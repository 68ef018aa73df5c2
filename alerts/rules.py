"""What makes a response a case: conditions that head office can edit, checked before they are stored.

All conditions of a rule must hold. Of the rules of a trigger that hold the first, by `order`, decides about the case
and its clock; the later ones only add whom they tell as well: see `alerts.verdicts`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Protocol, TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alerts.choices import Trigger
from alerts.urgent_kinds import KINDS, with_parts
from sentiment.entries import cleaned
from sentiment.lexicon import Phrases, Word, split_words
from sentiment.models import Sentiment
from sentiment.topics import TOPICS
from sentiment.typed_latin import in_all_letters
from stores.choices import StoreKind
from surveys.choices import SCORE_RANGE, UNHAPPY_AT_MOST, QuestionKind, ResponseChannel

MOST_WORDS = 100
# For longer no identity is kept to recognise somebody by.
LONGEST_MEMORY_DAYS = 365


@dataclass(frozen=True)
class Facts:
    """What the rules may look at: of a response, and of one reading of its words when there is one.

    `proven`: the model was measured in the language of the words. In any other its opinion of them opens nothing.
    `by_service`: what the words feel like is said by an operator's service, which nobody has measured in any language;
    their topics stay the model's.
    `readable`: the model knows the words. Readable without `confident` may not be meant as it sounds. `above` are the
    ids of the places over the store; `topics` each with its sentiment; `earlier` how many days ago this verified
    shopper had a case before, for each.
    """

    kind: str
    score: int | None
    channel: str
    still_here: bool
    p_negative: float | None = None
    sentiment: str = ""
    confident: bool = False
    alarming: bool = False
    proven: bool = False
    by_service: bool = False
    readable: bool = False
    urgency: tuple[str, ...] = ()
    urgency_certain: bool = False
    p_neutral: float | None = None
    p_positive: float | None = None
    topics: tuple[tuple[str, str], ...] = ()
    words: str = ""
    language: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    above: tuple[int, ...] = ()
    store_kind: str = ""
    earlier: tuple[float, ...] = ()

    @cached_property
    def split(self) -> list[Word]:
        """The words one by one, in all letters that they may be searched in."""
        return split_words(in_all_letters(self.words, self.language))

    @cached_property
    def urgent_kinds(self) -> tuple[str, ...]:
        """The kinds of urgency that have a way of their own, see `alerts.urgent_kinds`."""
        return with_parts(self.urgency, self.split)

    @property
    def feeling_proven(self) -> bool:
        """Whether what the words feel like may open something by itself."""
        return self.proven and not self.by_service

    def probability(self, sentiment: str) -> float | None:
        return {"negative": self.p_negative, "neutral": self.p_neutral, "positive": self.p_positive}[sentiment]


@dataclass(frozen=True)
class Repeat:
    """At least so many earlier cases of the same verified shopper within so many days."""

    cases: int
    days: int


@dataclass(frozen=True)
class Conditions:
    """A condition left at None is not asked.

    `unhappy`: at or below its question's mark (UNHAPPY_AT_MOST). `scores`: from and to for each kind of headline
    question, or for the key of any other; one of those answered must lie within, what is not named never does.
    `alarming`: the judgement that the words are a reason to act, where it is proven: never a service's. `sentiment`:
    the least probability of a reading, of confident ones and where it is proven only. `urgency`: any of these kinds
    of `alerts.urgent_kinds`, or any at all for an empty list. `urgency_certain`: pattern and model agree. `topics`:
    any of these, in an unproven language only beside an unhappy score or a condition of urgency; with `topics_negative`
    those that are spoken badly of, of confident readings in a proven language only. `words`: any of these entries, see
    `sentiment.lexicon`. `nodes`: the store lies below any of these places.
    """

    unhappy: bool | None = None
    scores: Mapping[str, tuple[int, int]] | None = None
    still_here: bool | None = None
    alarming: bool | None = None
    sentiment: Mapping[str, float] | None = None
    urgency: tuple[str, ...] | None = None
    urgency_certain: bool | None = None
    topics: tuple[str, ...] | None = None
    topics_negative: bool | None = None
    words: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    nodes: tuple[int, ...] | None = None
    store_kinds: tuple[str, ...] | None = None
    repeat: Repeat | None = None

    def hold(self, facts: Facts) -> bool:
        """Whether every condition asked for is met; what is quickly seen is looked at first."""
        return (
            (self.unhappy is None or self.unhappy == _is_unhappy(facts))
            and (self.scores is None or _is_within(facts, self.scores))
            and (self.still_here is None or self.still_here == facts.still_here)
            and (self.channels is None or facts.channel in self.channels)
            and (self.store_kinds is None or facts.store_kind in self.store_kinds)
            and (self.nodes is None or not set(facts.above).isdisjoint(self.nodes))
            and (self.alarming is None or self.alarming == (facts.alarming and facts.feeling_proven))
            and (self.sentiment is None or _is_felt(facts, self.sentiment))
            and (self.urgency is None or _is_urgent(facts, self.urgency))
            and (self.urgency_certain is None or self.urgency_certain == facts.urgency_certain)
            and (self.topics is None or self._is_about(facts))
            and (self.repeat is None or _is_repeated(facts, self.repeat))
            and (self.words is None or bool(self._phrases.find(facts.split)))
        )

    @property
    def asks_urgency(self) -> bool:
        """Whether it looks for what cannot wait, and so takes the way of urgency."""
        return self.urgency is not None

    @cached_property
    def _phrases(self) -> Phrases:
        return Phrases((entry, "") for entry in self.words or ())

    def _is_about(self, facts: Facts) -> bool:
        """What the model makes of the words opens nothing by itself where it is not proven, see `Facts`."""
        assert self.topics is not None
        backed = facts.proven or self.asks_urgency or _is_unhappy(facts)
        if not (facts.confident and facts.proven if self.topics_negative else backed):
            return False
        return any(
            topic in self.topics and (not self.topics_negative or sentiment == Sentiment.NEGATIVE)
            for topic, sentiment in facts.topics
        )


# What can be judged only once the words have been read.
_OF_WORDS = frozenset({"alarming", "sentiment", "urgency", "urgency_certain", "topics", "topics_negative", "words"})


def trigger_of(conditions: Conditions) -> Trigger:
    """When a rule with these conditions is run: at Send, or once the words have been read."""
    asked = {one.name for one in fields(conditions) if getattr(conditions, one.name) is not None}
    return Trigger.TEXT if asked & _OF_WORDS else Trigger.SCORE


class Ruled(Protocol):
    """The part of `alerts.models.Rule` that deciding needs. `parsed` raises ValidationError."""

    order: int

    @property
    def parsed(self) -> Conditions: ...


def _is_within(facts: Facts, ranges: Mapping[str, tuple[int, int]]) -> bool:
    for name, (least, most) in ranges.items():
        score = facts.score if name == facts.kind else facts.answers.get(name)
        if isinstance(score, int) and least <= score <= most:
            return True
    return False


def _is_unhappy(facts: Facts) -> bool:
    mark = UNHAPPY_AT_MOST.get(QuestionKind(facts.kind))
    return facts.score is not None and mark is not None and facts.score <= mark


def _is_felt(facts: Facts, least: Mapping[str, float]) -> bool:
    if not (facts.confident and facts.feeling_proven):
        return False
    return all((facts.probability(one) or 0.0) >= probability for one, probability in least.items())


def _is_urgent(facts: Facts, kinds: tuple[str, ...]) -> bool:
    return bool(set(facts.urgent_kinds) & set(kinds)) if kinds else bool(facts.urgency)


def _is_repeated(facts: Facts, repeat: Repeat) -> bool:
    return sum(days <= repeat.days for days in facts.earlier) >= repeat.cases


# --- reading what is stored ----------------------------------------------------------------------------------------
def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _number(value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise TypeError
    return value


def _probability(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise TypeError
    return float(value)


def _some_of(value: object, known: Iterable[str], *, or_none: bool = False) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not (value or or_none) or not set(value) <= set(known):
        raise TypeError
    return tuple(value)


def _urgencies(value: object) -> tuple[str, ...]:
    return _some_of(value, KINDS, or_none=True)


def _topics(value: object) -> tuple[str, ...]:
    return _some_of(value, TOPICS)


def _channels(value: object) -> tuple[str, ...]:
    return _some_of(value, ResponseChannel.values)


def _store_kinds(value: object) -> tuple[str, ...]:
    return _some_of(value, StoreKind.values)


def _entries(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_WORDS:
        raise TypeError
    return tuple(cleaned(entry) for entry in value)


def _nodes(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise TypeError
    return tuple(_number(one, 1, 2**63 - 1) for one in value)


def _felt(value: object) -> dict[str, float]:
    if not isinstance(value, dict) or not value:
        raise TypeError
    return {Sentiment(name).value: _probability(least) for name, least in value.items()}


def _ranges(value: object) -> dict[str, tuple[int, int]]:
    if not isinstance(value, dict) or not value:
        raise TypeError
    found = {}
    for name, limits in value.items():
        low, high = SCORE_RANGE[QuestionKind(name)] if name in QuestionKind.values else (0, 10)
        least, most = limits
        found[name] = (_number(least, low, high), _number(most, low, high))
        if found[name][0] > found[name][1]:
            raise ValueError
    return found


def _repeat(value: object) -> Repeat:
    if not isinstance(value, dict) or set(value) != {"cases", "days"}:
        raise TypeError
    return Repeat(_number(value["cases"], 1, 20), _number(value["days"], 1, LONGEST_MEMORY_DAYS))


_READERS = {
    "unhappy": _truth,
    "scores": _ranges,
    "still_here": _truth,
    "alarming": _truth,
    "sentiment": _felt,
    "urgency": _urgencies,
    "urgency_certain": _truth,
    "topics": _topics,
    "topics_negative": _truth,
    "words": _entries,
    "channels": _channels,
    "nodes": _nodes,
    "store_kinds": _store_kinds,
    "repeat": _repeat,
}
assert set(_READERS) == {f.name for f in fields(Conditions)}


def parse(stored: object) -> Conditions:
    """The conditions in a rule's JSON. Raises ValidationError for anything unknown, mistyped, or for none at all."""
    if not isinstance(stored, Mapping) or not stored:
        raise ValidationError(_("A rule needs at least one condition."))
    values: dict[str, Any] = {}
    for name, value in stored.items():
        if name not in _READERS:
            raise ValidationError(_("There is no condition “%(name)s”.") % {"name": name})
        try:
            values[name] = _READERS[name](value)
        except (TypeError, ValueError, KeyError):
            raise ValidationError(
                _("The condition “%(name)s” does not fit: %(value)s") % {"name": name, "value": value}
            ) from None
    return Conditions(**values)


R = TypeVar("R", bound=Ruled)


def rules_that_hold(rules: Iterable[R], facts: Facts) -> list[R]:
    """The rules whose conditions all hold, first to last.

    A rule that cannot be read is passed over when another one holds; otherwise its ValidationError is raised, so that
    the response is judged again once somebody has mended the rule.
    """
    broken: ValidationError | None = None
    holding = []
    for rule in sorted(rules, key=lambda r: r.order):
        try:
            if rule.parsed.hold(facts):
                holding.append(rule)
        except ValidationError as error:
            broken = broken or error
    if broken and not holding:
        raise broken
    return holding


def first_that_holds(rules: Iterable[R], facts: Facts) -> R | None:
    """The rule that decides, None when none holds; otherwise as `rules_that_hold`."""
    return next(iter(rules_that_hold(rules, facts)), None)
