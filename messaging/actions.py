"""What becomes of a message in the outbox: decided by whoever holds the row, or by a person when nobody does."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from core.leases import Claim, ClockNow, finish, from_now, retry_delay
from customers.leaving import STOP, stop_by_hash
from messaging.choices import Channel, MessageState
from messaging.models import ChatHook, Message
from messaging.outbox import draft, put_all
from messaging.preferences import channels_of
from messaging.signals import stood_in
from messaging.transports import Ambiguous, NotTaken, Refused, Undelivered
from stores.choices import ChangeKind
from stores.models import User
from stores.recording import change, record

MAX_ATTEMPTS = 5
# How long the first choice may fail until the second is tried (RELIABILITY A4).
FAILOVER_AFTER = timedelta(minutes=2)
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(seconds=60)
# Of this priority and after is what may come hours late.
_PATIENT = 9
_ERROR_LENGTH = 300
# When the provider is asked of what is unknown, and of what it took and has not spoken of again.
_ASK_UNKNOWN_AFTER, ASK_TAKEN_AFTER = timedelta(seconds=20), timedelta(hours=1)


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
        "failover_at": None,
    }
    if provider_id:
        done["ask_at"] = from_now(ASK_TAKEN_AFTER)
    if not finish(claimed, **done):
        Message.objects.filter(pk=claimed.row.pk, state=MessageState.UNKNOWN).update(**done)


def hold(claimed: Claim[Message], until: datetime) -> None:
    """It has to wait, through no fault of anybody's: no attempt is used up."""
    finish(claimed, run_at=until, attempts=F("attempts") - 1)


def mark_carried(message_ids: Sequence[UUID], *, by: Message) -> None:
    """Their news went along with another message to the same person. Whoever has claimed one finds it taken away."""
    if message_ids:
        Message.objects.filter(pk__in=message_ids, state=MessageState.PENDING).update(
            state=MessageState.SENT, sent_at=ClockNow(), run_at=None, lease_token=None, lease_until=None, carried_by=by
        )


def mark_cancelled(claimed: Claim[Message], reason: str) -> None:
    """It is not needed any more."""
    finish(claimed, state=MessageState.CANCELLED, last_error=reason)


def mark_unknown(claimed: Claim[Message], reason: str) -> None:
    """It may have reached a shopper: never sent again by itself. The provider is asked."""
    asked = {"ask_at": from_now(_ASK_UNKNOWN_AFTER)} if claimed.row.channel == Channel.SMS else {}
    finish(claimed, state=MessageState.UNKNOWN, last_error=reason[:_ERROR_LENGTH], **asked)


def mark_dead(claimed: Claim[Message], reason: str) -> None:
    """It is given up; staff are told by another channel at once, and a person has to look."""
    now = ClockNow() if claimed.row.user_id else None
    finish(claimed, state=MessageState.DEAD, last_error=reason[:_ERROR_LENGTH], failover_at=now)


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
        failover_at=_failover_at(claimed.row),
    )


def wait_for_server(claimed: Claim[Message], reason: str) -> None:
    """The server was away: no attempt is used up, for an alert must outlive an outage. Ends when the message expires.

    The wait grows with the message's age to a minute at most. What is as patient as a weekly mail waits a hundredth
    of its age, for it never expires, and what is never taken must cost ever less.
    """
    age = claimed.at - claimed.row.created_at
    longest = max(_LONGEST_WAIT, age / 100) if claimed.row.priority >= _PATIENT else _LONGEST_WAIT
    finish(
        claimed,
        state=MessageState.PENDING,
        attempts=F("attempts") - 1,
        run_at=from_now(min(max(age / 2, _SHORTEST_WAIT), longest)),
        last_error=reason[:_ERROR_LENGTH],
        failover_at=_failover_at(claimed.row),
    )


def _failover_at(message: Message) -> Any:
    """Two minutes after the first failure of a message to a person of ours; None when another has taken its place."""
    if not message.user_id or Message.objects.filter(stands_in_for=message).exists():
        return None
    return Coalesce(F("failover_at"), from_now(FAILOVER_AFTER))


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
            stop_by_hash(message.contact.value_hash, STOP)
        mark_dead(claimed, reason)


