"""Ranking many groups of answers without mistaking luck for merit."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np

from core.shares import Z
from reports.statistics.nps import Counts, Floats, Nps, counts_of

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

    def estimates(self, counts: Counts) -> tuple[Floats, Floats]:
        """Each group's score and its error after shrinkage; all of them have answers. See `shrinkage`."""
        n = counts.sum(axis=1)
        own, noise = 100 * (counts[:, 0] - counts[:, 2]) / n, self.within**2 / n
        towards = noise / (noise + self.between**2) if self.within else np.zeros(len(n))
        error = np.sqrt((1 - towards) * noise + (towards * self.error) ** 2)
        return towards * self.mean + (1 - towards) * own, error


def shrinkage(groups: Sequence[Nps]) -> Shrinkage | None:
    """How far scores of groups are to be drawn to their mean: the less is known of a group, the further.

    Empirical Bayes for normal means: Efron, B., Morris, C.: Stein's estimation rule and its competitors. Journal of
    the American Statistical Association 68(341), 1973; the error of an estimate with that of the mean in it: Morris,
    C.: Parametric empirical Bayes inference. JASA 78(381), 1983. A group's own variance is the one of an answer within
    all groups, divided by its n, so that a lucky streak does not pass for certainty. The variance between groups by
    moments: DerSimonian, R., Laird, N.: Meta-analysis in clinical trials. Controlled Clinical Trials 7(3), 1986. None
    without two groups that have answers.
    """
    counts = counts_of(groups)
    counts = counts[counts.any(axis=1)]
    n, net, either = counts.sum(axis=1), counts[:, 0] - counts[:, 2], counts[:, 0] + counts[:, 2]
    number, answers = len(n), float(n.sum())
    if number < 2 or answers <= number:
        return None
    scores = 100 * net / n
    within = 1e4 * float((either - net**2 / n).sum()) / (answers - number)
    if within == 0:
        return Shrinkage(float(scores.mean()), 0.0, 0.0, 0.0)
    pooled = 100 * float(net.sum()) / answers
    excess = float((n * (scores - pooled) ** 2).sum()) / within - (number - 1)
    scale = (answers - float((n**2).sum()) / answers) / within
    between = max(0.0, excess / scale)
    weights = 1 / (within / n + between)
    whole = float(weights.sum())
    return Shrinkage(float((weights * scores).sum()) / whole, 1 / sqrt(whole), sqrt(between), sqrt(within))


def ranked(groups: Sequence[Nps]) -> list[Estimate]:
    """The estimates of groups that have answers, in the order given, with the places they may have.

    A group may have any place that those do not take which are surely better or worse, at 5 % each: Goldstein, H.,
    Spiegelhalter, D. J.: League tables and their limitations. Journal of the Royal Statistical Society A 159(3), 1996.
    """
    common = shrinkage(groups)
    if common is None:
        return [Estimate(nps.score or 0.0, nps.margin / Z) for nps in groups]
    scores, errors = common.estimates(counts_of(groups))
    lows, highs = scores - _PAIRWISE * errors, scores + _PAIRWISE * errors
    first = 1 + len(groups) - np.searchsorted(np.sort(lows), highs, side="right")
    last = len(groups) - np.searchsorted(np.sort(highs), lows, side="left")
    return [*map(Estimate._make, zip(*(of.tolist() for of in (scores, errors, first, last)), strict=True))]
