"""Reading cells: the places a page is about, those beside them, and what was counted of each by stretches of weeks.

A page costs the same few queries however large the chain; the database does the adding up.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.db import connection, models
from django.db.models import Q

from reports.figures import Figure, Source
from reports.filters import POOLED, Filters, Scope
from reports.lattice import Lattice, Place, node_place, store_place
from reports.models import NodeWeek, StoreWeek
from reports.periods import Week
from reports.statistics import NO_ANSWERS, Nps
from reports.stretches import QUARTER, Stretch, parts_of, quarters, year_ago
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
_SHORT = 4
# From so many on it is quicker to read all places than to look each of them up.
_MANY = 2000
_NAMED = ("pk", "node_id", "name", "code", "sort_key", "kind", "time_zone")


@dataclass
class View:
    """`places`: whose sum the page shows; one, unless a reader's roles hold in several. `below`: the tree from the root
    down to them, with all that lies beside that way, and right below them (or everything, where a page goes deep).
    `order` holds the key by which each store's name is sorted."""

    places: list[Place]
    below: dict[Place, list[Place]]
    nodes: dict[int, Node]
    order: dict[int, bytes]
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
    stores = list(Store.objects.filter(wanted_stores).order_by("sort_key").values_list("pk", "node_id", "sort_key"))
    below: dict[Place, list[Place]] = defaultdict(list)
    for node in sorted(nodes.values(), key=lambda one: bytes(one.sort_key)):
        below[node_place(node.parent_id) if node.parent_id else ROOT].append(node_place(node.pk))
    for pk, node_id, _key in stores:
        below[node_place(node_id)].append(store_place(pk))
    return View(places, dict(below), nodes, {pk: bytes(key) for pk, _node, key in stores})


def leaves_of(weeks: int, *, by_week: bool, with_year_ago: bool = False) -> list[Stretch]:
    """The stretches to count by for a page about the last `weeks` and as many before them, newest first.

    `by_week`: for a chart of the last ones, which has a point a week, or one for four to five weeks of a long period.
    """
    now = quarters(weeks)
    tops = {*now, *quarters(2 * weeks if weeks > _SHORT else weeks)}
    if with_year_ago:
        tops |= {(first, first + QUARTER) for first, _ in year_ago(weeks)}
    found: list[Stretch] = []
    for top in sorted(tops):
        parts = parts_of(top)
        if weeks == _SHORT:
            newest = parts[0] if by_week and top in now else None
            found += [leaf for part in parts for leaf in (_each_week(part) if part == newest else [part])]
        elif by_week and top in now:
            found += _each_week(top) if weeks == QUARTER else parts
        else:
            found.append(top)
    return found


def _each_week(stretch: Stretch) -> list[Stretch]:
    return [(week, week + 1) for week in range(*stretch)]


