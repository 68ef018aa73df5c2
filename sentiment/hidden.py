"""A hidden layer for the heads: what no sum of single signs can say, such as "a fall, and not of prices".

Small enough to be learnt in a minute by numpy alone, and to cost a text a few hundredths of a millisecond.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_WIDTH, _PASSES, _BATCH = 192, 12, 128
_RATE, _WARMUP, _DECAY = 1e-3, 60, 0.1
_DROPPED_IN, _DROPPED = 0.2, 0.4
_FIRST_BIAS = -2.0  # hardly anything is said at first


@dataclass(frozen=True)
class Hidden:
    """Rectified units over standardised values, and what each says for each head: `outer` is heads × units."""

    inner: Floats
    inner_bias: Floats
    outer: Floats
    outer_bias: Floats

    def fits(self, inputs: int, heads: int) -> bool:
        """Whether it reads so many values and speaks for so many heads."""
        units = self.inner_bias.size
        shapes = (self.inner.shape, self.inner_bias.shape, self.outer.shape, self.outer_bias.shape)
        return shapes == ((inputs, units), (units,), (heads, units), (heads,))

    def __call__(self, x: Floats) -> Floats:
        """A score per row and head."""
        units = np.maximum(x @ self.inner + self.inner_bias, 0)
        return np.asarray(units @ self.outer.T + self.outer_bias, np.float32)


def mean_of(layers: list[Hidden]) -> Hidden:
    """One layer that says what several say on average."""
    return Hidden(
        np.hstack([layer.inner for layer in layers]),
        np.concatenate([layer.inner_bias for layer in layers]),
        np.asarray(np.hstack([layer.outer for layer in layers]) / len(layers), np.float32),
        np.asarray(np.mean([layer.outer_bias for layer in layers], axis=0), np.float32),
    )


def learn_hidden(x: Floats, labels: Floats, weights: Floats, seed: int) -> Hidden:
    """Adam with decoupled decay (Loshchilov and Hutter, arXiv:1711.05101) on the logistic loss, with dropout; the same
    layer for the same rows and seed. `labels` and `weights` are rows × heads."""
    draw = np.random.default_rng(seed)
    heads, width = labels.shape[1], x.shape[1]

    def uniform(rows: int, columns: int) -> Floats:
        return draw.uniform(-1, 1, (rows, columns)).astype(np.float32) / np.float32(np.sqrt(rows))

    learnt = [uniform(width, _WIDTH), np.zeros(_WIDTH, np.float32), uniform(_WIDTH, heads), np.full(heads, _FIRST_BIAS)]
    learnt[3] = learnt[3].astype(np.float32)
    moments = [(np.zeros_like(part), np.zeros_like(part)) for part in learnt]
    total, step = _PASSES * -(-len(x) // _BATCH), 0
    for _ in range(_PASSES):
        for rows in np.array_split(draw.permutation(len(x)), -(-len(x) // _BATCH)):
            step += 1
            rate = _RATE * min(1.0, step / _WARMUP) * max(0.02, 1 - step / total)
            slopes = _slopes(x[rows], labels[rows], weights[rows], learnt, draw)
            _move(learnt, slopes, moments, rate, step)
    inner, inner_bias, outer, outer_bias = learnt
    return Hidden(inner, inner_bias, np.ascontiguousarray(outer.T), outer_bias)


def _slopes(x: Floats, y: Floats, weight: Floats, learnt: list[Floats], draw: np.random.Generator) -> list[Floats]:
    inner, inner_bias, outer, outer_bias = learnt
    x = x * _kept(x.shape, _DROPPED_IN, draw)
    before = x @ inner + inner_bias
    mask = _kept(before.shape, _DROPPED, draw) * (before > 0)
    units = before * mask
    p = 1 / (1 + np.exp(-np.clip(units @ outer + outer_bias, -30, 30)))
    wrong = (weight * (p - y) / len(x)).astype(np.float32)
    back = (wrong @ outer.T) * mask
    return [x.T @ back, back.sum(0), units.T @ wrong, wrong.sum(0)]


def _kept(shape: tuple[int, ...], dropped: float, draw: np.random.Generator) -> Floats:
    return (draw.random(shape, np.float32) >= dropped).astype(np.float32) / np.float32(1 - dropped)


def _move(
    learnt: list[Floats], slopes: list[Floats], moments: list[tuple[Floats, Floats]], rate: float, step: int
) -> None:
    for part, slope, (first, second) in zip(learnt, slopes, moments, strict=True):
        first += 0.1 * (slope - first)
        second += 0.001 * (slope * slope - second)
        scaled = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        part -= np.float32(rate) * (scaled + (_DECAY * part if part.ndim > 1 else 0)).astype(np.float32)
