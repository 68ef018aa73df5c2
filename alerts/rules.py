"""What makes a response a case: conditions that head office can edit, checked before they are stored.

All conditions of a rule must hold; the first rule of a trigger that holds wins, by `order`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol, TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from surveys.choices import SCORE_RANGE, UNHAPPY_AT_MOST, QuestionKind, ResponseChannel


@dataclass(frozen=True)
class Facts:
    """What the rules may look at: of a response, and of one reading of its words when there is one.

    `proven`: the model was measured in the language of the words. In any other its opinion of them opens nothing.
    `readable`: the model knows the words. Readable without `confident` is praise that may be ironic.
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
    readable: bool = False
    urgency: tuple[str, ...] = ()
    urgency_certain: bool = False


@dataclass(frozen=True)
class Conditions:
    """A condition left at None is not asked.

    `unhappy`: at or below its question's mark (UNHAPPY_AT_MOST). `score_at_most`: a mark per question kind; kinds that
    are not named never hold. `alarming`: the model's own judgement that the words are a reason to act, in a proven
    language. `negative_at_least`: the probability of a negative reading, of confident ones in a proven language only.
    `urgency`: any of these kinds, or any at all for an empty list. `urgency_certain`: pattern and model agree.
    """

    unhappy: bool | None = None
    score_at_most: Mapping[str, int] | None = None
    still_here: bool | None = None
    alarming: bool | None = None
    negative_at_least: float | None = None
    urgency: tuple[str, ...] | None = None
    urgency_certain: bool | None = None
    channels: tuple[str, ...] | None = None

    def hold(self, facts: Facts) -> bool:
        """Whether every condition asked for is met."""
        return (
            (self.unhappy is None or self.unhappy == _is_unhappy(facts))
            and (self.score_at_most is None or _at_most(facts, self.score_at_most))
            and (self.still_here is None or self.still_here == facts.still_here)
            and (self.alarming is None or self.alarming == (facts.alarming and facts.proven))
            and (self.negative_at_least is None or _is_negative(facts, self.negative_at_least))
            and (self.urgency is None or _is_urgent(facts, self.urgency))
            and (self.urgency_certain is None or self.urgency_certain == facts.urgency_certain)
            and (self.channels is None or facts.channel in self.channels)
        )


class Ruled(Protocol):
    """The part of `alerts.models.Rule` that deciding needs."""

    conditions: Any
    order: int


def _at_most(facts: Facts, marks: Mapping[str, int]) -> bool:
    return facts.score is not None and facts.kind in marks and facts.score <= marks[facts.kind]


def _is_unhappy(facts: Facts) -> bool:
    return _at_most(facts, {kind.value: mark for kind, mark in UNHAPPY_AT_MOST.items()})


def _is_negative(facts: Facts, least: float) -> bool:
    return facts.confident and facts.proven and facts.p_negative is not None and facts.p_negative >= least


def _is_urgent(facts: Facts, kinds: tuple[str, ...]) -> bool:
    return bool(set(facts.urgency) & set(kinds)) if kinds else bool(facts.urgency)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _probability(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise TypeError
    return float(value)


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) and word for word in value):
        raise TypeError
    return tuple(value)


def _channels(value: object) -> tuple[str, ...]:
    channels = _words(value)
    if not channels or not set(channels) <= set(ResponseChannel.values):
        raise TypeError
    return channels


def _marks(value: object) -> dict[str, int]:
    if not isinstance(value, dict) or not value:
        raise TypeError
    for kind, mark in value.items():
        least, most = SCORE_RANGE[QuestionKind(kind)]
        if isinstance(mark, bool) or not isinstance(mark, int) or not least <= mark <= most:
            raise TypeError
    return dict(value)


_READERS = {
    "unhappy": _truth,
    "score_at_most": _marks,
    "still_here": _truth,
    "alarming": _truth,
    "negative_at_least": _probability,
    "urgency": _words,
    "urgency_certain": _truth,
    "channels": _channels,
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


def first_that_holds(rules: Iterable[R], facts: Facts) -> R | None:
    """The first rule, by order, whose conditions all hold.

    A rule that cannot be read is passed over when another one holds; otherwise its ValidationError is raised, so that
    the response is judged again once somebody has mended the rule.
    """
    broken: ValidationError | None = None
    for rule in sorted(rules, key=lambda r: r.order):
        try:
            if parse(rule.conditions).hold(facts):
                return rule
        except ValidationError as error:
            broken = broken or error
    if broken:
        raise broken
    return None
