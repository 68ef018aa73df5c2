"""How long people took: in minutes of the wall clock, and in minutes during which their store was open.

Opening time is counted at the moment itself, by the hours that held then, and kept on the case: whoever edits hours
later changes no record.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts.clock import CLOSED, StoreHours, open_minutes_between
from alerts.models import Case

# When something first happened, and the column that keeps how much opening time had passed by then.
_KEPT = (
    ("acknowledged_at", "acknowledged_open_secs"),
    ("contacted_at", "contacted_open_secs"),
    ("resolved_at", "resolved_open_secs"),
)
MOMENTS = tuple(moment for moment, _column in _KEPT)


def is_due(case: Case, before: dict[str, Any]) -> bool:
    """Whether something of which the time is kept has happened since `before`, or has been taken back."""
    return any(getattr(case, moment) != before.get(moment) for moment in MOMENTS)


def keep_times(case: Case, hours: StoreHours, before: dict[str, Any] | None = None) -> None:
    """Write down how much opening time had passed at each moment that is new since `before` (None: at every one)."""
    for moment, column in _KEPT:
        at = getattr(case, moment)
        if before is None or at != before.get(moment):
            setattr(case, column, None if at is None else _open_secs(case, hours, at))


def _open_secs(case: Case, hours: StoreHours, at: datetime) -> int:
    if case.hours_basis == CLOSED:
        # Nobody opens there for weeks: the clock ran at once.
        return max(0, round((at - case.opened_at).total_seconds()))
    return round(open_minutes_between(hours, case.opened_at, at) * 60)


@dataclass(frozen=True)
class Took:
    """One line of how long it took."""

    label: str
    wall: timedelta
    open: timedelta | None

    @property
    def in_open(self) -> str:
        return in_words(self.open) if self.open is not None else "–"

    @property
    def in_wall(self) -> str:
        return in_words(self.wall)


def in_words(span: timedelta) -> str:
    """`12 min`, `3 h 05 min`, `2 d 4 h`: as much as one needs to know."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 60:
        return ngettext("%(n)d min", "%(n)d min", minutes) % {"n": minutes}
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": rest}
    return _("%(days)d d %(hours)d h") % {"days": hours // 24, "hours": hours % 24}


def times_of(case: Case) -> list[Took]:
    """How long it took to acknowledge, to contact and to resolve; what has not happened is left out."""
    labels = (_("Acknowledged after"), _("Contacted after"), _("Resolved after"))
    found = []
    for label, (moment, column) in zip(labels, _KEPT, strict=True):
        at, secs = getattr(case, moment), getattr(case, column)
        if at is not None:
            found.append(Took(label, at - case.opened_at, None if secs is None else timedelta(seconds=secs)))
    return found
