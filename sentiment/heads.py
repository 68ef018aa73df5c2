"""What is learnt about topics and urgency, from all signs in a text.

The signs are hits of the word lists, concepts and their rules, and the model's traits of the text, the embedding first
among them. A head adds up its weights for words and embedding and what a hidden layer makes of everything, and says
yes above its threshold. All is fitted by `fitting.py` and belongs to one version of the model, for the traits of
another mean something else.
"""

import io
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from .concepts import CONCEPTS, RULES, find_concepts
from .hidden import Hidden
from .lexicon import Word
from .topics import TOPICS, Mention
from .urgency import URGENCIES, find_grades

if TYPE_CHECKING:
    from .entries import ChainWords

log = logging.getLogger(__name__)
Floats = npt.NDArray[np.float32]
FILE = "heads.npz"
# How much a deviation of one of each counts beside a hit of a word list: many components, each of little weight.
_EMBEDDING, _CONCEPT = 0.1, 0.5
_FARTHEST = 6  # deviations; one strange trait must not decide
_KIND_OF_RULE = np.array([URGENCIES.index(kind) for kind, _ in RULES])
HEADS = (*TOPICS, "urgent", *URGENCIES)
_URGENT = HEADS.index("urgent")
_HIDDEN = ("inner", "inner_bias", "outer", "outer_bias")
# What numpy and zipfile throw at a file that is empty, torn, or something else altogether.
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, BadZipFile)
# Signs beside the embedding: lists, concepts, rules, kinds of rules, any rule, their number, always one.
SIGNS = len(TOPICS) + 2 * len(URGENCIES) + len(CONCEPTS) + len(RULES) + len(URGENCIES) + 3


@dataclass(frozen=True)
class Evidence:
    """The signs in one text's words, without its embedding."""

    signs: Floats
    kinds: tuple[str, ...]  # of urgency, by pattern or rule, before anybody weighs them
    certain_pattern: bool


def find_evidence(
    words: list[Word], languages: tuple[str, ...], mentions: Sequence[Mention], chain: "ChainWords | None" = None
) -> Evidence:
    """What the words say by lists and rules; `mentions` are the topics that the lists found."""
    signs = np.zeros(SIGNS, np.float32)
    for mention in mentions:
        signs[TOPICS.index(mention.topic)] = 1
    at, grades = len(TOPICS), find_grades(words, languages, chain)
    for kind, grade in grades:
        signs[at + URGENCIES.index(kind) + (0 if grade == "certain" else len(URGENCIES))] = 1
    at += 2 * len(URGENCIES)
    concepts = find_concepts(words, languages)
    for concept in concepts.found:
        signs[at + CONCEPTS.index(concept)] = _CONCEPT
    at += len(CONCEPTS)
    for rule in concepts.rules:
        signs[at + rule] = 1
        signs[at + len(RULES) + _KIND_OF_RULE[rule]] = 1
    signs[-3:] = bool(concepts.rules), min(len(concepts.rules), 4) / 2, 1
    found = {kind for kind, _ in grades} | {RULES[rule][0] for rule in concepts.rules}
    kinds = tuple(kind for kind in URGENCIES if kind in found)
    return Evidence(signs, kinds, any(grade == "certain" for _, grade in grades))


class HeadsMismatch(ValueError):
    """The weights were fitted for another model or for other signs."""


class OtherModel(HeadsMismatch):
    """They were fitted for another model: no release reads with them."""


@dataclass(frozen=True)
class Judged:
    """What the heads say of one text; `certain`: the urgency may open a case by itself; `short_of_urgent`: by how much
    the score misses the threshold, 0 or less where it does not, without end where there are no heads."""

    topics: tuple[str, ...]
    urgency: tuple[str, ...]
    certain: bool
    short_of_urgent: float = inf


