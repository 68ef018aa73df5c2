"""How the heads for topics and urgency are fitted: ridge logistic regression, the same weights for the same rows.

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

from .heads import _URGENT, HEADS, Evidence, Heads, features, find_evidence
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
_FOLDS = 3
# Of real comments that had no part in the fit, which are hardly ever urgent, so many may be called so, and certainly.
_FALSE_ALARMS, _FALSE_CERTAIN = 0.007, 0.001


@dataclass(frozen=True)
class Example:
    """`topics` maps each topic to its sentiment."""

    text: str
    language: str
    topics: dict[str, str]
    urgency: frozenset[str]


def read_examples(folder: Path = FOLDER) -> list[Example]:
    """Our own: lines `!safety quality- | text`, one file a language. Raises ValueError for unknown labels."""
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
    urgency = frozenset(label[1:] for label in labels if label.startswith("!"))
    topics = {label[:-1]: _SIGNS_OF[label[-1]] for label in labels if not label.startswith("!")}
    if not urgency <= set(URGENCIES) or not set(topics) <= set(TOPICS):
        raise ValueError(f"examples/{language}.txt: unknown label: {line!r}")
    return Example(match[2], language, topics, urgency)


@dataclass(frozen=True)
class Rows:
    """Texts as the heads see them. `labels` has a column per head; `weights` too, 0 where a label is not known."""

    embeddings: npt.NDArray[np.int8]
    evidence: list[Evidence]
    labels: Floats
    weights: Floats
    groups: list[str]  # rows of one group are held out together


def evidence_of(text: str, language: str) -> Evidence:
    words = split_words(text)
    return find_evidence(words, (language,), find_mentions(words, (language,)))


def labels_of(topics: Iterable[str], urgency: Iterable[str]) -> Floats:
    """A row of labels, in the order of HEADS."""
    topics, urgency = set(topics), set(urgency)
    said = topics | urgency | ({"urgent"} if urgency else set())
    return np.array([head in said for head in HEADS], np.float32)


def sentiment_of(example: Example) -> str | None:
    """Of the whole comment, where its labels leave no doubt; None for a mixed one."""
    signs = set(example.topics.values()) | ({"negative"} if example.urgency else set())
    return signs.pop() if len(signs) == 1 else None


def rows_of_examples(examples: Sequence[Example], embeddings: npt.NDArray[np.int8]) -> Rows:
    labels = np.stack([labels_of(example.topics, example.urgency) for example in examples])
    return Rows(
        embeddings,
        [evidence_of(example.text, example.language) for example in examples],
        labels,
        np.ones_like(labels),
        [example.language for example in examples],
    )


def rows_of_comments(texts: Sequence[tuple[str, str]], embeddings: npt.NDArray[np.int8]) -> Rows:
    """Real comments, (text, language): topics guessed by the lists; urgent ones, by the lists, are left out of that."""
    evidence = [evidence_of(text, language) for text, language in texts]
    labels, weights = np.zeros((2, len(texts), len(HEADS)), np.float32)
    for i, one in enumerate(evidence):
        labels[i, : len(TOPICS)] = one.signs[: len(TOPICS)]
        weights[i, : len(TOPICS)] = _WEAK
        weights[i, len(TOPICS) :] = 0 if one.certain_pattern else _QUIET
    hidden = [_without_topics(one) if i % 2 else one for i, one in enumerate(evidence)]
    return Rows(embeddings, hidden, labels, weights, [language for _, language in texts])


def _without_topics(evidence: Evidence) -> Evidence:
    signs = evidence.signs.copy()
    signs[: len(TOPICS)] = 0
    return replace(evidence, signs=signs)


def fit(own: Rows, comments: Rows, model_version: str, about: dict[str, Any] | None = None) -> Heads:
    """Heads from our examples and real comments; the thresholds from those held out: of the examples a few languages at
    a time, of the comments every third."""
    mean = comments.embeddings.astype(np.float32).mean(0)
    scale = np.maximum(comments.embeddings.astype(np.float32).std(0), 1)
    x_own = features(own.embeddings, own.evidence, mean, scale)
    x_more = features(comments.embeddings, comments.evidence, mean, scale)
    x, labels, weighing = (
        np.vstack(parts) for parts in ((x_own, x_more), (own.labels, comments.labels), (own.weights, comments.weights))
    )
    languages = sorted(set(own.groups))
    held = np.empty((len(x), len(HEADS)), np.float32)
    for fold in range(_FOLDS):
        out = np.concatenate(
            [np.isin(own.groups, languages[fold::_FOLDS]), np.arange(len(x_more)) % _FOLDS == fold],
        )
        held[out] = x[out] @ _fit_all(x[~out], labels[~out], weighing[~out]).T
    held_own, held_real = np.split(held, [len(x_own)])
    quiet = held_real[comments.weights[:, _URGENT] > 0, _URGENT]
    return Heads(
        model_version,
        _fit_all(x, labels, weighing),
        mean,
        scale,
        topic_threshold=_best_threshold(held_own[:, : len(TOPICS)], own.labels[:, : len(TOPICS)] > 0),
        urgent_threshold=float(np.quantile(quiet, 1 - _FALSE_ALARMS)),
        certain_threshold=float(np.quantile(quiet, 1 - _FALSE_CERTAIN)),
        about=about or {},
    )


def refit(heads: Heads, rows: Rows, anchor: Rows) -> Heads:
    """Heads moved by rows that people corrected. A ridge around the old weights and our examples (`anchor`) hold them
    where nobody said anything."""
    x = np.vstack([heads.features(part.embeddings, part.evidence) for part in (rows, anchor)])
    labels, weights = np.vstack([rows.labels, anchor.labels]), np.vstack([rows.weights, anchor.weights])
    return replace(heads, weights=_fit_all(x, labels, weights, around=heads.weights))


def _fit_all(x: Floats, labels: Floats, weights: Floats, around: Floats | None = None) -> Floats:
    heads = range(labels.shape[1])
    return np.stack([_fit_one(x, labels[:, j], weights[:, j], None if around is None else around[j]) for j in heads])


def _fit_one(x: Floats, y: Floats, weight: Floats, around: Floats | None) -> Floats:
    """Newton's steps for the logistic loss with a ridge around `around`, or around nothing but for the constant."""
    known = weight > 0
    x, y, weight = x[known], y[known], weight[known]
    centre = np.zeros(x.shape[1], np.float32) if around is None else around
    ridge = np.full(x.shape[1], _RIDGE if around is None else _RIDGE_AROUND, np.float32)
    # What is usual is no matter of a few corrections; of many thousand rows it is.
    ridge[-1] = 1e-3 if around is None else 1e3
    theta = centre.copy()
    for _ in range(_STEPS if len(x) else 0):
        p = 1 / (1 + np.exp(-np.clip(x @ theta, -30, 30)))
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
    """The threshold that gives the best micro-F1."""
    grid = np.arange(-4, 2, 0.25)
    f1 = [2 * int(np.sum((scores >= t) & true)) / max(1, int(np.sum(scores >= t) + np.sum(true))) for t in grid]
    return float(grid[int(np.argmax(f1))])
