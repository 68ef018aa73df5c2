from core.personal import impersonal, register

register("sentiment.Analysis", "redacted", erasure="blank", why="The shopper's words without names and numbers.")
register("sentiment.Analysis", "text_hash", erasure="blank", why="Tells corrected words from the same words.")
impersonal(
    "sentiment.Analysis",
    "language",
    "sentiment",
    "topics",
    "urgency",
    "model_version",
    "last_error",
)