@dataclass
class Cells:
    """What was counted: by place, by question and way of asking, by leaf."""

    view: View
    this_week: Week
    leaves: list[Stretch]
    nps: dict[Place, dict[Source, dict[Stretch, Nps]]] = field(default_factory=lambda: defaultdict(dict))
    scored: dict[Place, dict[tuple[str, Source], dict[Stretch, int]]] = field(default_factory=lambda: defaultdict(dict))
    cases: dict[Place, dict[Stretch, list[int]]] = field(default_factory=lambda: defaultdict(dict))
    _lattices: dict[Any, Lattice] = field(default_factory=dict)

    @property
    def _tops(self) -> list[Stretch]:
        return [(first, first + QUARTER) for first in sorted({QUARTER * (leaf[0] // QUARTER) for leaf in self.leaves})]

    def sources(self, stretches: Collection[Stretch]) -> list[Source]:
        """The ways of asking that brought NPS answers to the viewed places, most answers first."""
        sums = {
            source: self.nps_of(self.view.places, source, stretches).n
            for source in {source for place in self.view.places for source in self.nps.get(place, {})}
        }
        return sorted((source for source, n in sums.items() if n), key=lambda source: (-sums[source], source))

    def nps_of(self, places: Iterable[Place], source: Source, stretches: Collection[Stretch]) -> Nps:
        """The sum of all of them, whether it may be shown or not."""
        p = a = d = 0
        if len(stretches) == 1 and isinstance(places, list) and len(places) == 1:
            (stretch,) = stretches
            of = self.nps.get(places[0], {}).get(source)
            if of is None:
                return NO_ANSWERS
            if stretch in self._leaf_set:
                return of.get(stretch, NO_ANSWERS)
        for place in places:
            for (first, end), one in self.nps.get(place, {}).get(source, {}).items():
                if any(low <= first and end <= high for low, high in stretches):
                    p, a, d = p + one.promoters, a + one.passives, d + one.detractors
        return Nps(p, a, d)

    def lattice(self, source: Source) -> Lattice:
        """What is shown of the NPS of a way of asking."""
        if source not in self._lattices:
            sizes = {
                place: {leaf: one.n for leaf, one in of[source].items()}
                for place, of in self.nps.items()
                if source in of
            }
            self._lattices[source] = self.lattice_of(sizes)
        return self._lattices[source]

    def scored_lattice(self, kind: str, source: Source) -> Lattice:
        """What is shown of the answers to another headline question."""
        key = (kind, source)
        if key not in self._lattices:
            self._lattices[key] = self.lattice_of({p: of[key] for p, of in self.scored.items() if key in of})
        return self._lattices[key]

    def case_lattice(self, whole: str) -> Lattice:
        """What is shown of the shares of one of WHOLES."""
        if whole not in self._lattices:
            at = CASES.index(whole)
            sizes = {place: {leaf: counts[at] for leaf, counts in of.items()} for place, of in self.cases.items()}
            self._lattices[whole] = self.lattice_of(sizes)
        return self._lattices[whole]

    def lattice_of(self, sizes: dict[Place, dict[Stretch, int]]) -> Lattice:
        """What is shown of a measure of which `sizes` tells the number of answers, by place and leaf."""
        top: dict[Stretch, int] = defaultdict(int)
        for place in self.view.below.get(ROOT, []):
            for leaf, n in sizes.get(place, {}).items():
                top[leaf] += n
        return Lattice(ROOT, self.view.below, sizes | {ROOT: dict(top)}, self.leaves, self._tops)

    def shows(self, lattice: Lattice, places: Sequence[Place], stretches: Collection[Stretch]) -> bool:
        """Whether the sum of these places may be shown: each that has answers is shown by itself."""
        wanted = [place for place in places if any(lattice.size(place, stretch) for stretch in stretches)]
        return bool(wanted) and all(lattice.shows(place, stretches) for place in wanted)

    def tells_size(self, lattice: Lattice, places: Sequence[Place], stretches: Collection[Stretch]) -> bool:
        return all(lattice.tells_size(place, stretches) for place in places)

    def figure(self, places: Sequence[Place], source: Source, stretches: Collection[Stretch]) -> Figure:
        """The NPS of the sum of these places for a way of asking, or for several: see `Source.covers`.

        A sum of several ways is one of those that are shown, and says what it leaves out.
        """
        covered = [source]
        if source not in self._all_sources:
            covered = sorted(one for one in self._all_sources if source.covers(one))
        parts = {one: self.nps_of(places, one, stretches) for one in covered}
        shown = {one for one in covered if self.shows(self.lattice(one), places, stretches)}
        if len(covered) > 1 and shown:
            total = sum((parts[one] for one in covered if one in shown), NO_ANSWERS)
            return Figure(total, False, left_out=[one for one in covered if one not in shown and parts[one].n])
        total = sum(parts.values(), NO_ANSWERS)
        told = all(self.tells_size(self.lattice(one), places, stretches) for one in covered)
        return Figure(total, bool(total.n) and not shown, size_hidden=bool(total.n) and not shown and not told)

    @cached_property
    def _leaf_set(self) -> set[Stretch]:
        return set(self.leaves)

    @cached_property
    def _all_sources(self) -> set[Source]:
        return {source for of in self.nps.values() for source in of}

    def shown_nps(self, place: Place, source: Source, stretches: Collection[Stretch]) -> Nps:
        """The same as `figure(…).nps` of a place where that is shown, and no answers where it is not; for thousands."""
        found = NO_ANSWERS
        of = self.nps.get(place)
        for one in of or ():
            if source.covers(one) and self.lattice(one).shows(place, stretches):
                part = self.nps_of([place], one, stretches)
                found = found + part if found.n else part
        return found

    def cases_of(self, places: Iterable[Place], stretches: Collection[Stretch]) -> dict[str, int]:
        """The counts of the closed loop, summed."""
        sums = [0] * len(CASES)
        for place in places:
            for (first, end), counts in self.cases.get(place, {}).items():
                if any(low <= first and end <= high for low, high in stretches):
                    sums = [old + new for old, new in zip(sums, counts, strict=True)]
        return dict(zip(CASES, sums, strict=True))


def read_cells(view: View, this_week: Week, leaves: list[Stretch], *, only: Source | None = None) -> Cells:
    """The counts of all places of the view, in one query for nodes and one for stores.

    `only` leaves everything but the NPS of these ways of asking unread, so that all stores of a chain come from an
    index.
    """
    found = Cells(view, this_week, leaves)
    for model, owner, kind in ((NodeWeek, "node_id", "node"), (StoreWeek, "store_id", "store")):
        places = [place.pk for place in view.all_places if place.kind == kind]
        if places:
            _read(found, model, owner, kind, places, only)
    return found


def _read(
    found: Cells, model: type[models.Model], owner: str, kind: str, places: list[int], source: Source | None
) -> None:
    slim = source is not None
    # From the oldest on: width_bucket numbers the leaves 1, 2, … by their first Mondays; between them may be gaps.
    oldest: list[Stretch | None] = []
    starts: list[date] = []
    for leaf in sorted(found.leaves, reverse=True):
        oldest.append(leaf)
        starts.append(found.this_week.monday - timedelta(weeks=leaf[1] - 1))
        if leaf[0] and not any(end == leaf[0] for _, end in found.leaves):
            oldest.append(None)
            starts.append(found.this_week.monday - timedelta(weeks=leaf[0] - 1))
    cases = "" if slim else ", " + ", ".join(f"sum({name})::int" for name in CASES)
    others = "sum((SELECT sum(x) FROM unnest(score_counts) x)) FILTER (WHERE headline_kind <> %(nps)s)"
    scored = "0" if slim else others
    only = "AND headline_kind = %(nps)s" if slim else ""
    if source and source.channel:
        only += " AND channel = %(channel)s"
    if source and source.sample not in ("", POOLED):
        only += " AND sample_kind = %(sample)s"
    if len(places) < _MANY:
        only += f" AND {owner} = ANY(%(places)s)"
    wanted = set(places)
    statement = f"""
        SELECT {owner}, headline_kind, channel, sample_kind, width_bucket(monday, %(starts)s::date[]) AS leaf,
            sum(promoters)::int, sum(passives)::int, sum(detractors)::int, {scored}::int{cases}
        FROM {model._meta.db_table}
        WHERE monday >= %(first)s AND monday <= %(last)s {only}
        GROUP BY 1, 2, 3, 4, 5
    """  # noqa: S608  (our own names)
    values: dict[str, Any] = {
        "starts": starts,
        "first": starts[0],
        "last": found.this_week.monday,
        "places": places,
        "nps": QuestionKind.NPS.value,
        "channel": source.channel if source else "",
        "sample": source.sample if source else "",
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for pk, headline, channel, sample, bucket, p, a, d, n, *counts in cursor.fetchall():
            place, leaf, source = Place(kind, pk), oldest[bucket - 1], Source(channel, sample)
            if leaf is None or pk not in wanted:
                continue
            if p or a or d:
                found.nps[place].setdefault(source, {})[leaf] = Nps(p, a, d)
            if n:
                found.scored[place].setdefault((headline, source), {})[leaf] = n
            if any(counts):
                held = found.cases[place].get(leaf)
                found.cases[place][leaf] = (
                    counts if held is None else [x + y for x, y in zip(held, counts, strict=True)]
                )
