"""Telling staff about a case: the message rows of a step and the event that says so, always written together."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from alerts.choices import EventKind, Severity
from alerts.models import Case, CaseEvent, CaseStep
from messaging.choices import Channel
from messaging.models import Message
from messaging.outbox import draft, put_all
from stores.choices import Role
from stores.models import User
from stores.queries import everybody_of, who_answers

log = structlog.get_logger()
CASE_NOTICE, CASE_ESCALATED, CASE_UPDATE = "case_notice", "case_escalated", "case_update"
STAFF_KINDS = (CASE_NOTICE, CASE_ESCALATED, CASE_UPDATE)
CASE_ANSWER, VERIFICATION = "case_answer", "verification"
# After a day a notice that nobody could deliver is no longer news; the audit has long been complaining.
_STAFF_LIFETIME = timedelta(days=1)
_URGENT, _NOTICE = 0, 1


@dataclass
class Written:
    """Events and messages that belong into the caller's transaction, gathered to go there in two statements."""

    events: list[CaseEvent] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def save(self) -> None:
        CaseEvent.objects.bulk_create(self.events)
        put_all(self.messages)


def channel_for(user: User) -> Channel | None:
    """How a member of staff is told: by e-mail, by text when there is no address, None when there is neither."""
    return Channel.EMAIL if user.email else Channel.SMS if user.phone else None


def add_step_notices(
    written: Written, case: Case, step: CaseStep, *, people: dict[str, list[User]], deputies: bool, at: datetime
) -> None:
    """One message and one NOTIFIED event for everybody whom this step tells.

    When all are away, all are told: better a holiday disturbed than a shopper forgotten.
    """
    told = list(who_answers(case.store, step.level, people=people))
    if deputies:
        told = list(dict.fromkeys([*told, *people.get(Role.DEPUTY, [])]))
    told = told or everybody_of(case.store)
    if not told:
        log.error("case has nobody to tell", case=str(case.pk), step=step.ordinal)
    for user in told:
        channel = channel_for(user)
        if channel is None:
            log.error("staff account without address", user=user.pk)
            continue
        written.messages.append(
            draft(
                CASE_ESCALATED if step.ordinal else CASE_NOTICE,
                case.pk,
                channel=channel,
                user=user,
                dedup_key=f"case:{case.pk}:{step.round}:{step.ordinal}:{user.pk}:{channel}",
                run_at=at,
                expires_at=at + _STAFF_LIFETIME,
                priority=_priority(case),
            )
        )
        written.events.append(
            CaseEvent(case=case, kind=EventKind.NOTIFIED, at=at, step=step, recipient=user, channel=channel)
        )


def add_update(written: Written, case: Case, *, about: str, at: datetime) -> None:
    """A notice outside the ladder, to the owner or, when that one has left or is away, to whoever answers now. `about`
    names its occasion, so that each is told once."""
    answering = who_answers(case.store, case.level, at=at) or everybody_of(case.store)
    for user in [case.owner] if case.owner in answering else answering:
        channel = channel_for(user)
        if channel is not None:
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
