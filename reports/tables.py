"""The figures of report pages as rows of one shape, for files: each with its n and how sure it is.

What a page hides is hidden here: the rows are made from what the pages show.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from reports.asking import RATES, asking_of
from reports.call_figures import Row as CallRow
from reports.call_pages import of_centre, read_calls
from reports.cells import Cells, read_cells, view_of
from reports.comparing import comparison_of, read_choice
from reports.figures import Answers, Figure, LoopShare, PlaceRow, Source
from reports.league import MOST_STORES as MOST_LEAGUE_STORES
from reports.league import league_of, recovery_of
from reports.overview import overview, points, resolve
from reports.pages import Reading, cells_of_stores, leaves, made_change
from reports.ranking import ranking_of
from reports.statistics import Difference, Share
from reports.topics import TopicRow, topics_of
from stores.models import User

POINTS, PERCENT = "points", "percent"


@dataclass(frozen=True)
class Line:
    """A figure. `value`, its interval `low` to `high` and `change` are in `unit`; None is not known or not told.

    `likely` and the places are those of a ranking. `moved`: changed more than chance among all that stand with it.
    """

    table: str
    name: str
    way: str = ""
    first: date | None = None
    last: date | None = None
    n: int | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = POINTS
    change: float | None = None
    change_margin: float | None = None
    moved: bool = False
    hidden: bool = False
    code: str = ""
    likely: float | None = None
    likely_margin: float | None = None
    place_first: int | None = None
    place_last: int | None = None


# What people read above the columns, by the field of a Line.
COLUMNS: dict[str, str | Promise] = {
    "table": _("Table"),
    "name": _("Name"),
    "code": _("Code"),
    "way": _("Way of asking"),
    "first": _("From day"),
    "last": _("To day"),
    "n": "n",
    "value": _("Value"),
    "low": _("95 % from"),
    "high": _("95 % to"),
    "unit": _("Unit"),
    "change": _("Change"),
    "change_margin": _("Margin of the change"),
    "moved": _("More than chance"),
    "hidden": _("Hidden"),
    "likely": _("Likely"),
    "likely_margin": _("Margin of the likely"),
    "place_first": _("Place from"),
    "place_last": _("Place to"),
}
TABLES: dict[str, str | Promise] = {
    "ways": _("Ways of asking"),
    "weeks": _("Weeks"),
    "places": _("Places"),
    "stores": _("Stores"),
    "answers": _("Other questions"),
    "mix": _("How people came to answer"),
    "loop": _("Closed loop"),
    "league": _("Who closes the loop"),
    "recovery": _("Before and after a case"),
    "queues": _("Queues of calls"),
    "agents": _("Agents"),
    "answered": _("Asked after a call and answered"),
    "waiting": _("Cases that wait"),
    "topics": _("Topics"),
    "costs": _("What topics cost"),
    "change": _("What the change is made of"),
    "asking": _("From scan and invitation to answer"),
    "compared": _("Comparison"),
}
UNITS: dict[str, str | Promise] = {POINTS: _("NPS points"), PERCENT: _("percent")}


def asked(query: str, user: User) -> HttpRequest:
    """A page as it is asked for by this address, which is what pages read their choices from."""
    request = HttpRequest()
    request.method, request.GET = "GET", QueryDict(query)
    request.user = user
    return request


# --- lines ----------------------------------------------------------------------------------------------------
def _figure(table: str, name: str, figure: Figure, reading: Reading, **more: object) -> Line:
    nps, shown = figure.nps, figure.shown
    told: dict[str, object] = {"first": reading.period.start, "last": reading.period.end, "moved": figure.moved}
    told |= _change(figure.change if shown else None)
    return Line(
        table,
        name,
        n=None if figure.size_hidden else nps.n,
        value=_round(nps.score) if shown else None,
        low=_round(nps.low) if shown else None,
        high=_round(nps.high) if shown else None,
        hidden=figure.hidden,
        **told | more,  # type: ignore[arg-type]
    )


def _share(
    table: str,
    name: str,
    share: Share,
    reading: Reading,
    *,
    hidden: bool = False,
    size_hidden: bool = False,
    **more: object,
) -> Line:
    shown = share.n > 0 and not hidden
    told = {"first": reading.period.start, "last": reading.period.end}
    return Line(
        table,
        name,
        n=None if size_hidden else share.n,
        value=_round(100 * (share.value or 0)) if shown else None,
        low=_round(100 * share.low) if shown else None,
        high=_round(100 * share.high) if shown else None,
        unit=PERCENT,
        hidden=hidden,
        **told | more,  # type: ignore[arg-type]
    )


def _change(change: Difference | None) -> dict[str, object]:
    return {"change": _round(change.points), "change_margin": _round(change.margin)} if change else {}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _loop(table: str, name: str, one: LoopShare, reading: Reading, **more: object) -> Line:
    hidden = one.size_hidden or (one.hidden and one.share.n > 0)
    return _share(table, name, one.share, reading, hidden=hidden, size_hidden=one.size_hidden, **more)


# --- pages ----------------------------------------------------------------------------------------------------
def overview_lines(reading: Reading, request: HttpRequest | None = None) -> Iterator[Line]:
    """What the overview shows: ways of asking, weeks, places, other questions, the mix and the closed loop."""
    view = view_of(reading.scope, reading.filters)
    cells = read_cells(view, reading.week, leaves(reading, by_week=True))
    found = overview(view, cells, reading.filters, reading.period)
    for card in found.cards:
        yield _figure("ways", card.source.name, card.figure, reading)
    if found.source and found.headline:
        name = found.source.name
        if not any(card.source == found.source for card in found.cards):
            yield _figure("ways", name, found.headline, reading)
        # Single weeks always, whatever the chart shows: files are laid side by side.
        for point in points(cells, view.places, found.source, reading.filters):
            days = {"first": point.first.monday, "last": point.last.sunday}
            yield _figure("weeks", point.name, point.figure, reading, way=name, **days)
        for row in found.rows:
            yield _place(row, name, reading)
    for answers in found.answers:
        yield from _answers(answers, reading)
    for mix in found.mix:
        yield _share("mix", mix.source.name, mix.now, reading, hidden=mix.hidden, size_hidden=mix.whole_hidden)
    if found.loop:
        for one in [*found.loop.contactable, *found.loop.fix_only, *found.loop.outcomes]:
            yield _loop("loop", one.name, one, reading, way=found.loop.source.name)


def _place(row: PlaceRow, way: str, reading: Reading) -> Line:
    return _figure("places", row.name, row.figure, reading, way=way)


def _answers(answers: Answers, reading: Reading) -> Iterator[Line]:
    for score, _face, share in answers.each:
        name = f"{answers.question}: {score}"
        told = {"hidden": answers.hidden, "size_hidden": answers.size_hidden, "way": answers.source.name}
        yield _share("answers", name, share, reading, **told)  # type: ignore[arg-type]


def _main_source(reading: Reading) -> tuple[Cells, Source | None]:
    view = view_of(reading.scope, reading.filters)
    cells = read_cells(view, reading.week, leaves(reading, by_week=False))
    return cells, resolve(cells, reading.filters, reading.filters.now)[0]


def store_lines(reading: Reading, request: HttpRequest | None = None) -> Iterator[Line]:
    """Every store, in the order of the ranking."""
    cells, source = _main_source(reading)
    if source is None:
        return
    cells, filters = cells_of_stores(reading, cells, source), reading.filters
    ranking = ranking_of(
        cells, source, filters, wanted=None, moved_only=False, page=1, per_page=len(cells.view.order) or 1
    )
    for row in ranking.rows:
        estimate = {}
        if row.estimate:
            estimate = {
                "likely": _round(row.estimate.score),
                "likely_margin": _round(row.estimate.margin),
                "place_first": row.estimate.first,
                "place_last": row.estimate.last,
            }
        yield _figure("stores", row.store.name, row.figure, reading, code=row.store.code, way=source.name, **estimate)


def call_lines(reading: Reading, request: HttpRequest | None = None) -> Iterator[Line]:
    """Queues and agents of a call centre, the queue's agents where one is chosen."""
    if request is None:
        return
    reading = of_centre(reading)
    found = read_calls(reading, view_of(reading.scope, reading.filters), request)
    if found.kind is None:
        return
    way = f"{gettext('All queues') if not found.queue else found.queue} · {found.kind.label}"
    everything = gettext("All queues")
    for row in (found.whole, *found.queues):
        name = everything if row is found.whole else row.name
        yield _call("queues", row, reading, name=name, way=str(found.kind.label))
    for row in found.agents:
        without = ", ".join(queue or gettext("not named") for queue in row.score.left_out)
        told = f"{way} · {gettext('without')} {without}" if without else way
        yield _call("agents", row, reading, name=row.name, way=told)
    for row in (found.whole, *found.queues):
        name = everything if row is found.whole else row.name
        if row.asked:
            yield _share("answered", name, row.asked, reading)
    for row in found.agents:
        if row.waiting.cases:
            yield Line("waiting", row.name, way=gettext("Cases that wait"), n=row.waiting.cases)
            yield Line("waiting", row.name, way=gettext("Late"), n=row.waiting.late)


