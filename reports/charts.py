"""Where things lie in the drawings. Positions are strings, so that no language puts a comma into them."""

from dataclasses import dataclass
from math import ceil, floor

from django.utils.translation import gettext

from reports.figures import Figure, LoopShare, WeekFigure
from reports.writing import hundred, points

WIDTH, HEIGHT = 1000, 300
_STEP = 25
# Half the width of a band that has no neighbour to reach out to.
_ALONE = 8


@dataclass(frozen=True)
class Dot:
    x: str
    y: str
    title: str


@dataclass(frozen=True)
class Tick:
    y: str
    label: str
    zero: bool


@dataclass(frozen=True)
class WeekChart:
    """NPS by week: a line through what may be shown, its margin as a band, gaps where there is too little."""

    bands: list[str]
    lines: list[str]
    dots: list[Dot]
    ticks: list[Tick]
    labels: list[tuple[str, bool]]
    description: str


def week_chart(weeks: list[WeekFigure]) -> WeekChart:
    """Draws the weeks from first to last; its scale covers every margin in it, in steps of 25 or 50 points."""
    shown = [one.figure.nps for one in weeks if one.figure.shown]
    bottom = floor(min([nps.low for nps in shown], default=0) / _STEP) * _STEP
    top = ceil(max([nps.high for nps in shown], default=100) / _STEP) * _STEP
    step = _STEP if top - bottom <= 4 * _STEP else 2 * _STEP
    bottom, top = floor(bottom / step) * step, ceil(top / step) * step

    def y(value: float) -> str:
        return f"{HEIGHT * (top - value) / (top - bottom):.1f}"

    def x(place: int) -> float:
        return WIDTH * (place + 0.5) / len(weeks)

    chart = WeekChart([], [], [], [], [], _description(weeks))
    for run in _runs(weeks):
        ends = (-_ALONE, _ALONE) if len(run) == 1 else (0, 0)
        upper = [(x(run[0]) + ends[0], weeks[run[0]].figure.nps.high)]
        upper += [(x(place), weeks[place].figure.nps.high) for place in run[1:-1]]
        upper += [(x(run[-1]) + ends[1], weeks[run[-1]].figure.nps.high)]
        lower = [(x(run[-1]) + ends[1], weeks[run[-1]].figure.nps.low)]
        lower += [(x(place), weeks[place].figure.nps.low) for place in reversed(run[1:-1])]
        lower += [(x(run[0]) + ends[0], weeks[run[0]].figure.nps.low)]
        chart.bands.append(" ".join(f"{across:.1f},{y(value)}" for across, value in upper + lower))
        chart.lines.append(" ".join(f"{x(place):.1f},{y(weeks[place].figure.nps.score or 0)}" for place in run))
    for place, one in enumerate(weeks):
        if one.figure.shown:
            chart.dots.append(Dot(f"{x(place):.1f}", y(one.figure.nps.score or 0), _title(one)))
    for value in range(top, bottom - 1, -step):
        chart.ticks.append(Tick(y(value), points(value), value == 0))
    every = ceil(len(weeks) / 13)
    for place, one in enumerate(weeks):
        chart.labels.append((str(one.week.number), (len(weeks) - 1 - place) % every == 0))
    return chart


def _runs(weeks: list[WeekFigure]) -> list[list[int]]:
    """The stretches of weeks without a gap."""
    runs: list[list[int]] = []
    for place, one in enumerate(weeks):
        if one.figure.shown:
            if runs and runs[-1][-1] == place - 1:
                runs[-1].append(place)
            else:
                runs.append([place])
    return runs


def _title(one: WeekFigure) -> str:
    nps = one.figure.nps
    return gettext("Week %(week)s: NPS %(score)s (%(low)s to %(high)s), n %(n)s") % {
        "week": one.week,
        "score": points(nps.score),
        "low": points(nps.low),
        "high": points(nps.high),
        "n": nps.n,
    }


def _description(weeks: list[WeekFigure]) -> str:
    shown = [one for one in weeks if one.figure.shown]
    if not shown:
        return gettext("No week has enough answers to show a score.")
    return gettext("%(shown)s of %(all)s weeks have enough answers. First: %(first)s. Last: %(last)s.") % {
        "shown": len(shown),
        "all": len(weeks),
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


def stacked(parts: list[LoopShare]) -> list[tuple[str, LoopShare]]:
    """Shares of one whole, each with where it begins on a line of length 100."""
    placed, left = [], 0.0
    for part in parts:
        placed.append((hundred(left), part))
        left += part.share.value or 0
    return placed
