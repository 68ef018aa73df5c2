"""Reading cells: the places a page is about, those beside them, and what was counted of each by stretches of weeks.

A page costs the same few queries however large the chain; the database does the adding up.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.db import connection, models
from django.db.models import Q

from reports.figures import ANY_WAY, Figure, Reach, Source
from reports.filters import Filters, Scope
from reports.lattice import Lattice, Place, node_place, store_place
from reports.models import NodeWeek, StoreSpan, StoreWeek
from reports.periods import Week
from reports.statistics import NO_ANSWERS, Nps
from reports.stretches import Stretch, before, chart_of, cover, divided, latest, mondays, tops_of
from reports.sums import in_spans
from stores.models import Node, Store
from surveys.choices import QuestionKind

# Above all nodes, should there be more than one without a node above it.
ROOT = node_place(0)
_BANDS = ("promoters", "passives", "detractors")
CASES = (
    "contactable", "reached", "attempted", "fix_only", "acted", "running", "asked", "confirmed", "reopened",
    "unconfirmed",
)  # fmt: skip
# What shares of the closed loop are shares of.
WHOLES = ("contactable", "fix_only", "asked")
# From so many on it is quicker to read all places than to look each of them up.
MANY = 2000
_NAMED = ("pk", "node_id", "name", "code", "sort_key", "kind", "time_zone")


@dataclass
class View:
    """`places`: whose sum the page shows; one, unless a reader's roles hold in several. `below`: the tree from the root
    down to them, with all that lies beside that way, and right below them (or everything, where a page goes deep).
    `order` holds the place of each store among all by its name."""

    places: list[Place]
    below: dict[Place, list[Place]]
    nodes: dict[int, Node]
    order: dict[int, int]
    _stores: dict[int, Store] = field(default_factory=dict)

    @property
    def children(self) -> list[Place]:
        """The places right below; those of several places are these themselves."""
        return self.places if len(self.places) > 1 else self.below.get(self.places[0], []) if self.places else []

    def named(self, place: Place) -> Node | Store:
        return self.nodes[place.pk] if place.kind == "node" else self.store(place.pk)

    def store(self, pk: int) -> Store:
        if pk not in self._stores:
            self.load(self.order)
        return self._stores[pk]

    def load(self, pks: Iterable[int]) -> None:
        """Fetch these stores at once; without it, the first that is asked for brings all of them."""
        self._stores |= Store.objects.only(*_NAMED).in_bulk(list(pks))

    def under(self, place: Place) -> list[Place]:
        """The stores under a place, as far as the view reaches."""
        found, queue = [], [place]
        while queue:
            one = queue.pop()
            if one.kind == "store":
                found.append(one)
            queue += self.below.get(one, [])
        return found

    @property
    def ends_here(self) -> bool:
        """Whether nothing is below the places right below the viewed ones."""
        return all(child.kind == "store" for place in self.places for child in self.below.get(place, ()))

    @cached_property
    def all_places(self) -> list[Place]:
        return [place for below in self.below.values() for place in below]


def places_of(scope: Scope, filters: Filters) -> list[Place]:
    """What the filters leave of the scope."""
    if filters.store:
        return [store_place(filters.store.pk)]
    return [node_place(filters.node.pk)] if filters.node else scope.tops


def view_of(scope: Scope, filters: Filters, *, deep: bool = False, beside: Collection[Place] = ()) -> View:
    """What the filters leave of the scope, in the tree as it is today; `deep`: with every store under it; `beside`:
    with these places as well."""
    places = places_of(scope, filters)
    node_ids = [place.pk for place in [*places, *beside] if place.kind == "node"]
    store_ids = [place.pk for place in [*places, *beside] if place.kind == "store"]
    chosen = {node.pk: node for node in Node.objects.filter(Q(pk__in=node_ids) | Q(stores__in=store_ids))}
    above = {pk for node in chosen.values() for pk in node.above}
    wanted, wanted_stores = Q(parent__in=above) | Q(parent=None), Q(node__in=above)
    if deep:
        for pk in node_ids:
            wanted |= Q(path__startswith=chosen[pk].path)
            wanted_stores |= Q(node__path__startswith=chosen[pk].path)
    nodes = {node.pk: node for node in Node.objects.filter(wanted)}
    stores = list(Store.objects.filter(wanted_stores).order_by("sort_key", "pk").values_list("pk", "node_id"))
    below: dict[Place, list[Place]] = defaultdict(list)
    for node in sorted(nodes.values(), key=lambda one: bytes(one.sort_key)):
        below[node_place(node.parent_id) if node.parent_id else ROOT].append(node_place(node.pk))
    for pk, node_id in stores:
        below[node_place(node_id)].append(store_place(pk))
    return View(places, dict(below), nodes, {pk: number for number, (pk, _node) in enumerate(stores)})


def leaves_of(weeks: int, *, by_week: bool, back: int = 0) -> list[Stretch]:
    """The stretches to count by for a page about the `weeks` up to `back` weeks ago and as many before them, newest
    first.

    `by_week`: for a chart of the last ones, which has a point a week, or one for four to five weeks of a long period.
    """
    wanted = [*latest(weeks, back=back), *before(weeks, back=back)]
    if by_week:
        wanted += [part for point in chart_of(weeks, back=back) for part in cover(*point)]
    return divided(wanted)


@dataclass
class Cells:
    """What was counted: by question and way of asking, by leaf, of each place that has any."""

    view: View
    this_week: Week
    leaves: list[Stretch]
    nps: dict[Source, dict[Stretch, dict[Place, Nps]]] = field(default_factory=dict)
    scored: dict[tuple[str, Source], dict[Stretch, dict[Place, int]]] = field(default_factory=dict)
    cases: dict[Source, dict[Stretch, dict[Place, list[int]]]] = field(default_factory=dict)
    _lattices: dict[Any, Lattice] = field(default_factory=dict)
    _columns: dict[tuple[Source, Stretch], list[dict[Place, Nps]]] = field(default_factory=dict)

    def sources(self, stretches: Collection[Stretch], places: list[Place] | None = None) -> list[Source]:
        """The ways of asking that brought NPS answers to these places, the viewed ones if none, most answers first."""
        places = self.view.places if places is None else places
        sums = {source: self.nps_of(places, source, stretches).n for source in self.nps}
        return sorted((source for source, n in sums.items() if n), key=lambda source: (-sums[source], source))

    def known_sources(self, stretches: Collection[Stretch], places: list[Place] | None = None) -> list[Source]:
        """The same, and last those of which it is not told whether they brought any."""
        found = self.sources(stretches, places)
        places = self.view.places if places is None else places
        rest = [one for one in sorted(self.nps) if one not in found]
        return found + [one for one in rest if not self.tells_size(self.lattice(one), places, stretches)]

    def nps_of(self, places: Iterable[Place], source: Source, stretches: Collection[Stretch]) -> Nps:
        """The sum of all of them, whether it may be shown or not."""
        columns = self.columns(source, stretches)
        return sum((of[place] for place in places for of in columns if place in of), NO_ANSWERS)

    def columns(self, source: Source, stretches: Collection[Stretch]) -> list[dict[Place, Nps]]:
        """The counts of these stretches, which do not overlap, part by part."""
        return [of for stretch in stretches for of in self._columns_of(source, stretch)]

    def _columns_of(self, source: Source, stretch: Stretch) -> list[dict[Place, Nps]]:
        key = (source, stretch)
        if key not in self._columns:
            by_leaf = self.nps.get(source, {})
            self._columns[key] = [of for leaf, of in by_leaf.items() if _within(leaf, [stretch])]
        return self._columns[key]

    def by(self, leaves: list[Stretch]) -> "Cells":
        """The NPS by longer stretches, each of which is a sum of leaves: what is asked of these alone takes less time.
        What they show is the same, for it is decided from the whole to its parts."""
        if leaves == self.leaves:
            return self
        sums: dict[Source, dict[Stretch, dict[Place, Nps]]] = {source: {} for source in self.nps}
        for source in self.nps:
            for leaf in leaves:
                for of in self._columns_of(source, leaf):
                    added = sums[source].setdefault(leaf, {})
                    for place, nps in of.items():
                        added[place] = added[place] + nps if place in added else nps
        return Cells(self.view, self.this_week, leaves, sums)

    def lattice(self, source: Source) -> Lattice:
        """What is shown of the NPS of a way of asking."""
        if source not in self._lattices:
            by_leaf = self.nps.get(source, {})
            sizes = {leaf: {place: p + a + d for place, (p, a, d) in of.items()} for leaf, of in by_leaf.items()}
            self._lattices[source] = self.lattice_of(sizes)
        return self._lattices[source]

    def scored_lattice(self, kind: str, source: Source) -> Lattice:
        """What is shown of the answers to another headline question."""
        key = (kind, source)
        if key not in self._lattices:
            self._lattices[key] = self.lattice_of(self.scored.get(key, {}))
        return self._lattices[key]

    def lattices(self, source: Source) -> list[Lattice]:
        """What is shown of each headline question, way by way, of those that `source` covers."""
        return [
            *(self.lattice(one) for one in self.nps if source.covers(one)),
            *(self.scored_lattice(kind, one) for kind, one in self.scored if source.covers(one)),
        ]

    def every_lattice(self) -> Lattice:
        """What is shown of all answers with a score, whichever way they were asked and whatever."""
        if "every" not in self._lattices:
            sizes: dict[Stretch, Counter[Place]] = defaultdict(Counter)
            for by_leaf in self.nps.values():
                for leaf, scores in by_leaf.items():
                    sizes[leaf].update({place: nps.n for place, nps in scores.items()})
            for counted in self.scored.values():
                for leaf, of in counted.items():
                    sizes[leaf].update(of)
            self._lattices["every"] = self.lattice_of(sizes)
        return self._lattices["every"]

    def shows_cases(
        self, whole: str, places: Sequence[Place], stretches: Collection[Stretch], source: Source = ANY_WAY
    ) -> bool:
        """Whether shares of one of WHOLES may be shown: of some ways of asking only where each way that has such cases
        there is shown by itself, so that all less these are no few either."""
        ways = [one for one in self.cases if _any_in(self._case_lattice(whole, one), places, stretches)]
        if all(source.covers(one) for one in ways):
            return self.shows(self._case_lattice(whole, ANY_WAY), places, stretches)
        return all(self.shows(self._case_lattice(whole, one), places, stretches) for one in [ANY_WAY, *ways])

    def reach_of_cases(
        self, whole: str, places: Sequence[Place], stretches: Collection[Stretch], source: Source = ANY_WAY
    ) -> Reach:
        """Of which stretches a share of one of WHOLES tells, all ways that `source` covers taken together."""
        told = [part for part in stretches if self.shows_cases(whole, places, [part], source)]
        ways = [one for one in self.cases if source.covers(one)]
        lattices = [self._case_lattice(whole, one) for one in (ways if len(ways) < len(self.cases) else [ANY_WAY])]
        missed = [
            part
            for part in stretches
            if part not in told and any(self.may_hold(lattice, places, part) for lattice in lattices)
        ]
        return Reach(frozenset((ANY_WAY, part) for part in told), frozenset((ANY_WAY, part) for part in missed))

    def _case_lattice(self, whole: str, source: Source) -> Lattice:
        key = (whole, source)
        if key not in self._lattices:
            at = CASES.index(whole)
            sizes: dict[Stretch, dict[Place, int]] = defaultdict(dict)
            for one, by_leaf in self.cases.items():
                for leaf, of in by_leaf.items() if source.covers(one) else ():
                    for place, counts in of.items():
                        if n := counts[at]:
                            sizes[leaf][place] = sizes[leaf].get(place, 0) + n
            self._lattices[key] = self.lattice_of(sizes)
        return self._lattices[key]

    def lattice_of(self, sizes: Mapping[Stretch, Mapping[Place, int]]) -> Lattice:
        """What is shown of a measure of which `sizes` tells the number of answers, by leaf and place."""
        tops = self.view.below.get(ROOT, [])
        whole = {leaf: {**of, ROOT: sum(of.get(place, 0) for place in tops)} for leaf, of in sizes.items()}
        return Lattice(ROOT, self.view.below, whole, self.leaves, tops_of(self.leaves))

    def shows(self, lattice: Lattice, places: Sequence[Place], stretches: Collection[Stretch]) -> bool:
        """Whether the sum of these places may be shown: each that has answers is shown by itself."""
        wanted = [place for place in places if _any_in(lattice, [place], stretches)]
        return bool(wanted) and all(lattice.shows(place, stretches) for place in wanted)

    def tells_size(self, lattice: Lattice, places: Sequence[Place], stretches: Collection[Stretch]) -> bool:
        return all(lattice.tells_size(place, stretches) for place in places)

    def tells_sizes(self, places: Sequence[Place], stretches: Collection[Stretch], source: Source = ANY_WAY) -> bool:
        """Whether it may be told how many answered whatever question in the ways that `source` covers: the number of
        each way and question may, for less all others a sum would tell it."""
        return all(self.tells_size(lattice, places, stretches) for lattice in self.lattices(source))

    def shown_among(self, lattice: Lattice, places: Sequence[Place], stretches: Collection[Stretch]) -> list[Stretch]:
        """Those of the stretches of which the sum of these places may be shown. A long period is a sum of them: one in
        which too few answered, as when a chain began, is left out and takes none along."""
        return [stretch for stretch in stretches if self.shows(lattice, places, [stretch])]

    def figure(self, places: Sequence[Place], source: Source, stretches: Collection[Stretch]) -> Figure:
        """The NPS of the sum of these places for a way of asking, or for several: see `Source.covers`.

        It is a sum of what is shown, and says which ways of asking and how many weeks it leaves out.
        """
        alone = len(places) == len(stretches) == 1 and source in self.nps
        if alone and self.lattice(source).shows(places[0], stretches):
            # A point of a chart: a page has hundreds of these.
            reach = Reach(frozenset((source, one) for one in stretches))
            return Figure(self.nps_of(places, source, stretches), False, reach=reach)
        lattices = {one: self.lattice(one) for one in self._covered(source)}
        shown = {one: self.shown_among(lattice, places, stretches) for one, lattice in lattices.items()}
        if any(shown.values()):
            total = sum((self.nps_of(places, one, parts) for one, parts in shown.items() if parts), NO_ANSWERS)
            return Figure(total, False, reach=self._reach(lattices, places, shown, stretches))
        total = sum((self.nps_of(places, one, stretches) for one in lattices), NO_ANSWERS)
        told = all(self.tells_size(lattice, places, stretches) for lattice in lattices.values())
        return Figure(total, bool(total.n) or not told, size_hidden=not told)

    def reach_of_scores(
        self, kind: str, source: Source, places: Sequence[Place], stretches: Collection[Stretch]
    ) -> Reach:
        """Of which stretches is told how another headline question was answered."""
        lattice = self.scored_lattice(kind, source)
        shown = {source: self.shown_among(lattice, places, stretches)}
        return self._reach({source: lattice}, places, shown, stretches)

    def _reach(
        self,
        lattices: Mapping[Source, Lattice],
        places: Sequence[Place],
        shown: Mapping[Source, list[Stretch]],
        stretches: Collection[Stretch],
    ) -> Reach:
        """What a sum of these stretches tells of each way; of the others what has answers, or may have."""
        told = frozenset((one, part) for one, parts in shown.items() for part in parts)
        rest = [(one, part) for one in shown for part in stretches if (one, part) not in told]
        return Reach(told, frozenset((one, part) for one, part in rest if self.may_hold(lattices[one], places, part)))

    def may_hold(self, lattice: Lattice, places: Sequence[Place], stretch: Stretch) -> bool:
        """Whether there are answers, as far as a reader may know."""
        return _any_in(lattice, places, [stretch]) or not self.tells_size(lattice, places, [stretch])

    def _covered(self, source: Source) -> list[Source]:
        return [source] if source in self.nps else sorted(one for one in self.nps if source.covers(one))

    def shown_sums(self, source: Source, stretches: Collection[Stretch]) -> dict[Place, Nps]:
        """The same as `figure(…).nps` of every place where that is shown; for thousands."""
        found: dict[Place, Nps] = {}
        for one in self._covered(source):
            for stretch in stretches:
                able = self.lattice(one).showing([stretch])
                for of in self.columns(one, [stretch]):
                    told = {place: nps for place, nps in of.items() if place in able}
                    if found:
                        told |= {place: found[place] + told[place] for place in found.keys() & told.keys()}
                    found |= told
        return found

    def answered(self, source: Source, stretches: Collection[Stretch]) -> set[Place]:
        """Every place with answers, whether they are shown or not."""
        return set[Place]().union(*(of for one in self._covered(source) for of in self.columns(one, stretches)))

    def cases_of(
        self, places: Iterable[Place], stretches: Collection[Stretch], source: Source = ANY_WAY
    ) -> dict[str, int]:
        """The counts of the closed loop, summed over the ways of asking that `source` covers."""
        wanted = [by_leaf for one, by_leaf in self.cases.items() if source.covers(one)]
        columns = [of for by_leaf in wanted for leaf, of in by_leaf.items() if _within(leaf, stretches)]
        found = [of[place] for place in places for of in columns if place in of]
        return dict(zip(CASES, map(sum, zip(*found, strict=True)) if found else [0] * len(CASES), strict=True))


def _any_in(lattice: Lattice, places: Iterable[Place], stretches: Collection[Stretch]) -> bool:
    return any(lattice.size(place, stretch) for place in places for stretch in stretches)


def _within(leaf: Stretch, stretches: Iterable[Stretch]) -> bool:
    return any(low <= leaf[0] and leaf[1] <= high for low, high in stretches)


def read_cells(view: View, this_week: Week, leaves: list[Stretch], *, only: Collection[Source] | None = None) -> Cells:
    """The counts of all places of the view, in one query for nodes and one for stores.

    `only` leaves everything but the NPS of these ways of asking unread, each leaf of each in a query of its own: so all
    stores of a chain come from an index.
    """
    found = Cells(view, this_week, leaves)
    for model, owner, kind in ((NodeWeek, "node_id", "node"), (StoreWeek, "store_id", "store")):
        places = {place.pk: place for place in view.all_places if place.kind == kind}
        if places and only is None:
            _read(found, model, owner, places)
        elif places:
            for source in only or ():
                _read_nps(found, model, owner, places, source)
    return found


def _read_nps(found: Cells, model: type[models.Model], owner: str, places: Mapping[int, Place], source: Source) -> None:
    """The NPS of one way of asking, each leaf added up by itself: adding under conditions would take twice as long."""
    values: dict[str, Any] = {"nps": QuestionKind.NPS.value, "channel": source.channel, "sample": source.sample}
    some = ""
    if len(places) < MANY:
        some, values["places"] = f"AND {owner} = ANY(%(places)s)", list(places)
    bands = ", ".join(_BANDS)
    by_leaf = found.nps.setdefault(source, {})
    # One leaf after the other: together they may wait for further processes of the database.
    for leaf in found.leaves:
        rows = []
        for number, (table, when, first, last) in enumerate(_tables(model, *mondays(leaf, found.this_week))):
            values[f"first_{number}"], values[f"last_{number}"] = first, last
            headline = "" if table is StoreSpan else "headline_kind = %(nps)s AND"
            rows.append(
                f"SELECT {owner}, {bands} FROM {table._meta.db_table}"  # noqa: S608  (our own names)
                f" WHERE {headline} channel = %(channel)s AND sample_kind = %(sample)s"
                f" AND {when} BETWEEN %(first_{number})s AND %(last_{number})s {some}"
            )
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {owner}, {', '.join(f'sum({band})::int' for band in _BANDS)}"  # noqa: S608  (our own names)
                f" FROM ({' UNION ALL '.join(rows)}) cell"
                f" GROUP BY 1 HAVING {' + '.join(f'sum({band})' for band in _BANDS)} > 0",
                values,
            )
            if counts := {places[pk]: Nps(p, a, d) for pk, p, a, d in cursor.fetchall() if pk in places}:
                by_leaf.setdefault(leaf, {}).update(counts)


def _tables(model: type[models.Model], first: date, last: date) -> Iterator[tuple[type[models.Model], str, date, date]]:
    """Which cells together are the weeks from `first` to `last`, and from when to when."""
    if model is not StoreWeek:
        yield model, "monday", first, last
        return
    for whole, begin, end in in_spans(first, last):
        yield (StoreSpan, "start", begin, end) if whole else (StoreWeek, "monday", begin, end)


def buckets_of(leaves: Collection[Stretch], this_week: Week) -> tuple[list[Stretch | None], list[date]]:
    """The leaves from the oldest on, and their first Mondays, by which width_bucket numbers them 1, 2, …; None is a gap
    between them."""
    oldest: list[Stretch | None] = []
    starts: list[date] = []
    ends = {end for _, end in leaves}
    for leaf in sorted(leaves, reverse=True):
        oldest.append(leaf)
        starts.append(this_week.monday - timedelta(weeks=leaf[1] - 1))
        if leaf[0] and leaf[0] not in ends:
            oldest.append(None)
            starts.append(this_week.monday - timedelta(weeks=leaf[0] - 1))
    return oldest, starts


def _read(found: Cells, model: type[models.Model], owner: str, places: Mapping[int, Place]) -> None:
    oldest, starts = buckets_of(found.leaves, found.this_week)
    statement = f"""
        SELECT headline_kind, channel, sample_kind, width_bucket(monday, %(starts)s::date[]) AS leaf, {owner},
            sum(promoters)::int, sum(passives)::int, sum(detractors)::int,
            sum((SELECT sum(x) FROM unnest(score_counts) x)) FILTER (WHERE headline_kind <> %(nps)s)::int,
            {", ".join(f"sum({name})::int" for name in CASES)}
        FROM {model._meta.db_table}
        WHERE monday >= %(first)s AND monday <= %(last)s AND {owner} = ANY(%(places)s)
        GROUP BY 1, 2, 3, 4, 5
    """  # noqa: S608  (our own names)
    values: dict[str, Any] = {
        "starts": starts,
        "first": starts[0],
        "last": mondays(min(found.leaves), found.this_week)[1],
        "places": list(places),
        "nps": QuestionKind.NPS.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    for headline, channel, sample, bucket, pk, p, a, d, n, *counts in rows:
        leaf, place, source = oldest[bucket - 1], places[pk], Source(channel, sample)
        if leaf is None:
            continue
        if p or a or d:
            found.nps.setdefault(source, {}).setdefault(leaf, {})[place] = Nps(p, a, d)
        if n:
            found.scored.setdefault((headline, source), {}).setdefault(leaf, {})[place] = n
        if any(counts):
            of = found.cases.setdefault(source, {}).setdefault(leaf, {})
            of[place] = [x + y for x, y in zip(of[place], counts, strict=True)] if place in of else counts
