"""How the heads for topics and urgency are fitted, the same for the same rows: those for topics by ridge logistic
regression on words and embedding, those for urgency by a hidden layer over everything that is known of a text.

Three kinds of rows: comments written for this (examples/*.txt, and those that the model trains on besides), real
comments whose topics are guessed by the word lists (their hits hidden in every other row, so that the embedding must
learn to stand for them) and which are taken as not urgent, and what people of a chain corrected.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .entries import ChainWords
from .heads import _URGENT, HEADS, SIGNS, Evidence, Heads, all_signs, few_signs, find_evidence
from .hidden import Hidden, learn_hidden, mean_of
from .lexicon import split_words
from .topics import TOPICS, find_mentions
from .urgency import URGENCIES

Floats = npt.NDArray[np.float32]
FOLDER = Path(__file__).parent / "examples"
_SIGNS_OF = {"+": "positive", "-": "negative", "0": "neutral"}
_STEPS = 7
# The latter is small, so that half a dozen like corrections are enough.
_RIDGE, _RIDGE_AROUND = 1.0, 0.1
_FAR, _CLOSE = 8, 3e-3
_WEAK, _QUIET = 0.15, 0.6  # weight of a guessed row for topics, and for urgency
_FOLDS, _BLOCK = 3, 10
_AS_GOOD = 0.002  # differences of F1 that are none
_SEEDS = (1, 2, 3)  # hidden layers that are averaged
# A sign of the words is rare, and then says much: so many times what it deviates, and no more.
_RARE, _LOUDEST = 0.02, 6.0
# Of real comments that had no part in the fit, which are hardly ever urgent, so many may be called so, and certainly.
_FALSE_ALARMS, _FALSE_CERTAIN = 0.003, 0.001


@dataclass(frozen=True)
class Example:
    """`topics` maps each topic to its sentiment; `whole` is that of the comment, where these do not tell it."""

    text: str
    language: str
    topics: dict[str, str]
    urgency: frozenset[str]
    whole: str | None = None


def read_examples(folder: Path = FOLDER) -> list[Example]:
    """Our own: lines `!safety quality- | text`, one file a language. Raises ValueError for unknown labels.

    `=0`, `=+` and `=-` tell the sentiment of the whole where its topics do not; a bare `-` says nothing at all.
    """
    return [
        _example(line, path.stem)
        for path in sorted(folder.glob("*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]


def _example(line: str, language: str) -> Example:
    match = re.fullmatch(r"([^|]+?)\s*\|\s(.+)", line)
    if match is None:
        raise ValueError(f"examples/{language}.txt: no labels before the text: {line!r}")
    labels = [label for label in match[1].split() if label != "-"]
    whole = [_SIGNS_OF[label[1:]] for label in labels if label[0] == "=" and label[1:] in _SIGNS_OF]
    urgency = frozenset(label[1:] for label in labels if label.startswith("!"))
    signs = {label[:-1]: label[-1] for label in labels if label[0] not in "!="}
    topics = {topic: _SIGNS_OF[sign] for topic, sign in signs.items() if sign in _SIGNS_OF}
    unknown = len(whole) + len(urgency) + len(topics) < len(labels) or len(whole) > 1
    if unknown or not urgency <= set(URGENCIES) or not set(topics) <= set(TOPICS):
        raise ValueError(f"examples/{language}.txt: unknown label: {line!r}")
    return Example(match[2], language, topics, urgency, whole[0] if whole else None)


@dataclass(frozen=True)
class Rows:
    """Texts as the heads see them. `labels` has a column per head; `weights` too, 0 where a label is not known."""

    traits: Floats
    evidence: list[Evidence]
    labels: Floats
    weights: Floats


def evidence_of(text: str, language: str, chain: ChainWords | None = None) -> Evidence:
    """By our lists; `chain`: as the chain has changed them."""
    words = split_words(text)
    return find_evidence(words, (language,), find_mentions(words, (language,), chain), chain)


def labels_of(topics: Iterable[str], urgency: Iterable[str]) -> Floats:
    """A row of labels, in the order of HEADS."""
    topics, urgency = set(topics), set(urgency)
    said = topics | urgency | ({"urgent"} if urgency else set())
    return np.array([head in said for head in HEADS], np.float32)


def sentiment_of(example: Example) -> str | None:
    """Of the whole comment, where its labels leave no doubt; None for a mixed one."""
    if example.whole:
        return example.whole
    signs = set(example.topics.values()) | ({"negative"} if example.urgency else set())
    return signs.pop() if len(signs) == 1 else None


def rows_of_examples(examples: Sequence[Example], traits: Floats) -> Rows:
    """As they stand: what is in Latin letters and not told is read so, and what is told as any other comment."""
    labels = np.stack([labels_of(example.topics, example.urgency) for example in examples])
    return Rows(
        traits,
        [evidence_of(example.text, example.language) for example in examples],
        labels,
        np.ones_like(labels),
    )


def rows_of_comments(texts: Sequence[tuple[str, str]], traits: Floats) -> Rows:
    """Real comments, (text, language): topics guessed by the lists; urgent ones, by the lists, are left out of that."""
    evidence = [evidence_of(text, language) for text, language in texts]
    labels, weights = np.zeros((2, len(texts), len(HEADS)), np.float32)
    for i, one in enumerate(evidence):
        labels[i, : len(TOPICS)] = one.signs[: len(TOPICS)]
        weights[i, : len(TOPICS)] = _WEAK
        weights[i, len(TOPICS) :] = 0 if one.certain_pattern else _QUIET
    hidden = [_without_topics(one) if i % 2 else one for i, one in enumerate(evidence)]
    return Rows(traits, hidden, labels, weights)


def _without_topics(evidence: Evidence) -> Evidence:
    signs = evidence.signs.copy()
    signs[: len(TOPICS)] = 0
    return replace(evidence, signs=signs)


def fit(
    own: Rows, comments: Rows, unseen: Rows, model_version: str, embedding: int, about: dict[str, Any] | None = None
) -> Heads:
    """Heads from our examples and real comments; the embedding is the first `embedding` traits.

    The threshold of topics comes from blocks of the examples that are held out in turn, those of urgency from `unseen`
    real comments.
    """
    mean = comments.traits.mean(0)
    scale = np.maximum(comments.traits.std(0), 1e-4)
    whole = np.vstack([all_signs(part.traits, part.evidence, mean, scale) for part in (own, comments)])
    labels = np.vstack([own.labels, comments.labels])
    weighing = np.vstack([own.weights, comments.weights])
    x, topics = few_signs(whole, embedding), len(TOPICS)
    weights = np.zeros((len(HEADS), x.shape[1]), np.float32)
    weights[:topics] = _fit_all(x, labels[:, :topics], weighing[:, :topics])
    held = _held_out(x, labels[:, :topics], weighing[:, :topics], len(own.evidence))
    hidden = _fit_hidden(whole, labels, weighing)
    heads = Heads(
        model_version,
        weights,
        mean,
        scale,
        hidden,
        topic_threshold=_best_threshold(held, own.labels[:, :topics] > 0),
        urgent_threshold=0.0,
        certain_threshold=0.0,
        about=about or {},
    )
    urgent = heads.scores(unseen.traits, unseen.evidence)[:, _URGENT]
    found, certain = np.quantile(urgent, [1 - _FALSE_ALARMS, 1 - _FALSE_CERTAIN])
    return replace(heads, urgent_threshold=float(found), certain_threshold=float(certain))


def _held_out(x: Floats, labels: Floats, weighing: Floats, own: int) -> Floats:
    """What heads say of our examples, the first `own` rows, that were fitted on others. Blocks of neighbours are held
    out together, for many an example has its pair beside it."""
    held = np.empty((own, labels.shape[1]), np.float32)
    for fold in range(_FOLDS):
        out = np.arange(own) // _BLOCK % _FOLDS == fold
        kept = np.concatenate([~out, np.arange(len(x) - own) % _FOLDS != fold])
        held[out] = x[:own][out] @ _fit_all(x[kept], labels[kept], weighing[kept]).T
    return held


def _fit_hidden(whole: Floats, labels: Floats, weighing: Floats) -> Hidden:
    """The layer that finds urgency. It learns topics too, as they steady it, and then says nothing of them."""
    louder = np.ones(whole.shape[1], np.float32)
    louder[-SIGNS:] = np.minimum(1 / np.maximum(whole[:, -SIGNS:].std(0), _RARE), _LOUDEST)
    louder[-1] = 0  # the constant
    layer = mean_of([learn_hidden(whole * louder, labels, weighing, seed) for seed in _SEEDS])
    outer, bias = layer.outer.copy(), layer.outer_bias.copy()
    outer[: len(TOPICS)], bias[: len(TOPICS)] = 0, 0
    return Hidden(layer.inner * louder[:, None], layer.inner_bias, outer, bias)


def refit(heads: Heads, rows: Rows, anchor: Rows) -> Heads:
    """Heads moved by rows that people corrected: the weights move, the hidden layer stays. A ridge around the old
    weights and our examples (`anchor`) hold them where nobody said anything."""
    parts = [heads.features(part.traits, part.evidence) for part in (rows, anchor)]
    x, added = (np.vstack(part) for part in zip(*parts, strict=True))
    labels, weights = np.vstack([rows.labels, anchor.labels]), np.vstack([rows.weights, anchor.weights])
    moved = [
        _fit_one(x, labels[:, j], weights[:, j], around=heads.weights[j], added=added[:, j]) for j in range(len(HEADS))
    ]
    return replace(heads, weights=np.stack(moved))


def _fit_all(x: Floats, labels: Floats, weights: Floats) -> Floats:
    return np.stack([_fit_one(x, labels[:, j], weights[:, j]) for j in range(labels.shape[1])])


def _fit_one(x: Floats, y: Floats, weight: Floats, around: Floats | None = None, added: Floats | float = 0.0) -> Floats:
    """Newton's steps for the logistic loss with a ridge around `around`, or around nothing but for the constant.

    `added` is what every row's score has besides.
    """
    known = weight > 0
    added = added[known] if isinstance(added, np.ndarray) else added
    x, y, weight = x[known], y[known], weight[known]
    centre = np.zeros(x.shape[1], np.float32) if around is None else around
    ridge = np.full(x.shape[1], _RIDGE if around is None else _RIDGE_AROUND, np.float32)
    # What is usual is no matter of a few corrections; of many thousand rows it is.
    ridge[-1] = 1e-3 if around is None else 1e3
    theta = centre.copy()
    for _ in range(_STEPS if len(x) else 0):
        p = 1 / (1 + np.exp(-np.clip(x @ theta + added, -30, 30)))
        slope = x.T @ (weight * (p - y)) + ridge * (theta - centre)
        # Far on the wrong side the curve is flat, and a full step would fly past.
        bend = (x * (weight * np.maximum(p * (1 - p), np.abs(p - y) / _FAR))[:, None]).T @ x
        bend[np.diag_indices_from(bend)] += ridge
        step = np.linalg.solve(bend, slope)
        theta = theta - step
        if np.abs(step).max() < _CLOSE:
            break
    return theta


def _best_threshold(scores: Floats, true: npt.NDArray[np.bool_]) -> float:
    """The highest of the thresholds that give the best micro-F1: of two as good, the one that says less."""
    grid = np.arange(-4, 2, 0.25)
    f1 = [2 * int(np.sum((scores >= t) & true)) / max(1, int(np.sum(scores >= t) + np.sum(true))) for t in grid]
    return float(max(t for t, value in zip(grid, f1, strict=True) if value >= max(f1) - _AS_GOOD))
