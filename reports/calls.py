"""A call centre by queue and agent: how callers scored, how sure that is, and what waits.

One headline question at a time, on the scale it was asked on. A queue lies below the centre and an agent's calls of a
queue below the queue, so that what may be shown of them follows from the one rule of `reports.statistics.showing`,
from the top of the chain on. An agent's figure of all queues is the sum of those that are shown by themselves.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from math import inf
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext

from alerts.choices import TO_DO
from alerts.models import Case
from reports.call_cells import NAMELESS
from reports.call_figures import ASKED, Likely, Row, Score, Tally, Waiting, sum_of
from reports.cells import View, buckets_of, leaves_of, read_cells
from reports.filters import Filters, Scope
from reports.lattice import Lattice, Place, store_place
from reports.linking import words_behind
from reports.models import QueueDay
from reports.periods import Period, Week
from reports.statistics import (
    Nps,
    Share,
    moved_among,
    ranked,
)
from reports.stretches import Stretch, before, latest, quarters
from stores.choices import StoreKind
from stores.models import Store
from surveys.choices import QuestionKind

BY_NAME = "name"
_THIS_WEEK: list[Stretch] = [(0, 1)]


@dataclass(frozen=True)
class Choice:
    """What is chosen on this page beside place and weeks: a queue, the order of agents, and which question."""

    queue: str = ""
    order: str = ""
    kind: str = ""

    def query(self, filters: Filters) -> str:
        """The address after the question mark."""
        more = urlencode({key: value for key, value in vars(self).items() if value})
        return "?" + "&".join(part for part in (filters.query().removeprefix("?"), more) if part)


@dataclass(frozen=True)
class Calls:
    """The page. `kinds` are the questions that were asked: label, whether it is shown, and its address; `order` is
    empty where agents stand in the order of their likely scores; `by_agent`: whether agents stand there at all."""

    kind: QuestionKind | None
    kinds: list[tuple[str, bool, str]]
    queue: str
    order: str
    address: str
    by_name: str
    by_score: str
    whole: Row
    queues: list[Row]
    agents: list[Row]
    by_agent: bool

    def under_headings(self, agents: Sequence[Row]) -> list[tuple[str, list[Row]]]:
        """Some of the agents; in the order of names there are no headings."""
        if self.order:
            return [("", list(agents))]
        headings = {
            "": "",
            "few": gettext("Too few to rank"),
            "hidden": gettext("Score hidden"),
            "silent": gettext("No answers of this kind"),
        }
        return [(headings[key], list(rows)) for key, rows in groupby(agents, lambda row: row.group)]

    @property
    def ranked(self) -> int:
        return sum(bool(row.likely) for row in self.agents)

    @property
    def apart(self) -> int:
        """Of how many agents it is more than chance that they differ from the others."""
        return sum(row.stands for row in self.agents)

    @property
    def moved(self) -> int:
        return sum(row.score.moved for row in self.agents if row.name)

    @property
    def apart_queues(self) -> int:
        return sum(row.stands for row in self.queues)

    @property
    def compared_queues(self) -> int:
        return sum(bool(row.unlike) for row in self.queues)


def centre_of(scope: Scope, filters: Filters, chosen: QuerySet[Store]) -> Filters:
    """The filters about the call centre among the `chosen` stores, or the first of the reader's. Raises Http404 where
    they have none."""
    centres = scope.stores.filter(kind=StoreKind.CALL_CENTRE).select_related("node").order_by("sort_key")
    first = centres.filter(pk__in=chosen).first() or centres.first()
    if first is None:
        raise Http404
    return replace(filters, store=first, node=None, channel="", sample="")


def calls_of(view: View, filters: Filters, period: Period, choice: Choice) -> Calls:
    """Everything on the page of a call centre, which is the store of the filters, and of which the view is."""
    assert filters.store is not None
    read = _Reading(view, filters.store, filters.weeks, period.last)
    kinds = read.kinds()
    kind = QuestionKind(choice.kind) if choice.kind in kinds else kinds[0] if kinds else None
    choice = replace(choice, kind=kind.value if kind and kind != kinds[0] else "")
    rates, cases = _asked(filters.store, period), _waiting(filters.store)
    if choice.queue and _name(choice.queue) not in {*read.queues, *rates, *(queue for queue, _ in cases)}:
        choice = replace(choice, queue="")
    about = _About(read, filters, choice, kind or QuestionKind.NPS, rates, cases)
    return Calls(
        kind=kind,
        kinds=[(str(one.label), one == kind, _but(choice, filters, kind=one.value)) for one in kinds],
        queue=choice.queue,
        order=choice.order,
        address=choice.query(filters),
        by_name=_but(choice, filters, order=BY_NAME),
        by_score=_but(choice, filters, order=""),
        whole=about.whole(),
        queues=_beside(about.queues()),
        agents=_in_order(_ranked(about.agents()), by_name=choice.order == BY_NAME) if settings.AGENT_FIGURES else [],
        by_agent=settings.AGENT_FIGURES,
    )


def _name(written: str | None) -> str:
    """What telephony calls a queue or an agent; nothing for those it does not name."""
    return "" if written in (None, NAMELESS) else written or ""


def _but(choice: Choice, filters: Filters, **changes: str) -> str:
    return replace(choice, **changes).query(filters)


# --- reads ------------------------------------------------------------------------------------------------------
class _Reading:
    """What was counted at a call centre, now and before, and what of it may be shown."""

    def __init__(self, view: View, centre: Store, weeks: int, this_week: Week) -> None:
        self.now, self.ago = latest(weeks), before(weeks)
        self.centre = store_place(centre.pk)
        # The newest weeks one by one; what is further back by quarters.
        earlier = [quarter for quarter in quarters(2 * weeks) if quarter[0]]
        self._leaves = leaves = [*leaves_of(4, by_week=True), *earlier]
        self._cells = read_cells(view, this_week, leaves)
        self._counts: dict[tuple[str, str], dict[QuestionKind, dict[Stretch, Tally]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        for queue, agent, kind, leaf, tally in _counted(centre, leaves, this_week):
            self._counts[queue, agent][QuestionKind(kind)][leaf] = tally
        # By name, so that whoever looks at other weeks finds the same ones hidden.
        self.of_queue: dict[str, dict[str, Place]] = defaultdict(dict)
        for number, (queue, agent) in enumerate(sorted(self._counts)):
            self.of_queue[queue][agent] = Place("agent", number)
        self.queues = {queue: Place("queue", number) for number, queue in enumerate(self.of_queue)}
        below = {place: list(self.of_queue[queue].values()) for queue, place in self.queues.items()}
        self._cells.view = replace(view, below={**view.below, self.centre: list(self.queues.values()), **below})

    def kinds(self) -> list[QuestionKind]:
        """The questions that were answered in these weeks, most answers first."""
        sums = {kind: sum_of(self.tallies(kind, self.now).values()).n for kind in QuestionKind}
        return sorted((kind for kind, n in sums.items() if n), key=lambda kind: -sums[kind])

    def tallies(self, kind: QuestionKind, stretches: Sequence[Stretch]) -> dict[tuple[str, str], Tally]:
        """What each agent's callers said of each queue in these weeks, of those that have any answers."""
        leaves = [leaf for leaf in self._leaves if any(a <= leaf[0] and leaf[1] <= b for a, b in stretches)]
        found = {}
        for name, by_kind in self._counts.items():
            by_leaf = by_kind.get(kind, {})
            if tallies := [by_leaf[leaf] for leaf in leaves if leaf in by_leaf]:
                found[name] = tallies[0] if len(tallies) == 1 else sum_of(tallies)
        return found

    def lattice(self, kind: QuestionKind) -> Lattice:
        """What may be shown of the answers to this question."""
        sizes: dict[Stretch, dict[Place, int]] = defaultdict(lambda: defaultdict(int))
        if kind == QuestionKind.NPS:
            for leaf, of in self._cells.nps.get(ASKED, {}).items():
                sizes[leaf].update({place: nps.n for place, nps in of.items()})
        else:
            for leaf, counts in self._cells.scored.get((kind.value, ASKED), {}).items():
                sizes[leaf].update(counts)
        for (queue, agent), by_kind in self._counts.items():
            for leaf, tally in by_kind.get(kind, {}).items():
                sizes[leaf][self.queues[queue]] += tally.n
                sizes[leaf][self.of_queue[queue][agent]] = tally.n
        return self._cells.lattice_of(sizes)


