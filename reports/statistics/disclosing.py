"""Which figures of periods that stay may be shown beside those that were shown before them.

Published periods overlap as they like: a week reaches into two months, a quarter is three of them. What follows from
the figures of one place are sums over sets of days. Think of the days on which periods begin or end as points, and of
each shown period as a line between two of them: a set of days follows if and only if what jumps up and down at its
borders adds up to nothing among the points that are tied together by lines.

A place shows a new period if the place above it does, if it has five answers in it, and if nothing then follows about
one to four answers that did not follow before: not about any answers of the places right below one place, whichever
places and days these are, even for who knows when nobody answered. Otherwise the smallest neighbour is hidden with
it; if hiding all of them is not enough, the place above is hidden too. Nothing that was shown is ever taken back.

The live pages show whole weeks (`reports.statistics.showing`): the same holds for who knows every place's weeks. A
week of one to four answers counts as known then, so that what leads to just these is found among published figures
only.

What is not looked at: answers that lie below several places and follow from the figures of more than two levels of the
tree at once. Three and four answers given apart from each other are looked for among `_MOST_APART` such cells only.

Whether some answers follow is asked of one solution of the equations drawn by chance: their sum in it is nothing. Sums
over stretches as lines between points: Chin, F., Kossowski, P., Loh, S. C.: Efficient inference control for range sum
queries. Theoretical Computer Science 32(1-2), 1984. Checking by chance: Freivalds, R.: Probabilistic machines can use
less running time. IFIP Congress 1977.
"""

import random
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, TypeVar

from reports.statistics.nps import MIN_SHOWN

Key = TypeVar("Key", bound=Hashable)
# From which point in time to which, by their numbers.
Stretch = tuple[int, int]
# The number of a place and of a time between two points.
Cell = tuple[int, int]
# Of each place by how much it is changed at each point.
Solution = list[list[int]]

_PRIME = 2**61 - 1
_MOST_APART = 200


@dataclass(frozen=True)
class Told(Generic[Key]):
    """A period whose figures are known of the places `shown`."""

    stretch: Stretch
    shown: Collection[Key]


def few_that_follow(
    counts: Sequence[Sequence[int]], known: Sequence[Iterable[Stretch]], together: Iterable[Stretch]
) -> set[frozenset[Cell]]:
    """The smallest sets of one to four answers that follow, as cells of places and times: `counts` has the answers of
    each place between each two points in time, `known` over which stretches the sums of each place are known, and
    `together` those over which the sum of all of them is."""
    tied = [
        _tied(len(of) + 1, [*some, *((time, time + 1) for time, n in enumerate(of) if not n)])
        for of, some in zip(counts, known, strict=True)
    ]
    forest = _forest(len(counts[0]) + 1, together)
    # Where a place is known wherever the sum of all is, nothing follows from it and others together.
    bound = [place for place, of in enumerate(tied) if any(of[a] != of[b] for a, b in forest)]
    found: set[frozenset[Cell]] = set()
    for places in [bound, *([place] for place in range(len(counts)) if place not in bound)]:
        solution = _any_solution([tied[place] for place in places], forest if places is bound else [])
        values = {
            (place, time): (of[time + 1] - of[time]) % _PRIME
            for place, of in zip(places, solution, strict=True)
            for time, n in enumerate(counts[place])
            if 0 < n < MIN_SHOWN
        }
        found |= _adding_up_to_nothing(values, {cell: counts[cell[0]][cell[1]] for cell in values})
    return found


def _tied(points: int, known: Iterable[Stretch]) -> list[int]:
    """For each point one that stands for all that it is tied to."""
    leads_to = list(range(points))
    for first, end in known:
        leads_to[_end_of(leads_to, end)] = _end_of(leads_to, first)
    return [_end_of(leads_to, point) for point in range(points)]


def _forest(points: int, lines: Iterable[Stretch]) -> list[Stretch]:
    """As few of the lines as tie the same points together."""
    leads_to, found = list(range(points)), []
    for first, end in lines:
        if _end_of(leads_to, first) != _end_of(leads_to, end):
            leads_to[_end_of(leads_to, end)] = _end_of(leads_to, first)
            found.append((first, end))
    return found


def _end_of(leads_to: list[int], point: int) -> int:
    while leads_to[point] != point:
        leads_to[point] = point = leads_to[leads_to[point]]
    return point


def _any_solution(tied: Sequence[Sequence[int]], together: Iterable[Stretch]) -> Solution:
    """By how much answers could be others up to each point, place by place, with the same sums: each place's over
    what ties two of its points, and those of all places over the lines of `together`."""
    pivots: list[tuple[Cell, dict[Cell, int]]] = []
    for first, end in together:
        row: dict[Cell, int] = {}
        for place, of in enumerate(tied):
            if of[first] != of[end]:
                row |= {(place, of[first]): 1, (place, of[end]): _PRIME - 1}
        for pivot, other in pivots:
            if times := row.get(pivot):
                for cell, n in other.items():
                    row[cell] = (row.get(cell, 0) - times * n) % _PRIME
        row = {cell: n for cell, n in row.items() if n}
        if row:
            pivot, n = next(iter(row.items()))
            inverse = pow(n, -1, _PRIME)
            pivots.append((pivot, {cell: n * inverse % _PRIME for cell, n in row.items()}))
    # The same chance each time: a decision can be made again.
    chance = random.Random(_PRIME)
    values = {(place, point): chance.randrange(_PRIME) for place, of in enumerate(tied) for point in of}
    for pivot, row in reversed(pivots):
        values[pivot] = -sum(n * values[cell] for cell, n in row.items() if cell != pivot) % _PRIME
    return [[values[place, point] for point in of] for place, of in enumerate(tied)]


