from datetime import timedelta

from core.personal import impersonal, register

register(
    "integrations.IdempotentAnswer",
    "body",
    erasure="keep",
    keep_for=timedelta(days=2),
    why="A repeated request gets the same answer, which may hold a shopper's link; ciphertext.",
)
impersonal("integrations.ApiKey", "name", "prefix", "secret_hash", "scopes")
impersonal("integrations.IdempotentAnswer", "key", "fingerprint")
