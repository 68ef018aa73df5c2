from core.personal import impersonal, register

register("sentiment.Analysis", "redacted", erasure="blank", why="The shopper's words without names and numbers.")
impersonal(
    "sentiment.Analysis",
    "language",
    "sentiment",
    "topics",
    "urgency",
    "model_version",
    "last_error",
)
