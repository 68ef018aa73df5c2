"""Stretches of weeks as a tree, so that figures of several periods fit into each other (see `statistics.showing`).

A stretch is counted in weeks back from the running one, which is 0: `(0, 13)` are the last thirteen weeks. Thirteen
weeks are divided into four, four and five of them, and those into weeks. Longer periods are sums of thirteen weeks.
"""

from collections.abc import Collection
from datetime import date, timedelta
from itertools import pairwise

from reports.periods import Week

Stretch = tuple[int, int]

QUARTER = 13
_YEAR = 52
_PARTS = (0, 4, 8, QUARTER)
# The running week and the one before it.
NEWEST: Stretch = (0, 2)


def quarters(weeks: int) -> list[Stretch]:
    """The stretches of thirteen weeks that the last `weeks` reach into."""
    return [(start, start + QUARTER) for start in range(0, weeks, QUARTER)]


def parts_of(stretch: Stretch) -> list[Stretch]:
    """What a stretch is divided into; nothing if it is one week.

    The running week has few answers on a Monday, so it is held together with the one before it as long as possible.
    """
    first, end = stretch
    if end - first == QUARTER:
        return [(first + a, first + b) for a, b in pairwise(_PARTS)]
    if stretch == (0, 4):
        return [NEWEST, (2, 3), (3, 4)]
    return [(week, week + 1) for week in range(first, end)] if end - first > 1 else []


def latest(weeks: int, *, back: int = 0) -> list[Stretch]:
    """The stretches whose sum are `weeks` weeks, the last of which was `back` weeks ago."""
    return cover(back, back + weeks)


def before(weeks: int, *, back: int = 0) -> list[Stretch]:
    """As many weeks right before."""
    return latest(weeks, back=back + weeks)


def cover(first: int, end: int) -> list[Stretch]:
    """The fewest stretches of the tree that make up the weeks from `first` to before `end`, newest first."""
    found: list[Stretch] = []

    def take(stretch: Stretch) -> None:
        low, high = stretch
        if first <= low and high <= end:
            found.append(stretch)
        elif low < end and first < high:
            for part in parts_of(stretch):
                take(part)

    for start in range(first - first % QUARTER, end, QUARTER):
        take((start, start + QUARTER))
    return found


def year_ago(weeks: int, *, back: int = 0) -> list[Stretch]:
    """The same weeks of the year before."""
    return latest(weeks, back=back + _YEAR)


def chart_of(weeks: int, *, back: int = 0, coarse: bool = False) -> list[Stretch]:
    """The points of a chart of these weeks, oldest first: weeks, or four to five of them where they are many, or of
    thirteen on where `coarse`. Each is a sum of stretches of the tree: see `cover`."""
    parts = [part for quarter in quarters(weeks) for part in parts_of(quarter)]
    newest = (
        [(week, week + 1) for week in range(weeks)] if weeks < QUARTER or (weeks == QUARTER and not coarse) else parts
    )
    return [(back + first, back + end) for first, end in reversed(newest)]


def divided(wanted: Collection[Stretch]) -> list[Stretch]:
    """The stretches of the tree to count by, newest first, for whom these are to be sums of them: whole quarters,
    divided no further than that takes."""
    found: list[Stretch] = []

    def take(stretch: Stretch) -> None:
        low, high = stretch
        if any(low <= first and end <= high and (first, end) != stretch for first, end in wanted):
            for part in parts_of(stretch):
                take(part)
        else:
            found.append(stretch)

    for top in tops_of(wanted):
        take(top)
    return found


def tops_of(stretches: Collection[Stretch]) -> list[Stretch]:
    """The quarters in which these stretches of the tree lie, newest first."""
    return [(first, first + QUARTER) for first in sorted({week - week % QUARTER for week, _ in stretches})]


def mondays(stretch: Stretch, this_week: Week) -> tuple[date, date]:
    """Its first Monday and its last."""
    first, end = stretch
    return this_week.monday - timedelta(weeks=end - 1), this_week.monday - timedelta(weeks=first)
