"""What the provider of text messages says later of what it was handed: by its callbacks, or when it is asked.

Callbacks come in any order, more than once, and at times before our own note of the sending is committed (RELIABILITY
A10): its words are ranked, a later one never takes an earlier one's place, and how it ended stays. Whoever says
anything of a message has taken it: that settles what was unknown (A4).
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from core.leases import ClockNow, from_now
from core.work import background, register_step
from customers.leaving import STOP, stop_by_hash
from messaging.actions import ASK_TAKEN_AFTER
from messaging.choices import Channel, MessageState
from messaging.models import Message
from messaging.outbox import rendered_for
from messaging.transports import STOPPED, Undelivered, find_texts, look_up_text

log = structlog.get_logger()
# https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
_RANKS = {"accepted": 1, "scheduled": 1, "queued": 2, "sending": 3, "sent": 4, "delivered": 5, "read": 5}
_ENDED_BADLY = ("undelivered", "failed", "canceled")
# Asked, and it knows of no such message: a person may send it again.
MISSING = "missing"
_FINAL = 5
_BATCH = 20
# How long it is asked about one message.
_ASK_UNTIL = timedelta(days=2)
_SHORTEST_WAIT = timedelta(minutes=2)


@dataclass(frozen=True)
class Word:
    """What the provider says of the message that it calls `sid`. `error` is its code for what went wrong, or 0."""

    sid: str
    state: str
    error: int = 0

    @property
    def bad(self) -> bool:
        return self.state in _ENDED_BADLY

    @property
    def rank(self) -> int:
        return _FINAL if self.bad else _RANKS.get(self.state, 0)


@transaction.atomic
def learn(message_id: UUID, word: Word) -> bool:
    """Keep what the provider says. False when that is no news, or about a message that is not there any more."""
    held = Message.objects.select_for_update(of=("self",)).select_related("contact")
    message = held.filter(pk=message_id, channel=Channel.SMS).first()
    # What was never claimed was never handed to anybody.
    if message is None or not word.rank or not (message.attempts or message.provider_id):
        return False
    ours, last = message.provider_id in ("", word.sid), Word("", message.provider_state)
    if word.bad and not ours:
        return False  # a repetition took its place
    if word.rank <= (0 if last.bad and not ours else last.rank):
        return False
    changes: dict[str, Any] = {"provider_id": word.sid, "provider_state": word.state}
    changes["ask_at"] = None if word.rank == _FINAL else message.ask_at or from_now(ASK_TAKEN_AFTER)
    if message.state != MessageState.CANCELLED:
        changes |= _ended_badly(message, word) if word.bad else _taken(message)
    Message.objects.filter(pk=message.pk).update(**changes)
    return True


_SETTLED: dict[str, Any] = {"run_at": None, "lease_token": None, "lease_until": None}


def _taken(message: Message) -> dict[str, Any]:
    """It is with the provider: it need not be tried again, and whoever still waits for an answer has it."""
    if message.state == MessageState.SENT:
        return {}
    sent = {"state": MessageState.SENT, "sent_at": ClockNow(), "last_error": "", "failover_at": None}
    return sent | _SETTLED


def _ended_badly(message: Message, word: Word) -> dict[str, Any]:
    """It did not arrive, and will not: staff are told by another channel at once."""
    if word.error == STOPPED and message.contact and message.contact.value_hash:
        stop_by_hash(message.contact.value_hash, STOP)
    reason = f"{word.state} {word.error or ''}".strip()
    failover_at = ClockNow() if message.user_id else None
    return {"state": MessageState.DEAD, "last_error": reason, "failover_at": failover_at} | _SETTLED


# --- asking ---------------------------------------------------------------------------------------------------
def ask_provider() -> int:
    """Ask about text messages of which it is time to ask, in the loop's threads if it runs in one."""
    threads = background()
    # Alerts go first: half of the threads stay theirs.
    room = threads.free() // 2 if threads else _BATCH
    due = Message.objects.filter(ask_at__lte=ClockNow()).order_by("ask_at")
    taken = 0
    for pk, ask_at in list(due.values_list("pk", "ask_at")[:room]):
        # Whoever moves it asks; asking twice would do no harm either.
        if not Message.objects.filter(pk=pk, ask_at=ask_at).update(ask_at=from_now(_SHORTEST_WAIT)):
            continue
        taken += 1
        if threads:
            threads.submit(partial(ask_about, pk))
        else:
            ask_about(pk)
    return taken


def ask_about(message_id: UUID) -> None:
    """Ask what became of one message; when to ask again if it is not over."""
    message = Message.objects.select_related("user", "contact", "hook").filter(pk=message_id).first()
    if message is None:
        return
    word = None
    try:
        word = _asked(message)
        if word is not None:
            learn(message_id, word)
        elif message.state == MessageState.UNKNOWN:
            Message.objects.filter(pk=message_id, state=MessageState.UNKNOWN).update(provider_state=MISSING)
    except Undelivered as failure:
        log.info("provider does not say", message=str(message_id), outcome=type(failure).__name__)
    finally:
        # Also of one whose words cannot be written any more: it is not asked about for ever.
        _ask_later(message_id, message, word)


def _ask_later(message_id: UUID, message: Message, word: Word | None) -> None:
    age = timezone.now() - message.created_at
    over = age > _ASK_UNTIL or (word is not None and word.rank == _FINAL)
    later = None if over else from_now(max(age, _SHORTEST_WAIT))
    Message.objects.filter(pk=message_id, ask_at__isnull=False).update(ask_at=later)


def _asked(message: Message) -> Word | None:
    """The provider's word; None when it knows of no such message. Raises Undelivered."""
    if message.provider_id:
        return _word(look_up_text(message.provider_id))
    number = (message.user.phone if message.user else message.contact.value if message.contact else "") or ""
    rendered = rendered_for(message) if number else None
    if rendered is None:
        return None
    found = find_texts(number, since=message.created_at - timedelta(minutes=5))
    alike = [one for one in found if one.body.strip() == rendered.text.strip()]
    others = Message.objects.filter(provider_id__in=[one.sid for one in alike]).exclude(pk=message.pk)
    taken = set(others.values_list("provider_id", flat=True))
    return next((_word(one) for one in alike if one.sid not in taken), None)


def _word(found: Any) -> Word:
    return Word(found.sid, str(found.status), int(found.error_code or 0))


register_step("alerts", "provider", ask_provider)
