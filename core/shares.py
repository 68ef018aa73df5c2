"""How sure a share is."""

from dataclasses import dataclass
from math import sqrt

# The two-sided 95 % point of the normal distribution.
Z = 1.959964


@dataclass(frozen=True)
class Share:
    """`part` of `n`."""

    part: int
    n: int

    @property
    def value(self) -> float | None:
        """The plain share; None of nothing."""
        return self.part / self.n if self.n else None

    @property
    def _adjusted(self) -> tuple[float, float]:
        """Agresti, A., Coull, B. A.: Approximate is better than "exact" for interval estimation of binomial
        proportions. The American Statistician 52(2), 1998: the Wald interval with z²/2 successes and failures added.
        """
        n = self.n + Z**2
        share = (self.part + Z**2 / 2) / n
        return share, Z * sqrt(share * (1 - share) / n)

    @property
    def margin(self) -> float:
        """Half the width of the 95 % interval before it is cut off at 0 and 1."""
        return self._adjusted[1]

    @property
    def low(self) -> float:
        share, margin = self._adjusted
        return max(0.0, share - margin)

    @property
    def high(self) -> float:
        share, margin = self._adjusted
        return min(1.0, share + margin)
