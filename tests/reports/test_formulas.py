"""Ranking, weighting, splitting a change and the cost of topics: worked by hand, and against chance itself."""

import random
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.shares import Z
from reports.statistics import (
    Nps,
    Share,
    moved_among,
    moved_groups,
    nps_difference,
    paired_change,
    ranked,
    share_difference,
    shrinkage,
    significant_among,
    split_change,
    topic_costs,
    two_sided_p,
    weighted_nps,
)

NO_ANSWERS = Nps(0, 0, 0)
CHANNELS = ("qr", "receipt")


def draw(rng: random.Random, n: int, promoters: float, detractors: float) -> Nps:
    rolls = [rng.random() for _ in range(n)]
    p, d = sum(roll < promoters for roll in rolls), sum(roll > 1 - detractors for roll in rolls)
    return Nps(p, n - p - d, d)


def groups_of(rng: random.Random, number: int) -> list[Nps]:
    """Some of them without answers."""
    return [draw(rng, rng.choice([0, 1, 5, 40, 300]), 0.5, 0.3) for _ in range(number)]


# --- many comparisons -----------------------------------------------------------------------------------------------
def test_thousands_are_compared_as_each_two_are():
    rng = random.Random(7)
    now = [draw(rng, 300, 0.7 if place % 3 else 0.4, 0.2) for place in range(150)] + groups_of(rng, 150)
    before = [draw(rng, 300, 0.4, 0.2) for _ in range(150)] + groups_of(rng, 150)
    found = moved_groups(now, before)
    assert found == moved_among([nps_difference(*two) for two in zip(now, before, strict=True)])
    assert 0 < sum(found) < 300
    assert moved_groups([], []) == [] and moved_groups([NO_ANSWERS], [Nps(5, 0, 0)]) == [False]


def test_a_change_is_split_alike_whether_stores_have_one_channel_or_several():
    """Stores of one channel are reckoned as a table: a channel that nobody answers takes them out of it."""
    rng = random.Random(8)
    now, before = (dict(enumerate(groups_of(rng, 200))) for _ in range(2))
    table = split_change(*({(store, "qr"): nps for store, nps in of.items()} for of in (now, before)))
    apart = split_change(
        *(
            {
                (store, channel): nps if channel == "qr" else NO_ANSWERS
                for store, nps in of.items()
                for channel in CHANNELS
            }
            for of in (now, before)
        )
    )
    assert table is not None and apart is not None
    for name in ("total", "stores", "channels", "within", "margin"):
        assert getattr(table, name) == pytest.approx(getattr(apart, name), abs=1e-9), name
    assert table.total == pytest.approx(table.stores + table.channels + table.within)


def test_tables_of_groups_are_reckoned_as_one_after_the_other():
    """The plain formulas, written out for each group."""
    rng = random.Random(9)
    for _ in range(200):
        groups = [draw(rng, rng.choice([1, 2, 9, 40]), rng.choice([0.3, 1.0]), 0.0) for _ in range(rng.randint(2, 9))]
        weights = [rng.randint(1, 90) for _ in groups]
        total = sum(weights)
        score = sum(weight * (nps.score or 0) for nps, weight in zip(groups, weights, strict=True)) / total
        variance = 0.0
        for nps, weight in zip(groups, weights, strict=True):
            spread = (nps.promoters + nps.detractors) / nps.n - ((nps.score or 0) / 100) ** 2
            spread = max(spread, nps.adjusted[1] ** 2 * (nps.n + 3))
            variance += (weight / total) ** 2 * spread / max(1, nps.n - 1)
        found = weighted_nps(zip(groups, weights, strict=True))
        assert found is not None and round(found.score) == round(score)
        assert (found.score, found.margin) == pytest.approx((score, 100 * Z * sqrt(variance)))
        common = shrinkage(groups)
        if common is None or not common.within:
            continue
        for nps, estimate in zip(groups, ranked(groups), strict=True):
            noise = common.within**2 / nps.n
            towards = noise / (noise + common.between**2)
            assert estimate.score == pytest.approx(towards * common.mean + (1 - towards) * (nps.score or 0))
            error = sqrt((1 - towards) * noise + (towards * common.error) ** 2)
            assert estimate.error == pytest.approx(error)


def test_of_what_stands_among_many_at_most_one_in_twenty_is_chance():
    rng, false, stood = random.Random(95), 0, 0
    for _ in range(60):
        truly = [index < 30 for index in range(200)]
        p_values = []
        for moved in truly:
            before, now = draw(rng, 60, 0.5, 0.2), draw(rng, 60, 0.85 if moved else 0.5, 0.05 if moved else 0.2)
            change = nps_difference(now, before)
            assert change is not None
            p_values.append(change.p)
        standing = significant_among(p_values)
        stood += sum(standing)
        false += sum(stands and not moved for stands, moved in zip(standing, truly, strict=True))
    assert stood > 1000
    assert false / stood <= 0.065


