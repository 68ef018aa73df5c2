"""One store on one screen, for whoever runs it: how the week goes, what to put right first and what to praise."""

from dataclasses import dataclass, replace
from datetime import date

from django.db.models import BooleanField, Count, ExpressionWrapper, Q
from django.utils import timezone

from alerts.choices import TO_DO
from alerts.kudos import KudosCount
from alerts.models import Case
from reports.action_reads import actions_about, is_late, time_zones_of
from reports.causes import CauseRow, causes_of
from reports.cells import Cells, leaves_of, read_cells, view_of
from reports.figures import Answers, Figure, Overview, Source
from reports.filters import Filters, Scope
from reports.lattice import Place, node_place, store_place
from reports.linking import nps_words, words_behind
from reports.models import Action, ActionState, StoreDay
from reports.overview import overview
from reports.periods import Period, Week, latest_day
from reports.statistics import MIN_SHOWN, Difference, nps_difference
from reports.stretches import QUARTER, latest, mondays
from reports.topics import TopicRow, Topics, topics_of
from reports.wall import Voice, kudos_between, praise_of
from reports.wall_figures import parts_around, shows_week
from stores.models import Node, Store, User

MOST_PRAISES, MOST_ACTIONS = 3, 5
# So many other places with answers make an area: of fewer, a sum tells of each.
_ENOUGH_OTHERS = 3


@dataclass(frozen=True)
class ThisWeek:
    """Answers and cases of the running week: `waiting` cases want somebody, of which nobody has tried `untouched`.

    `kudos` are of the shortest time up to now that tells of no few answers, `since` when where that is longer than the
    week; None where thirteen weeks tell of few.
    """

    week: Week
    responses: int
    kudos: KudosCount | None
    since: date | None
    waiting: int
    untouched: int
    overdue: int


@dataclass(frozen=True)
class Area:
    """The nearest place above the store that is made of enough others, and the store beside all of these together."""

    node: Node
    figure: Figure
    unlike: Difference | None
    # Where the reader may open them.
    words: str = ""


@dataclass(frozen=True)
class Underway:
    """Something that is being done about the store: `opens` where the reader may see it whole. Of anything else nobody
    is told whose it is."""

    action: Action
    is_mine: bool
    is_above: bool
    is_late: bool
    opens: bool

    @property
    def owner(self) -> str:
        return self.action.owner.name if self.opens else ""


@dataclass(frozen=True)
class StoreView:
    this_week: ThisWeek
    found: Overview
    # Of those who were not asked from 0 to 10, if nobody was.
    answers: Answers | None
    praises: list[Voice]
    praise_words: str
    costliest: TopicRow | None
    named_most: TopicRow | None
    cause: CauseRow | None
    # Those of the reader first.
    under_way: list[Underway]
    area: Area | None

    @property
    def nothing_to_fix(self) -> bool:
        return not (self.this_week.waiting or self.costliest or self.named_most or self.cause)


def store_view_of(store: Store, scope: Scope, reader: User) -> StoreView:
    """Everything on the screen of a store that the reader sees."""
    week = Week.of(latest_day([store.time_zone]))
    filters = Filters(store=store, weeks=QUARTER)
    period = Period(week, QUARTER)
    view = view_of(scope, filters)
    cells = read_cells(view, week, leaves_of(QUARTER, by_week=True))
    found = overview(view, cells, filters, period)
    topics = topics_of(cells, found.source, filters) if found.source else None
    causes = causes_of(scope.stores.filter(pk=store.pk), filters, period)
    return StoreView(
        this_week=_this_week(store, week, cells),
        found=found,
        answers=None if found.source or not found.answers else found.answers[0],
        praises=praise_of(store, (week + -1).monday, week.sunday, limit=MOST_PRAISES),
        praise_words=words_behind(filters, weeks=4, sentiment="positive"),
        costliest=_costliest(topics),
        named_most=_named_most(topics),
        cause=_commonest(causes),
        under_way=_under_way(store, scope, reader),
        area=_opened(_area(cells, store, found.source), scope, filters, found.source) if found.source else None,
    )


