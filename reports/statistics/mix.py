"""What a figure is made of: weighting its parts by purchases, and splitting its change into its causes."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from core.shares import Z
from reports.statistics.nps import NO_ANSWERS, Counts, Floats, Nps, adjusted_of, counts_of

Store = TypeVar("Store", bound=Hashable)
Channel = TypeVar("Channel", bound=Hashable)


@dataclass(frozen=True)
class Weighted:
    """A score in which every group counts by its purchases instead of by its answers.

    `covered` is the share of all purchases that were made in groups with answers; the others cannot be in it.
    """

    score: float
    margin: float
    n: int
    transactions: int
    covered: float

    @property
    def low(self) -> float:
        return max(-100.0, self.score - self.margin)

    @property
    def high(self) -> float:
        return min(100.0, self.score + self.margin)


def weighted_nps(groups: Iterable[tuple[Nps, int]]) -> Weighted | None:
    """The score of groups, each an NPS and its transactions; None where no purchases meet answers.

    Stratified mean with known weights, and its variance as the sum of squared weights times those of the strata:
    Cochran, W. G.: Sampling Techniques, 3rd ed., Wiley 1977, sections 5.2 to 5.4. The spread of a stratum's answers is
    no less than that of the adjusted score of `Nps`, which does not vanish where all of a few answers agree.
    """
    pairs = [(nps, weight) for nps, weight in groups if weight > 0]
    counts, weights = counts_of([nps for nps, _ in pairs]), np.array([weight for _, weight in pairs], np.int64)
    known, meets = int(weights.sum()), counts.any(axis=1)
    counts, weights = counts[meets], weights[meets]
    n, weight_met = counts.sum(axis=1), int(weights.sum())
    if not weight_met:
        return None
    scores = 100 * (counts[:, 0] - counts[:, 2]) / n
    raw = (counts[:, 0] + counts[:, 2]) / n - (scores / 100) ** 2
    spread = np.maximum(raw, adjusted_of(counts.T)[1] * (n + 3))
    variance = float(((weights / weight_met) ** 2 * spread / np.maximum(1, n - 1)).sum())
    # Divided once and at the end: half a point must not turn to the other side.
    score = float((weights * scores).sum()) / weight_met
    return Weighted(score, 100 * Z * sqrt(variance), int(n.sum()), weight_met, weight_met / known)


@dataclass(frozen=True)
class Change:
    """A change of the NPS in points and what it is made of; the three parts add up to `total`.

    `stores`: answers come from other stores than before. `channels`: within the stores they come by other channels.
    `within`: the same channels of the same stores score differently. `margin` is that of `within` at 95 %.
    """

    total: float
    stores: float
    channels: float
    within: float
    margin: float


def split_change(
    now: Mapping[tuple[Store, Channel], Nps], before: Mapping[tuple[Store, Channel], Nps]
) -> Change | None:
    """The change of the sum of all cells from `before` to `now`; None when one of the two has no answers.

    Kitagawa, E. M.: Components of a difference between two rates. Journal of the American Statistical Association
    50(272), 1955: each part is weighed with the mean of both periods, so that nothing is left over; applied first to
    stores, then to the channels of each. What had answers in one period only has no change within: all of it is mix.
    """
    cells = list(dict.fromkeys([*now, *before]))
    new, old = (counts_of([of.get(cell, NO_ANSWERS) for cell in cells]) for of in (now, before))
    if not new.any() or not old.any():
        return None
    numbers: dict[Store, int] = {}
    store = np.array([numbers.setdefault(cell[0], len(numbers)) for cell in cells])
    store_new, store_old = _by_group(new, store), _by_group(old, store)
    new_share, old_share = (of.sum(axis=1) / of.sum() for of in (store_new, store_old))
    new_score, old_score = _scores(store_new, store_old)
    stores = float(((new_share - old_share) * (new_score + old_score) / 2).sum())

    # Within stores that had answers in both.
    both = (new_share > 0) & (old_share > 0)
    weights = np.where(both, (new_share + old_share) / 2, 0.0)[store]
    new_share, old_share = (
        cell.sum(axis=1) / np.maximum(1, of.sum(axis=1))[store] for cell, of in ((new, store_new), (old, store_old))
    )
    new_score, old_score = _scores(new, old)
    channels = float((weights * (new_share - old_share) * (new_score + old_score) / 2).sum())
    weights = np.where(new.any(axis=1) & old.any(axis=1), weights * (new_share + old_share) / 2, 0.0)
    within = float((weights * (new_score - old_score)).sum())
    variance = float((weights**2 * (adjusted_of(new.T)[1] + adjusted_of(old.T)[1])).sum())
    total = _score(new.sum(axis=0)) - _score(old.sum(axis=0))
    return Change(total, stores, channels, within, 100 * Z * sqrt(variance))


def _by_group(counts: Counts, group: npt.NDArray[np.int_]) -> Counts:
    """The sum of the rows of each group, these being numbered from 0 on."""
    return np.stack([np.bincount(group, column) for column in counts.T], axis=1)


def _score(counts: Counts) -> float:
    return 100 * float(counts[0] - counts[2]) / float(counts.sum())


def _scores(new: Counts, old: Counts) -> tuple[Floats, Floats]:
    """The scores of both periods, row by row; of one that has no answers, the other's."""
    (new_n, new_score), (old_n, old_score) = (
        (n := of.sum(axis=1), 100 * (of[:, 0] - of[:, 2]) / np.maximum(1, n)) for of in (new, old)
    )
    return np.where(new_n > 0, new_score, old_score), np.where(old_n > 0, old_score, new_score)


def paired_change(pairs: Sequence[tuple[int, int]]) -> tuple[float, float] | None:
    """How many NPS points the same people give more than before, with the margin; None without anybody.

    Each pair is -1, 0 or 1 (detractor, passive, promoter) before and after. Differences of matched pairs, with one
    change upwards and one downwards added against false certainty: Agresti, A., Min, Y.: Simple improved confidence
    intervals for comparing matched proportions. Statistics in Medicine 24(5), 2005.
    """
    if not pairs:
        return None
    gains = [after - before for before, after in pairs]
    padded = [*gains, 1, -1]
    mean = sum(padded) / len(padded)
    variance = sum((gain - mean) ** 2 for gain in padded) / (len(padded) - 1)
    return 100 * sum(gains) / len(gains), 100 * Z * sqrt(variance / len(gains))