def test_a_difference_of_shares():
    difference = share_difference(Share(45, 60), Share(30, 60))
    assert difference is not None
    assert difference.points == pytest.approx(25)
    # By hand: 46/62 and 31/62.
    error = sqrt(46 / 62 * 16 / 62 / 62 + 0.25 / 62)
    assert difference.z == pytest.approx((15 / 62) / error)
    assert share_difference(Share(0, 0), Share(3, 6)) is None
    rng, false = random.Random(3), 0
    for _ in range(3000):
        a, b = (Share(sum(rng.random() < 0.9 for _ in range(25)), 25) for _ in range(2))
        found = share_difference(a, b)
        false += bool(found and found.significant)
    assert 0.01 <= false / 3000 <= 0.06


# --- ranking --------------------------------------------------------------------------------------------------------
def test_alike_stores_are_drawn_together_and_different_ones_stay_apart():
    rng = random.Random(1)
    alike = shrinkage([draw(rng, 60, 0.6, 0.15) for _ in range(300)])
    assert alike is not None
    assert alike.between < 4
    assert alike.mean == pytest.approx(45, abs=2.5)
    apart = shrinkage([draw(rng, 60, share, 0.1) for share in (0.2, 0.5, 0.8) for _ in range(100)])
    assert apart is not None
    assert apart.between == pytest.approx(24.5, abs=4)
    # The variance of one answer: p + d - s².
    assert alike.within == pytest.approx(100 * sqrt(0.6 + 0.15 - 0.45**2), abs=3)


def test_estimates_are_nearer_the_truth_than_raw_scores_and_hold_it_in_nineteen_of_twenty():
    rng, raw, drawn, held, count = random.Random(7), 0.0, 0.0, 0, 0
    for _ in range(12):
        truths = [min(0.9, max(0.1, rng.gauss(0.6, 0.08))) for _ in range(150)]
        groups = [draw(rng, rng.choice([5, 12, 30, 120]), truth, (1 - truth) / 2) for truth in truths]
        for truth, nps, one in zip(truths, groups, ranked(groups), strict=True):
            score = 100 * (truth - (1 - truth) / 2)
            raw += ((nps.score or 0) - score) ** 2
            drawn += (one.score - score) ** 2
            held += one.low <= score <= one.high
            count += 1
    assert drawn < 0.5 * raw
    assert 0.93 <= held / count <= 0.975


def test_places_are_as_uncertain_as_the_scores():
    alike = ranked([Nps(60, 20, 20)] * 5)
    assert {(one.first, one.last) for one in alike} == {(1, 5)}
    best, *_, worst = ranked([Nps(900, 50, 50), Nps(500, 200, 300), Nps(510, 190, 300), Nps(50, 50, 900)])
    assert (best.first, best.last) == (1, 1)
    assert (worst.first, worst.last) == (4, 4)
    few, many, *_ = ranked([Nps(5, 1, 0), Nps(600, 200, 200), Nps(450, 200, 350), Nps(800, 100, 100)])
    assert (few.first, few.last) == (1, 3)
    assert many.first > 1
    assert few.margin > 3 * many.margin
    # Where nothing can be learnt from the others, the score stays what it is.
    assert [one.score for one in ranked([Nps(6, 2, 2)])] == [40]
    assert ranked([]) == []


# --- weighting ------------------------------------------------------------------------------------------------------
def test_a_weighted_score_counts_purchases_and_says_what_it_covers():
    found = weighted_nps([(Nps(10, 0, 0), 100), (Nps(0, 0, 10), 300), (NO_ANSWERS, 100), (Nps(5, 0, 0), 0)])
    assert found is not None
    assert found.score == pytest.approx((100 * 100 - 100 * 300) / 400)
    assert (found.n, found.transactions) == (20, 400)
    assert found.covered == pytest.approx(0.8)
    assert weighted_nps([(NO_ANSWERS, 10)]) is None
    assert weighted_nps([(Nps(1, 1, 1), 0)]) is None


def test_the_weighted_margin_holds_the_truth():
    rng, held = random.Random(11), 0
    strata = [(0.7, 0.1, 40, 1000), (0.5, 0.3, 15, 4000), (0.4, 0.4, 25, 2500), (0.8, 0.05, 9, 500)]
    truth = sum(100 * (p - d) * w for p, d, _, w in strata) / sum(w for *_, w in strata)
    for _ in range(2000):
        found = weighted_nps([(draw(rng, n, p, d), w) for p, d, n, w in strata])
        assert found is not None
        held += found.low <= truth <= found.high
    assert 0.93 <= held / 2000 <= 0.99


