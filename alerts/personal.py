from datetime import timedelta

from core.personal import impersonal, register

register("alerts.CaseEntry", "text", erasure="blank", keep_for=timedelta(days=1095), why="What was said and done.")
impersonal("alerts.Rule", "name", "trigger", "conditions", "severity", "also")
impersonal("alerts.CasePolicy", "name", "content")
impersonal("alerts.AlertGroup", "name")
impersonal("alerts.UrgencyRoute", "kind", "to")
impersonal("alerts.RootCause", "name", "names")
impersonal("alerts.ReplyTemplate", "topic")
impersonal("alerts.ReplyText", "language", "title", "text")
impersonal("alerts.Evaluation", "trigger", "last_error")
register(
    "alerts.Case",
    "shopper_name",
    erasure="blank",
    keep_for=timedelta(days=365),
    why="To call the shopper by their name.",
    aged_by="opened_at",
)
impersonal(
    "alerts.Case",
    "rule_name",
    "trigger",
    "severity",
    "state",
    "policy",
    "hours_basis",
    "urgency",
    "outcome",
    "exemption",
    "exempt_reason",
)
impersonal("alerts.LastStep", "label", "before", "events")
impersonal("alerts.CaseStep", "stops_on", "state")
impersonal("alerts.CaseEvent", "kind", "channel", "old", "new")
impersonal("alerts.CaseEntry", "kind")
impersonal("alerts.Review", "reason", "state", "dismissal")
impersonal("alerts.ReviewEvent", "state", "detail")
