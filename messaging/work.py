"""The outbox step of the work loop: due messages are claimed, written and handed to their server.

To staff at least once, repeats bearing the same Message-ID. To shoppers at most one call of the provider: `sending`
is committed before the call, and whoever finds it there later cannot know what became of it.
"""

from dataclasses import replace
from datetime import timedelta
from email.utils import parseaddr
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import ngettext

from core.faults import kill_point
from core.leases import Claim, claim, from_now
from core.work import background, register_step, register_watch
from customers.leaving import is_suppressed
from customers.texting import may_be_texted
from messaging.actions import (
    MAX_ATTEMPTS,
    begin,
    due_failovers,
    hold,
    mark_cancelled,
    mark_carried,
    mark_dead,
    mark_sent,
    mark_unknown,
    settle,
    stand_in,
    try_later,
)
from messaging.choices import Channel, MessageState
from messaging.grouping import is_grouped, next_buzz_at, take_buzz, waiting_with
from messaging.models import Message
from messaging.outbox import Rendered, held_until, reaches, rendered_for
from messaging.transports import Ambiguous, Undelivered, send

log = structlog.get_logger()
INLINE_BATCH = 20
_UNKNOWN_SECS, _OVERDUE_SECS = 120, 60


def deliver_due() -> int:
    """Claim as many messages as can be sent right now and send them, in the loop's threads if it runs in one.

    One thread is kept free of shoppers' messages, so that a slow provider never holds up staff.
    """
    threads = background()
    room = threads.free() if threads else INLINE_BATCH
    if not room:
        return 0
    undelivered = Message.objects.filter(state__in=(MessageState.PENDING, MessageState.SENDING)).select_related(
        "user", "contact", "hook"
    )
    claims = _claim(undelivered.filter(contact=None), room)
    claims += _claim(undelivered.filter(contact__isnull=False), room - len(claims) - 1)
    for one in claims:
        if threads:
            threads.submit(partial(deliver, one))
        else:
            deliver(one)
    return len(claims)


def _claim(messages: QuerySet[Message], limit: int) -> list[Claim[Message]]:
    lease: timedelta = settings.SENDER_LEASE
    return claim(messages, limit=limit, lease=lease, order=("priority", "run_at")) if limit > 0 else []


def deliver(claimed: Claim[Message]) -> None:
    """Write and send one claimed message, and leave word of the outcome."""
    message = claimed.row
    kill_point("message_claimed")
    if not message.to_staff and message.state == MessageState.SENDING:
        mark_unknown(claimed, "its worker died while sending")
    elif message.expires_at and message.expires_at < claimed.at:
        mark_cancelled(claimed, "expired")
    elif message.attempts > MAX_ATTEMPTS:
        mark_dead(claimed, message.last_error or "its worker died every time")
    elif (reason := _unwanted(message)) is not None:
        mark_cancelled(claimed, reason)
    else:
        _write_and_send(claimed)


def _write_and_send(claimed: Claim[Message]) -> None:
    message = claimed.row
    try:
        if (until := held_until(message)) is not None:
            hold(claimed, until)
            return
        rendered = rendered_for(message)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever a template may throw
        log.exception("message cannot be written", message=str(message.pk), kind=message.kind)
        try_later(claimed, f"cannot be written: {type(error).__name__}")
        return
    if rendered is None:
        mark_cancelled(claimed, "not needed any more")
        return
    others: list[UUID] = []
    if is_grouped(message):
        if not take_buzz(message):
            hold(claimed, next_buzz_at(message))
            return
        others = waiting_with(message)
        rendered = _with_others(message, rendered, len(others))
    if not begin(claimed):
        return
    kill_point("message_sending")
    try:
        provider_id = send(message, rendered, message_id=message_id(message))
    except Undelivered as failure:
        log.warning("message not delivered", message=str(message.pk), outcome=type(failure).__name__)
        settle(claimed, failure)
        return
    except Exception as error:  # a fault of the client's own may come after the call
        log.exception("transport failed", message=str(message.pk))
        settle(claimed, Ambiguous(type(error).__name__))
        return
    kill_point("message_sent")
    mark_sent(claimed, provider_id)
    mark_carried(others, by=message)
    kill_point("message_marked")


def message_id(message: Message) -> str:
    """The Message-ID of every delivery of this row, in the sender's domain."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{message.pk.hex}@{domain}>"


def _unwanted(message: Message) -> str | None:
    """Why the recipient must not get it, or None."""
    if message.user:
        return None if reaches(message.user, message.kind) else "account closed"
    if message.contact and message.contact.erased_at:
        return "erased"
    contact = message.contact
    if contact is not None and is_suppressed(contact.value_hash):
        return "suppressed"
    if contact is not None and message.channel == Channel.SMS and contact.value and not may_be_texted(contact.value):
        return "country"
    return None


def _with_others(message: Message, rendered: Rendered, count: int) -> Rendered:
    """One buzz tells of several: the others are in the inbox."""
    if not count:
        return rendered
    language = message.user.language if message.user else ""
    with translation.override(language if language in dict(settings.STAFF_LANGUAGES) else settings.LANGUAGE_CODE):
        more = ngettext("and %(n)d more notice in your inbox", "and %(n)d more notices in your inbox", count)
    return replace(rendered, text=f"{rendered.text} … {more % {'n': count}}")


# --- the other channel ------------------------------------------------------------------------------------------
def fail_over() -> int:
    """What one channel could not bring to a member of staff goes out by their next one."""
    return sum(stand_in(pk) for pk in due_failovers(INLINE_BATCH))


# --- what the audit looks at ------------------------------------------------------------------------------------
def _overdue(patience_secs: int) -> int:
    return Message.objects.filter(run_at__lt=from_now(-timedelta(seconds=patience_secs))).count()


def _not_taken(patience_secs: int) -> int:
    """Each try puts `run_at` off, so that a server that stays away never makes a message overdue by that."""
    tried = Message.objects.filter(state=MessageState.PENDING, contact=None).exclude(last_error="")
    return tried.filter(run_at__isnull=False, created_at__lt=from_now(-timedelta(seconds=patience_secs))).count()


def _of_today(problem: Q) -> QuerySet[Message]:
    """Older ones have been reported for a day; they stay in the outbox until somebody settles them."""
    return Message.objects.filter(problem, created_at__gt=from_now(-timedelta(days=1)))


def _unknown(patience_secs: int) -> int:
    in_time = Q(created_at__lt=from_now(-timedelta(seconds=patience_secs)))
    return _of_today(Q(state=MessageState.UNKNOWN) & in_time).count()


def _given_up(patience_secs: int) -> int:
    return _of_today(Q(state=MessageState.DEAD, contact=None, stand_in=None)).count()


register_step("alerts", "outbox", deliver_due)
register_step("alerts", "other channel", fail_over)
register_watch("messages overdue", _OVERDUE_SECS, _overdue)
register_watch("messages to staff that no server takes", _OVERDUE_SECS, _not_taken)
register_watch("messages of unknown outcome", _UNKNOWN_SECS, _unknown)
register_watch("messages to staff given up", 0, _given_up)
