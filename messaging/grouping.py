"""Below severe a person's phone buzzes once in ten minutes; what comes meanwhile goes along with the next buzz."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from core.leases import from_now
from messaging.choices import BUZZING, MessageState
from messaging.models import Buzz, Message

PAUSE = timedelta(minutes=10)
# One statement, so that of two senders one gets it.
_TAKE = """
    INSERT INTO messaging_buzz (user_id, at) VALUES (%s, statement_timestamp())
    ON CONFLICT (user_id) DO UPDATE SET at = EXCLUDED.at
    WHERE messaging_buzz.at <= EXCLUDED.at - make_interval(secs => %s)
"""


def is_grouped(message: Message) -> bool:
    """Whether it may wait for a buzz. What was tried before has had its buzz, and a stand-in is late already."""
    fresh = message.attempts <= 1 and not message.last_error and message.stands_in_for_id is None
    return bool(fresh and message.user_id and message.channel in BUZZING and message.priority > 0)


def take_buzz(message: Message) -> bool:
    """Take the buzz of these ten minutes; False when it is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [message.user_id, PAUSE.total_seconds()])
        return bool(cursor.rowcount == 1)


def next_buzz_at(message: Message) -> datetime:
    """When this person's phone may buzz again."""
    last = Buzz.objects.filter(user=message.user_id).values_list("at", flat=True).first()
    return (last or timezone.now()) + PAUSE


def waiting_with(message: Message) -> list[UUID]:
    """The other notices that wait to go the same way to the same person at the next buzz; not those that wait for
    longer, until a store opens, nor a stand-in, which is late already."""
    others = Message.objects.filter(
        user=message.user_id,
        channel=message.channel,
        state=MessageState.PENDING,
        priority__gt=0,
        last_error="",
        stands_in_for=None,
        run_at__lte=from_now(PAUSE),
    )
    return list(others.exclude(pk=message.pk).values_list("pk", flat=True))