def _counted(
    centre: Store, leaves: Sequence[Stretch], this_week: Week
) -> Iterable[tuple[str, str, str, Stretch, Tally]]:
    oldest, starts = buckets_of(leaves, this_week)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queue, agent, headline_kind, width_bucket(monday, %s::date[]) AS leaf,"
            " sum(happy)::int, sum(between)::int, sum(unhappy)::int FROM reports_agentweek"
            " WHERE store_id = %s AND monday BETWEEN %s AND %s GROUP BY 1, 2, 3, 4",
            [starts, centre.pk, starts[0], this_week.monday],
        )
        for queue, agent, kind, bucket, *counts in cursor.fetchall():
            leaf = oldest[bucket - 1]
            if leaf is not None:
                yield queue, agent, kind, leaf, Tally(*counts)


def _asked(centre: Store, period: Period) -> Mapping[str, Share]:
    """Of each queue how many of those who were asked have answered."""
    rows = QueueDay.objects.filter(store=centre, local_day__range=(period.start, period.end)).values_list("queue")
    sums = rows.annotate(answered=Sum("answered"), asked=Sum("asked")).order_by()
    return {queue: Share(answered, asked) for queue, answered, asked in sums}


def _waiting(centre: Store) -> Mapping[tuple[str, str], Waiting]:
    """Cases about calls, of today, whenever they were opened."""
    late = Q(attempted_at=None, contacted_at=None, fixed_at=None, due_at__lt=timezone.now())
    call = "response__invitation__call"
    rows = (
        Case.objects.filter(store=centre, state__in=TO_DO, **{f"{call}__isnull": False})
        .order_by()
        .values_list(f"{call}__queue", f"{call}__agent")
        .annotate(cases=Count("pk"), late=Count("pk", filter=late))
    )
    found: dict[tuple[str, str], Waiting] = {}
    for queue, agent, cases, of_these in rows:
        name = _name(queue), _name(agent)
        found[name] = found.get(name, Waiting()).plus(Waiting(cases, of_these))
    return found


