"""The chain's first clocks, rules and root causes.

A case carries its ladder with it (`Case.policy`), so that what is changed here holds for new cases only.
"""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from alerts.choices import Counted, Severity, StopsOn, Trigger
from alerts.ladder import ANSWERING, DEPUTY, HEAD_OFFICE, UP, Policy, Rung
from alerts.models import CasePolicy, RootCause, Rule, UrgencyRoute
from alerts.reply_texts import ensure_replies
from alerts.urgent_kinds import KINDS

TARGET_MINUTES = 30
_WALL = Counted.WALL.value


# What a case is given when head office has said nothing else.
DEFAULT_POLICY = Policy(
    TARGET_MINUTES,
    (
        Rung(after=0, to=(ANSWERING,), stops_on=StopsOn.NEVER.value),
        Rung(after=15, to=(ANSWERING, DEPUTY), stops_on=StopsOn.ACKNOWLEDGE.value),
        Rung(after=TARGET_MINUTES, to=(UP,), stops_on=StopsOn.CONTACT.value),
    ),
)
# Somebody may be hurt: the clock runs at night too, and the phones do not stop.
URGENT_POLICY = Policy(
    15,
    (
        Rung(after=0, to=(ANSWERING,), stops_on=StopsOn.NEVER.value),
        Rung(after=5, to=(ANSWERING, DEPUTY), stops_on=StopsOn.ACKNOWLEDGE.value, counted=_WALL, every=10),
        Rung(after=15, to=(UP,), stops_on=StopsOn.CONTACT.value, counted=_WALL),
        Rung(after=30, to=(HEAD_OFFICE,), stops_on=StopsOn.CONTACT.value, counted=_WALL, every=60),
    ),
    counted=_WALL,
    acknowledge=5,
)
_POLICIES = ((gettext_noop("Usual"), DEFAULT_POLICY), (gettext_noop("Urgent"), URGENT_POLICY))

_ANGRY = {"alarming": True}
_STILL_HERE = {"unhappy": True, "still_here": True}
_URGENT_FOR_SURE = {"urgency": [], "urgency_certain": True}
_URGENT_AND_ANGRY = {"urgency": [], "sentiment": {"negative": 0.5}}
_RULES: tuple[tuple[str, Trigger, int, dict[str, Any], Severity], ...] = (
    (gettext_noop("Unhappy and still in the store"), Trigger.SCORE, 10, _STILL_HERE, Severity.SEVERE),
    (gettext_noop("Low score"), Trigger.SCORE, 20, {"unhappy": True}, Severity.NORMAL),
    (gettext_noop("Urgent words"), Trigger.TEXT, 10, _URGENT_FOR_SURE, Severity.SEVERE),
    (gettext_noop("Urgent and angry words"), Trigger.TEXT, 20, _URGENT_AND_ANGRY, Severity.SEVERE),
    (gettext_noop("Angry words"), Trigger.TEXT, 30, _ANGRY, Severity.NORMAL),
)

# The one that nobody in the chain can do anything about, by the name under which it is kept.
OUTSIDE_CAUSE = gettext_noop("Outside our control")
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
    OUTSIDE_CAUSE,
)


@transaction.atomic
def ensure_defaults() -> None:
    """Add the clocks, rules and root causes that a new chain starts with; what is there is left as it is.

    A chain that has had rules before keeps its clock for urgent words too, until head office chooses the other.
    """
    new = not Rule.objects.exists()
    if not CasePolicy.objects.exists():
        for name, policy in _POLICIES:
            CasePolicy.objects.create(name=name, content=policy.as_json(), usual=policy is DEFAULT_POLICY)
    if not UrgencyRoute.objects.exists():
        own = CasePolicy.objects.filter(name=_POLICIES[1][0]).first() if new else None
        for kind in KINDS:
            UrgencyRoute.objects.create(kind=kind, policy=own)
    if not Rule.objects.exists():
        for name, trigger, order, conditions, severity in _RULES:
            Rule.objects.create(name=name, trigger=trigger, order=order, conditions=conditions, severity=severity)
    if not RootCause.objects.exists():
        for order, name in enumerate(_ROOT_CAUSES, start=1):
            RootCause.objects.create(name=name, order=order * 10)
    ensure_replies()
