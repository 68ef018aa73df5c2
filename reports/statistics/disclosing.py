"""Which figures of periods that stay may be shown beside those that were shown before them.

Published periods overlap as they like: a week reaches into two months, a quarter is three of them. What can be computed
for one place from the figures of several periods are sums over sets of days. Think of the days on which periods begin
or end as points, and of each shown period as a line between two of them: a set of days can be computed if and only if
what jumps up and down at its borders adds up to nothing among the points that are tied together by lines.

A place shows a new period if the place above it does, if it has five answers in it, and if no set of days that can be
computed then holds one to four. The same goes for all that is hidden beside it, taken together: otherwise the smallest
neighbour is hidden too. Nothing that was shown is ever taken back.

Sums over stretches as lines between points: Chin, F., Kossowski, P., Loh, S. C.: Efficient inference control for range
sum queries. Theoretical Computer Science 32(1-2), 1984. That no cell can be computed is checked by solving equations.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from reports.statistics.nps import MIN_SHOWN

Key = TypeVar("Key", bound=Hashable)
# From which point in time to which, by their numbers.
Stretch = tuple[int, int]


@dataclass(frozen=True)
class Told(Generic[Key]):
    """A period whose figures are known of the places `shown`."""

    stretch: Stretch
    shown: Collection[Key]


def tells_of_few(counts: Sequence[int], known: Iterable[Stretch]) -> bool:
    """Whether the sums of a place over the stretches `known` tell about one to four answers, `counts` being how many
    there are between each two points in time."""
    if not any(0 < n < MIN_SHOWN for n in counts):
        return False
    tied = _tied(len(counts) + 1, known)
    last = {of: point for point, of in enumerate(tied)}
    # Whether the set goes on, how many answers it has so far, and by how much its jumps do not add up yet.
    states: set[tuple[int, int, frozenset[tuple[int, int]]]] = {(0, 0, frozenset())}
    for point, of in enumerate(tied):
        n = counts[point] if point < len(counts) else MIN_SHOWN
        following = set()
        for inside, total, open_jumps in states:
            for goes_on in (0, 1) if total + n < MIN_SHOWN else (0,):
                jumps = open_jumps
                if goes_on != inside:
                    before = dict(open_jumps)
                    before[of] = before.get(of, 0) + goes_on - inside
                    jumps = frozenset((key, jump) for key, jump in before.items() if jump)
                if last[of] != point or all(key != of for key, _jump in jumps):
                    following.add((goes_on, total + n * goes_on, jumps))
        states = following
    return any(total for _inside, total, _jumps in states)


def _tied(points: int, known: Iterable[Stretch]) -> list[int]:
    """For each point one that stands for all that it is tied to."""
    leads_to = list(range(points))

    def end_of(point: int) -> int:
        while leads_to[point] != point:
            leads_to[point] = point = leads_to[leads_to[point]]
        return point

    for first, end in known:
        leads_to[end_of(end)] = end_of(first)
    return [end_of(point) for point in range(points)]


def to_show(
    new: Stretch,
    earlier: Sequence[Told[Key]],
    roots: Sequence[Key],
    below: Mapping[Key, Sequence[Key]],
    counts: Mapping[Key, Sequence[int]],
) -> set[Key]:
    """Which places may show the period `new`. `counts`: the answers of each place, those below it among them, between
    each two points in time; of who has none there is nothing."""
    shown = {root for root in roots if _shows_alone(root, new, earlier, counts.get(root, ()))}
    queue = list(shown)
    while queue:
        place = queue.pop()
        children = [child for child in below.get(place, ()) if any(counts.get(child, ()))]
        of_children = [counts[child] for child in children]
        rest = [n - sum(of) for n, *of in zip(counts[place], *of_children, strict=True)]
        kept = _Family(new, earlier, [*of_children, rest], children, place).to_show()
        shown |= kept
        queue += kept
    return shown


def _shows_alone(place: Key, new: Stretch, earlier: Sequence[Told[Key]], counts: Sequence[int]) -> bool:
    known = [told.stretch for told in earlier if place in told.shown]
    if sum(counts[slice(*new)]) < MIN_SHOWN:
        return False
    return not tells_of_few(counts, [*known, new]) or tells_of_few(counts, known)


class _Family(Generic[Key]):
    """The places right below another. They are numbered: after them comes what lies there without being shown, and the
    place above at last, which is the sum of all."""

    def __init__(
        self,
        new: Stretch,
        earlier: Sequence[Told[Key]],
        counts: Sequence[Sequence[int]],
        names: Sequence[Key],
        above: Key,
    ) -> None:
        self._names, self._counts = names, [*counts, [sum(column) for column in zip(*counts, strict=True)]]
        self._parts, self._above = frozenset(range(len(counts))), len(counts)
        self._stretches = [*(told.stretch for told in earlier), new]
        self._sizes = [[sum(of[slice(*stretch)]) for of in self._counts] for stretch in self._stretches]
        numbered = {name: number for number, name in enumerate([*names, None, above]) if name is not None}
        self._shown = [{numbered[name] for name in told.shown if name in numbered} for told in earlier]

    def to_show(self) -> set[Key]:
        """The names of those that show the new period."""
        sizes = self._sizes[-1]
        kept = sorted((n for n in range(len(self._names)) if sizes[n] >= MIN_SHOWN), key=lambda n: sizes[n])
        # What was told before, since the answers were others then, is told whatever is shown now.
        told = self._told([*self._shown, {self._above}])
        while kept and not self._told([*self._shown, {*kept, self._above}]) <= told:
            kept.pop(0)
        return {self._names[number] for number in kept}

    def _told(self, shown: Sequence[Collection[int]]) -> set[frozenset[int]]:
        """Of which sets of places something is told about a few."""
        hidden = self._hidden(shown)
        groups = {frozenset([number]) for number in self._parts}
        for of, sizes in zip(hidden, self._sizes, strict=True):
            unknown = of - {self._above}
            groups |= {unknown, unknown | {number for number in self._parts if not sizes[number]}}
        return {group for group in groups if group and self._tells_of(group, hidden)}

    def _hidden(self, shown: Sequence[Collection[int]]) -> list[frozenset[int]]:
        """Whose answers are not known in each stretch: nobody shows them, and neither do other stretches of the same
        place or all others in the same stretch lead to them."""
        found = [
            frozenset(number for number, n in enumerate(sizes) if n and number not in of)
            for of, sizes in zip(shown, self._sizes, strict=True)
        ]
        while True:
            known = [
                [stretch for stretch, hidden in zip(self._stretches, found, strict=True) if number not in hidden]
                for number in range(len(self._counts))
            ]
            ties = [_tied(len(of) + 1, some) for of, some in zip(self._counts, known, strict=True)]
            following = [
                frozenset(number for number in hidden if ties[number][first] != ties[number][end])
                for (first, end), hidden in zip(self._stretches, found, strict=True)
            ]
            following = [hidden if len(hidden) > 1 else frozenset() for hidden in following]
            if following == found:
                return found
            found = following

    def _tells_of(self, group: frozenset[int], hidden: Sequence[frozenset[int]]) -> bool:
        known = [
            stretch
            for stretch, of in zip(self._stretches, hidden, strict=True)
            if not of & group or (self._above not in of and of <= group)
        ]
        return tells_of_few([sum(column) for column in zip(*(self._counts[n] for n in group), strict=True)], known)
