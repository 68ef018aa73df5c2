from datetime import timedelta

from core.personal import impersonal, register

register("messaging.Message", "last_error", erasure="blank", why="A server's answer may quote the address.")
impersonal("messaging.Message", "kind", "subject_id", "channel", "dedup_key", "state", "provider_id")
register(
    "messaging.CaughtMessage",
    "sender",
    "recipient",
    "subject",
    "text",
    "html",
    erasure="delete row",
    keep_for=timedelta(days=7),
    why="The demo's mailbox; no row exists in production.",
    aged_by="caught_at",
)
impersonal("messaging.CaughtMessage", "channel", "message_id")
