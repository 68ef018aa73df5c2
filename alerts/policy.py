"""The ladder of a case and the chain's first rules and root causes.

A case carries its ladder with it (`Case.policy`), so that what is changed here holds for new cases only.
"""

from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from alerts.choices import Severity, StopsOn, Trigger
from alerts.models import RootCause, Rule

TARGET_MINUTES = 30


@dataclass(frozen=True)
class Rung:
    """After so many open minutes tell the people `rise` levels above the case's, and deputies if they are asked for.

    `stops_on` names what makes it unnecessary.
    """

    after: int
    rise: int
    stops_on: str
    deputies: bool = False


@dataclass(frozen=True)
class Policy:
    """The steps of a case, first to last, and the open minutes within which the shopper should be reached."""

    target: int
    rungs: tuple[Rung, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "Policy":
        """The policy that a case was opened with."""
        return cls(stored["target"], tuple(Rung(**rung) for rung in stored["rungs"]))


DEFAULT_POLICY = Policy(
    TARGET_MINUTES,
    (
        Rung(after=0, rise=0, stops_on=StopsOn.NEVER.value),
        Rung(after=15, rise=0, stops_on=StopsOn.ACKNOWLEDGE.value, deputies=True),
        Rung(after=TARGET_MINUTES, rise=1, stops_on=StopsOn.CONTACT.value),
    ),
)

_ANGRY = {"alarming": True}
_STILL_HERE = {"unhappy": True, "still_here": True}
_URGENT_FOR_SURE = {"urgency": [], "urgency_certain": True}
_URGENT_AND_ANGRY = {"urgency": [], "negative_at_least": 0.5}
_RULES: tuple[tuple[str, Trigger, int, dict[str, Any], Severity], ...] = (
    (gettext_noop("Unhappy and still in the store"), Trigger.SCORE, 10, _STILL_HERE, Severity.SEVERE),
    (gettext_noop("Low score"), Trigger.SCORE, 20, {"unhappy": True}, Severity.NORMAL),
    (gettext_noop("Urgent words"), Trigger.TEXT, 10, _URGENT_FOR_SURE, Severity.SEVERE),
    (gettext_noop("Urgent and angry words"), Trigger.TEXT, 20, _URGENT_AND_ANGRY, Severity.SEVERE),
    (gettext_noop("Angry words"), Trigger.TEXT, 30, _ANGRY, Severity.NORMAL),
)

_ROOT_CAUSES = (
    gettext_noop("Long wait or too few staff"),
    gettext_noop("Unfriendly or unhelpful service"),
    gettext_noop("Wrong advice or information"),
    gettext_noop("Product faulty or of poor quality"),
    gettext_noop("Product not available"),
    gettext_noop("Price or promotion not as shown"),
    gettext_noop("Checkout, payment or receipt"),
    gettext_noop("Return, exchange or repair"),
    gettext_noop("Delivery or online order"),
    gettext_noop("Store untidy, too hot or hard to get around"),
    gettext_noop("Safety or conduct"),
    gettext_noop("Outside our control"),
)


@transaction.atomic
def ensure_defaults() -> None:
    """Add the rules and root causes that a new chain starts with; what is there is left as it is."""
    if not Rule.objects.exists():
        for name, trigger, order, conditions, severity in _RULES:
            Rule.objects.create(name=name, trigger=trigger, order=order, conditions=conditions, severity=severity)
    if not RootCause.objects.exists():
        for order, name in enumerate(_ROOT_CAUSES, start=1):
            RootCause.objects.create(name=name, order=order * 10)
