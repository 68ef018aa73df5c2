"""How a layer that doubts is fitted: on comments written for this project and real ones that all sound alike to the
model, some of which are not meant so (see `irony.py` and `plain.py`). The evaluation sets have no part in it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..classifier import LABELS, Scores
from ..doubts import Doubt, Floats, Kind
from ..heads import deviations
from ..hidden import Hidden, learn_hidden, mean_of

# Weight of a real comment beside a written one. Less finds as much, but for more real ones that are doubted.
REAL = 0.3
_LAYERS = (1, 2, 3)
Bools = npt.NDArray[np.bool_]


class Group(NamedTuple):
    """Traits of comments, which of them are not meant as they sound, and how much each counts."""

    traits: Floats
    wrong: Bools
    weight: float


class SoundsSo(NamedTuple):
    """Of many texts those that the model takes for a kind's `sounds`: their traits and places."""

    traits: Floats
    at: Bools


def traits_of(scores: Scores) -> Floats:
    """Raises ValueError for a model that says nothing to doubt by."""
    if scores.traits is None:
        raise ValueError("this model says nothing that a doubt could be told by")
    return scores.traits


def those_that_sound(scores: Scores, kind: Kind) -> SoundsSo:
    """Raises ValueError as `traits_of`."""
    at = np.asarray(scores.probabilities.argmax(1) == LABELS.index(kind.sounds))
    return SoundsSo(traits_of(scores)[at], at)


def fit_doubt(groups: Sequence[Group], usual: Floats, held: Floats, model_version: str, *, doubted: float) -> Doubt:
    """`usual` are the traits of real comments that sound so, by which all others are measured; `held` those of real
    ones that are meant so and are in no group: the share `doubted` of them will be. Raises ValueError without any."""
    if not len(held):
        raise ValueError("no real comment sounds so: nothing tells how many are doubted")
    mean, scale = usual.mean(0), np.maximum(usual.std(0), 1e-4)
    x = deviations(np.vstack([group.traits for group in groups]), mean, scale)
    labels = np.concatenate([group.wrong for group in groups]).astype(np.float32)[:, None]
    weights = np.concatenate([np.full(len(group.wrong), group.weight) for group in groups]).astype(np.float32)[:, None]
    layer = mean_of([learn_hidden(x, labels, weights, seed) for seed in _LAYERS])
    # As it is stored, so that the threshold is that of what will be served.
    hidden = Hidden(*(part.astype(np.float16).astype(np.float32) for part in _parts(layer)))
    scores = Doubt(model_version, mean, scale, hidden, 0.0).scores(held)
    return Doubt(model_version, mean, scale, hidden, float(np.quantile(scores, 1 - doubted)))


def _parts(layer: Hidden) -> tuple[Floats, Floats, Floats, Floats]:
    return layer.inner, layer.inner_bias, layer.outer, layer.outer_bias
