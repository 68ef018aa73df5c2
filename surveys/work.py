"""What the lane `facts` does for the surveys: look at what was scanned."""

from core.work import register_step, register_watch
from surveys.scan_rules import count_unjudged, judge_hours

_PATIENCE_SECS = 1800

register_step("facts", "unusual scans", judge_hours)
register_watch("hours of scans that nobody looked at", _PATIENCE_SECS, count_unjudged)