class _Part(NamedTuple):
    """What a row is a sum of: a place, and the queues and agents whose answers are its."""

    place: Place
    names: list[tuple[str, str]]
    queue: str = ""


# Stretches, and what was counted in them.
_When = tuple[Sequence[Stretch], Mapping[tuple[str, str], Tally]]


class _About:
    """The rows of the page, about one question and perhaps one queue."""

    def __init__(
        self,
        read: _Reading,
        filters: Filters,
        choice: Choice,
        kind: QuestionKind,
        rates: Mapping[str, Share],
        cases: Mapping[tuple[str, str], Waiting],
    ) -> None:
        self._read, self._filters, self._choice, self._kind = read, filters, choice, kind
        self._rates, self._cases = rates, cases
        self._lattices = {one: read.lattice(one) for one in {kind, *read.kinds()}}
        self._lattice = self._lattices[kind]
        self._now, self._ago, self._week = (
            (stretches, read.tallies(kind, stretches)) for stretches in (read.now, read.ago, _THIS_WEEK)
        )

    def whole(self) -> Row:
        names = [(queue, agent) for queue, of in self._read.of_queue.items() for agent in of]
        rate = Share(sum(one.part for one in self._rates.values()), sum(one.n for one in self._rates.values()))
        row = self._row("", [_Part(self._read.centre, names)], self._cases, rate=rate, query=self._address(queue=""))
        change = row.score.change
        return replace(row, score=replace(row.score, moved=bool(change and change.significant)))

    def queues(self) -> list[Row]:
        """Each queue by name; that of calls without one is last."""
        found = []
        known = {*self._read.queues, *self._rates, *(queue for queue, _ in self._cases)}
        for queue in sorted(known, key=lambda name: (not name, name.casefold())):
            names = [(queue, agent) for agent in self._read.of_queue.get(queue, ())]
            # Of a queue in which nobody has answered yet it is known how many were asked.
            parts = [_Part(self._read.queues[queue], names, queue)] if names else []
            cases = {name: one for name, one in self._cases.items() if name[0] == queue}
            row = self._row(
                queue,
                parts,
                cases,
                rate=self._rates.get(queue),
                query=self._address(queue=queue or NAMELESS),
                queue=queue or NAMELESS,
            )
            found.append(replace(row, is_chosen=self._choice.queue == (queue or NAMELESS)))
        return [row for row in found if row.score.n or row.waiting.cases or row.asked]

    def agents(self) -> list[Row]:
        """Each agent, in the chosen queue or in all; calls that name none are last."""
        chosen = self._choice.queue
        parts: dict[str, list[_Part]] = defaultdict(list)
        cases: dict[str, dict[tuple[str, str], Waiting]] = defaultdict(dict)
        for queue, of in self._read.of_queue.items():
            if not chosen or queue == _name(chosen):
                for agent, place in of.items():
                    parts[agent].append(_Part(place, [(queue, agent)], queue))
        # Cases wait of agents, too, whom nobody has scored in these weeks.
        for (queue, agent), one in self._cases.items():
            if not chosen or queue == _name(chosen):
                cases[agent][queue, agent] = one
        found = []
        for agent in sorted({*parts, *cases}, key=lambda name: (not name, name.casefold())):
            found.append(self._row(agent, parts[agent], cases[agent], queue=chosen, agent=agent or NAMELESS))
        return [row for row in found if row.score.n or row.waiting.cases]

    def _address(self, **changes: str) -> str:
        return _but(self._choice, self._filters, **changes)

    def _row(
        self,
        name: str,
        parts: Sequence[_Part],
        cases: Mapping[tuple[str, str], Waiting],
        *,
        rate: Share | None = None,
        query: str = "",
        queue: str = "",
        agent: str = "",
    ) -> Row:
        score, old = self._score(parts, self._now), self._score(parts, self._ago)
        if score.shown and old.shown and not (score.left_out or old.left_out):
            score = replace(score, change=score.beyond(old))
        total = Waiting()
        for one in cases.values():
            total = total.plus(one)
        return Row(
            name=name,
            score=score,
            this_week=self._score(parts, self._week),
            waiting=total,
            asked=rate if rate and rate.n and self._tells_sizes(parts) else None,
            words_of=partial(words_behind, self._filters, queue=queue, agent=agent),
            query=query,
        )

    def _tells_sizes(self, parts: Sequence[_Part]) -> bool:
        """Whether the number of answers may be told, to whatever question: how many answered is their sum."""
        now = self._read.now
        return all(
            lattice.tells_size(part.place, now)
            or lattice.shows(part.place, now)
            or not any(lattice.size(part.place, stretch) for stretch in now)
            for lattice in self._lattices.values()
            for part in parts
        )

    def _score(self, parts: Sequence[_Part], when: _When) -> Score:
        """The sum of those parts that are shown; where none is, their number as far as it may be told."""
        stretches, counted = when
        tallies = {part.place: sum_of(counted[name] for name in part.names if name in counted) for part in parts}
        filled = [part for part in parts if tallies[part.place].n]
        shown = [part for part in filled if self._lattice.shows(part.place, stretches)]
        if shown:
            left_out = [part.queue for part in filled if part not in shown]
            return Score(self._kind, sum_of(tallies[part.place] for part in shown), left_out=left_out)
        told = all(self._lattice.tells_size(part.place, stretches) for part in filled)
        total = sum_of(tallies.values())
        return Score(self._kind, total, hidden=bool(filled), size_hidden=bool(filled) and not told)