def _call(table: str, row: CallRow, reading: Reading, *, name: str, way: str) -> Line:
    score, likely = row.score, row.likely.estimate if row.likely else None
    shown = score.shown
    told = _change(score.change if shown else None)
    return Line(
        table,
        name,
        way=way,
        first=reading.period.start,
        last=reading.period.end,
        n=None if score.size_hidden else score.n,
        value=_round(score.value) if shown else None,
        low=_round(score.low) if shown else None,
        high=_round(score.high) if shown else None,
        unit=POINTS if score.is_nps else PERCENT,
        moved=score.moved,
        hidden=score.hidden,
        likely=_round(likely.score) if likely else None,
        likely_margin=_round(likely.margin) if likely else None,
        place_first=likely.first if likely else None,
        place_last=likely.last if likely else None,
        **told,  # type: ignore[arg-type]
    )


def topic_lines(reading: Reading, request: HttpRequest | None = None) -> Iterator[Line]:
    """How often topics are spoken of, and what they cost."""
    cells, source = _main_source(reading)
    if source is None:
        return
    found = topics_of(cells, source, reading.filters)
    for row in found.all:
        change = _change(row.change) | {"moved": row.moved}
        told = {"hidden": row.hidden, "size_hidden": found.size_hidden, "way": source.name}
        yield _share("topics", row.name, row.share, reading, **told | change)  # type: ignore[arg-type]
    for row in found.rows:
        yield from _cost(row, source, reading)


