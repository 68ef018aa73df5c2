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
# What nobody decided about is not kept for long: it repeats the words.
register(
    "sentiment.Candidate",
    *("redacted", "text_hash"),
    erasure="delete row",
    keep_for=timedelta(days=60),
    why="The words as another model redacted them, until a person decides between the two.",
)
register(
    "sentiment.Candidate",
    "embedding",
    erasure="delete row",
    keep_for=timedelta(days=60),
    why="Finds comments about the same matter.",
)
impersonal("sentiment.Candidate", "reading", "differs")
impersonal("sentiment.Correction", "field", "key", "old", "new", "model_said", "model_version")
# Written by head office about the chain's own trade.
impersonal("sentiment.ChainWord", "language", "kind", "target", "entry", "grade", "effect")
impersonal("sentiment.Rereading", "model", "model_version", "state", "summary", "agreement")
impersonal(
    "sentiment.Analysis",
    "people_say",
    "model_reading",
    "language",
    "sentiment",
    "topics",
    "urgency",
    "model_version",
    "last_error",
)
# The program's own files.
impersonal("sentiment.ServedModel", "name", "version")
impersonal("sentiment.ModelPart", "file", "content")
# Weights and figures over all comments; no words, and none can be had back from them.
impersonal("sentiment.LearntHeads", "model_version", "content", "before", "after")