# --- beside each other ------------------------------------------------------------------------------------------
def _beside(rows: Sequence[Row]) -> list[Row]:
    """Fills in which rows changed, and which are unlike all others together, more than chance among all of them."""
    total = sum_of(row.score.tally for row in rows if row.score.shown)
    unlike = [
        row.score.beyond(replace(row.score, tally=total.less(row.score.tally)))
        if row.name and row.score.ranked
        else None
        for row in rows
    ]
    moved = moved_among([row.score.change for row in rows])
    stands = moved_among(unlike)
    return [
        replace(row, score=replace(row.score, moved=move), unlike=one, stands=stand)
        for row, move, one, stand in zip(rows, moved, unlike, stands, strict=True)
    ]


def _ranked(rows: Sequence[Row]) -> list[Row]:
    """The same with what each score is likely to be, of those with enough answers."""
    compared = _beside(rows)
    able = [number for number, row in enumerate(compared) if row.name and row.score.ranked]
    # A share is a mean of ones and noughts, as a 0-to-10 score is one of ones, noughts and their opposites.
    groups = [
        row.score.nps if row.score.is_nps else Nps(row.score.tally.happy, row.score.n - row.score.tally.happy, 0)
        for row in (compared[number] for number in able)
    ]
    for number, estimate in zip(able, ranked(groups), strict=True):
        row = compared[number]
        compared[number] = replace(row, likely=Likely(estimate, row.score.is_nps))
    return compared


def _in_order(rows: Sequence[Row], *, by_name: bool) -> list[Row]:
    """The likeliest best first, then those with too few answers; or as they come, by name."""
    if by_name:
        return list(rows)
    order = {"": 0, "few": 1, "hidden": 2, "silent": 3}
    return sorted(rows, key=lambda row: (order[row.group], -row.likely.estimate.score if row.likely else inf))
