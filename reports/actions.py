"""What people do about causes of bad visits: one verb, one transaction, and an entry that says who did what.

Words are kept without contacts and numbers: an action speaks of the work, not of a shopper.
"""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language, gettext

from alerts.models import Case, RootCause
from core.personal import on_erase
from reports.action_reads import place_key, today_at
from reports.models import Action, ActionEntry, ActionState, EntryOfAction
from reports.reminding import remind, tell_owner
from sentiment.labels import topic_label
from sentiment.redaction import redact
from stores.models import Node, Store, User

USUAL_TIME = timedelta(weeks=4)
LONGEST_TITLE, LONGEST_DID, LONGEST_NOTE = 120, 240, 2000


@dataclass(frozen=True)
class Begun:
    """`fresh` is False where the same is being done already: then `action` is that."""

    action: Action
    fresh: bool


@dataclass(frozen=True)
class Plan:
    """What of an action may be changed while it is under way."""

    title: str
    owner: User
    due_on: date
    place: Node | Store


def begin(
    place: Node | Store, *, by: User, cause: RootCause | None = None, topic: str = "", case: Case | None = None
) -> Begun:
    """Take something up against a cause or topic at a place, or against what happened in a case; its owner is whoever
    began it, until they choose somebody else. Two taps make one action."""
    at = {"store": place, "node": None} if isinstance(place, Store) else {"store": None, "node": place}
    against: dict[str, Any] = {"cause": cause, "topic": topic}
    if cause is None and not topic:
        against["case"] = case
    with transaction.atomic():
        # One at a time for each place.
        type(place)._default_manager.select_for_update(no_key=True).get(pk=place.pk)
        standing = Action.objects.filter(**at, **against, state=ActionState.OPEN).first()
        if standing:
            return Begun(standing, False)
        action = Action.objects.create(
            **at,
            **against | {"case": case},
            title=_usual_title(place, cause, topic)[:LONGEST_TITLE],
            owner=by,
            due_on=today_at(place) + USUAL_TIME,
        )
        _enter(action, EntryOfAction.MADE, by=by)
        remind(action)
    return Begun(action, True)


def _usual_title(place: Node | Store, cause: RootCause | None, topic: str) -> str:
    if cause is not None:
        return str(cause)
    return topic_label(topic) if topic else gettext("What went wrong at %(store)s") % {"store": place.name}


def amend(action_id: int, plan: Plan, *, by: User) -> Action:
    """Change what is planned; each change is an entry, and a new owner is told."""
    with transaction.atomic():
        action = _held(action_id)
        title = without_contacts(plan.title, LONGEST_TITLE)
        if title and title != action.title:
            action.title = title
            _enter(action, EntryOfAction.TITLE, by=by, text=title)
        if plan.due_on != action.due_on:
            _enter(action, EntryOfAction.DUE, by=by, old=str(action.due_on), new=str(plan.due_on))
            action.due_on = plan.due_on
        if plan.place != action.place:
            _enter(action, EntryOfAction.PLACE, by=by, old=place_key(action.place), new=place_key(plan.place))
            action.store = plan.place if isinstance(plan.place, Store) else None
            action.node = plan.place if isinstance(plan.place, Node) else None
        if plan.owner != action.owner:
            entry = _enter(action, EntryOfAction.OWNER, by=by, old=str(action.owner_id), new=str(plan.owner.pk))
            action.owner = plan.owner
            if plan.owner != by:
                tell_owner(action, entry)
        action.save()
        if action.state == ActionState.OPEN:
            remind(action)
    return action


def note(action_id: int, text: str, *, by: User, form_id: uuid.UUID) -> bool:
    """Add words that stay. False where this very form has been taken already, or says nothing."""
    words = without_contacts(text, LONGEST_NOTE)
    if not words:
        return False
    with transaction.atomic():
        action = _held(action_id)
        if ActionEntry.objects.filter(form_id=form_id).exists():
            return False
        _enter(action, EntryOfAction.NOTE, by=by, text=words, form_id=form_id)
    return True


def end(action_id: int, state: ActionState, *, by: User, text: str = "") -> Action:
    """Done or dropped, with what was done in a sentence for the walls, or with why. Whoever comes second changes
    nothing."""
    assert state != ActionState.OPEN
    with transaction.atomic():
        action = _held(action_id)
        if action.state != ActionState.OPEN:
            return action
        words = without_contacts(text, LONGEST_DID if state == ActionState.DONE else LONGEST_NOTE)
        action.state, action.ended_at = state, timezone.now()
        action.did = words if state == ActionState.DONE else ""
        action.save()
        _enter(action, EntryOfAction(state.value), by=by, text=words)
    return action


def take_up(action_id: int, *, by: User) -> Action:
    """Open again what was done or dropped; it leaves the walls to come."""
    with transaction.atomic():
        action = _held(action_id)
        if action.state != ActionState.OPEN:
            action.state, action.ended_at, action.did = ActionState.OPEN, None, ""
            action.save()
            _enter(action, EntryOfAction.REOPENED, by=by)
            remind(action)
    return action


def without_contacts(text: str, longest: int) -> str:
    """The words as they may be kept and hung up, shortened if need be."""
    plain = " ".join(text.split()) if longest < LONGEST_NOTE else text.strip()
    return redact(plain, languages=[get_language() or "en"])[:longest]


def _held(action_id: int) -> Action:
    related = ("store", "node", "owner")
    return Action.objects.select_for_update(of=("self",), no_key=True).select_related(*related).get(pk=action_id)


def _enter(
    action: Action,
    kind: EntryOfAction,
    *,
    by: User,
    text: str = "",
    old: str = "",
    new: str = "",
    form_id: uuid.UUID | None = None,
) -> ActionEntry:
    return ActionEntry.objects.create(
        action=action, kind=kind, by=by, text=text, old=old, new=new, form_id=form_id or uuid.uuid4()
    )


@on_erase
def forget_words(response_id: uuid.UUID) -> None:
    """What was written about an action that came from this shopper's case may speak of them."""
    ActionEntry.objects.filter(action__case__response=response_id).exclude(text="").update(text="")
