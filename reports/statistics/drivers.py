"""What each topic costs in NPS points."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TypeVar

from core.shares import Z
from reports.statistics.nps import Difference, Nps, moved_among, nps_difference

Topic = TypeVar("Topic", bound=Hashable)


@dataclass(frozen=True)
class Driver:
    """How the answers that speak of a topic score (`named`) beside all others, and what that makes of the whole.

    `cost` is how many points the NPS lies below where it would be if those who speak of the topic scored like the
    others; below zero it lifts the score. It says what goes together, not what is the cause. `stands`: more than chance
    among all topics.
    """

    named: Nps
    others: Nps
    gap: Difference
    cost: float
    margin: float
    stands: bool = False


def topic_costs(total: Nps, topics: Mapping[Topic, Nps]) -> dict[Topic, Driver]:
    """The cost of each topic that some of the answers in `total` speak of and some do not.

    With q the share of answers with the topic, S = q·S₁ + (1 - q)·S₀, so that S₀ - S = q·(S₀ - S₁). Its variance by the
    delta method, the share and both scores being estimated from independent parts of the sample: Cramér, H.:
    Mathematical Methods of Statistics, Princeton 1946, section 28.4. Which topics stand: the difference test of
    `nps_difference`, corrected over all topics.
    """
    found: dict[Topic, Driver] = {}
    for topic, named in topics.items():
        others = total - named
        gap = nps_difference(named, others)
        if gap is None:
            continue
        share = named.n / total.n
        (low, low_error), (high, high_error) = named.adjusted, others.adjusted
        variance = share**2 * (low_error**2 + high_error**2) + (high - low) ** 2 * share * (1 - share) / total.n
        found[topic] = Driver(named, others, gap, -share * gap.points, 100 * Z * sqrt(variance))
    standing = moved_among([one.gap for one in found.values()])
    return {
        topic: Driver(one.named, one.others, one.gap, one.cost, one.margin, stands)
        for (topic, one), stands in zip(found.items(), standing, strict=True)
    }
