"""What came of an action: the same measures of the same place, before it was begun and after it was done.

The weeks in between, in which it was being done, belong to neither. Only such parts of the weeks are taken as are shown
on other pages too, so that two sums never tell of a few.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db.models import F, Sum
from django.utils.translation import gettext, ngettext

from alerts.models import Case
from reports.action_reads import time_zone_of
from reports.cells import Cells, read_cells, view_of
from reports.figures import Source
from reports.filters import Filters, Scope
from reports.lattice import Place
from reports.linking import nps_words, words_behind
from reports.models import Action, ActionState, NodeWeek, StoreWeek
from reports.periods import Days, Week
from reports.statistics import (
    NO_ANSWERS,
    Difference,
    Nps,
    Share,
    moved_among,
    nps_difference,
    share_difference,
)
from reports.stretches import QUARTER, Stretch, cover, mondays
from reports.topics import read_topics
from sentiment.labels import topic_label
from stores.models import Node, Store
from surveys.counting import left_out

# Of so many ways of asking, those with most answers.
_MOST_SOURCES = 3
Shows = Callable[[Stretch], bool]


@dataclass(frozen=True)
class Span:
    """The weeks that stand on one side: `first` and `end` count back from the running week."""

    first: int
    end: int
    days: Days

    @property
    def dates(self) -> str:
        return self.days.dates

    @property
    def weeks(self) -> int:
        return self.end - self.first


@dataclass(frozen=True)
class Side:
    """A measure over a span: both values are None where nothing of it may be shown; `weeks` of its weeks are in it.
    `words` opens all answers it is of, `part_words` those that are the share of them."""

    span: Span
    weeks: int
    words: str
    part_words: str = ""
    nps: Nps | None = None
    share: Share | None = None

    @property
    def n(self) -> int:
        return (self.nps or self.share or Share(0, 0)).n

    @property
    def per_hundred(self) -> tuple[float, float]:
        """The share and its margin as so many of a hundred answers."""
        assert self.share is not None
        return 100 * (self.share.value or 0), 100 * (self.share.margin or 0)

    @property
    def written_weeks(self) -> str:
        """Of how many weeks the figure is."""
        if self.weeks == self.span.weeks:
            return ngettext("%(n)d week", "%(n)d weeks", self.weeks) % {"n": self.weeks}
        return gettext("%(shown)d of %(all)d weeks") % {"shown": self.weeks, "all": self.span.weeks}


@dataclass(frozen=True)
class Measure:
    """One measure on both sides: an NPS, of which more is better, or a share of answers, of which less is."""

    name: str
    before: Side
    after: Side
    change: Difference | None
    is_share: bool
    # Whether the change is more than chance, among all measures of the action.
    stands: bool = False

    @property
    def better(self) -> bool:
        return self.change is not None and (self.change.points < 0) == self.is_share


@dataclass(frozen=True)
class Effect:
    before: Span
    after: Span
    done: bool
    # The first is the one by which the action is judged: of its own cause or topic, or else the score.
    measures: list[Measure]


def effect_of(action: Action, scope: Scope, this_week: Week) -> Effect | None:
    """Both sides, or None while there is no whole week to look at after it, or it was dropped."""
    spans = _spans(action, this_week)
    if spans is None:
        return None
    before, after = spans
    filters = Filters(node=action.node, store=action.store)
    view = view_of(scope, filters)
    tops = {week - week % QUARTER for span in spans for week in range(span.first, span.end)}
    leaves = [(week, week + 1) for top in sorted(tops) for week in range(top, top + QUARTER)]
    cells = read_cells(view, this_week, leaves)
    scores = [
        _score(cells, filters, source, before, after)
        for source in cells.sources(cover(before.first, before.end) + cover(after.first, after.end))[:_MOST_SOURCES]
    ]
    own = []
    if action.topic:
        own = _topic(cells, filters, action.topic, before, after)
    elif action.cause_id:
        own = [_cause(cells, action, filters, before, after)]
    measures = own + scores
    if not measures:
        return None
    standing = moved_among([one.change for one in measures])
    judged = [replace(one, stands=stands) for one, stands in zip(measures, standing, strict=True)]
    return Effect(before, after, action.state == ActionState.DONE, judged)


def _spans(action: Action, this_week: Week) -> tuple[Span, Span] | None:
    if action.state == ActionState.DROPPED:
        return None
    zone = time_zone_of(action.place)

    def weeks_back(week: Week) -> int:
        return max(0, (this_week.monday - week.monday).days // 7)

    begun = weeks_back(Week.of(action.created_at.astimezone(zone).date()))
    ended = weeks_back(Week.of(action.ended_at.astimezone(zone).date())) if action.ended_at else begun
    if ended == 0:
        return None
    return _span(begun + 1, begun + 1 + QUARTER, this_week), _span(max(0, ended - QUARTER), ended, this_week)


def _span(first: int, end: int, this_week: Week) -> Span:
    start, last = mondays((first, end), this_week)
    return Span(first, end, Days(start, Week(last).sunday))


def _parts(span: Span, shows: Shows) -> list[Stretch]:
    return [part for part in cover(span.first, span.end) if shows(part)]


def _weeks(parts: list[Stretch]) -> int:
    return sum(end - first for first, end in parts)


def _score(cells: Cells, filters: Filters, source: Source, before: Span, after: Span) -> Measure:
    def side(span: Span) -> Side:
        places, lattice = cells.view.places, cells.lattice(source)
        parts = _parts(span, lambda part: cells.shows(lattice, places, [part]))
        nps = cells.nps_of(places, source, parts) if parts else NO_ANSWERS
        words = nps_words(filters, source=source, days=span.days)
        return Side(span, _weeks(parts), words, nps=nps if nps.n else None)

    old, new = side(before), side(after)
    change = nps_difference(new.nps, old.nps) if new.nps and old.nps else None
    return Measure(gettext("NPS · %(source)s") % {"source": source.name}, old, new, change, is_share=False)


def _topic(cells: Cells, filters: Filters, topic: str, before: Span, after: Span) -> list[Measure]:
    """How many of those who were asked the 0-to-10 question in the commonest way speak badly of it.

    As with every share, it is the whole that must be shown, not the part: that one of a hundred complains tells of the
    hundred, and readers know the words. What is told of the few who speak of a topic, such as their score, is of them
    alone, and hidden where they are too few: `Spoken.may_show`.
    """
    sources = cells.sources(cover(before.first, before.end) + cover(after.first, after.end))[:1]
    spoken = read_topics(cells, sources)

    def side(source: Source, span: Span) -> Side:
        places, lattice = cells.view.places, cells.lattice(source)
        parts = _parts(span, lambda part: cells.shows(lattice, places, [part]))
        n = cells.nps_of(places, source, parts).n if parts else 0
        negative = spoken.sum_of(topic, [source], parts)[3] if parts else 0
        words = nps_words(filters, source=source, days=span.days)
        speaking = nps_words(filters, source=source, days=span.days, topic=topic, tone="negative")
        return Side(span, _weeks(parts), words, speaking, share=Share(negative, n) if n else None)

    return [
        _less(
            gettext("Speak badly of “%(topic)s” · %(source)s") % {"topic": topic_label(topic), "source": source.name},
            side(source, before),
            side(source, after),
        )
        for source in sources
    ]


def _cause(cells: Cells, action: Action, filters: Filters, before: Span, after: Span) -> Measure:
    """Cases with the root cause, of all answers whichever way they were asked."""
    lattice = cells.lattice_of(_answers(cells))
    places = cells.view.places

    def side(span: Span) -> Side:
        parts = _parts(span, lambda part: cells.shows(lattice, places, [part]))
        n = sum(lattice.size(place, part) for place in places for part in parts)
        words = words_behind(filters, days=span.days)
        cases = words_behind(filters, days=span.days, cause=str(action.cause_id))
        share = Share(min(n, _cases(cells, action, parts)), n) if n else None
        return Side(span, _weeks(parts), words, cases, share=share)

    name = gettext("Cases for “%(cause)s” per 100 answers") % {"cause": action.cause}
    return _less(name, side(before), side(after))


def _answers(cells: Cells) -> dict[Stretch, dict[Place, int]]:
    found: dict[Stretch, dict[Place, int]] = defaultdict(dict)
    weeks = {mondays(leaf, cells.this_week)[0]: leaf for leaf in cells.leaves}
    for model, owner in ((NodeWeek, "node"), (StoreWeek, "store")):
        places = [place.pk for place in cells.view.all_places if place.kind == owner]
        rows = (
            model._default_manager.filter(**{f"{owner}__in": places}, monday__in=weeks, responses__gt=0)
            .order_by()
            .values_list(F(f"{owner}_id"), "monday")
            .annotate(n=Sum("responses"))
        )
        for pk, monday, n in rows:
            found[weeks[monday]][Place(owner, pk)] = n
    return found


def _cases(cells: Cells, action: Action, parts: list[Stretch]) -> int:
    cases = Case.objects.filter(root_cause=action.cause_id).exclude(left_out("response__"))
    place = action.place
    if isinstance(place, Store):
        cases = cases.filter(store=place)
    else:
        assert isinstance(place, Node)
        cases = cases.filter(store__node__path__startswith=place.path)
    found = 0
    for part in parts:
        first, last = mondays(part, cells.this_week)
        found += cases.filter(response__local_day__range=(first, Week(last).sunday)).count()
    return found


def _less(name: str, old: Side, new: Side) -> Measure:
    change = share_difference(new.share, old.share) if new.share and old.share else None
    return Measure(name, old, new, change, is_share=True)
