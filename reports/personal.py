from datetime import timedelta

from core.personal import impersonal, register
from reports.call_cells import AGENTS_KEPT

for cell in ("StoreDay", "StoreWeek", "NodeDay", "NodeWeek", "PublishedNode"):
    impersonal(f"reports.{cell}", "headline_kind", "channel", "sample_kind", "topics", "score_counts")
impersonal("reports.StoreSpan", "channel", "sample_kind")
impersonal("reports.PublishedPeriod", "kind")
impersonal("reports.PublishedNode", "name")
impersonal("reports.PublishedStore", "path", "headline_kind", "channel", "sample_kind")
impersonal("reports.Rebuild", "weeks")
impersonal("reports.CellCheck", "differences")
impersonal("reports.StoreTraffic", "channel")
impersonal("reports.TrafficWeek", "channel")
impersonal("reports.TrafficSpan", "channel")
impersonal("reports.AskedWeek", "channel", "kind")
impersonal("reports.AskedNodeWeek", "channel", "kind")
impersonal("reports.ExplorerRow", "channel", "sample_kind", "band", "sentiment", "topics", "urgency", "language")
impersonal("reports.WallHidden", "reason")
impersonal("reports.WallDeedHidden", "reason")
impersonal("reports.WallApproval", "seen")
impersonal("reports.Digest", "rhythm")
impersonal("reports.DigestRule", "role", "rhythm")
impersonal("reports.WallScreen", "token_hash")
impersonal("reports.AgentWeek", "queue", "headline_kind")
impersonal("reports.QueueDay", "queue")
register(
    "reports.AgentWeek",
    "agent",
    erasure="delete row",
    keep_for=AGENTS_KEPT,
    why="How the callers of an agent scored; see the command forget_agent.",
    aged_by="monday",
)
register(
    "reports.ExplorerRow",
    "folded",
    "text_key",
    erasure="delete row",
    keep_for=timedelta(days=1095),
    why="The shopper's words as they are searched.",
    aged_by="submitted_at",
)
impersonal("reports.Action", "topic", "state")
impersonal("reports.ActionEntry", "kind", "old", "new")
# Written without contacts and numbers: see `reports.actions`.
register("reports.Action", "title", "did", erasure="keep", why="What is done so that it does not happen again.")
register(
    "reports.ActionEntry",
    "text",
    erasure="blank",
    keep_for=timedelta(days=1095),
    why="How an action goes, in the words of those who do it.",
)
