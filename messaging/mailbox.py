"""The demo's mailbox: caught messages as rows, so that a page can show them."""

from django.db import connection

from messaging.catcher import Caught
from messaging.models import CaughtMessage


def keep_in_database(caught: Caught) -> None:
    """Store a caught message. Runs in the catcher's threads, whose connections nobody else would close."""

    def column(name: str, text: str) -> str:
        longest = CaughtMessage._meta.get_field(name).max_length  # type: ignore[union-attr]
        return text.replace("\x00", "")[:longest]

    try:
        CaughtMessage.objects.create(
            channel=caught.channel,
            sender=column("sender", caught.sender),
            recipient=column("recipient", caught.recipient),
            subject=column("subject", caught.subject),
            text=column("text", caught.text),
            html=column("html", caught.html),
            message_id=column("message_id", caught.message_id),
            caught_at=caught.caught_at,
        )
    finally:
        connection.close()
