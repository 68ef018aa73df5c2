from core.personal import impersonal, register

register("stores.User", "email", "name", "phone", erasure="keep", why="Staff account.")
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
impersonal("stores.RoleAssignment", "role")
impersonal("stores.ConfigChange", "kind", "what", "old", "new")
