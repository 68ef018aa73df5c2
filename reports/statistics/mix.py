"""What a figure is made of: weighting its parts by purchases, and splitting its change into its causes."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TypeVar

import numpy as np

from core.shares import Z
from reports.statistics.nps import NO_ANSWERS, Nps, adjusted_of, all_of, counts_of

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
    known = [(nps, weight) for nps, weight in groups if weight > 0]
    meets = [(nps, weight) for nps, weight in known if nps.n]
    weight_met = sum(weight for _, weight in meets)
    if not weight_met:
        return None
    counts = counts_of([nps for nps, _ in meets])
    n, weights = counts.sum(axis=1), np.array([weight for _, weight in meets], float)
    scores = 100 * (counts[:, 0] - counts[:, 2]) / n
    raw = (counts[:, 0] + counts[:, 2]) / n - (scores / 100) ** 2
    spread = np.maximum(raw, adjusted_of(counts.T)[1] * (n + 3))
    variance = float(((weights / weight_met) ** 2 * spread / np.maximum(1, n - 1)).sum())
    # Divided once and at the end: half a point must not turn to the other side.
    score = float((weights * scores).sum()) / weight_met
    covered = weight_met / sum(weight for _, weight in known)
    return Weighted(score, 100 * Z * sqrt(variance), int(n.sum()), weight_met, covered)


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
    totals = all_of(now.values()), all_of(before.values())
    if not totals[0].n or not totals[1].n:
        return None
    by_store: dict[Store, list[tuple[Nps, Nps]]] = defaultdict(list)
    for cell in dict.fromkeys([*now, *before]):
        by_store[cell[0]].append((now.get(cell, NO_ANSWERS), before.get(cell, NO_ANSWERS)))
    stores, within, variance = _of_one_channel([cells[0] for cells in by_store.values() if len(cells) == 1], totals)
    channels = 0.0
    for cells in by_store.values():
        if len(cells) == 1:
            continue
        new, old = (all_of(ones) for ones in zip(*cells, strict=True))
        new_share, old_share = new.n / totals[0].n, old.n / totals[1].n
        new_score, old_score = _both(new, old)
        stores += (new_share - old_share) * (new_score + old_score) / 2
        if not new.n or not old.n:
            continue
        store_share = (new_share + old_share) / 2
        for one, other in cells:
            cell_new, cell_old = one.n / new.n, other.n / old.n
            new_score, old_score = _both(one, other)
            channels += store_share * (cell_new - cell_old) * (new_score + old_score) / 2
            if one.n and other.n:
                weight = store_share * (cell_new + cell_old) / 2
                within += weight * (new_score - old_score)
                variance += weight**2 * (one.variance + other.variance)
    total = (totals[0].score or 0.0) - (totals[1].score or 0.0)
    return Change(total, stores, channels, within, 100 * Z * sqrt(variance))


def _of_one_channel(pairs: Sequence[tuple[Nps, Nps]], totals: tuple[Nps, Nps]) -> tuple[float, float, float]:
    """What stores with a single channel add to the parts `stores` and `within` and to the variance of that: of a chain
    they are thousands."""
    if not pairs:
        return 0.0, 0.0, 0.0
    new, old = (counts_of(groups) for groups in zip(*pairs, strict=True))
    new_n, old_n = new.sum(axis=1), old.sum(axis=1)
    new_share, old_share = new_n / totals[0].n, old_n / totals[1].n
    new_score = 100 * (new[:, 0] - new[:, 2]) / np.maximum(1, new_n)
    old_score = 100 * (old[:, 0] - old[:, 2]) / np.maximum(1, old_n)
    # See `_both`.
    new_score, old_score = np.where(new_n, new_score, old_score), np.where(old_n, old_score, new_score)
    stores = float(((new_share - old_share) * (new_score + old_score) / 2).sum())
    weights = np.where((new_n > 0) & (old_n > 0), (new_share + old_share) / 2, 0.0)
    variances = adjusted_of(new.T)[1] + adjusted_of(old.T)[1]
    return stores, float((weights * (new_score - old_score)).sum()), float((weights**2 * variances).sum())


def _both(new: Nps, old: Nps) -> tuple[float, float]:
    """The scores of both; of what one has no answers to, the other's."""
    new_score, old_score = new.score, old.score
    if new_score is None:
        return old_score or 0.0, old_score or 0.0
    return new_score, new_score if old_score is None else old_score


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
