from datetime import timedelta

from core.personal import impersonal, register

register("stores.User", "email", "name", "phone", "search_text", erasure="keep", why="Staff account.")
impersonal("stores.User", "password", "language")
impersonal("stores.Node", "code", "kind", "name", "path")
impersonal(
    "stores.Store",
    "kind",
    "code",
    "name",
    "address",
    "city",
    "country",
    "time_zone",
    "languages",
    "phone",
    "public_review_url",
    "postcode",
    "subdivision",
    "contact_emails",
    "holiday_rule",
    "closed_reason",
    "search_text",
)
impersonal("stores.HoursException", "reason")
impersonal("stores.Touchpoint", "kind", "name", "code")
impersonal("stores.FormerCode", "code")
impersonal("stores.RoleAssignment", "role")
impersonal("stores.ConfigChange", "kind", "what", "old", "new")
# How and on what somebody is signed in goes with the session.
register(
    "stores.StaffSession",
    "browser",
    erasure="delete row",
    keep_for=timedelta(days=30),
    why="The list of one's own sessions.",
    aged_by="last_seen_at",
)
impersonal("stores.StaffSession", "way")
register(
    "stores.SecurityEvent",
    "address_hash",
    erasure="blank",
    keep_for=timedelta(days=2),
    why="Attacks from one address are told apart.",
    aged_by="at",
)
register(
    "stores.SecurityEvent",
    "browser",
    erasure="delete row",
    keep_for=timedelta(days=400),
    why="What happened at an account's door, longer than a year so that a yearly audit sees all of it.",
    aged_by="at",
)
impersonal("stores.SecurityEvent", "kind", "detail", "scope")
register(
    "stores.Allowance",
    "key",
    erasure="delete row",
    keep_for=timedelta(days=1),
    why="Keyed hash of an address or account; holds tries to a steady rate.",
    aged_by="full_at",
)
register("stores.Identity", "subject_hash", erasure="keep", why="Keyed hash of the identity provider's subject.")
impersonal("stores.PersonEvent", "kind", "role", "what")
impersonal("stores.StaffInvitation", "token_hash")
impersonal("stores.AddressChange", "token_hash")
register(
    "stores.AddressChange",
    *("old", "new"),
    erasure="delete row",
    keep_for=timedelta(days=400),
    why="Who had whose account sent where; as long as the log of sign-ins.",
    aged_by="created_at",
)
# Why somebody is away may say something about their health.
register(
    "stores.Absence",
    "note",
    erasure="blank",
    keep_for=timedelta(days=90),
    why="What colleagues should know about an absence.",
    aged_by="ends_at",
)
register(
    "stores.Device",
    "name",
    "family",
    erasure="delete row",
    keep_for=timedelta(days=400),
    why="The list of one's own devices; as long as the log of sign-ins.",
    aged_by="last_used_at",
)
impersonal("stores.Device", "series_hash", "token_hash", "next_hash", "previous_hash", "password_stamp", "ended_by")
register("stores.Pin", "hash", erasure="delete row", why="Slow hash of a keyed hash of six digits.")
register(
    "stores.StoreImport",
    *("file_name", "report", "digest"),
    erasure="delete row",
    keep_for=timedelta(days=7),
    why="A file to import names the chain's people.",
)
impersonal("stores.StoreImport", "state")