@dataclass(frozen=True)
class Heads:
    """`weights` has a row per head and a column per component of the embedding and sign; `mean` and `scale` are of the
    traits; `hidden` reads traits, as deviations, and signs. `mark` stands behind the model's version of what they
    judged: empty for those that the model is served with."""

    model_version: str
    weights: Floats
    mean: Floats
    scale: Floats
    hidden: Hidden
    topic_threshold: float
    urgent_threshold: float
    certain_threshold: float
    about: dict[str, Any] = field(default_factory=dict)
    mark: str = ""

    def features(self, traits: Floats, evidence: Sequence[Evidence]) -> tuple[Floats, Floats]:
        """A row per text of what `weights` weighs, and of what the hidden layer adds to each head."""
        whole = all_signs(traits, evidence, self.mean, self.scale)
        return few_signs(whole, self.weights.shape[1] - SIGNS), self.hidden(whole)

    def scores(self, traits: Floats, evidence: Sequence[Evidence]) -> Floats:
        """A row per text, a column per head."""
        x, added = self.features(traits, evidence)
        return np.asarray(x @ self.weights.T + added, np.float32)

    def judge(self, traits: Floats, evidence: Sequence[Evidence]) -> list[Judged]:
        scores = self.scores(traits, evidence)
        return [self._judge(row, one) for row, one in zip(scores, evidence, strict=True)]

    def _judge(self, row: Floats, evidence: Evidence) -> Judged:
        topics = tuple(topic for j, topic in enumerate(TOPICS) if row[j] >= self.topic_threshold)
        urgent = float(row[_URGENT])
        if urgent < self.urgent_threshold:
            return Judged(topics, (), False, self.urgent_threshold - urgent)
        kinds = row[_URGENT + 1 :]
        likely = {URGENCIES[int(kinds.argmax())]} | {k for k, score in zip(URGENCIES, kinds, strict=True) if score > 0}
        found = set(evidence.kinds) & likely or likely
        certain = evidence.certain_pattern or urgent >= self.certain_threshold
        return Judged(
            topics, tuple(kind for kind in URGENCIES if kind in found), certain, self.urgent_threshold - urgent
        )

    def dump(self) -> bytes:
        """As bytes that `load_heads` reads; the same heads give the same bytes."""
        about = {
            "model_version": self.model_version,
            "topic_threshold": self.topic_threshold,
            "urgent_threshold": self.urgent_threshold,
            "certain_threshold": self.certain_threshold,
            "signs": _signature(),
            "about": self.about,
        }
        out = io.BytesIO()
        np.savez(
            out,
            about=np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8),
            weights=self.weights.astype(np.float16),
            mean=self.mean,
            scale=self.scale,
            **{f"hidden_{part}": getattr(self.hidden, part).astype(np.float16) for part in _HIDDEN},
        )
        return out.getvalue()


def all_signs(traits: Floats, evidence: Sequence[Evidence], mean: Floats, scale: Floats) -> Floats:
    """The traits as deviations from the usual, then the signs of the words."""
    signs = np.stack([one.signs for one in evidence])
    return np.hstack([deviations(traits, mean, scale), signs]).astype(np.float32)


def deviations(traits: Floats, mean: Floats, scale: Floats) -> Floats:
    """How far each trait is from the usual, in the usual deviations; nothing is very far."""
    return np.asarray(np.clip((traits - mean) / scale, -_FARTHEST, _FARTHEST), np.float32)


def few_signs(whole: Floats, embedding: int) -> Floats:
    """Of all_signs the embedding's components, as many as `embedding`, and the signs of the words."""
    return np.hstack([whole[:, :embedding] * np.float32(_EMBEDDING), whole[:, -SIGNS:]])


def _signature() -> list[str]:
    return [*HEADS, *CONCEPTS, *("+".join((kind, *rule)) for kind, rule in RULES)]


def load_heads(content: bytes, model_version: str) -> Heads:
    """Raises HeadsMismatch for weights of another model, of other signs, or that are none."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            weights = arrays["weights"].astype(np.float32)
            mean, scale = arrays["mean"], arrays["scale"]
            hidden = Hidden(*(arrays[f"hidden_{part}"].astype(np.float32) for part in _HIDDEN))
    except UNREADABLE as error:
        raise HeadsMismatch(f"not readable: {error}") from error
    if about["model_version"] != model_version:
        raise OtherModel(f"fitted for {about['model_version']}, not for {model_version}")
    usual = mean.shape == scale.shape == (mean.size,) and hidden.fits(mean.size + SIGNS, len(HEADS))
    weighed = weights.ndim == 2 and len(weights) == len(HEADS) and 0 <= weights.shape[1] - SIGNS <= mean.size
    if about["signs"] != _signature() or not usual or not weighed:
        raise HeadsMismatch("fitted with other concepts, rules or heads")
    thresholds = (about["topic_threshold"], about["urgent_threshold"], about["certain_threshold"])
    return Heads(model_version, weights, mean, scale, hidden, *thresholds, about["about"])


@cache
def served_heads(folder: Path, model_version: str) -> Heads | None:
    """The heads beside a served model. None, with an error in the log, where they do not fit it: the lists then decide
    alone, as they do for a model without embeddings."""
    try:
        return load_heads((folder / FILE).read_bytes(), model_version)
    except (OSError, HeadsMismatch) as error:
        log.error("topics and urgency by word lists alone: heads of %s: %s; run fit_heads", model_version, error)
        return None