def due_failovers(limit: int) -> list[UUID]:
    """Messages to staff whose time for another channel has come."""
    due = Message.objects.filter(failover_at__lte=ClockNow()).order_by("failover_at")
    return list(due.values_list("pk", flat=True)[:limit])


@transaction.atomic
def stand_in(message_id: UUID) -> bool:
    """Tell a member of staff by the next of their channels what this message has failed to; the first one goes on
    trying, for told twice is better than not at all. False when there is nothing to do, or another loop does it."""
    waiting = Message.objects.select_for_update(skip_locked=True, of=("self",)).select_related("user")
    message = waiting.filter(pk=message_id, failover_at__isnull=False).first()
    if message is None or message.user is None:
        return False
    Message.objects.filter(pk=message.pk).update(failover_at=None)
    if message.state in (MessageState.SENT, MessageState.CANCELLED):
        return False
    tried = _channels_tried(message)
    channel = next((one for one in channels_of([message.user])[message.user.pk] if one not in tried), None)
    if channel is None:
        return False
    other = draft(
        message.kind,
        message.subject_id,
        channel=channel,
        dedup_key=message.dedup_key.removesuffix(message.channel) + channel,
        user=message.user,
        # Due at once, by whatever clock.
        run_at=message.created_at,
        expires_at=message.expires_at,
        priority=message.priority,
    )
    other.stands_in_for = message
    put_all([other])
    if not Message.objects.filter(pk=other.pk).exists():
        return False
    stood_in.send(sender=Message, message=other, instead_of=message)
    return True


def _channels_tried(message: Message) -> set[str]:
    """Its own channel, and those of the messages it stands in for."""
    tried, earlier = {message.channel}, message.stands_in_for
    while earlier is not None:
        tried.add(earlier.channel)
        earlier = earlier.stands_in_for
    return tried


def settle_by_hand(message_id: UUID, *, delivered: bool, actor: User | None = None) -> bool:
    """A person knows what became of an unknown message, or drops a dead one. False when it is neither."""
    unsettled = Message.objects.filter(pk=message_id, state__in=(MessageState.UNKNOWN, MessageState.DEAD))
    if delivered:
        return bool(unsettled.update(state=MessageState.SENT, sent_at=ClockNow(), settled_by=actor))
    return bool(unsettled.update(state=MessageState.CANCELLED, settled_by=actor))


def send_again(message_id: UUID, *, expires_at: datetime | None = None, actor: User | None = None) -> bool:
    """A person decides that an unknown or dead message goes out once more. False when it is neither."""
    unsettled = Message.objects.filter(pk=message_id, state__in=(MessageState.UNKNOWN, MessageState.DEAD))
    return bool(
        unsettled.update(
            state=MessageState.PENDING,
            attempts=0,
            run_at=ClockNow(),
            expires_at=expires_at,
            settled_by=actor,
            provider_id="",
            provider_state="",
            ask_at=None,
        )
    )


@transaction.atomic
def connect_chat(hook: ChatHook, *, actor: User) -> ChatHook:
    """Shoppers' words, redacted, go there from now on: the history of the place says who decided so."""
    hook.save(force_insert=True)
    _record_chat(hook, ChangeKind.CREATED, actor)
    return hook


@transaction.atomic
def disconnect_chat(hook: ChatHook, *, actor: User) -> None:
    """Nothing goes there any more, and its address is forgotten. Doing so twice changes nothing."""
    if ChatHook.objects.filter(pk=hook.pk, retired_at=None).update(retired_at=ClockNow(), url=""):
        _record_chat(hook, ChangeKind.RETIRED, actor)


def _record_chat(hook: ChatHook, kind: ChangeKind, actor: User) -> None:
    place = hook.store or hook.node
    assert place is not None
    record(change(place, actor=actor, what="chat", kind=kind, new={"name": hook.name}))
