"""Whoever keeps all that was ever published and can solve equations learns nothing about fewer than five answers."""

import random
from itertools import combinations

import numpy as np
import pytest

from reports.statistics import MIN_SHOWN
from reports.statistics.disclosing import Told, tells_of_few, to_show

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
def test_days_that_follow_from_overlapping_periods_are_found(seed):
    rng = random.Random(seed)
    for _ in range(40):
        days = rng.randrange(4, 10)
        counts = [rng.choice([0, 0, 1, 2, 5, 9]) for _ in range(days)]
        known = [
            (min(pair), max(pair)) for pair in (rng.sample(range(days + 1), 2) for _ in range(rng.randrange(1, 6)))
        ]
        follows = derivable([np.array([float(a <= day < b) for day in range(days)]) for a, b in known], days)
        sets = (np.array([float(number >> day & 1) for day in range(days)]) for number in range(1, 2**days))
        few = any(0 < one @ counts < MIN_SHOWN and follows(one) for one in sets)
        assert tells_of_few(counts, known) == few


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
