from datetime import timedelta

from core.personal import impersonal, register

register(
    "customers.Contact",
    "value",
    "value_hash",
    erasure="blank",
    keep_for=timedelta(days=365),
    why="To answer.",
)
register("customers.Receipt", "number_hash", erasure="keep", why="One response per receipt; a keyed hash only.")
register("customers.Suppression", "value_hash", erasure="keep", why="So as not to write to somebody who said no.")
impersonal("customers.Contact", "kind", "language")
impersonal("customers.Suppression", "reason")
impersonal("customers.Permission", "purpose", "wording", "language")
