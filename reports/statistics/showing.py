"""Which figures may be shown at all, so that no page, and no two pages together, tell about fewer than five answers.

One rule, along two trees. The first is the chain's: a place is the sum of the places right below it. The second is
time: thirteen weeks are the sum of their parts, a part the sum of its weeks (`reports.stretches`). For one way of
asking, and for one measure, a place shows a stretch

- if it has five answers in it, and the place above shows it too;
- and it shows the parts of that stretch only all at once: every part with answers in it has five of them;
- and what must be hidden beside its neighbours adds up, in every part, to nothing or to five answers: otherwise the
  smallest neighbour that could be shown is hidden with it, until it does or all of them are hidden;
- and where the parts are hidden, their numbers of answers are hidden as well, and whether there are any.

Why that is enough: within the places right below one place, what is hidden of a stretch is a table of places by parts
of which at most the sums of whole rows and of whole columns are known. What can be computed from these about a set of
answers is about whole rows and whole columns, and each of them holds five answers or none. Below a hidden part nothing
is shown. Every other figure of the pages is a sum of figures that are shown: of ways of asking, of longer periods, of
the places that a reader may see, and of any weeks that a reader chooses: these are cut into stretches of the one tree.
It tells nothing that they do not.

The rule looks at answers and never at the reader, so that two readers who put their pages together learn no more than
one. What it does not hide: a figure of today less one of yesterday, or less one that was published, is what came and
went between. So it is from minute to minute, and with weeks that roll: thirteen weeks less the thirteen a week later
are the week that left less the week that came; where nobody answered in one of these, the other may be one to four
answers. Showing a window only where both have none or five would hide nearly every figure of small stores and close no
more than one way of many, for the same reader sees the figure grow by each answer, and reads the words of each.

Published figures beside each other: `reports.statistics.disclosing`. Complementary suppression: Willenborg, L., de
Waal, T.: Elements of Statistical Disclosure Control, Springer 2001, chapter 6.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from typing import TypeVar

from reports.statistics.nps import MIN_SHOWN

Key = TypeVar("Key", bound=Hashable)
Part = TypeVar("Part", bound=Hashable)
# How many answers each place has in a part, of those that have any.
Column = Mapping[Key, int]


def shown_at_the_top(
    size: Callable[[Part], int], tops: Iterable[Part], parts_of: Callable[[Part], Sequence[Part]]
) -> set[Part]:
    """What of the stretches `tops` and their parts the place above all others shows."""
    shown: set[Part] = set()
    queue = [[top] for top in tops]
    while queue:
        filled = [part for part in queue.pop() if size(part)]
        if all(size(part) >= MIN_SHOWN for part in filled):
            shown.update(filled)
            queue += [list(divided) for part in filled if (divided := parts_of(part))]
    return shown


def shown_below(
    places: Sequence[Key],
    column: Callable[[Part], Column[Key]],
    above: Callable[[Part], bool],
    tops: Iterable[Part],
    parts_of: Callable[[Part], Sequence[Part]],
) -> dict[Part, Set[Key]]:
    """Which of `places` show what of the stretches `tops` and their parts: they are all those right below a place that
    shows a part if `above` says so."""
    shown: dict[Part, Set[Key]] = {}
    queue: list[tuple[Part | None, list[Part]]] = [(None, [top]) for top in tops if above(top)]
    while queue:
        whole, parts = queue.pop()
        # The parts in which anybody has answers; the place above shows all of them or none.
        columns = {part: counted for part in parts if (counted := _among(places, column(part)))}
        if not columns or not all(above(part) for part in columns):
            continue
        enough = all(min(of.values()) >= MIN_SHOWN for of in columns.values())
        if enough and (whole is None or all(of.keys() <= shown[whole] for of in columns.values())):
            shown |= {part: of.keys() for part, of in columns.items()}  # nothing to hide, as nearly everywhere
        else:
            anywhere = set[Key]().union(*columns.values())
            small = {place for of in columns.values() for place, n in of.items() if n < MIN_SHOWN}
            able = anywhere - small if whole is None else shown[whole] & anywhere - small
            filled = [place for place in places if place in anywhere]
            kept = _left_after_hiding(filled, [place for place in filled if place in able], list(columns.values()))
            shown |= {part: of.keys() & kept for part, of in columns.items()}
        queue += [(part, list(divided)) for part in columns if (divided := parts_of(part))]
    return shown


def _among(places: Sequence[Key], column: Column[Key]) -> dict[Key, int]:
    return {place: n for place, n in zip(places, map(column.get, places), strict=True) if n is not None}


def _left_after_hiding(filled: Sequence[Key], good: Sequence[Key], columns: Sequence[Column[Key]]) -> Sequence[Key]:
    """Those of `good` that may be shown beside those of `filled` that may not."""
    kept = set(good)
    hidden = [sum(n for place, n in of.items() if place not in kept) for of in columns]
    smallest = sorted(good, key=lambda place: sum(of.get(place, 0) for of in columns))
    for place in smallest:
        if not any(0 < n < MIN_SHOWN for n in hidden):
            break
        kept.discard(place)
        hidden = [n + of.get(place, 0) for n, of in zip(hidden, columns, strict=True)]
    return [place for place in good if place in kept]
