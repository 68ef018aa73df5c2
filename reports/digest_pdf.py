"""A digest on paper: scores with their margins, place by place, what topics cost and who closes the loop."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext

from reports.pages import Reading
from reports.pdf import typeset
from reports.tables import PERCENT, Line
from reports.writing import change, points, printable, tenths

# What lies further down a list is in the workbook.
MOST_PLACES, MOST_WEEKS, MOST_MOVED, MOST_TOPICS = 20, 13, 12, 12


def digest_pdf(name: str, reading: Reading, lines: Sequence[Line]) -> bytes:
    """One or more A4 pages in the language that is active."""
    return typeset("digest.typ", _data(name, reading, lines))


def _data(name: str, reading: Reading, lines: Sequence[Line]) -> dict[str, Any]:
    def of(table: str) -> list[Line]:
        return [line for line in lines if line.table == table]

    return {
        "title": printable(name),
        "subtitle": gettext("Figures up to week %(number)s") % {"number": reading.week.number},
        "dates": reading.period.dates,
        "headlines": [_headline(line) for line in of("ways")],
        "sections": [one for one in [*_about(reading, of), *_always(of)] if one["rows"]],
        "n": "n",
        "empty": "" if of("ways") else gettext("No answers in these weeks."),
        "changed": gettext("Change"),
        "footer": gettext(
            "Each figure with its 95 % margin. A change is told only where it is more than chance. "
            "All figures are in the attached workbook."
        ),
    }


def _about(reading: Reading, of: Callable[[str], list[Line]]) -> Iterator[dict[str, Any]]:
    """What whoever runs the place wants first: of a store its weeks, of an area its stores, above that its regions and
    the stores that changed."""
    node, ranked = reading.filters.node, [line for line in of("stores") if line.likely is not None]
    if reading.filters.store:
        weeks = of("weeks")[::-1]
        yield _section(gettext("Week by week"), weeks[:MOST_WEEKS], len(weeks))
        return
    if node and reading.stores.filter(node=node).exists():
        yield _section(gettext("Stores in their order"), ranked[:MOST_PLACES], len(ranked))
    else:
        places = sorted(of("places"), key=lambda line: -(line.n or 0))
        yield _section(gettext("Place by place"), places[:MOST_PLACES], len(places))
    moved = [line for line in of("stores") if line.moved]
    yield _section(gettext("Stores that changed more than chance"), moved[:MOST_MOVED], len(moved))


def _always(of: Callable[[str], list[Line]]) -> Iterator[dict[str, Any]]:
    yield _section(gettext("What topics cost in points"), of("costs")[:MOST_TOPICS], len(of("costs")))
    yield _section(gettext("Did we close the loop?"), of("loop"), len(of("loop")))


def _headline(line: Line) -> dict[str, str]:
    n = gettext("n = %(n)s") % {"n": "–" if line.n is None else line.n}
    return {"label": f"NPS · {printable(line.name)}", "value": _value(line), "n": n, "moved": _moved(line)}


def _section(title: str, lines: Iterable[Line], total: int) -> dict[str, Any]:
    rows = [_row(line) for line in lines]
    more = gettext("%(shown)s of %(total)s; the others are in the workbook.") % {"shown": len(rows), "total": total}
    return {"title": title, "rows": rows, "more": more if total > len(rows) else ""}


def _row(line: Line) -> dict[str, Any]:
    percent = line.unit == PERCENT
    # On one scale: NPS from -100 to 100, shares from 0 to 100, costs around zero.
    low, high = (0.0, 100.0) if percent else (-20.0, 20.0) if line.table == "costs" else (-100.0, 100.0)

    def along(value: float | None) -> float | None:
        return None if value is None else min(1.0, max(0.0, (value - low) / (high - low)))

    place = f"{line.place_first}–{line.place_last} · " if line.place_first is not None else ""
    return {
        "name": printable(place + line.name),
        "value": _value(line),
        "n": "–" if line.n is None else str(line.n),
        "moved": _moved(line),
        "low": along(line.low),
        "mid": along(line.value),
        "high": along(line.high),
    }


def _value(line: Line) -> str:
    if line.value is None or line.low is None or line.high is None:
        return gettext("hidden") if line.n is None or line.n else "–"
    if line.unit == PERCENT:
        return f"{line.value:.0f} % ({line.low:.0f}–{line.high:.0f})"
    if line.table == "costs":
        return f"{tenths(line.value, signed=True)} ± {tenths((line.high - line.low) / 2)}"
    return f"{points(line.value)} ({points(line.low)} … {points(line.high)})"


def _moved(line: Line) -> str:
    if not line.moved or line.change is None:
        return ""
    return tenths(line.change, signed=True) if line.unit == PERCENT else change(line.change)
