"""How rooms put messages into the outbox and teach it to write them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from customers.models import Contact
from messaging.choices import Channel, MessageState
from messaging.models import Message
from stores.models import User


@dataclass(frozen=True)
class Rendered:
    """What is sent. `html` and `subject` are for e-mail; an SMS is its `text` alone."""

    subject: str
    text: str
    html: str = ""


Renderer = Callable[[Message], Rendered | None]
_renderers: dict[str, Renderer] = {}


def register_renderer(kind: str, renderer: Renderer) -> None:
    """Say who writes messages of `kind`. The renderer runs outside any lock, in the recipient's language.

    It returns None when the message is no longer needed; the row then ends as cancelled.
    """
    _renderers[kind] = renderer


def renderer_of(kind: str) -> Renderer:
    """Raises KeyError for a kind that no room has registered."""
    return _renderers[kind]


def draft(
    kind: str,
    subject_id: object,
    *,
    channel: str,
    dedup_key: str,
    user: User | None = None,
    contact: Contact | None = None,
    run_at: datetime | None = None,
    expires_at: datetime | None = None,
    priority: int = 5,
) -> Message:
    """An unsaved message; `run_at` None means now. Save it with `put_all`."""
    return Message(
        kind=kind,
        subject_id=str(subject_id),
        channel=channel,
        user=user,
        contact=contact,
        dedup_key=dedup_key,
        state=MessageState.PENDING,
        priority=priority,
        run_at=run_at or timezone.now(),
        expires_at=expires_at,
    )


def put_all(messages: Sequence[Message]) -> None:
    """Add messages in the caller's transaction; those whose `dedup_key` is there already are left out."""
    if messages:
        Message.objects.bulk_create(messages, ignore_conflicts=True)


def put(kind: str, subject_id: object, *, channel: Channel, dedup_key: str, **fields: Any) -> Message | None:
    """Add one message in the caller's transaction; None when a row with this `dedup_key` is there already."""
    message = draft(kind, subject_id, channel=channel, dedup_key=dedup_key, **fields)
    put_all([message])
    # PostgreSQL reports no row count for ignored conflicts through bulk_create, so look at what is there.
    return message if Message.objects.filter(pk=message.pk).exists() else None