# --- the change and what it is made of ------------------------------------------------------------------------------
counts = st.builds(Nps, *[st.integers(0, 40)] * 3)
cells = st.dictionaries(st.tuples(st.integers(0, 5), st.sampled_from("abc")), counts, max_size=12)


@settings(max_examples=100, deadline=None)
@given(now=cells, before=cells)
def test_the_parts_of_a_change_add_up_to_it(now, before):
    found = split_change(now, before)
    after, earlier = (sum(one.values(), NO_ANSWERS).score for one in (now, before))
    if found is None:
        assert after is None or earlier is None
    else:
        assert after is not None and earlier is not None
        assert found.total == pytest.approx(after - earlier, abs=1e-9)
        assert found.stores + found.channels + found.within == pytest.approx(found.total, abs=1e-9)


def test_each_part_of_a_change_is_what_it_says():
    good, bad = Nps(90, 5, 5), Nps(20, 20, 60)
    # Only how many answers each store gives differs.
    stores = split_change({(1, "a"): Nps(180, 10, 10), (2, "a"): bad}, {(1, "a"): good, (2, "a"): bad})
    assert stores is not None
    assert (round(stores.channels, 9), round(stores.within, 9)) == (0, 0)
    assert stores.stores == pytest.approx(stores.total)
    # Only the channel.
    channels = split_change(
        {(1, "a"): good, (1, "b"): bad}, {(1, "a"): Nps(180, 10, 10), (1, "b"): NO_ANSWERS, (1, "c"): NO_ANSWERS}
    )
    assert channels is not None
    assert (round(channels.stores, 9), round(channels.within, 9)) == (0, 0)
    assert channels.total < -50
    # Only the scores.
    within = split_change({(1, "a"): good, (2, "a"): good}, {(1, "a"): bad, (2, "a"): bad})
    assert within is not None
    assert within.within == pytest.approx(125)
    assert abs(within.within) > within.margin > 0
    # A new store is mix, however it scores.
    opened = split_change({(1, "a"): good, (2, "a"): bad}, {(1, "a"): good})
    assert opened is not None
    assert opened.within == 0
    assert opened.stores == pytest.approx(opened.total)


def test_the_change_within_holds_the_truth():
    rng, held = random.Random(13), 0
    for _ in range(1500):
        now = {(s, "a"): draw(rng, 30, 0.6, 0.2) for s in range(4)}
        before = {(s, "a"): draw(rng, 30, 0.5, 0.2) for s in range(4)}
        found = split_change(now, before)
        assert found is not None
        held += abs(found.within - 10) <= found.margin
    assert 0.93 <= held / 1500 <= 0.98


# --- before and after -----------------------------------------------------------------------------------------------
def test_the_same_people_before_and_after():
    assert paired_change([]) is None
    whole = paired_change([(-1, 1)] * 10)
    assert whole and whole[0] == 200
    rng, held = random.Random(17), 0
    for _ in range(2000):
        pairs = [(-1, rng.choice([-1, -1, 0, 1])) for _ in range(20)]
        found = paired_change(pairs)
        assert found
        gain, margin = found
        held += abs(gain - 75) <= margin
    assert 0.93 <= held / 2000 <= 0.98


# --- what topics cost -----------------------------------------------------------------------------------------------
def test_what_a_topic_costs_is_the_score_without_it_less_the_score():
    total, waiting = Nps(60, 20, 40), Nps(5, 5, 30)
    found = topic_costs(total, {"waiting": waiting, "all": total, "none": NO_ANSWERS})
    assert set(found) == {"waiting"}
    one = found["waiting"]
    assert one.others == Nps(55, 15, 10)
    assert one.cost == pytest.approx((one.others.score or 0) - (total.score or 0))
    assert one.cost > one.margin
    assert one.stands


def test_the_cost_of_a_topic_holds_the_truth():
    rng, held, trials = random.Random(19), 0, 1200
    # A quarter of all answers speak of it; they score 60 points lower.
    truth = 0.25 * 60
    for _ in range(trials):
        n = 160
        named = sum(rng.random() < 0.25 for _ in range(n))
        with_topic, others = draw(rng, named, 0.3, 0.4), draw(rng, n - named, 0.65, 0.15)
        found = topic_costs(with_topic + others, {"waiting": with_topic})["waiting"]
        held += abs(found.cost - truth) <= found.margin
    assert 0.93 <= held / trials <= 0.975


def test_topics_that_cost_nothing_rarely_stand():
    rng, stood = random.Random(23), 0
    for _ in range(200):
        answers = [draw(rng, 1, 0.5, 0.2) for _ in range(120)]
        total = sum(answers, NO_ANSWERS)
        topics = {name: sum((one for one in answers if rng.random() < 0.2), NO_ANSWERS) for name in range(12)}
        stood += any(driver.stands for driver in topic_costs(total, topics).values())
    assert stood / 200 <= 0.09
    assert two_sided_p(0) == 1
