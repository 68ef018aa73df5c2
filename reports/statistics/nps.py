"""The Net Promoter Score and how sure it is, and what stands among many comparisons.

Scores and margins are in NPS points (-100 to 100); the confidence is 95 % throughout.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from math import erfc, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.shares import Share, Z

Floats = npt.NDArray[np.float64]
# A row of promoters, passives and detractors for each of many groups.
Counts = npt.NDArray[np.float64]
SIGNIFICANT = 0.05
# Closer than this many standard errors two scores differ by chance, however few are compared.
_NEAR = NormalDist().inv_cdf(1 - SIGNIFICANT / 2) - 0.01
# Below this a score says who gave it, so only the number of answers is shown.
MIN_SHOWN = 5
# Below this the margin is so wide that a rank would be noise.
MIN_RANKED = 30


class Nps(NamedTuple):
    """The Net Promoter Score of one group of answers to the 0-to-10 question.

    A tuple, since a ranking makes tens of thousands of them.
    """

    promoters: int
    passives: int
    detractors: int

    @property
    def n(self) -> int:
        promoters, passives, detractors = self
        return promoters + passives + detractors

    @property
    def score(self) -> float | None:
        """The plain score, which anyone can recompute; None without answers.

        Reichheld, F.: The one number you need to grow. Harvard Business Review 81(12), 2003.
        """
        promoters, passives, detractors = self
        n = promoters + passives + detractors
        return 100 * (promoters - detractors) / n if n else None

    @property
    def adjusted(self) -> tuple[float, float]:
        """The adjusted score and its standard error, both as fractions of one.

        Adjusted Wald with three added answers, spread as 3/4, 3/2, 3/4: Rocks, B.: Interval estimation for the "Net
        Promoter Score". The American Statistician 70(4), 2016; found best of three by MeasuringU,
        https://measuringu.com/nps-confidence-intervals/
        """
        score, variance = adjusted_of(self)
        return score, sqrt(variance)

    @property
    def variance(self) -> float:
        """The square of the adjusted standard error."""
        return float(adjusted_of(self)[1])

    @property
    def margin(self) -> float:
        """Half the width of the 95 % interval before it is cut off at ±100."""
        return 100 * Z * self.adjusted[1]

    @property
    def low(self) -> float:
        score, error = self.adjusted
        return max(-100.0, 100 * (score - Z * error))

    @property
    def high(self) -> float:
        score, error = self.adjusted
        return min(100.0, 100 * (score + Z * error))

    def __add__(self, other: "Nps") -> "Nps":  # type: ignore[override]  # (groups are added up, never chained)
        return Nps(self.promoters + other.promoters, self.passives + other.passives, self.detractors + other.detractors)

    def __sub__(self, other: "Nps") -> "Nps":
        return Nps(self.promoters - other.promoters, self.passives - other.passives, self.detractors - other.detractors)


def adjusted_of(nps: Any) -> tuple[Any, Any]:
    """The adjusted score and its variance, of one group's three numbers or of three columns of them."""
    promoters, passives, detractors = nps
    n = promoters + passives + detractors + 3
    p, d = (promoters + 0.75) / n, (detractors + 0.75) / n
    score = p - d
    return score, (p + d - score * score) / n


NO_ANSWERS = Nps(0, 0, 0)


def all_of(groups: Iterable[Nps]) -> Nps:
    """Thousands of groups together."""
    columns = list(zip(*groups, strict=True))
    return Nps(*map(sum, columns)) if columns else NO_ANSWERS


class Difference(NamedTuple):
    """How far `points` apart two groups are, and the chance of at least that if they were alike."""

    points: float
    z: float
    p: float
    # Half the width of the 95 % interval of the difference, in the same points.
    margin: float = 0.0

    @property
    def significant(self) -> bool:
        return self.p < SIGNIFICANT


def counts_of(groups: Sequence[Nps]) -> Counts:
    """Thousands of groups as a table of promoters, passives and detractors."""
    return np.fromiter(chain.from_iterable(groups), float, 3 * len(groups)).reshape(-1, 3)


def moved_groups(now: Sequence[Nps], before: Sequence[Nps]) -> list[bool]:
    """`moved_among` of the `nps_difference` of each two, for thousands."""
    new, old = counts_of(now), counts_of(before)
    told = np.flatnonzero(new.any(axis=1) & old.any(axis=1))
    (s1, v1), (s2, v2) = adjusted_of(new[told].T), adjusted_of(old[told].T)
    distances = np.abs(s1 - s2) / np.sqrt(v1 + v2)
    # Nearer ones cannot stand, and that is all one needs to know of them.
    far = distances > _NEAR
    p_values = np.ones(len(told))
    p_values[far] = [*map(two_sided_p, distances[far].tolist())]
    standing = np.zeros(len(now), bool)
    standing[told] = significant_among(p_values.tolist())
    found: list[bool] = standing.tolist()
    return found


def nps_difference(now: Nps, before: Nps) -> Difference | None:
    """The change from `before` to `now`; None when one of them has no answers.

    Two-sample z test on the adjusted scores and errors: https://measuringu.com/nps-significance-test/
    """
    score, old = now.score, before.score
    if score is None or old is None:
        return None
    (s1, v1), (s2, v2) = adjusted_of(now), adjusted_of(before)
    error = sqrt(v1 + v2)
    z = (s1 - s2) / error
    return Difference(score - old, z, two_sided_p(z), 100 * Z * error)


def share_difference(now: Share, before: Share) -> Difference | None:
    """The change of a share in percentage points; None when one of them is of nothing.

    One success and one failure added to each: Agresti, A., Caffo, B.: Simple and effective confidence intervals for
    proportions and differences of proportions result from adding two successes and two failures. The American
    Statistician 54(4), 2000.
    """
    if now.value is None or before.value is None:
        return None
    n1, n2 = now.n + 2, before.n + 2
    p1, p2 = (now.part + 1) / n1, (before.part + 1) / n2
    error = sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    z = (p1 - p2) / error
    return Difference(points=100 * (now.value - before.value), z=z, p=two_sided_p(z), margin=100 * Z * error)


def two_sided_p(z: float) -> float:
    """The probability of a standard normal value at least as far from zero as `z`."""
    return erfc(abs(z) / sqrt(2))


def significant_among(p_values: Sequence[float], *, rate: float = SIGNIFICANT) -> list[bool]:
    """Which of many comparisons stand, if at most `rate` of those that stand may be chance.

    Step-up procedure: Benjamini, Y., Hochberg, Y.: Controlling the false discovery rate. Journal of the Royal
    Statistical Society B 57(1), 1995.
    """
    ranked = sorted(p for p in p_values if p <= rate)
    passing = [p for rank, p in enumerate(ranked, start=1) if p <= rate * rank / len(p_values)]
    limit = passing[-1] if passing else -1.0
    return [p <= limit for p in p_values]


def moved_among(changes: Sequence[Difference | None]) -> list[bool]:
    """The same for changes of which some cannot be told; those never stand."""
    standing = iter(significant_among([change.p for change in changes if change]))
    return [bool(change) and next(standing) for change in changes]
