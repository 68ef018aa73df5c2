"""The figures of a wall, by the rule of the live pages (`reports.statistics.showing`), so that no wall beside them
tells about fewer than five answers.

A wall reads the cells that a page about its store reads, of the thirteen weeks that hold its week, counted back from
the running one as the pages count. It tells of its own week where the pages show that week; otherwise of the shortest
stretch around it that they show, and says which: of few answers that also says more. Where they show none, the number
of answers in thirteen weeks stands, which pages always tell.

Why that is enough also for a week of long ago: each thirteen weeks are decided by themselves, and a page that shows
them divides them by the same tree or not at all. What was printed when the weeks were counted otherwise is a figure of
its day, as a page of yesterday is. How many answered at all is nobody's answer, and told of every week.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext

from reports.cells import Cells, read_cells, view_of
from reports.figures import ANY_WAY, Answers, Figure, Source
from reports.filters import Filters, Scope
from reports.lattice import Lattice, Place, store_place
from reports.linking import words_behind
from reports.models import StoreWeek
from reports.periods import Days, Week, latest_day
from reports.statistics import MIN_SHOWN, Share
from reports.stretches import QUARTER, Stretch, mondays, parts_of
from stores.models import Node, Store
from surveys.choices import QuestionKind

# A view of one store asks for no scope: the rule looks at answers and never at the reader.
_NOBODY = Scope(Store.objects.none(), Node.objects.none(), [])
_HAPPY_FACE = 4


@dataclass(frozen=True)
class WallFigure:
    """What one way of asking brought: an NPS, or how often each answer to another question was given.

    `when` says which weeks it is of; empty where that is the wall's own. `words` opens the words behind it.
    """

    source: Source
    when: str
    words: str
    nps: Figure | None = None
    answers: Answers | None = None

    @property
    def n(self) -> int:
        return self.nps.nps.n if self.nps else self.answers.n if self.answers else 0

    @property
    def hidden(self) -> bool:
        return self.nps.hidden if self.nps else self.answers is None or self.answers.hidden

    @property
    def why_hidden(self) -> str:
        if self.n < MIN_SHOWN:
            return gettext("shown from %(min_shown)s answers on") % {"min_shown": MIN_SHOWN}
        return gettext("hidden so that no smaller figure can be worked out")

    @property
    def faces(self) -> list[tuple[int, Share]]:
        """Each of our faces that stood to choose, and its share; nothing of a question without faces."""
        return [(face, share) for _score, face, share in self.answers.each if face] if self.answers else []

    @property
    def happy(self) -> Share | None:
        """How many chose a happy or very happy face, or what means the same on the scale of the question."""
        if self.answers is None:
            return None
        if not self.faces:
            return self.answers.happy
        return Share(sum(share.part for face, share in self.faces if face >= _HAPPY_FACE), self.n)


def figures_of_week(store: Store, week: Week, this_week: Week) -> list[WallFigure]:
    """What hangs on the wall of a store's week; nothing of one that has not begun."""
    ago = (this_week.monday - week.monday).days // 7
    if ago < 0:
        return []
    first = ago - ago % QUARTER
    top = (first, first + QUARTER)
    cells = read_cells(view_of(_NOBODY, Filters(store=store)), this_week, [(one, one + 1) for one in range(*top)])
    around, place = list(parts_around(ago, top)), store_place(store.pk)
    found = []
    for source in sorted(cells.nps):
        if cells.nps_of([place], source, around[:1]).n:
            stretch = _shown(cells.lattice(source), place, around)
            about = _about(store, this_week, source, QuestionKind.NPS, stretch, around[0])
            found.append(WallFigure(*about, nps=cells.figure([place], source, [stretch])))
    for (kind, source), by_leaf in sorted(cells.scored.items()):
        if by_leaf.get(around[0], {}).get(place):
            lattice = cells.scored_lattice(kind, source)
            stretch = _shown(lattice, place, around)
            about = _about(store, this_week, source, kind, stretch, around[0])
            scores = _scores(store, kind, source, mondays(stretch, this_week))
            answers = Answers(kind, source, scores, hidden=not lattice.shows(place, [stretch]), words=about[2])
            found.append(WallFigure(*about, answers=answers))
    return found


def tells_of_all(figures: list[WallFigure]) -> bool:
    """Whether the week itself is shown of every way of asking that brought answers in it. Only then a number about all
    its answers, less what these figures tell, leaves no few answers."""
    return bool(figures) and not any(one.hidden or one.when for one in figures)


def shows_week(cells: Cells, place: Place, week: Stretch) -> bool:
    """The same, of cells that were read."""
    filled = [one for one in cells.lattices(ANY_WAY) if one.size(place, week)]
    return bool(filled) and all(one.shows(place, [week]) for one in filled)


def parts_around(ago: int, top: Stretch) -> Iterator[Stretch]:
    """The stretches of the tree that hold the week `ago`, the shortest first."""
    for part in parts_of(top):
        if part[0] <= ago < part[1]:
            yield from parts_around(ago, part)
    yield top


def _shown(lattice: Lattice, place: Place, around: list[Stretch]) -> Stretch:
    return next((one for one in around if lattice.shows(place, [one])), around[-1])


def _about(
    store: Store, this_week: Week, source: Source, kind: str, stretch: Stretch, own: Stretch
) -> tuple[Source, str, str]:
    """The way of asking, the weeks if they are not the wall's own, and what opens the words behind them."""
    first, last = mondays(stretch, this_week)
    filters = Filters(store=store)
    if stretch == own:
        return source, "", words_behind(filters, source=source, until=Week(first), weeks=1, question=kind)
    days = Days(first, Week(last).sunday)
    # Of the running week, up to now.
    when = Days(first, min(days.end, latest_day([store.time_zone]))).dates
    return source, when, words_behind(filters, source=source, days=days, question=kind)


def _scores(store: Store, kind: str, source: Source, between: tuple[date, date]) -> tuple[int, ...]:
    weeks = StoreWeek.objects.filter(
        store=store, monday__range=between, headline_kind=kind, channel=source.channel, sample_kind=source.sample
    )
    return tuple(sum(of) for of in zip(*weeks.values_list("score_counts", flat=True), strict=True))
