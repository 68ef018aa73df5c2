"""What people answer to our text messages: kept as a row with the provider's own id, then heard by the room whose
message they answer.

The provider has its receipt at once; what it hands over twice is one row, and what fails here is tried again.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction

from core.leases import Claim, ClockNow, LeaseLost, claim, finish, from_now, retry_delay
from core.work import register_step, register_watch
from messaging.choices import Channel, MessageState
from messaging.models import IncomingText, Message

log = structlog.get_logger()
Listener = Callable[[IncomingText], bool]
_listeners: dict[str, list[Listener]] = defaultdict(list)
_awaiting: dict[str, list[Listener]] = defaultdict(list)
# Nobody has more to say to us in a day: what comes then only fills our tables.
_MOST_A_DAY = 100
_LEFT = (MessageState.SENDING, MessageState.SENT, MessageState.UNKNOWN)
_DAY = timedelta(days=1)
_BATCH = 20
_LEASE = timedelta(seconds=10)
_PATIENCE_SECS = 60


def register_listener(kind: str, hear: Listener, *, awaits: bool = False) -> None:
    """Have `hear` told of answers to messages of `kind`, in a transaction of its own; True when it has taken them.

    Whoever registers last is asked first: a room knows less than those to the right of it. But who `awaits` them goes
    ahead of all: the message asked for this very answer.
    """
    listeners = _awaiting[kind] if awaits else _listeners[kind]
    if hear not in listeners:
        listeners.insert(0, hear)


def take(value_hash: str, sid: str, words: str) -> bool:
    """Keep what the owner of a number has answered to our last text message to them, however long ago that was. Twice
    is once; False when they answer nothing of ours or have filled the day, and nothing is kept."""
    ours = Message.objects.filter(channel=Channel.SMS, contact__value_hash=value_hash, state__in=_LEFT)
    last = ours.order_by("-created_at").first()
    words = words.replace("\x00", "").strip()
    if last is None or not words:
        return False
    today = IncomingText.objects.filter(answers__contact__value_hash=value_hash, received_at__gt=from_now(-_DAY))
    if today.count() >= _MOST_A_DAY:
        log.warning("too many text messages from one number", message=str(last.pk))
        return False
    text = IncomingText(sid=sid, answers=last, text=words, run_at=ClockNow())
    IncomingText.objects.bulk_create([text], ignore_conflicts=True)
    return True


def hear_due() -> int:
    """Tell the rooms what was answered. What fails is tried again for ever; the audit sees what stays."""
    claims = claim(IncomingText.objects.select_related("answers"), limit=_BATCH, lease=_LEASE)
    for one in claims:
        try:
            with transaction.atomic():
                _hear(one)
        except LeaseLost:
            log.info("another worker took over", text=one.row.sid)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("answer not heard", text=one.row.sid)
            finish(one, run_at=from_now(min(retry_delay(one.row.attempts), timedelta(seconds=60))))
    return len(claims)


def _hear(claimed: Claim[IncomingText]) -> None:
    text = claimed.row
    # Held first: whoever deletes what was said, and so this, waits for us or was here before us.
    if not IncomingText.objects.select_for_update().filter(pk=text.pk, lease_token=claimed.token):
        raise LeaseLost
    if not any(hear(text) for hear in (*_awaiting[text.answers.kind], *_listeners[text.answers.kind])):
        log.info("answer that nobody waits for", kind=text.answers.kind)
    if not finish(claimed, text=""):
        raise LeaseLost


def _overdue(patience_secs: int) -> int:
    return IncomingText.objects.filter(run_at__lt=from_now(-timedelta(seconds=patience_secs))).count()


register_step("alerts", "answers by text", hear_due)
register_watch("answers by text that nobody heard", _PATIENCE_SECS, _overdue)
