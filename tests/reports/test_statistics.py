"""The formulas against worked cases, and against chance itself."""

import random

import pytest

from reports.statistics import (
    Nps,
    Share,
    nps_difference,
    significant_among,
    two_sided_p,
)


def test_the_worked_case_is_not_significant():
    difference = nps_difference(Nps(40, 12, 8), Nps(35, 11, 14))
    assert difference is not None
    assert difference.points == pytest.approx(18.33, abs=0.01)
    assert difference.z == pytest.approx(1.26, abs=0.005)
    assert not difference.significant


@pytest.mark.parametrize(("n", "margin"), [(50, 20), (100, 14), (400, 7), (1000, 5)])
def test_margins_of_a_typical_mix(n, margin):
    """65 % promoters, 15 % detractors; the figures of the field notes."""
    typical = Nps(round(0.65 * n), n - round(0.65 * n) - round(0.15 * n), round(0.15 * n))
    assert typical.margin == pytest.approx(margin, abs=0.9)


def test_the_score_is_what_anyone_can_recompute():
    assert Nps(6, 2, 2).score == 40
    assert Nps(0, 0, 0).score is None
    assert (Nps(10, 0, 0).high, Nps(0, 0, 10).low) == (100, -100)
    assert Nps(1, 2, 3) + Nps(1, 0, 0) == Nps(2, 2, 3)
    assert nps_difference(Nps(1, 0, 0), Nps(0, 0, 0)) is None


@pytest.mark.parametrize(("promoters", "detractors"), [(0.65, 0.15), (0.5, 0.3), (0.85, 0.05), (0.3, 0.5)])
@pytest.mark.parametrize("n", [15, 30, 120])
def test_the_nps_interval_holds_the_truth_in_nineteen_of_twenty_samples(promoters, detractors, n):
    rng = random.Random(f"{promoters} {n}")
    truth, trials, held = 100 * (promoters - detractors), 4000, 0
    for _ in range(trials):
        draws = [rng.random() for _ in range(n)]
        p = sum(draw < promoters for draw in draws)
        d = sum(draw > 1 - detractors for draw in draws)
        nps = Nps(p, n - p - d, d)
        held += nps.low <= truth <= nps.high
    assert 0.93 <= held / trials <= 0.975


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("n", [15, 60])
def test_the_share_interval_holds_the_truth_in_nineteen_of_twenty_samples(share, n):
    rng = random.Random(f"{share} {n}")
    trials, held = 4000, 0
    for _ in range(trials):
        one = Share(sum(rng.random() < share for _ in range(n)), n)
        held += one.low <= share <= one.high
    assert 0.93 <= held / trials <= 0.985


def test_alike_groups_differ_significantly_once_in_twenty():
    rng = random.Random(20)

    def draw() -> Nps:
        scores = rng.choices("pnd", weights=[5, 3, 2], k=80)
        return Nps(scores.count("p"), scores.count("n"), scores.count("d"))

    differences = [nps_difference(draw(), draw()) for _ in range(3000)]
    false = sum(one is not None and one.significant for one in differences)
    assert 0.035 <= false / 3000 <= 0.065


def test_shares():
    half = Share(30, 60)
    assert half.value == 0.5
    assert half.margin == pytest.approx(0.1227, abs=0.0005)
    assert Share(0, 0).value is None
    assert (Share(0, 20).low, Share(20, 20).high) == (0, 1)


def test_false_discoveries_are_held_down():
    # The worked example of the source: 15 p-values, of which the first four stand at 5 %.
    p_values = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
        1.0,
    ]  # fmt: skip
    assert significant_among(p_values) == [True] * 4 + [False] * 11
    assert significant_among(p_values[::-1]) == [False] * 11 + [True] * 4
    assert significant_among([]) == []
    assert two_sided_p(1.959964) == pytest.approx(0.05, abs=1e-6)