def _this_week(store: Store, week: Week, cells: Cells) -> ThisWeek:
    days = (week.monday, week.sunday)
    answers = StoreDay.objects.filter(store=store, local_day__range=days).values_list("responses", flat=True)
    untouched = Q(attempted_at=None, contacted_at=None, fixed_at=None)
    cases = Case.objects.filter(store=store, state__in=TO_DO).aggregate(
        waiting=Count("pk"),
        untouched=Count("pk", filter=untouched),
        overdue=Count("pk", filter=untouched & Q(due_at__lt=timezone.now())),
    )
    told = (one for one in parts_around(0, (0, QUARTER)) if shows_week(cells, store_place(store.pk), one))
    stretch = next(told, None)
    first = mondays(stretch, week)[0] if stretch else None
    return ThisWeek(
        week,
        sum(answers),
        kudos=kudos_between(store, first, week.sunday) if first else None,
        since=first if first != week.monday else None,
        **cases,
    )


def _costliest(topics: Topics | None) -> TopicRow | None:
    """What costs most, if anything costs points."""
    row = topics.rows[0] if topics and topics.rows else None
    return row if row and row.driver and row.driver.cost > 0 else None


def _named_most(topics: Topics | None) -> TopicRow | None:
    """Where none is named often enough to have a cost: what most people speak badly of."""
    if topics is None or topics.rows:
        return None
    shown = [row for row in topics.few if not row.hidden and row.negative.part]
    return max(shown, key=lambda row: row.negative.part, default=None)


def _commonest(causes: list[CauseRow]) -> CauseRow | None:
    """Of those that somebody can do something about."""
    return next((row for row in causes if row.is_ours and not row.hidden), None)


def _under_way(store: Store, scope: Scope, reader: User) -> list[Underway]:
    """What is being done about the store, here and above it. Who reads one store does not see an area's action whole,
    but is told what it is, for where and by when."""
    mine_first = ExpressionWrapper(Q(owner=reader), BooleanField()).desc()
    found = actions_about(store).filter(state=ActionState.OPEN).order_by(mine_first, "due_on", "pk")[:MOST_ACTIONS]
    above = {one.node_id for one in found if one.node_id}
    seen = set(scope.nodes.filter(pk__in=above).values_list("pk", flat=True)) if above else set()
    zones = time_zones_of(one.place for one in found)
    return [
        Underway(
            one,
            is_mine=one.owner_id == reader.pk,
            is_above=one.node_id is not None,
            is_late=is_late(one, zones[one.place]),
            opens=one.node_id is None or one.node_id in seen,
        )
        for one in found
    ]


def _area(cells: Cells, store: Store, source: Source) -> Area | None:
    now = latest(QUARTER)
    own: Place = store_place(store.pk)
    answered, others = cells.answered(source, now), 0
    came_from = own
    for pk in reversed(store.node.above):
        place = node_place(pk)
        others += len(answered.intersection(cells.view.below.get(place, [])) - {came_from})
        came_from = place
        if others < _ENOUGH_OTHERS:
            continue
        figure = cells.figure([place], source, now)
        if figure.shown:
            return _beside(cells.view.nodes[pk], figure, cells.figure([own], source, now))
    return None


def _opened(area: Area | None, scope: Scope, filters: Filters, source: Source) -> Area | None:
    if area is None or not scope.nodes.filter(pk=area.node.pk).exists():
        return area
    return replace(area, words=nps_words(filters, source=source, place=area.node))


def _beside(node: Node, whole: Figure, own: Figure) -> Area:
    others = whole.nps - own.nps
    able = own.shown and others.n >= MIN_SHOWN
    return Area(node, whole, nps_difference(own.nps, others) if able else None)
