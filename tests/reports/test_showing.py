"""Whoever has all pages and can solve equations learns nothing about fewer than five answers."""

import random
from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest

from reports.lattice import Lattice, Place, node_place, store_place
from reports.statistics import MIN_SHOWN
from reports.stretches import Stretch, before, chart_of, latest, parts_of, quarters, year_ago

ROOT = node_place(0)
WEEKS = 26


def chain(rng: random.Random) -> dict[Place, list[Place]]:
    """A root over areas, each over stores; a store may lie right below the root."""
    below: dict[Place, list[Place]] = {ROOT: []}
    for number in range(1, rng.randrange(2, 5)):
        area = node_place(number)
        below[ROOT].append(area)
        below[area] = [store_place(10 * number + n) for n in range(rng.randrange(1, 5))]
    if rng.random() < 0.3:
        below[ROOT].append(store_place(1))
    return below


def stores_under(place: Place, below: dict[Place, list[Place]]) -> list[Place]:
    if place.kind == "store":
        return [place]
    return [store for child in below[place] for store in stores_under(child, below)]


def history(rng: random.Random, stores: list[Place]) -> dict[Place, dict[Stretch, int]]:
    """How many answers each store has in each week: busy, quiet, new and closed ones."""
    found = {}
    for store in stores:
        usual = rng.choice([0.1, 0.4, 1.5, 6, 15])
        first, last = rng.choice([(0, WEEKS), (0, WEEKS), (0, rng.randrange(1, WEEKS)), (rng.randrange(WEEKS), WEEKS)])
        found[store] = {
            (week, week + 1): n
            for week in range(first, last)
            if (n := min(40, int(rng.expovariate(1 / usual) + rng.random())))
        }
    return found


def everything_shown(
    below: dict[Place, list[Place]], weekly: dict[Place, dict[Stretch, int]]
) -> tuple[Lattice, list[tuple[Place, Stretch]]]:
    """The lattice over all places, and every figure that any page shows: places by stretches."""
    sizes: dict[Stretch, dict[Place, int]] = defaultdict(lambda: defaultdict(int))
    places = [*below, *weekly]
    for place in places:
        for store in stores_under(place, below):
            for week, n in weekly[store].items():
                sizes[week][place] += n
    lattice = Lattice(ROOT, below, sizes, [(week, week + 1) for week in range(WEEKS)], quarters(WEEKS))
    stretches: list[Stretch] = []
    queue = list(quarters(WEEKS))
    while queue:
        stretch = queue.pop()
        stretches.append(stretch)
        queue += parts_of(stretch)
    figures = [(place, stretch) for place in places for stretch in stretches if lattice.shows(place, [stretch])]
    for stretch in stretches:
        assert lattice.showing([stretch]) == {place for place in places if lattice.shows(place, [stretch])}
    return lattice, figures


@pytest.mark.parametrize("seed", range(12))
def test_no_equations_lead_to_a_hidden_cell(seed):
    rng = random.Random(seed)
    below = chain(rng)
    stores = stores_under(ROOT, below)
    weekly = history(rng, stores)
    lattice, figures = everything_shown(below, weekly)
    # One unknown for each store and week of a place whose weeks are hidden: whether it had answers then is not told.
    atoms = {atom: n for n, atom in enumerate((s, (w, w + 1)) for s in stores for w in range(WEEKS))}

    def row(place: Place, stretch: Stretch) -> np.ndarray:
        found = np.zeros(len(atoms))
        for store in stores_under(place, below):
            for week in range(*stretch):
                found[atoms[store, (week, week + 1)]] = 1
        return found

    assert all(lattice.size(place, stretch) >= MIN_SHOWN for place, stretch in figures)
    known = [row(place, stretch) for place, stretch in figures]
    # What is told of a place without answers in thirteen weeks: there is nobody.
    known += [row(s, q) for s in stores for q in quarters(WEEKS) if not lattice.size(s, q)]
    if not known:
        return
    _, values, directions = np.linalg.svd(np.array(known), full_matrices=True)
    unknown = directions[int((values > 1e-9).sum()) :].T
    # A cell follows from what is known if and only if it is at right angles to all that is not.
    hidden = [
        (place, stretch)
        for place in [*below, *stores]
        for quarter in quarters(WEEKS)
        for stretch in [quarter, *parts_of(quarter), *((w, w + 1) for w in range(*quarter))]
        if 0 < lattice.size(place, stretch) < MIN_SHOWN
    ]
    for place, stretch in hidden:
        assert np.abs(row(place, stretch) @ unknown).max() > 1e-6, (place, stretch)
    # Nor does any set of fewer than five answers: pairs of store weeks, wherever they are.
    small = [(row(s, w), n) for s in stores for w, n in weekly[s].items() if n < MIN_SHOWN]
    for (one, n), (other, m) in combinations(rng.sample(small, min(60, len(small))), 2):
        if n + m < MIN_SHOWN:
            assert np.abs((one + other) @ unknown).max() > 1e-6


def test_the_rule_hides_no_more_than_it_must():
    """In a chain of ordinary stores nearly everything that has five answers is shown."""
    rng, shown, enough = random.Random(1), 0, 0
    below = {ROOT: [node_place(n) for n in range(1, 6)]}
    below |= {area: [store_place(100 * area.pk + n) for n in range(12)] for area in below[ROOT]}
    stores = stores_under(ROOT, below)
    weekly = {s: {(w, w + 1): n for w in range(WEEKS) if (n := rng.randrange(8))} for s in stores}
    weekly[stores[0]] = {(3, 4): 3}
    lattice, _ = everything_shown(below, weekly)
    for place in [*below, *stores]:
        for stretch in [(0, 13), (13, 26), (0, 4), (4, 8)]:
            if lattice.size(place, stretch) >= MIN_SHOWN:
                enough += 1
                shown += lattice.shows(place, [stretch])
    assert shown / enough > 0.93


def test_periods_fit_into_each_other():
    assert latest(4) == [(0, 4)]
    assert before(4) == [(4, 8)]
    assert year_ago(4) == [(52, 56)]
    assert latest(26) == [(0, 13), (13, 26)]
    assert before(13) == [(13, 26)]
    assert year_ago(52) == quarters(104)[4:]
    assert quarters(4) == [(0, 13)]
    assert chart_of(4) == [(3, 4), (2, 3), (1, 2), (0, 1)]
    assert chart_of(26)[0] == (21, 26)
    assert chart_of(13, coarse=True) == [(8, 13), (4, 8), (0, 4)] and len(chart_of(13)) == 13
    assert chart_of(4, coarse=True) == chart_of(4) and chart_of(26, coarse=True) == chart_of(26)
    assert chart_of(13, back=13, coarse=True)[-1] == (13, 17)
    assert len(chart_of(52)) == 12
    for weeks in (4, 13, 26, 52):
        assert sum(end - first for first, end in chart_of(weeks)) == weeks
    for stretch in ((0, 13), (26, 39), (0, 4), (0, 2), (8, 13)):
        assert [week for part in parts_of(stretch) for week in range(*part)] == list(range(*stretch))
    assert parts_of((5, 6)) == []
