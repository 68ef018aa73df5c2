from datetime import timedelta

from core.personal import impersonal, register

register(
    "messaging.Message",
    "last_error",
    erasure="blank",
    keep_for=timedelta(days=90),
    why="A server's answer may quote the address of a member of staff; of a shopper's message only its code is kept.",
)
impersonal("messaging.Message", "kind", "subject_id", "channel", "dedup_key", "state", "provider_id", "provider_state")
register(
    "messaging.IncomingText",
    "text",
    erasure="delete row",
    keep_for=timedelta(days=30),
    why="Answers by text message, until they lie in an answer or case; then empty, so that each counts once.",
    aged_by="received_at",
)
impersonal("messaging.IncomingText", "sid")
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
register(
    "messaging.PushDevice",
    *("name", "endpoint", "p256dh", "auth", "last_error"),
    erasure="keep",
    why="Where a member of staff wants to be told; gone with the account, or when they switch it off.",
)
impersonal("messaging.AlertPreference", "channels")
impersonal("messaging.ChatHook", "name", "style", "url", "language")
