from datetime import timedelta

from core.personal import impersonal, register

# As long as the words themselves, which are read within seconds.
_KEEP_FOR, _AGED_BY = timedelta(days=1095), "analysed_at"
register(
    "sentiment.Analysis",
    "redacted",
    erasure="blank",
    keep_for=_KEEP_FOR,
    why="The shopper's words without names and numbers.",
    aged_by=_AGED_BY,
)
register(
    "sentiment.Analysis",
    "embedding",
    erasure="blank",
    keep_for=_KEEP_FOR,
    why="Finds comments about the same matter.",
    aged_by=_AGED_BY,
)
register(
    "sentiment.Analysis",
    "text_hash",
    erasure="blank",
    keep_for=_KEEP_FOR,
    why="Tells corrected words from the same words.",
    aged_by=_AGED_BY,
)
impersonal(
    "sentiment.Analysis",
    "language",
    "sentiment",
    "topics",
    "urgency",
    "model_version",
    "last_error",
)
