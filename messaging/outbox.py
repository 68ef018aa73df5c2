"""How rooms put messages into the outbox and teach it to write them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone, translation
from django.utils.functional import Promise

from core.quick import insert_soon
from customers.models import Contact
from messaging.choices import Channel, MessageState
from messaging.models import ChatHook, Message
from stores.models import User


class Attachment(NamedTuple):
    """A file that comes with an e-mail; other channels leave it out."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True)
class Rendered:
    """What is sent. An e-mail has a subject and may have HTML, an SMS is its `text` alone; a push and a chat message
    show `subject` as their title and lead to `url`. An e-mail with `to` goes there, not to the recipient's own address.
    """

    subject: str
    text: str
    html: str = ""
    url: str = ""
    to: str = ""
    attachments: tuple[Attachment, ...] = ()


Renderer = Callable[[Message], Rendered | None]
Gate = Callable[[Message], datetime | None]
_renderers: dict[str, Renderer] = {}
_titles: dict[str, str | Promise] = {}
_gates: dict[str, Gate] = {}
_to_newcomers: set[str] = set()


def register_renderer(
    kind: str, renderer: Renderer, *, title: str | Promise = "", gate: Gate | None = None, to_newcomers: bool = False
) -> None:
    """Say who writes messages of `kind`, which people call `title`. The renderer runs outside any lock, in the
    recipient's language.

    It returns None when the message is no longer needed; the row then ends as cancelled. `gate`, asked before, says
    until when the message has to wait (somebody sleeps, a store is closed); None means that it may go now.
    `to_newcomers`: also to accounts that are not active yet, but never to who has left.
    """
    _renderers[kind] = renderer
    _titles[kind] = title
    if to_newcomers:
        _to_newcomers.add(kind)
    if gate:
        _gates[kind] = gate


def held_until(message: Message) -> datetime | None:
    """Until when the room that owns the message holds it back."""
    gate = _gates.get(message.kind)
    return gate(message) if gate else None


def title_of(kind: str) -> str:
    """What people call messages of `kind`; the kind itself if no room has registered it any more."""
    return str(_titles.get(kind) or kind)


def reaches(user: User, kind: str) -> bool:
    """Whether messages of `kind` go to this account."""
    return user.is_active or (kind in _to_newcomers and user.left_at is None)


def renderer_of(kind: str) -> Renderer:
    """Raises KeyError for a kind that no room has registered."""
    return _renderers[kind]


def rendered_for(message: Message) -> Rendered | None:
    """What is sent, in the recipient's language; None when it is not needed any more."""
    known = dict(settings.LANGUAGES)
    recipient = message.user or message.contact or message.hook
    language = recipient.language if recipient and recipient.language in known else settings.LANGUAGE_CODE
    with translation.override(language):
        return renderer_of(message.kind)(message)


def draft(
    kind: str,
    subject_id: object,
    *,
    channel: str,
    dedup_key: str,
    user: User | None = None,
    contact: Contact | None = None,
    hook: ChatHook | None = None,
    run_at: datetime | None = None,
    expires_at: datetime | None = None,
    priority: int = 5,
) -> Message:
    """An unsaved message; `run_at` None means now. Save it with `put_all`.

    The `dedup_key` of a message to staff ends with its channel, in whose place a stand-in puts its own. Priority 0 is
    for what may wait for nothing and nobody.
    """
    return Message(
        kind=kind,
        subject_id=str(subject_id),
        channel=channel,
        user=user,
        contact=contact,
        hook=hook,
        dedup_key=dedup_key,
        state=MessageState.PENDING,
        priority=priority,
        run_at=run_at or timezone.now(),
        expires_at=expires_at,
    )


def put_all(messages: Sequence[Message]) -> None:
    """Add messages in the caller's transaction; those whose `dedup_key` is there already are left out."""
    insert_soon(messages, ignore_conflicts=True)


def put(kind: str, subject_id: object, *, channel: Channel, dedup_key: str, **fields: Any) -> Message | None:
    """Add one message in the caller's transaction; None when a row with this `dedup_key` is there already."""
    message = draft(kind, subject_id, channel=channel, dedup_key=dedup_key, **fields)
    put_all([message])
    # PostgreSQL reports no row count for ignored conflicts through bulk_create, so look at what is there.
    return message if Message.objects.filter(pk=message.pk).exists() else None
