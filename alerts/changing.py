"""Changing a case: its row is held, what happens is recorded, and the last step of a person may be taken back.

Everything with a `form_id` may be sent twice: the second time changes nothing and succeeds. What the state forbids
raises ActionRefused with a sentence for the person who asked.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.choices import TO_DO, CaseState, EventKind
from alerts.clock import hours_of
from alerts.models import Case, CaseEntry, CaseEvent, LastStep
from alerts.notices import STAFF_KINDS, Written
from alerts.queries import is_reachable
from alerts.signals import case_changed
from alerts.times import is_due, keep_times
from messaging.choices import MessageState
from messaging.models import Message
from stores.models import User

P = ParamSpec("P")
LONGEST_TEXT = 4000
# What a step may change of a case, and what taking it back restores.
_COLUMNS = (
    "state",
    "owner_id",
    "level",
    "fix_only",
    "acknowledged_at",
    "attempted_at",
    "contacted_at",
    "fixed_at",
    "resolved_at",
    "closed_at",
    "root_cause_id",
    "outcome",
    "exemption",
    "exempt_reason",
    "acknowledged_open_secs",
    "contacted_open_secs",
    "resolved_open_secs",
)


class ActionRefused(Exception):
    """The state of the case forbids it. The message is for the person who asked, in their language."""

    @property
    def message(self) -> str:
        return str(self)


class AlreadyDone(Exception):
    """This form was sent before: leave everything as it is."""


@dataclass
class Change:
    """One change of a locked case, written whole when its block ends without an error.

    `for_good`: it cannot be taken back, for somebody else has been told already.
    """

    case: Case
    actor: User | None
    at: datetime
    form_id: UUID | None = None
    for_good: bool = False
    written: Written = field(default_factory=Written)

    @property
    def reachable(self) -> bool:
        return is_reachable(self.case.response)

    def event(
        self,
        kind: str,
        *,
        old: dict[str, Any] | None = None,
        new: dict[str, Any] | None = None,
        channel: str = "",
        **more: Any,
    ) -> None:
        """Record that something happened, with the form that asked for it."""
        new = dict(new or {})
        if self.form_id:
            new["form_id"] = str(self.form_id)
        self.written.events.append(
            CaseEvent(
                case=self.case,
                kind=kind,
                at=self.at,
                actor=self.actor,
                channel=channel,
                old=dict(old or {}),
                new=new,
                **more,
            )
        )

    def entry(self, kind: str, text: str, **more: Any) -> CaseEntry:
        entry = CaseEntry(case=self.case, kind=kind, text=text, author=self.actor, **more)
        if self.form_id:
            entry.form_id = self.form_id
        entry.save(force_insert=True)
        return entry

    def move(self, state: CaseState) -> dict[str, Any]:
        """Go to `state`; returns the old and new state for the event."""
        moved = {"old": {"state": self.case.state}, "new": {"state": state.value}}
        self.case.state = state
        return moved

    def take_notice(self) -> None:
        """Acting on an open case acknowledges it."""
        if self.case.state != CaseState.OPEN:
            return
        moved = self.move(CaseState.ACKNOWLEDGED)
        self.case.acknowledged_at = self.case.acknowledged_at or self.at
        self.event(EventKind.ACKNOWLEDGED, **moved)
        on_the_way = Message.objects.filter(
            kind__in=STAFF_KINDS,
            subject_id=str(self.case.pk),
            state__in=(MessageState.PENDING, MessageState.SENDING),
        ).count()
        if on_the_way:
            self.event(EventKind.CROSSED, new={"notices": on_the_way})


def columns_of(case: Case) -> dict[str, Any]:
    """What a step may change of a case."""
    return {name: getattr(case, name) for name in _COLUMNS}


@contextmanager
def changing(
    case_id: UUID, *, actor: User | None, at: datetime | None = None, form_id: UUID | str | None = None
) -> Iterator[Change]:
    """Hold the case's row while the block changes it, then write the change. Raises AlreadyDone for a form that was
    sent before."""
    form = UUID(str(form_id)) if form_id else None
    with transaction.atomic():
        case = (
            Case.objects.select_for_update(of=("self",))
            .select_related("store__node", "response__contact", "owner")
            .get(pk=case_id)
        )
        if form and case.events.filter(new__form_id=str(form)).exists():
            raise AlreadyDone
        before = columns_of(case)
        change = Change(case, actor, at or timezone.now(), form)
        yield change
        if change.written.events:
            if is_due(case, before):
                keep_times(case, hours_of(case.store), before)
            case.version += 1
            case.save()
            change.written.save()
            if actor is not None and not change.for_good:
                _remember(change, actor, before)
            case_changed.send(sender=Case, case=case)


def _remember(change: Change, actor: User, before: dict[str, Any]) -> None:
    """Keep what the step changed, for as long as nothing else happens."""
    case = change.case
    own = [event for event in change.written.events if event.kind != EventKind.CROSSED]
    changed = {name: value for name, value in before.items() if getattr(case, name) != value}
    LastStep.objects.update_or_create(
        case=case,
        defaults={
            "actor": actor,
            "at": change.at,
            "version": case.version,
            "label": own[-1].kind,
            "before": {name: LastStep.plain(value) for name, value in changed.items()},
            "events": [event.pk for event in own],
        },
    )


def once(action: Callable[P, None]) -> Callable[P, None]:
    """Succeed quietly when there is nothing left to do."""

    @wraps(action)
    def act(*args: P.args, **kwargs: P.kwargs) -> None:
        with suppress(AlreadyDone):
            action(*args, **kwargs)

    return act


def cleaned(text: str, *, required: bool = True) -> str:
    """Words as they are kept. Raises ActionRefused when there are none and there must be."""
    words = text.replace("\x00", "").strip()[:LONGEST_TEXT]
    if required and not words:
        raise ActionRefused(_("Please write something first."))
    return words


def require_to_do(case: Case) -> None:
    if case.state not in TO_DO:
        raise ActionRefused(_("This case is closed."))
