"""Whoever keeps all that was ever published and can solve equations learns nothing about fewer than five answers."""

import random
from itertools import combinations

import numpy as np
import pytest

from reports.statistics import MIN_SHOWN
from reports.statistics.disclosing import Told, few_that_follow, to_show

DAYS = 42


def periods(rng: random.Random) -> list[tuple[int, int]]:
    """Weeks, months that begin on some day of a week, and a quarter of two of them, published in any order."""
    begin = rng.randrange(8)
    found = [(day, day + 7) for day in range(0, DAYS, 7)]
    found += [(begin, begin + 16), (begin + 16, begin + 32), (begin, begin + 32)]
    rng.shuffle(found)
    return found[: rng.randrange(3, len(found) + 1)]


def derivable(known: list[np.ndarray], size: int):
    """A function that says whether the sum of a set of unknowns follows from the sums in `known`."""
    if not known:
        return lambda wanted: False
    _, values, directions = np.linalg.svd(np.array(known), full_matrices=True)
    unknown = directions[int((values > 1e-9).sum()) :].T
    return lambda wanted: not unknown.size or np.abs(wanted @ unknown).max() < 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_exactly_the_few_that_follow_are_found(seed):
    rng = random.Random(seed)
    for _ in range(15):
        places, times = rng.choice([(1, 9), (2, 5), (3, 4)])
        counts = [[rng.choice([0, 1, 1, 2, 5, 9]) for _ in range(times)] for _ in range(places)]

        def some(times: int = times) -> list[tuple[int, int]]:
            pairs = (rng.sample(range(times + 1), 2) for _ in range(rng.randrange(4)))
            return [(min(pair), max(pair)) for pair in pairs]

        known, together = [some() for _ in counts], some()
        cells = [(place, time) for place, of in enumerate(counts) for time, n in enumerate(of) if n]
        rows = [
            np.array([float(one in (None, place) and first <= time < end) for place, time in cells])
            for one, lines in [*enumerate(known), (None, together)]
            for first, end in lines
        ]
        follows = derivable(rows, len(cells))
        small = [cell for cell in cells if counts[cell[0]][cell[1]] < MIN_SHOWN]
        sets = [
            frozenset(chosen)
            for size in range(1, MIN_SHOWN)
            for chosen in combinations(small, size)
            if sum(counts[place][time] for place, time in chosen) < MIN_SHOWN
            and follows(np.array([float(cell in chosen) for cell in cells]))
        ]
        smallest = {one for one in sets if not any(other < one for other in sets)}
        assert few_that_follow(counts, known, together) == smallest


def test_answers_of_several_places_and_days_do_not_follow_together():
    """Once a place showed the month, two hidden places of two weeks would have followed from it."""
    counts = {1: [3, 4, 100], 2: [2, 20, 20], 3: [20, 1, 20]}
    counts[0] = [sum(column) for column in zip(*counts.values(), strict=True)]
    told: list[Told[int]] = []
    for stretch in [(0, 1), (1, 2), (2, 3), (0, 3)]:
        told.append(Told(stretch, to_show(stretch, told, [0], {0: [1, 2, 3]}, counts)))
    assert [sorted(one.shown) for one in told] == [[0, 3], [0, 2], [0, 1, 2, 3], [0]]


def test_a_place_of_which_a_few_are_known_is_looked_at_again():
    """Of its first week three answers were shown once; those of its second stay unknown all the same."""
    counts = {0: [3, 2, 20]}
    told = [Told((0, 1), {0}), Told((2, 3), {0})]
    assert to_show((1, 2), told, [0], {}, counts) == to_show((0, 3), told, [0], {}, counts) == set()
    assert to_show((0, 3), told[:1], [0], {}, counts) == {0}


def test_live_weeks_leave_no_few_of_a_published_month():
    counts = {0: [20, 2, 30, 1, 20]}
    weeks = [(0, 2), (2, 3), (3, 5)]
    assert to_show((1, 4), [], [0], {}, counts) == {0}
    assert to_show((1, 4), [], [0], {}, counts, weeks) == set()
    assert to_show((2, 3), [], [0], {}, counts, weeks) == {0}


@pytest.mark.parametrize("seed", range(14))
def test_no_equations_lead_to_a_few_in_what_was_published(seed):
    rng = random.Random(seed)
    below: dict[int, list[int]] = {0: list(range(1, rng.randrange(3, 6)))}
    for area in below[0]:
        below[area] = [10 * area + n for n in range(rng.choice([0, 0, 2, 3]))]
    nodes = [0, *(node for of in below.values() for node in of)]
    # What lies right below each node, day by day.
    usual = {node: rng.choice([0, 0.1, 0.3, 0.6, 1, 2, 6]) for node in nodes}
    direct = {node: [int(rng.expovariate(1) * usual[node] + rng.random() / 2) for _ in range(DAYS)] for node in nodes}

    def under(node: int) -> list[int]:
        return [node, *(one for child in below.get(node, ()) for one in under(child))]

    counts = {node: [sum(direct[one][day] for one in under(node)) for day in range(DAYS)] for node in nodes}
    told: list[Told[int]] = []
    for stretch in periods(rng):
        told.append(Told(stretch, to_show(stretch, told, [0], below, counts)))
    assert all(sum(counts[node][slice(*one.stretch)]) >= MIN_SHOWN for one in told for node in one.shown)

    def row(ones: list[int], days) -> np.ndarray:
        found = np.zeros((len(nodes), DAYS))
        for one in ones:
            found[nodes.index(one), list(days)] = 1
        return found.ravel()

    known = [row(under(node), range(*one.stretch)) for one in told for node in one.shown]
    # Of whom nobody answered in a period that is known too.
    known += [
        row([node], range(*one.stretch)) for one in told for node in nodes if not sum(direct[node][slice(*one.stretch)])
    ]
    follows = derivable(known, len(nodes) * DAYS)
    points = sorted({point for one in told for point in one.stretch})
    for group in [*({node, *under(node)} for node in nodes), *({node} for node in nodes)]:
        for first, end in combinations(points, 2):
            size = sum(direct[one][day] for one in group for day in range(first, end))
            if 0 < size < MIN_SHOWN:
                assert not follows(row(list(group), range(first, end))), (group, first, end)


def test_what_is_published_is_hidden_no_more_than_it_must():
    """Places with some answers a day show their weeks and months, though single days of them have a few."""
    rng = random.Random(1)
    below = {0: list(range(1, 9))}
    counts = {node: [rng.randrange(1, 7) for _ in range(DAYS)] for node in below[0]}
    counts[0] = [sum(column) for column in zip(*counts.values(), strict=True)]
    told: list[Told[int]] = []
    for stretch in [(day, day + 7) for day in range(0, DAYS, 7)] + [(3, 34)]:
        told.append(Told(stretch, to_show(stretch, told, [0], below, counts)))
    assert all(len(one.shown) == 9 for one in told)
