"""What the lanes do for the surveys: make the answers of those who left, and look at what was scanned."""

from core.work import register_step, register_watch
from surveys.partials import count_overdue, settle_left
from surveys.scan_rules import count_unjudged, judge_hours

_PATIENCE_SECS = 1800

# They may be unhappy, and whoever they are about is told.
register_step("alerts", "answers that were left", settle_left)
register_watch("answers that were left and not made", _PATIENCE_SECS, count_overdue)
register_step("facts", "unusual scans", judge_hours)
register_watch("hours of scans that nobody looked at", _PATIENCE_SECS, count_unjudged)
