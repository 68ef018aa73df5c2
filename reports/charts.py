"""Where things lie in the drawings. Positions are strings, so that no language puts a comma into them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
    """A line through what may be shown, its margin as a band, gaps where there is too little."""

    bands: list[str]
    lines: list[str]
    dots: list[Dot]


@dataclass(frozen=True)
class WeekChart:
    """NPS by week, with its scale."""

    curve: Curve
    ticks: list[Tick]
    labels: list[tuple[str, bool]]
    description: str

    @property
    def leads_on(self) -> bool:
        """Whether any of its points opens words: then it is no mere picture."""
        return any(dot.words for dot in self.curve.dots)


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
    labels = [(str(one.last.number), (len(line) - 1 - place) % every == 0) for place, one in enumerate(line)]
    return WeekChart(_curve(line, bottom, top), ticks, labels, _description(line))


def place_charts(rows: Sequence[PlaceRow]) -> list[PlaceChart]:
    """A small chart for each place, all on the scale that covers every one of them."""
    bottom, top, _ = _scale([one for row in rows for one in row.points])
    zero = _height(0, bottom, top) if bottom < 0 < top else ""
    # Mere pictures: their words are opened from the table, for in drawings that small nobody hits a week.
    lines = [[replace(one, words="") for one in row.points] for row in rows]
    return [
        PlaceChart(row, _curve(line, bottom, top), zero, _description(line))
        for row, line in zip(rows, lines, strict=True)
    ]


def _scale(line: Iterable[Point]) -> tuple[int, int, int]:
    shown = [one.figure.nps for one in line if one.figure.shown]
    bottom = floor(min([nps.low for nps in shown], default=0) / _STEP) * _STEP
    top = ceil(max([nps.high for nps in shown], default=100) / _STEP) * _STEP
    step = _STEP if top - bottom <= 4 * _STEP else 2 * _STEP
    return floor(bottom / step) * step, ceil(top / step) * step, step


def _height(value: float, bottom: int, top: int) -> str:
    return f"{HEIGHT * (top - value) / (top - bottom):.1f}"


def _curve(line: list[Point], bottom: int, top: int) -> Curve:
    def y(value: float) -> str:
        return _height(value, bottom, top)

    def x(place: int) -> float:
        return WIDTH * (place + 0.5) / len(line)

    curve = Curve([], [], [])
    for run in _runs(line):
        ends = (-_ALONE, _ALONE) if len(run) == 1 else (0, 0)
        upper = [(x(run[0]) + ends[0], line[run[0]].figure.nps.high)]
        upper += [(x(place), line[place].figure.nps.high) for place in run[1:-1]]
        upper += [(x(run[-1]) + ends[1], line[run[-1]].figure.nps.high)]
        lower = [(x(run[-1]) + ends[1], line[run[-1]].figure.nps.low)]
        lower += [(x(place), line[place].figure.nps.low) for place in reversed(run[1:-1])]
        lower += [(x(run[0]) + ends[0], line[run[0]].figure.nps.low)]
        curve.bands.append(" ".join(f"{across:.1f},{y(value)}" for across, value in upper + lower))
        curve.lines.append(" ".join(f"{x(place):.1f},{y(line[place].figure.nps.score or 0)}" for place in run))
    for place, one in enumerate(line):
        if one.figure.shown:
            wide = WIDTH / len(line)
            across = f"{x(place):.1f}", y(one.figure.nps.score or 0), f"{place * wide:.1f}", f"{wide:.1f}"
            curve.dots.append(Dot(*across, _title(one), one.words))
    return curve


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
    return gettext("Week %(week)s: NPS %(score)s (%(low)s to %(high)s), n %(n)s") % {
        "week": one.name,
        "score": points(nps.score),
        "low": points(nps.low),
        "high": points(nps.high),
        "n": nps.n,
    }


def _description(line: list[Point]) -> str:
    shown = [one for one in line if one.figure.shown]
    if not shown:
        return gettext("No week has enough answers to show a score.")
    return gettext("%(shown)s of %(all)s weeks have enough answers. First: %(first)s. Last: %(last)s.") % {
        "shown": len(shown),
        "all": len(line),
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
