"""What happened to a case, in words and in the store's time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts.choices import EntryKind, EventKind, Exemption, ExemptReason, Outcome
from alerts.models import Case, CaseEntry, CaseEvent

T = TypeVar("T")
# By nobody of ours; that the shopper wrote says its own label.
_BY_THE_SHOPPER = {
    EventKind.CONFIRMED,
    EventKind.REOPENED,
    EventKind.PERMISSION_WITHDRAWN,
    EventKind.ERASED,
    EventKind.CONTACT_CHOSEN,
    EventKind.SCORED_AGAIN,
}
_CHANNELS = {
    "call": gettext_lazy("by phone"),
    "sms": gettext_lazy("by text message"),
    "email": gettext_lazy("by e-mail"),
    "person": gettext_lazy("in person"),
}


@dataclass(frozen=True)
class Moment:
    """One line of the history; `entry` are the words that came with it."""

    at: datetime
    kind: str
    label: str
    detail: str
    actor: str
    entry: CaseEntry | None
    # It happened and was taken back.
    undone: bool = False


def _detail(event: CaseEvent) -> str:
    channel = event.channel or event.new.get("channel", "")
    parts = [event.recipient.name if event.recipient else "", str(_CHANNELS.get(channel, ""))]
    if _instead_of_a_call(event):
        parts.append(_("counts once the shopper writes back"))
    if event.kind == EventKind.CONTACTED and "replied" in event.new:
        parts.append(_("wrote back"))
    if event.kind == EventKind.OPENED:
        parts.append(_(event.new["rule"]) if event.new.get("rule") else "")
    if event.kind == EventKind.UNDONE and event.undoes:
        parts.append(str(EventKind(event.undoes.kind).label))
    if event.kind == EventKind.RESOLVED and event.new.get("outcome"):
        parts.append(str(Outcome(event.new["outcome"]).label))
    if event.kind == EventKind.DISMISSED:
        parts += [str(Exemption(event.new["exemption"]).label), str(ExemptReason(event.new["reason"]).label)]
    return ", ".join(part for part in parts if part)


def _instead_of_a_call(event: CaseEvent) -> bool:
    return event.kind == EventKind.ATTEMPTED and "entry" in event.new


def history_of(case: Case) -> list[Moment]:
    """All events, oldest first, each with the words that were written with it. Two queries."""
    entries = list(case.entries.select_related("author"))
    by_id = {entry.pk: entry for entry in entries}
    by_form = {str(entry.form_id): entry for entry in entries}
    moments: list[Moment] = []
    told: set[int] = set()
    events = list(case.events.select_related("actor", "recipient", "undoes"))
    undone = {event.undoes_id for event in events if event.undoes_id}
    # An event that names its entry goes before one that merely came by the same form.
    named = {event.new["entry"] for event in events if "entry" in event.new}
    for event in events:
        entry = by_id.get(event.new.get("entry", 0))
        if entry is None:
            entry = by_form.get(event.new.get("form_id", ""))
            if entry is not None and (entry.pk in named or entry.pk in told):
                entry = None
        label = str(EventKind(event.kind).label)
        if entry is not None:
            told.add(entry.pk)
            if event.kind == EventKind.NOTED:
                label = str(EntryKind(entry.kind).label)
        if _instead_of_a_call(event):
            label = _("Written to, though a call was asked for")
        if event.kind == EventKind.CORRECTED:
            label = _("Shopper changed or completed the feedback")
        by_shopper = event.actor is None and event.kind in _BY_THE_SHOPPER
        actor = event.actor.name if event.actor else (_("Shopper") if by_shopper else "")
        moments.append(Moment(event.at, event.kind, label, _detail(event), actor, entry, event.pk in undone))
    return moments


def shared_entries(case: Case) -> list[CaseEntry]:
    """What was written in a case whose `entries__author` are prefetched, oldest first, notes too."""
    return [entry for entry in case.entries.all() if entry.text]


def conversation_of(moments: list[Moment]) -> list[Moment]:
    """What the shopper and we wrote to each other."""
    shared = {EntryKind.ANSWER, EntryKind.SHOPPER}
    return [moment for moment in moments if moment.entry is not None and moment.entry.kind in shared]


@dataclass(frozen=True)
class Folded(Generic[T]):
    """Moments, or messages, of which the latest are shown, and those before on demand."""

    earlier: list[T]
    latest: list[T]

    @classmethod
    def of(cls, moments: list[T], *, shown: int) -> "Folded[T]":
        """Nobody has to ask for one or two alone."""
        begins = len(moments) - shown if len(moments) > shown + 2 else 0
        return cls(moments[:begins], moments[begins:])
