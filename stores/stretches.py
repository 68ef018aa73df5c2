"""Opening hours as people write them: "09:00–13:00, 14:00–18:00", for forms and for files alike."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise

from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from stores.clock_words import ALWAYS, CLOSED, in_signs

Stretch = tuple[time, time]
MOST_PER_DAY = 6
ROUND_THE_CLOCK: Stretch = (time(0), time(0))
_DAY, _WEEK = 24 * 60, 7 * 24 * 60
_CLOCK = r"(\d{1,2})(?:[:.h](\d{2})|h)?(am|pm)?"
# Behind a stretch that begins and ends at the same time of day: it is meant.
_WHOLE_DAY = " (24 h)"
_STRETCH = re.compile(rf"{_CLOCK}-{_CLOCK}(\(24h\))?")
_NOON = 12


def parse_stretches(text: str) -> list[Stretch]:
    """The stretches of one day, in order; none for nothing, a hyphen or "closed". Raises ValidationError with a remedy.

    A closing time before the opening one means the next day; "24:00" is midnight.
    """
    wanted = in_signs(text)
    if wanted == CLOSED:
        return []
    if wanted == ALWAYS:
        return [ROUND_THE_CLOCK]
    found = [_stretch(part, text) for part in re.split(r"[,;/+&]", wanted) if part]
    if len(found) > MOST_PER_DAY:
        raise ValidationError(_("At most %(n)d stretches a day."), params={"n": MOST_PER_DAY})
    return sorted(found)


def _stretch(signs: str, text: str) -> Stretch:
    match = _STRETCH.fullmatch(signs)
    times = _times(*match.groups()[:-1]) if match else None
    is_whole_day = bool(match and match[match.re.groups])
    if times is None or (is_whole_day and times[0] != times[1]):
        raise ValidationError(
            _("“%(text)s” is not understood. Write it like 09:00–18:00."), params={"text": text.strip()}
        )
    opens, closes = times
    if opens == closes and times != ROUND_THE_CLOCK and not is_whole_day:
        raise ValidationError(
            _(
                "“%(text)s” is a whole day and night. If that is meant, write 24 h, or “%(whole)s”; if not, correct "
                "one of the times."
            ),
            params={"text": _plain(times), "whole": format_stretches([times])},
        )
    if closes < opens and match and _is_bare(match) and opens.hour < _NOON and closes.hour < _NOON:
        in_the_evening = closes.replace(hour=closes.hour + _NOON)
        raise ValidationError(
            _("Until when, %(evening)s or the next morning? Write %(day)s, or %(night)s."),
            params={
                "evening": f"{in_the_evening:%H:%M}",
                "day": format_stretches([(opens, in_the_evening)]),
                "night": format_stretches([times]),
            },
        )
    return times


def _is_bare(match: re.Match[str]) -> bool:
    """Just "9-5": no minutes, and nothing that says which half of the day is meant."""
    return not any(match[group] for group in (2, 3, 5, 6))


def _times(*said: str | None) -> Stretch | None:
    """Opening and closing time; None where that is no time, or nobody could tell which."""
    first_hour, first_minute, first_half, last_hour, last_minute, last_half = said
    closes = _clock(last_hour, last_minute, last_half)
    if first_half and not last_half and int(last_hour or 0) <= _NOON:
        return None
    opens = _clock(first_hour, first_minute, first_half)
    if last_half and not first_half and 1 <= int(first_hour or 0) <= _NOON:
        # "1–5 pm" begins at 13:00, "9–5 pm" at 9:00: the last such time before it closes.
        halves = [_clock(first_hour, first_minute, half) for half in ("pm", "am")]
        opens = next((time for time in halves if time and closes and time < closes), opens)
    return (opens, closes) if opens is not None and closes is not None else None


def _clock(hours: str | None, minutes: str | None, half: str | None) -> time | None:
    h, m = int(hours or 0), int(minutes or 0)
    if half:
        if not 1 <= h <= _NOON:
            return None
        h = h % _NOON + (_NOON if half == "pm" else 0)
    if (h, m) == (24, 0):
        return time(0)
    return time(h, m) if h < 24 and m < 60 else None


def format_stretches(stretches: Iterable[Stretch]) -> str:
    """As `parse_stretches` reads it."""
    return ", ".join(_plain(one) + _WHOLE_DAY * (one[0] == one[1] != time(0)) for one in stretches)


def _plain(stretch: Stretch) -> str:
    return "–".join(f"{at:%H:%M}" for at in stretch)


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
