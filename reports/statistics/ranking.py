"""Ranking many groups of answers without mistaking luck for merit."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from core.shares import Z
from reports.statistics.nps import Nps

# Two bars of this many standard errors that do not touch differ at 5 %: Goldstein, H., Healy, M. J. R.: The graphical
# presentation of a collection of means. Journal of the Royal Statistical Society A 158(1), 1995.
_PAIRWISE = Z / sqrt(2)


class Estimate(NamedTuple):
    """What a group's score is likely to be, in NPS points, after it was drawn towards all groups' mean.

    `first` and `last` are the places in the ranking that it may really have, from one.
    """

    score: float
    error: float
    first: int = 1
    last: int = 1

    @property
    def low(self) -> float:
        return max(-100.0, self.score - Z * self.error)

    @property
    def high(self) -> float:
        return min(100.0, self.score + Z * self.error)

    @property
    def margin(self) -> float:
        return Z * self.error


@dataclass(frozen=True)
class Shrinkage:
    """What all groups have in common, in NPS points: their mean, its error, how far the groups really differ (as a
    standard deviation) and how far a single answer lies from its group's score."""

    mean: float
    error: float
    between: float
    within: float

    def estimates(self, groups: Iterable[Nps]) -> list[tuple[float, float]]:
        """Each group's score and its error after shrinkage; all of them have answers. See `shrinkage`."""
        # Of thousands of stores; reading the properties of Nps takes half as long again.
        common, error, between, one = self.mean, self.error, self.between**2, self.within**2
        found = []
        for p, a, d in groups:
            n = p + a + d
            own, noise = 100 * (p - d) / n, one / n
            towards = noise / (noise + between) if noise else 0.0
            rest = 1 - towards
            found.append((towards * common + rest * own, sqrt(rest * noise + (towards * error) ** 2)))
        return found


def shrinkage(groups: Sequence[Nps]) -> Shrinkage | None:
    """How far scores of groups are to be drawn to their mean: the less is known of a group, the further.

    Empirical Bayes for normal means: Efron, B., Morris, C.: Stein's estimation rule and its competitors. Journal of
    the American Statistical Association 68(341), 1973; the error of an estimate with that of the mean in it: Morris,
    C.: Parametric empirical Bayes inference. JASA 78(381), 1983. A group's own variance is the one of an answer within
    all groups, divided by its n, so that a lucky streak does not pass for certainty. The variance between groups by
    moments: DerSimonian, R., Laird, N.: Meta-analysis in clinical trials. Controlled Clinical Trials 7(3), 1986. None
    without two groups that have answers.
    """
    known = [(p + a + d, p - d, p + d) for p, a, d in groups if p + a + d]
    answers = sum(n for n, _, _ in known)
    if len(known) < 2 or answers <= len(known):
        return None
    scores = [(n, 100 * net / n) for n, net, _ in known]
    within = 1e4 * sum(either - net**2 / n for n, net, either in known) / (answers - len(known))
    if within == 0:
        return Shrinkage(sum(score for _, score in scores) / len(known), 0.0, 0.0, 0.0)
    pooled = 100 * sum(net for _, net, _ in known) / answers
    excess = sum(n * (score - pooled) ** 2 for n, score in scores) / within - (len(known) - 1)
    scale = (answers - sum(n**2 for n, _ in scores) / answers) / within
    between = max(0.0, excess / scale)
    weights = [1 / (within / n + between) for n, _ in scores]
    mean = sum(weight * score for weight, (_, score) in zip(weights, scores, strict=True)) / sum(weights)
    return Shrinkage(mean, 1 / sqrt(sum(weights)), sqrt(between), sqrt(within))


def ranked(groups: Sequence[Nps]) -> list[Estimate]:
    """The estimates of groups that have answers, in the order given, with the places they may have.

    A group may have any place that those do not take which are surely better or worse, at 5 % each: Goldstein, H.,
    Spiegelhalter, D. J.: League tables and their limitations. Journal of the Royal Statistical Society A 159(3), 1996.
    """
    common = shrinkage(groups)
    if common is None:
        return [Estimate(nps.score or 0.0, nps.margin / Z) for nps in groups]
    found = common.estimates(groups)
    lows = [score - _PAIRWISE * error for score, error in found]
    highs = [score + _PAIRWISE * error for score, error in found]
    by_low, by_high, total = sorted(lows), sorted(highs), len(found)
    return [
        Estimate(score, error, 1 + total - bisect_right(by_low, high), total - bisect_left(by_high, low))
        for (score, error), low, high in zip(found, lows, highs, strict=True)
    ]