def _cost(row: TopicRow, source: Source, reading: Reading) -> Iterator[Line]:
    if row.driver:
        cost, margin = row.driver.cost, row.driver.margin
        yield Line(
            "costs",
            row.name,
            way=source.name,
            first=reading.period.start,
            last=reading.period.end,
            n=row.n,
            value=_round(cost),
            low=_round(cost - margin),
            high=_round(cost + margin),
            moved=row.driver.stands,
        )


def loop_lines(reading: Reading, request: HttpRequest | None = None) -> Iterator[Line]:
    """The shares of the closed loop, place by place, and scores before and after a case."""
    few = reading.stores.count() <= MOST_LEAGUE_STORES
    view = view_of(reading.scope, reading.filters, deep=few)
    cells = read_cells(view, reading.week, leaves(reading, by_week=False))
    league = league_of(cells, reading.filters, reading.period, reading.stores, of_stores=few)
    for one in [*league.total.contactable, *league.total.fix_only, *league.total.outcomes]:
        yield _loop("loop", one.name, one, reading, way=league.total.source.name)
    for row in [*league.ranked, *league.few]:
        for one in row.shares:
            yield _loop("league", row.name, one, reading, way=one.name)
    for recovery in recovery_of(cells, reading.filters, reading.stores):
        if recovery.gain is not None:
            shown = not recovery.hidden
            yield Line(
                "recovery",
                recovery.question,
                first=reading.period.start,
                last=reading.period.end,
                n=recovery.n,
                value=_round(recovery.gain) if shown else None,
                low=_round(recovery.gain - recovery.margin) if shown else None,
                high=_round(recovery.gain + recovery.margin) if shown else None,
                hidden=recovery.hidden,
            )


def change_lines(reading: Reading, request: HttpRequest | None = None) -> Iterator[Line]:
    """What the change is made of, and the score weighted by purchases."""
    cells, source = _main_source(reading)
    made = made_change(reading, cells, source)
    if made is None:
        return
    way = {"way": made.source.name, "first": reading.period.start, "last": reading.period.end}
    names = {
        "stores": gettext("Other stores answer"),
        "channels": gettext("Other channels answer"),
        "within": gettext("The same ones score differently"),
    }
    for key, part in made.parts:
        margin = made.split.margin if made.split and key == "within" else None
        yield Line("change", names[key], change=_round(part), change_margin=_round(margin), **way)  # type: ignore[arg-type]
    if made.weighted and not made.hidden:
        told = made.weighted
        value = {"value": _round(told.score), "low": _round(told.low), "high": _round(told.high), "n": told.n}
        yield Line("change", gettext("Weighted by purchases"), **way | value)  # type: ignore[arg-type]


def asking_lines(reading: Reading, request: HttpRequest | None = None) -> Iterator[Line]:
    """From invitation and scan to answer, by way of asking and by place."""
    view = view_of(reading.scope, reading.filters)
    found = asking_of(view, reading.stores, reading.filters, reading.period, reading.week)
    for row in [*found.invited, *found.ways, *found.places]:
        for name, rate in row.rates.items():
            told = _change(rate.change) | {"moved": rate.moved, "way": str(RATES[name])}
            yield _share("asking", row.name, rate.share, reading, **told)  # type: ignore[arg-type]


def compared_lines(reading: Reading, request: HttpRequest | None = None) -> Iterator[Line]:
    """Both sides of a comparison, one after the other; the change is that of the first."""
    if request is None:
        return
    found = comparison_of(
        reading.scope, read_choice(request, reading.scope, reading.filters, reading.week), reading.week
    )
    one, other = found.first, found.second
    names = [f"{side.name}, {side.period}" for side in (one, other)]
    days = [{"first": side.span.start, "last": side.span.end} for side in (one, other)]
    for score in found.scores:
        change = _change(score.change) | {"moved": score.stands}
        yield _figure("compared", names[0], score.first, reading, way=score.name, **change | days[0])
        yield _figure("compared", names[1], score.second, reading, way=score.name, **days[1])
    for row in [*found.shares, *found.topics]:
        change = _change(row.change) | {"moved": row.stands}
        yield _loop("compared", names[0], row.first, reading, way=row.name, **change | days[0])
        yield _loop("compared", names[1], row.second, reading, way=row.name, **days[1])


Maker = Callable[[Reading, HttpRequest | None], Iterator[Line]]
# By the name of the page's address.
PAGES: dict[str, Maker] = {
    "reports": overview_lines,
    "report_stores": store_lines,
    "report_calls": call_lines,
    "report_topics": topic_lines,
    "report_loop": loop_lines,
    "report_asking": asking_lines,
    "report_compare": compared_lines,
    "report_change": change_lines,
}
