"""How sure a figure is, and which figures may be shown. Each formula names its source.

Scores and margins are in NPS points (-100 to 100); shares are 0 to 1; the confidence is 95 % throughout.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import TypeVar

from core.shares import Share as Share
from core.shares import Z as Z

SIGNIFICANT = 0.05
# Below this a score says who gave it, so only the number of answers is shown.
MIN_SHOWN = 5
# Below this the margin is so wide that a rank would be noise.
MIN_RANKED = 30

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Nps:
    """The Net Promoter Score of one group of answers to the 0-to-10 question."""

    promoters: int
    passives: int
    detractors: int

    @property
    def n(self) -> int:
        return self.promoters + self.passives + self.detractors

    @property
    def score(self) -> float | None:
        """The plain score, which anyone can recompute; None without answers.

        Reichheld, F.: The one number you need to grow. Harvard Business Review 81(12), 2003.
        """
        return 100 * (self.promoters - self.detractors) / self.n if self.n else None

    @property
    def _adjusted(self) -> tuple[float, float]:
        """The adjusted score and its standard error, both as fractions of one.

        Adjusted Wald with three added answers, spread as 3/4, 3/2, 3/4: Rocks, B.: Interval estimation for the "Net
        Promoter Score". The American Statistician 70(4), 2016; found best of three by MeasuringU,
        https://measuringu.com/nps-confidence-intervals/
        """
        n = self.n + 3
        p, d = (self.promoters + 0.75) / n, (self.detractors + 0.75) / n
        score = p - d
        return score, sqrt((p + d - score**2) / n)

    @property
    def margin(self) -> float:
        """Half the width of the 95 % interval before it is cut off at ±100."""
        return 100 * Z * self._adjusted[1]

    @property
    def low(self) -> float:
        score, error = self._adjusted
        return max(-100.0, 100 * (score - Z * error))

    @property
    def high(self) -> float:
        score, error = self._adjusted
        return min(100.0, 100 * (score + Z * error))

    def __add__(self, other: "Nps") -> "Nps":
        return Nps(self.promoters + other.promoters, self.passives + other.passives, self.detractors + other.detractors)


@dataclass(frozen=True)
class Difference:
    """How far `points` apart two groups are, and the chance of at least that if they were alike."""

    points: float
    z: float
    p: float

    @property
    def significant(self) -> bool:
        return self.p < SIGNIFICANT


def nps_difference(now: Nps, before: Nps) -> Difference | None:
    """The change from `before` to `now`; None when one of them has no answers.

    Two-sample z test on the adjusted scores and errors: https://measuringu.com/nps-significance-test/
    """
    if now.score is None or before.score is None:
        return None
    (s1, e1), (s2, e2) = now._adjusted, before._adjusted
    z = (s1 - s2) / sqrt(e1**2 + e2**2)
    return Difference(points=now.score - before.score, z=z, p=two_sided_p(z))


def two_sided_p(z: float) -> float:
    """The probability of a standard normal value at least as far from zero as `z`."""
    return erfc(abs(z) / sqrt(2))


def significant_among(p_values: Sequence[float], *, rate: float = SIGNIFICANT) -> list[bool]:
    """Which of many comparisons stand, if at most `rate` of those that stand may be chance.

    Step-up procedure: Benjamini, Y., Hochberg, Y.: Controlling the false discovery rate. Journal of the Royal
    Statistical Society B 57(1), 1995.
    """
    ranked = sorted(p_values)
    passing = [p for rank, p in enumerate(ranked, start=1) if p <= rate * rank / len(ranked)]
    limit = passing[-1] if passing else -1.0
    return [p <= limit for p in p_values]


def gives_away(sizes: Iterable[int]) -> bool:
    """Whether the sum of such groups, beside those of them that are large enough, tells about those that are not."""
    small = [n for n in sizes if 0 < n < MIN_SHOWN]
    return bool(small) and (len(small) < 2 or sum(small) < MIN_SHOWN)


def hidden_among(sizes: Mapping[Key, int], also: Collection[Key] = ()) -> set[Key]:
    """Which groups' figures must not be shown where all of `sizes` stand beside their total.

    Groups below MIN_SHOWN and those of `also` are hidden, and of the others the smallest too, until what total minus
    the shown ones gives away is about at least two groups and MIN_SHOWN answers. Complementary suppression:
    Willenborg, L., de Waal, T.: Elements of Statistical Disclosure Control, Springer 2001, chapter 6. Groups without
    answers hide nothing.
    """
    filled = sorted((n, position, key) for position, (key, n) in enumerate(sizes.items()) if n)
    hidden = [(n, key) for n, _, key in filled if n < MIN_SHOWN or key in also]
    shown = [(n, key) for n, _, key in filled if n >= MIN_SHOWN and key not in also]
    while hidden and shown and (len(hidden) < 2 or sum(n for n, _ in hidden) < MIN_SHOWN):
        hidden.append(shown.pop(0))
    return {key for _, key in hidden}
