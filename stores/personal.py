from core.personal import impersonal, register

register("stores.User", "email", "name", "phone", erasure="keep", why="Staff account.")
impersonal("stores.User", "password", "language")
impersonal("stores.Node", "kind", "name", "path")
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
)
impersonal("stores.HoursException", "reason")
impersonal("stores.Touchpoint", "kind", "name", "code")
impersonal("stores.RoleAssignment", "role")