def _adding_up_to_nothing(values: Mapping[Cell, int], sizes: Mapping[Cell, int]) -> set[frozenset[Cell]]:
    """The smallest sets of cells whose values add up to nothing and whose sizes to fewer than MIN_SHOWN."""
    found = {frozenset([cell]) for cell, value in values.items() if not value}
    left = [cell for cell, value in values.items() if value]
    single = [cell for cell in left if sizes[cell] == 1]
    by_value: dict[int, list[Cell]] = {}
    for cell in left:
        by_value.setdefault(values[cell], []).append(cell)

    def closed_by(cells: tuple[Cell, ...]) -> Iterable[Cell]:
        """The cells that make these add up to nothing."""
        size = sum(sizes[cell] for cell in cells)
        for cell in by_value.get(-sum(values[one] for one in cells) % _PRIME, ()):
            if cell not in cells and size + sizes[cell] < MIN_SHOWN:
                yield cell

    pairs = {frozenset([one, other]) for one in left for other in closed_by((one,))}
    found |= pairs
    if len(single) > _MOST_APART:
        return found
    triples = {
        triple
        for two in combinations(single, 2)
        for other in closed_by(two)
        if not _holds_any(triple := frozenset([*two, other]), pairs)
    }
    found |= triples
    by_sum: dict[int, list[tuple[Cell, Cell]]] = {}
    for one, other in combinations(single, 2):
        value = (values[one] + values[other]) % _PRIME
        for two in by_sum.get(-value % _PRIME, ()):
            four = frozenset([*two, one, other])
            if len(four) == MIN_SHOWN - 1 and not _holds_any(four, pairs):
                found.add(four)
        by_sum.setdefault(value, []).append((one, other))
    return found


def _holds_any(cells: frozenset[Cell], pairs: Collection[frozenset[Cell]]) -> bool:
    return any(frozenset(two) in pairs for two in combinations(cells, 2))


def to_show(
    new: Stretch,
    earlier: Sequence[Told[Key]],
    roots: Sequence[Key],
    below: Mapping[Key, Sequence[Key]],
    counts: Mapping[Key, Sequence[int]],
    weeks: Sequence[Stretch] = (),
) -> set[Key]:
    """Which places may show the period `new`. `counts`: the answers of each place, those below it among them, between
    each two points in time; of who has none there is nothing. `weeks`: what the live pages may show."""
    refused: set[Key] = set()
    while True:
        shown = {root for root in roots if root in counts and root not in refused}
        shown = {root for root in shown if _shows_alone(root, new, earlier, counts[root], weeks)}
        queue = list(shown)
        while queue:
            place = queue.pop()
            family = _Family(new, earlier, below.get(place, ()), place, counts, weeks)
            kept = family.to_show(refused)
            if kept is None:
                refused.add(place)
                break
            shown |= kept
            queue += kept
        else:
            return shown


def _shows_alone(
    place: Key, new: Stretch, earlier: Sequence[Told[Key]], counts: Sequence[int], weeks: Sequence[Stretch]
) -> bool:
    known = [told.stretch for told in earlier if place in told.shown]
    return sum(counts[slice(*new)]) >= MIN_SHOWN and all(
        few_that_follow([counts], [[*known, *live, new]], ()) <= few_that_follow([counts], [[*known, *live]], ())
        for live in _with_and_without(weeks)
    )


def _with_and_without(weeks: Sequence[Stretch]) -> list[Sequence[Stretch]]:
    """What is known of each place besides: nothing, and what the live pages may show."""
    return [(), weeks] if weeks else [()]


class _Family(Generic[Key]):
    """The places right below another, and at last what lies there without being below any of them."""

    def __init__(
        self,
        new: Stretch,
        earlier: Sequence[Told[Key]],
        children: Sequence[Key],
        above: Key,
        counts: Mapping[Key, Sequence[int]],
        weeks: Sequence[Stretch],
    ) -> None:
        self._new, self._above, self._weeks = new, above, weeks
        self._names = [child for child in children if any(counts.get(child, ()))]
        of_children = [counts[child] for child in self._names]
        rest = [n - sum(of) for n, *of in zip(counts[above], *of_children, strict=True)]
        self._counts = [*of_children, rest]
        self._known = {
            place: [told.stretch for told in earlier if place in told.shown] for place in [*self._names, above]
        }

    def to_show(self, refused: Collection[Key]) -> set[Key] | None:
        """Those that show the new period; None if the place above must not show it."""
        sizes = {name: sum(of[slice(*self._new)]) for name, of in zip(self._names, self._counts, strict=False)}
        kept = sorted(
            (name for name in self._names if sizes[name] >= MIN_SHOWN and name not in refused), key=sizes.__getitem__
        )
        lives = _with_and_without(self._weeks)
        before = [self._few(live, ()) for live in lives]
        while any(not self._few(live, [*kept, self._above]) <= few for live, few in zip(lives, before, strict=True)):
            if not kept:
                return None
            kept.pop(0)
        return set(kept)

    def _few(self, live: Sequence[Stretch], shown: Collection[Key]) -> set[frozenset[Cell]]:
        def known_of(name: Key) -> list[Stretch]:
            return [*self._known[name], *live, *([self._new] if name in shown else [])]

        return few_that_follow(self._counts, [*map(known_of, self._names), live], known_of(self._above))
