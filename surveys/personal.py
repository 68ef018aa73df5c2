from datetime import timedelta

from core.personal import impersonal, register

register(
    "surveys.Response",
    "answers",
    erasure="blank",
    keep_for=timedelta(days=1095),
    why="What the shopper said.",
    aged_by="submitted_at",
)
register(
    "surveys.ResponseRevision",
    "answers",
    erasure="delete row",
    keep_for=timedelta(days=1095),
    why="What the shopper said before correcting it.",
    aged_by="replaced_at",
)
register("surveys.Verbatim", "text", erasure="blank", keep_for=timedelta(days=1095), why="The shopper's own words.")
register(
    "surveys.Call",
    "agent",
    erasure="keep",
    keep_for=timedelta(days=1095),
    why="Staff reference from telephony, never a shopper's; see the command forget_agent.",
    aged_by="ended_at",
)
impersonal("surveys.Survey", "slug", "name")
impersonal("surveys.SurveyVersion", "headline_kind", "document", "note")
impersonal("surveys.SurveyDraft", "document")
impersonal("surveys.SurveyChange", "kind", "about", "old", "new")
impersonal("surveys.SurveyChoice", "channel", "touchpoint_kind")
impersonal("surveys.Call", "external_id", "queue")
impersonal("surveys.Invitation", "token_hash", "channel", "language")
impersonal(
    "surveys.Response",
    "token_hash",
    "channel",
    "sample_kind",
    "language",
    "headline_kind",
    "contact_wish",
    "contact_when",
    "contact_language",
    "flags",
)
impersonal("surveys.Verbatim", "question")
impersonal("surveys.ReceiptKey", "key_id", "secret")
impersonal("surveys.NotAsked", "channel", "reason", "about")
register(
    "surveys.Invitation",
    "people",
    erasure="blank",
    keep_for=timedelta(days=400),
    why="Keyed hashes by which nobody is asked too often.",
    aged_by="created_at",
)
register(
    "surveys.PartialAnswer",
    "answers",
    erasure="delete row",
    keep_for=timedelta(days=7),
    why="What was entered on a page before its answer is there: half an hour, or as long as making the answer fails.",
    aged_by="changed_at",
)
impersonal("surveys.PartialAnswer", "channel", "language", "flags")
# Counts of nobody in particular; here so that they end too.
register(
    "surveys.ScanHour",
    "scans",
    erasure="delete row",
    keep_for=timedelta(days=100),
    why="How often a touchpoint's page was asked for: thirteen weeks are shown.",
    aged_by="hour",
)
impersonal("surveys.ScanFlag", "kind")
register(
    "surveys.ScanFlag",
    "reason",
    erasure="delete row",
    keep_for=timedelta(days=400),
    why="Why unusual scans need no attention, in a colleague's words.",
    aged_by="began_at",
)
impersonal("surveys.LinkHour", "channel")
register(
    "surveys.LinkHour",
    "opens",
    erasure="delete row",
    keep_for=timedelta(days=100),
    why="How often links of receipts and calls were opened: thirteen weeks are shown.",
    aged_by="hour",
)
# A day after the hour, so that with a purge once a day neither outlives forty-eight hours.
register(
    "surveys.AnswerCount",
    "who",
    erasure="delete row",
    keep_for=timedelta(hours=23),
    why="How many answers came from one browser in an hour, under a hash that is salted by the day.",
    aged_by="hour",
)
register(
    "surveys.DaySalt",
    "salt",
    erasure="delete row",
    keep_for=timedelta(hours=26),
    why="The day's salt of such hashes.",
    aged_by="made_at",
)
