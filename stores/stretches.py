"""Opening hours as people write them: "09:00–13:00, 14:00–18:00", for forms and for files alike."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise

from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

Stretch = tuple[time, time]
MOST_PER_DAY = 6
ROUND_THE_CLOCK: Stretch = (time(0), time(0))
_DAY, _WEEK = 24 * 60, 7 * 24 * 60
_CLOCK = r"(\d{1,2})(?:[:.h](\d{2}))?"
_STRETCH = re.compile(rf"\s*{_CLOCK}\s*[-–—−]\s*{_CLOCK}\s*")
_ALWAYS = {"24h", "24/7", "0-24", "00:00-24:00", "00:00–24:00", "00:00–00:00"}


def parse_stretches(text: str) -> list[Stretch]:
    """The stretches of one day, in order; none for nothing or a hyphen. Raises ValidationError with a remedy.

    A closing time at or before the opening one means the next day; "24:00" is midnight.
    """
    wanted = text.strip()
    if wanted in {"", "-", "–"}:
        return []
    if wanted.lower().replace(" ", "") in _ALWAYS:
        return [ROUND_THE_CLOCK]
    found = [_stretch(part) for part in re.split(r"[,;]", wanted) if part.strip()]
    if len(found) > MOST_PER_DAY:
        raise ValidationError(_("At most %(n)d stretches a day."), params={"n": MOST_PER_DAY})
    return sorted(found)


def _stretch(text: str) -> Stretch:
    match = _STRETCH.fullmatch(text)
    if match:
        opens, closes = _clock(match[1], match[2]), _clock(match[3], match[4])
        if opens is not None and closes is not None:
            return opens, closes
    raise ValidationError(_("“%(text)s” is not understood. Write it like 09:00–18:00."), params={"text": text.strip()})


def _clock(hours: str, minutes: str | None) -> time | None:
    h, m = int(hours), int(minutes or 0)
    if (h, m) == (24, 0):
        return time(0)
    return time(h, m) if h < 24 and m < 60 else None


def format_stretches(stretches: Iterable[Stretch]) -> str:
    """As `parse_stretches` reads it."""
    return ", ".join(f"{opens:%H:%M}–{closes:%H:%M}" for opens, closes in stretches)


def written_week(week: Mapping[int, Sequence[Stretch]]) -> dict[str, str]:
    """Weekly hours (Monday is 0) as the history keeps them; a day without any is left out."""
    return {str(day): format_stretches(sorted(week[day])) for day in sorted(week) if week[day]}


@dataclass(frozen=True)
class Overlap:
    """Two stretches at whose times a store would be open twice; `second_day` has to give way. Monday is 0."""

    first_day: int
    first: Stretch
    second_day: int
    second: Stretch

    @property
    def message(self) -> str:
        """What to say about it, naming the days."""
        parts = {"first": format_stretches([self.first]), "second": format_stretches([self.second])}
        if self.first_day == self.second_day:
            return _("%(first)s and %(second)s overlap.") % parts
        day = str(WEEKDAYS[self.first_day])
        return _("%(second)s begins before the night of %(day)s (%(first)s) is over.") % (parts | {"day": day})


def _span(day: int, stretch: Stretch) -> tuple[int, int]:
    begin, end = (at.hour * 60 + at.minute for at in stretch)
    return day * _DAY + begin, day * _DAY + end + (_DAY if end <= begin else 0)


def clashing_dates(days: Mapping[date, Sequence[Stretch]]) -> list[tuple[date, date]]:
    """The dates of which the first one's night is not over when the second begins to be open; twice the same date if
    its own stretches overlap."""
    spans = sorted((*_span(day.toordinal(), stretch), day) for day, found in days.items() for stretch in found)
    return [(before[2], after[2]) for before, after in pairwise(spans) if before[1] > after[0]]


def overlaps(week: Mapping[int, Sequence[Stretch]]) -> list[Overlap]:
    """Where the stretches of a week touch the same minute, the night from Sunday to Monday too."""
    spans = sorted((*_span(day, stretch), day, stretch) for day, found in week.items() for stretch in found)
    clashes = [
        Overlap(before[2], before[3], after[2], after[3]) for before, after in pairwise(spans) if before[1] > after[0]
    ]
    if len(spans) > 1:
        last, first = max(spans, key=lambda span: span[1]), spans[0]
        if last[1] - _WEEK > first[0]:
            clashes.append(Overlap(last[2], last[3], first[2], first[3]))
    return clashes
