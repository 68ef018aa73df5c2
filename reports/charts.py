"""Where things lie in the drawings. Positions are strings, so that no language puts a comma into them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil, floor

from django.utils.translation import gettext

from reports.call_figures import Row as CallRow
from reports.figures import Figure, LoopShare, PlaceRow, Point
from reports.ranking import RankedStore
from reports.statistics import Driver
from reports.writing import hundred, points

WIDTH, HEIGHT = 1000, 300
_STEP = 25
# Half the width of a band that has no neighbour to reach out to.
_ALONE = 8


@dataclass(frozen=True)
class Dot:
    """A point that may be shown, and the column in which it stands; `words` are those behind it, if they open."""

    x: str
    y: str
    left: str
    width: str
    title: str
    words: str


@dataclass(frozen=True)
class Tick:
    y: str
    label: str
    zero: bool


@dataclass(frozen=True)
class Curve:
    """A line through what may be shown, its margin as a band, gaps where there is too little; `marks` is one path of
    dots where each point is, `holes` one of those in points that are not over."""

    bands: list[str]
    lines: list[str]
    marks: str
    holes: str


@dataclass(frozen=True)
class WeekChart:
    """NPS by week, with its scale; `labels` says of each point whether its name stands below it."""

    curve: Curve
    dots: list[Dot]
    ticks: list[Tick]
    labels: list[tuple[Point, bool]]
    description: str

    @property
    def leads_on(self) -> bool:
        """Whether any of its points opens words: then it is no mere picture."""
        return any(dot.words for dot in self.dots)


@dataclass(frozen=True)
class PlaceChart:
    """A place's curve among others on the same scale; `zero` is where 0 lies, empty if that is out of sight."""

    row: PlaceRow
    curve: Curve
    zero: str
    description: str


def week_chart(line: list[Point]) -> WeekChart:
    """Draws the points from first to last; its scale covers every margin in it, in steps of 25 or 50 points."""
    bottom, top, step = _scale(line)
    ticks = [Tick(_height(value, bottom, top), points(value), value == 0) for value in range(top, bottom - 1, -step)]
    every = ceil(len(line) / 13) if line else 1
    labels = [(one, (len(line) - 1 - place) % every == 0) for place, one in enumerate(line)]
    return WeekChart(_curve(line, bottom, top), _dots(line, bottom, top), ticks, labels, _description(line))


def place_charts(rows: Sequence[PlaceRow]) -> list[PlaceChart]:
    """A small chart for each place, all on the scale that covers every one of them."""
    bottom, top, _ = _scale([one for row in rows for one in row.points])
    zero = _height(0, bottom, top) if bottom < 0 < top else ""
    # Mere pictures: their words are opened from the table, for in drawings that small nobody hits a week.
    return [PlaceChart(row, _curve(row.points, bottom, top), zero, _description(row.points)) for row in rows]


def _scale(line: Iterable[Point]) -> tuple[int, int, int]:
    shown = [one.figure.nps for one in line if one.figure.shown]
    bottom = floor(min([nps.low for nps in shown], default=0) / _STEP) * _STEP
    top = ceil(max([nps.high for nps in shown], default=100) / _STEP) * _STEP
    step = _STEP if top - bottom <= 4 * _STEP else 2 * _STEP
    return floor(bottom / step) * step, ceil(top / step) * step, step


def _height(value: float, bottom: int, top: int) -> str:
    return f"{HEIGHT * (top - value) / (top - bottom):.1f}"


def _columns(line: list[Point]) -> list[tuple[float, float]]:
    """Where the column of each point begins, and how wide it is."""
    ends = list(accumulate((one.places for one in line), initial=0))
    wide = WIDTH / max(1, ends[-1])
    return [(begin * wide, (end - begin) * wide) for begin, end in pairwise(ends)]


def _curve(line: list[Point], bottom: int, top: int) -> Curve:
    def y(value: float) -> str:
        return _height(value, bottom, top)

    bands, lines, marks, holes = [], [], [], []
    middle = [left + width / 2 for left, width in _columns(line)]
    for run in _runs(line):
        across = [middle[place] for place in run]
        figures = [line[place].figure.nps for place in run]
        drawn = [f"{x:.1f},{y(nps.score or 0)}" for x, nps in zip(across, figures, strict=True)]
        marks += [f"M{one}h0" for one in drawn]
        holes += [f"M{one}h0" for one, place in zip(drawn, run, strict=True) if line[place].running]
        lines.append(" ".join(drawn))
        if len(run) == 1:
            across, figures = [across[0] - _ALONE, across[0] + _ALONE], figures * 2
        upper = [f"{x:.1f},{y(nps.high)}" for x, nps in zip(across, figures, strict=True)]
        lower = [f"{x:.1f},{y(nps.low)}" for x, nps in zip(across, figures, strict=True)]
        bands.append(" ".join(upper + lower[::-1]))
    return Curve(bands, lines, "".join(marks), "".join(holes))


