"""What becomes of a message in the outbox: decided by whoever holds the row, or by a person when nobody does."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from core.leases import Claim, ClockNow, finish, from_now, retry_delay
from customers.models import Suppression
from messaging.choices import MessageState
from messaging.models import Message
from messaging.transports import Ambiguous, NotTaken, Refused, Undelivered

MAX_ATTEMPTS = 5
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(seconds=60)
_ERROR_LENGTH = 300


def begin(claimed: Claim[Message]) -> bool:
    """Commit that the message is about to be handed over. False when somebody else has it, or it was cancelled."""
    held = Message.objects.filter(pk=claimed.row.pk, lease_token=claimed.token)
    return bool(held.exclude(state=MessageState.CANCELLED).update(state=MessageState.SENDING))


def mark_sent(claimed: Claim[Message], provider_id: str) -> None:
    """It was taken. Also settles a row that was called unknown while this worker was slow."""
    done: dict[str, Any] = {
        "state": MessageState.SENT,
        "sent_at": ClockNow(),
        "provider_id": provider_id,
        "last_error": "",
    }
    if not finish(claimed, **done):
        Message.objects.filter(pk=claimed.row.pk, state=MessageState.UNKNOWN).update(**done)


def mark_cancelled(claimed: Claim[Message], reason: str) -> None:
    """It is not needed any more."""
    finish(claimed, state=MessageState.CANCELLED, last_error=reason)


def mark_unknown(claimed: Claim[Message], reason: str) -> None:
    """It may have reached a shopper: never sent again by itself."""
    finish(claimed, state=MessageState.UNKNOWN, last_error=reason[:_ERROR_LENGTH])


def mark_dead(claimed: Claim[Message], reason: str) -> None:
    """It is given up; a person has to look."""
    finish(claimed, state=MessageState.DEAD, last_error=reason[:_ERROR_LENGTH])


def try_later(claimed: Claim[Message], reason: str) -> None:
    """After a failure of ours or one in doubt: wait longer each time, give up after the last attempt."""
    if claimed.row.attempts >= MAX_ATTEMPTS:
        mark_dead(claimed, reason)
        return
    finish(
        claimed,
        state=MessageState.PENDING,
        run_at=from_now(retry_delay(claimed.row.attempts)),
        last_error=reason[:_ERROR_LENGTH],
    )


def wait_for_server(claimed: Claim[Message], reason: str) -> None:
    """The server was away: no attempt is used up, for an alert must outlive an outage. Ends when the message expires.

    The wait grows with the message's age.
    """
    age = timezone.now() - claimed.row.created_at
    finish(
        claimed,
        state=MessageState.PENDING,
        attempts=F("attempts") - 1,
        run_at=from_now(min(max(age / 2, _SHORTEST_WAIT), _LONGEST_WAIT)),
        last_error=reason[:_ERROR_LENGTH],
    )


def settle(claimed: Claim[Message], failure: Undelivered) -> None:
    """Decide by its cause what a failure means.

    In doubt, staff are told again with the same Message-ID; a shopper is not.
    """
    message = claimed.row
    reason = failure.reason if message.to_staff else failure.reason.partition(" ")[0]
    if isinstance(failure, NotTaken):
        wait_for_server(claimed, reason)
    elif isinstance(failure, Ambiguous):
        if message.to_staff:
            try_later(claimed, reason)
        else:
            mark_unknown(claimed, reason)
    else:
        if isinstance(failure, Refused) and failure.opted_out and message.contact and message.contact.value_hash:
            Suppression.objects.get_or_create(value_hash=message.contact.value_hash, defaults={"reason": "stop"})
        mark_dead(claimed, reason)


def settle_by_hand(message_id: UUID, *, delivered: bool) -> bool:
    """A person knows what became of an unknown message, or drops a dead one. False when it is neither."""
    unsettled = Message.objects.filter(pk=message_id, state__in=(MessageState.UNKNOWN, MessageState.DEAD))
    if delivered:
        return bool(unsettled.update(state=MessageState.SENT, sent_at=ClockNow()))
    return bool(unsettled.update(state=MessageState.CANCELLED))


def send_again(message_id: UUID, *, expires_at: datetime | None = None) -> bool:
    """A person decides that an unknown or dead message goes out once more. False when it is neither."""
    unsettled = Message.objects.filter(pk=message_id, state__in=(MessageState.UNKNOWN, MessageState.DEAD))
    return bool(unsettled.update(state=MessageState.PENDING, attempts=0, run_at=ClockNow(), expires_at=expires_at))
