"""How good the readings are: figures with their confidence intervals. Plain numpy, so that a worker can run it too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .classifier import LABELS, Calibration, Floats, softmax

Labels = npt.NDArray[np.int64]
_BINS = 15
_NEWTON_STEPS = 30
# So little is doubted of the labels; where they leave a bias open, it can be solved for.
_PRIOR = 1e-4


@dataclass(frozen=True)
class Figure:
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Figures:
    """`binary` judges only rows labelled negative or positive; NaN where there is none."""

    rows: int
    polar_rows: int
    accuracy: Figure
    macro_f1: Figure
    binary: Figure
    calibration_error: Figure


def accuracy(probabilities: Floats, labels: Labels) -> float:
    return float(np.mean(probabilities.argmax(1) == labels)) if len(labels) else float("nan")


def macro_f1(probabilities: Floats, labels: Labels) -> float:
    """The mean over the classes that occur of 2·hits / (said + true)."""
    said, scores = probabilities.argmax(1), []
    for label in range(len(LABELS)):
        if not (labels == label).any():
            continue
        hits = np.sum((said == label) & (labels == label))
        scores.append(2 * hits / (np.sum(said == label) + np.sum(labels == label)))
    return float(np.mean(scores)) if scores else float("nan")


def binary(probabilities: Floats, labels: Labels) -> float:
    """Share of polar rows whose likelier pole is the right one."""
    polar = labels != LABELS.index("neutral")
    if not polar.any():
        return float("nan")
    said = probabilities[polar, 2] > probabilities[polar, 0]
    return float(np.mean(said == (labels[polar] == LABELS.index("positive"))))


def calibration_error(probabilities: Floats, labels: Labels) -> float:
    """Expected calibration error of the top class, 15 equal bins (Guo et al. 2017, arXiv:1706.04599)."""
    if not len(labels):
        return float("nan")
    sure, right = probabilities.max(1), probabilities.argmax(1) == labels
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    return float(
        sum(abs(sure[bins == b].mean() - right[bins == b].mean()) * np.mean(bins == b) for b in np.unique(bins))
    )


def measure(probabilities: Floats, labels: Labels, *, draws: int = 400, seed: int = 1) -> Figures:
    """The four figures with 95 % percentile bootstrap intervals over rows."""
    rng = np.random.default_rng(seed)
    picks = [rng.integers(0, len(labels), len(labels)) for _ in range(draws)]

    def figure(metric: Callable[[Floats, Labels], float]) -> Figure:
        drawn = np.array([metric(probabilities[pick], labels[pick]) for pick in picks])
        drawn = drawn[~np.isnan(drawn)]
        low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (float("nan"), float("nan"))
        return Figure(metric(probabilities, labels), float(low), float(high))

    polar = int(np.sum(labels != LABELS.index("neutral")))
    return Figures(len(labels), polar, *map(figure, (accuracy, macro_f1, binary, calibration_error)))


def measure_by(keys: Sequence[str], probabilities: Floats, labels: Labels) -> Mapping[str, Figures]:
    """The figures of each key (a language, say), in alphabetical order."""
    column = np.array(keys)
    return {key: measure(probabilities[column == key], labels[column == key]) for key in sorted(set(keys))}


def fit_calibration(probabilities: Floats, labels: Labels) -> Calibration:
    """The calibration that makes the labels likeliest: bias-corrected temperature scaling (Alexandari, Kundaje and
    Shrikumar 2020, arXiv:1901.06852), by Newton's method, for that is a convex problem."""
    signs = np.zeros((*probabilities.shape, 3))
    signs[:, :, 0] = np.log(np.maximum(probabilities, 1e-9))
    signs[:, 0, 1] = signs[:, 2, 2] = 1
    weights = unchanged = np.array([1.0, 0.0, 0.0])

    def loss(weights: npt.NDArray[np.float64]) -> float:
        logits = signs @ weights
        logits -= logits.max(1, keepdims=True)
        return -float(np.mean(logits[np.arange(len(labels)), labels] - np.log(np.exp(logits).sum(1))))

    reached = loss(weights)
    for _step in range(_NEWTON_STEPS):
        likely = softmax((signs @ weights).astype(np.float32)).astype(np.float64)
        usual = np.einsum("nc,ncf->nf", likely, signs)
        slope = (signs[np.arange(len(labels)), labels] - usual).mean(0)
        bend = np.einsum("nc,ncf,ncg->fg", likely, signs, signs) / len(labels) - usual.T @ usual / len(labels)
        step = np.linalg.solve(bend + _PRIOR * np.eye(3), slope - _PRIOR * (weights - unchanged))
        # Halved until it makes the labels likelier: a whole step can leap over the best.
        for size in (1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32):
            tried = np.clip(weights + size * step, [1 / 3, -3, -3], 3)
            if (lost := loss(tried)) < reached:
                weights, reached = tried, lost
                break
        else:
            break
    scale, negative, positive = map(float, weights)
    return Calibration(round(1 / scale, 3), (round(negative, 3), 0.0, round(positive, 3)))


def find_threshold(negative: Floats, is_negative: npt.NDArray[np.bool_], *, precision: float) -> float:
    """The lowest probability from which on at least `precision` of the rows above are negative.

    1.0 when no threshold reaches it. At least 30 rows must stand above, or the figure would be luck.
    """
    order = np.argsort(-negative, kind="stable")
    right = np.cumsum(is_negative[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero((right >= precision) & (np.arange(len(order)) >= 29))
    return float(negative[order[enough[-1]]]) if len(enough) else 1.0