def _dots(line: list[Point], bottom: int, top: int) -> list[Dot]:
    return [
        Dot(
            x=f"{left + width / 2:.1f}",
            y=_height(one.figure.nps.score or 0, bottom, top),
            left=f"{left:.1f}",
            width=f"{width:.1f}",
            title=_title(one),
            words=one.words,
        )
        for one, (left, width) in zip(line, _columns(line), strict=True)
        if one.figure.shown
    ]


def _runs(line: list[Point]) -> list[list[int]]:
    """The stretches of points without a gap."""
    runs: list[list[int]] = []
    for place, one in enumerate(line):
        if one.figure.shown:
            if runs and runs[-1][-1] == place - 1:
                runs[-1].append(place)
            else:
                runs.append([place])
    return runs


def _title(one: Point) -> str:
    nps = one.figure.nps
    told = (
        gettext("Week %(week)s, so far: NPS %(score)s (%(low)s to %(high)s), n %(n)s")
        if one.running
        else gettext("Week %(week)s: NPS %(score)s (%(low)s to %(high)s), n %(n)s")
    )
    return told % {
        "week": one.name,
        "score": points(nps.score),
        "low": points(nps.low),
        "high": points(nps.high),
        "n": nps.n,
    }


def _description(line: list[Point]) -> str:
    shown = [one for one in line if one.figure.shown]
    if not shown:
        return gettext("No week has enough answers to show a score without giving another away.")
    return gettext("%(shown)s of %(all)s weeks are shown. First: %(first)s. Last: %(last)s.") % {
        "shown": sum(one.weeks for one in shown),
        "all": sum(one.weeks for one in line),
        "first": _title(shown[0]),
        "last": _title(shown[-1]),
    }


@dataclass(frozen=True)
class MarginBar:
    """A score with its margin on a line from -100 to 100 that is 200 wide."""

    low: str
    high: str
    score: str


def margin_bar(figure: Figure) -> MarginBar:
    nps = figure.nps
    return MarginBar(*(f"{value + 100:.0f}" for value in (nps.low, nps.high, nps.score or 0)))


def place_bar(row: RankedStore) -> MarginBar:
    """A store's estimate with its margin, and its plain score as the dot."""
    if row.estimate is None:
        return margin_bar(row.figure)
    values = (row.estimate.low, row.estimate.high, row.figure.nps.score or 0)
    return MarginBar(*(f"{value + 100:.0f}" for value in values))


def call_bar(row: CallRow) -> MarginBar:
    """What a queue's or an agent's score is likely to be, where it is ranked, with its margin, and its plain score as
    the dot: of a share on a line from 0 to 100 %."""
    score = row.score
    band = row.likely or score
    values = (band.low, band.high, score.value)
    return MarginBar(*(f"{value + 100 if score.is_nps else 2 * value:.0f}" for value in values))


def cost_bar(driver: Driver, reach: float) -> MarginBar:
    """What a topic costs with its margin, on a line from -reach to reach."""
    values = (driver.cost - driver.margin, driver.cost + driver.margin, driver.cost)
    return MarginBar(*(f"{100 + 100 * max(-1.0, min(1.0, value / reach)):.0f}" for value in values))


def stacked(parts: list[LoopShare]) -> list[tuple[str, LoopShare]]:
    """Shares of one whole, each with where it begins on a line of length 100."""
    placed, left = [], 0.0
    for part in parts:
        placed.append((hundred(left), part))
        left += part.share.value or 0
    return placed


@dataclass(frozen=True)
class Span:
    """From where to where on a line 100 long, with what lies between."""

    start: str
    length: str


def span(low: float, high: float, *, reach: float = 100.0) -> Span:
    """Where the stretch between two values lies, on a line from -reach to reach."""
    left, right = (50 + 50 * max(-1.0, min(1.0, value / reach)) for value in (low, high))
    return Span(f"{left:.1f}", f"{right - left:.1f}")
