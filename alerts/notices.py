"""Telling staff about a case: the message rows of a step and the event that says so, always written together."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

import structlog
from django.dispatch import receiver
from django.utils import timezone

from alerts.choices import EventKind, Severity
from alerts.ladder import Rung
from alerts.models import Case, CaseEvent, CaseStep
from alerts.telling import people_told
from core.quick import insert_soon
from messaging.chat import hooks_of
from messaging.choices import Channel
from messaging.models import Message
from messaging.outbox import draft, put_all
from messaging.preferences import channels_of
from messaging.signals import stood_in
from stores.models import User
from stores.queries import everybody_of, who_answers

log = structlog.get_logger()
CASE_NOTICE, CASE_ESCALATED, CASE_UPDATE = "case_notice", "case_escalated", "case_update"
STAFF_KINDS = (CASE_NOTICE, CASE_ESCALATED, CASE_UPDATE)
CASE_ANSWER, VERIFICATION = "case_answer", "verification"
# After a day a notice that nobody could deliver is no longer news; the audit has long been complaining.
_STAFF_LIFETIME = timedelta(days=1)
_URGENT, _NOTICE = 0, 1


class _Times(TypedDict):
    run_at: datetime
    expires_at: datetime
    priority: int


@dataclass
class Written:
    """Events and messages that belong into the caller's transaction, gathered to go there in two statements."""

    events: list[CaseEvent] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def save(self) -> None:
        insert_soon(self.events)
        put_all(self.messages)


def add_step_notices(
    written: Written,
    case: Case,
    step: CaseStep,
    rung: Rung,
    *,
    people: dict[str, list[User]],
    at: datetime,
    kind: str = CASE_NOTICE,
    knowing: set[tuple[object, str]] | None = None,
) -> None:
    """One message and one NOTIFIED event for everybody whom this step tells, and for every chat that listens.

    `knowing` are those whom another step of this very moment has told, by which channel; those of this one are added.
    """
    knowing = set() if knowing is None else knowing
    by_chat = rung.channel in {"", Channel.CHAT}
    hooks = hooks_of(case.store, severe=case.severity == Severity.SEVERE) if by_chat else []
    # Where no chat listens, a step for the chat tells its people: better the wrong way than nobody.
    chat_only = rung.channel == Channel.CHAT and bool(hooks)
    told = [] if chat_only else people_told(rung, case.store, case.level, people)
    if not told and not chat_only:
        log.error("case has nobody to tell", case=str(case.pk), step=step.ordinal)
    news = _Times(run_at=at, expires_at=at + _STAFF_LIFETIME, priority=_priority(case))
    plan = channels_of(told)
    for user in told:
        if not plan[user.pk]:
            log.error("staff account without address", user=user.pk)
            continue
        channel = rung.channel if rung.channel in plan[user.pk] else plan[user.pk][0]
        if (user.pk, channel) in knowing:
            continue
        knowing.add((user.pk, channel))
        written.messages.append(
            draft(kind, case.pk, channel=channel, user=user, dedup_key=step_key(case, step, user.pk, channel), **news)
        )
        written.events.append(
            CaseEvent(case=case, kind=EventKind.NOTIFIED, at=at, step=step, recipient=user, channel=channel)
        )
    for hook in hooks:
        if (hook, Channel.CHAT.value) in knowing:
            continue
        knowing.add((hook, Channel.CHAT.value))
        key = step_key(case, step, f"hook{hook.pk}", Channel.CHAT)
        written.messages.append(draft(kind, case.pk, channel=Channel.CHAT, hook=hook, dedup_key=key, **news))
        written.events.append(
            CaseEvent(case=case, kind=EventKind.NOTIFIED, at=at, step=step, channel=Channel.CHAT, new={"chat": hook.pk})
        )


def step_key(case: Case, step: CaseStep, recipient: object, channel: str) -> str:
    """What makes a step's message to one recipient by one channel one row."""
    place = f"{step.ordinal}.{step.repetition}" if step.repetition else str(step.ordinal)
    return f"case:{case.pk}:{step.round}:{place}:{recipient}:{channel}"


@receiver(stood_in)
def record_stand_in(sender: object, message: Message, **_: object) -> None:
    """A step's notice that goes out by another channel is an event of its own."""
    if message.kind not in STAFF_KINDS or not message.dedup_key.startswith("case:"):
        return
    _case, case_id, round_, place, _user, _channel = message.dedup_key.split(":")
    ordinal, _dot, repetition = place.partition(".")
    steps = CaseStep.objects.filter(case=UUID(case_id), round=int(round_), ordinal=int(ordinal))
    step = steps.filter(repetition=int(repetition or 0)).first()
    if step is not None:
        event = CaseEvent(
            case_id=step.case_id,
            kind=EventKind.NOTIFIED,
            at=timezone.now(),
            step=step,
            recipient=message.user,
            channel=message.channel,
            new={"instead": True},
        )
        CaseEvent.objects.bulk_create([event], ignore_conflicts=True)


def add_update(written: Written, case: Case, *, about: str, at: datetime, to: list[User] | None = None) -> None:
    """A notice outside the ladder, to the owner or, when that one has left or is away, to whoever answers now; to the
    people named in `to` instead. `about` names its occasion, so that each is told once."""
    answering = to or who_answers(case.store, case.level, at=at) or everybody_of(case.store)
    told = [case.owner] if case.owner in answering else answering
    plan = channels_of(told)
    for user in told:
        for channel in plan[user.pk][:1]:
            written.messages.append(
                draft(
                    CASE_UPDATE,
                    case.pk,
                    channel=channel,
                    user=user,
                    dedup_key=f"{about}:{user.pk}:{channel}",
                    run_at=at,
                    expires_at=at + _STAFF_LIFETIME,
                    priority=_priority(case),
                )
            )


def _priority(case: Case) -> int:
    return _URGENT if case.severity == Severity.SEVERE else _NOTICE
