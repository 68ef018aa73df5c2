"""Weights learnt from corrections: fitted anew on demand and measured. They read nothing before somebody has seen what
they would change in history, and let them go live: see `rereading.py`."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from django.conf import settings

from sentiment import engine
from sentiment.chain import current_words
from sentiment.classifier import FOLDER, Classifier, get_classifier
from sentiment.entries import ChainWords
from sentiment.fitting import Rows, evidence_of, read_examples, refit, rows_of_examples
from sentiment.heads import HEADS, Heads, HeadsMismatch, load_heads, served_heads
from sentiment.lessons import CorrectedRow, corrected_rows
from sentiment.measuring import Share, judge
from sentiment.models import LearntHeads
from sentiment.topic_evaluation import Comment, Figures, read_sets
from sentiment.typed_latin import in_own_letters

log = logging.getLogger(__name__)
# What a person said weighs as much as so many of our examples; what the person saw and let stand, far less.
_SAID, _LET_STAND = 5.0, 0.2
# One in so many corrected comments is never learnt from, but measured by: which, its words decide for good.
_HELD_OUT = 5
# Every third of our examples is enough to hold what nobody spoke of.
_EVERY = 3
_URGENT = HEADS.index("urgent")


class NothingToLearn(Exception):
    """There are no corrections of topics or urgency, or no heads that could learn from them."""


@dataclass(frozen=True)
class Quality:
    """Of the evaluation sets: micro-F1 of the topics, share of the urgent that is found, of the others that is too.

    `agreed`: of what people said about corrected comments that are held out, the share that is found as they said.
    """

    topics: float
    found: float
    false_alarms: float
    agreed: float


def learn(model: str | None = None, *, sets: Sequence[Comment] | None = None) -> LearntHeads:
    """Fit the corrections into the served heads, measure before and after, and store the result for a decision.

    Raises NothingToLearn, and ModelMissing.
    """
    classifier = get_classifier(model)
    served = served_heads(Path(model) if model else FOLDER, classifier.version)
    corrected = [row for row in corrected_rows() if row.said.get("topics") or row.said.get("urgency")]
    rows, held_out = ([row for row in corrected if is_held_out(row.text) == out] for out in (False, True))
    if served is None:
        raise NothingToLearn("no heads fit this model")
    if not rows:
        measured_by = f"the corrected comments, {len(held_out)} so far, are of those to measure by: more are needed"
        raise NothingToLearn(measured_by if held_out else "nobody has corrected a topic or urgency")
    learnt = refit(served, rows_of_corrections(rows, classifier), _examples(classifier))
    comments = read_sets() if sets is None else sets
    before, after = (_measure(comments, held_out, model, heads) for heads in (served, learnt))
    return LearntHeads.objects.create(
        model_version=classifier.version,
        content=learnt.dump(),
        corrections=len(rows),
        held_out=len(held_out),
        judged=sum(len(_verdicts(row)) for row in held_out),
        before=asdict(before),
        after=asdict(after),
        comments=len(comments),
        urgent=sum(bool(comment.urgency) for comment in comments),
    )


def is_held_out(text: str) -> bool:
    """Whether a corrected comment is one of those to measure by."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") % _HELD_OUT == 0


def _verdicts(row: CorrectedRow) -> dict[str, bool]:
    """Which topics and kinds of urgency people said the words are about, and which they are not."""
    said = {**row.said.get("topics", {}), **row.said.get("urgency", {})}
    return {name: bool(value) for name, value in said.items()}


def rows_of_corrections(rows: Sequence[CorrectedRow], classifier: Classifier) -> Rows:
    """Corrections as the heads see them; their texts are read anew, by the chain's own lists."""
    texts = [in_own_letters(row.text, row.language, row.language) for row in rows]
    scores = classifier.score(texts)
    assert scores.traits is not None
    labels, weights = np.zeros((2, len(rows), len(HEADS)), np.float32)
    for i, row in enumerate(rows):
        held = {hit["topic"] for hit in row.held["topics"]} | set(row.held["urgency"])
        said = {*row.said.get("topics", {}), *row.said.get("urgency", {})}
        for j, head in enumerate(HEADS):
            labels[i, j] = bool(row.held["urgency"]) if j == _URGENT else head in held
            weights[i, j] = _SAID if head in said or (j == _URGENT and row.said.get("urgency")) else _LET_STAND
    chain = current_words()
    evidence = [evidence_of(text, row.language, chain) for text, row in zip(texts, rows, strict=True)]
    return Rows(scores.traits, evidence, labels, weights)


def _examples(classifier: Classifier) -> Rows:
    examples = read_examples()[::_EVERY]
    scores = classifier.score([example.text for example in examples])
    assert scores.traits is not None
    return rows_of_examples(examples, scores.traits)


def _measure(comments: Sequence[Comment], held_out: Sequence[CorrectedRow], model: str | None, heads: Heads) -> Quality:
    """The sets by the lists of a release, so that chains compare; the chain's own comments as they are read here."""

    def read(texts: Sequence[str], language: str, *, words: ChainWords | None = None) -> list[engine.Reading]:
        return engine.read(
            texts,
            page_languages=[language] * len(texts),
            chain_languages=settings.VERBATIM_LANGUAGES,
            model=model,
            chain_words=words,
            heads=heads,
        )

    figures = judge(comments, read, Figures)["all"]
    agreed = judge(held_out, partial(read, words=current_words()), Agreed)["all"].agreed.value
    return Quality(figures.topics.value, figures.found.value or 0.0, figures.false_alarms.value or 0.0, agreed or 0.0)


class Agreed:
    """How often a reading says what people said."""

    def __init__(self) -> None:
        self.agreed = Share()

    def count(self, comment: CorrectedRow, reading: engine.Reading) -> None:
        found = {hit.topic for hit in reading.topics} | set(reading.urgency)
        for name, is_about in _verdicts(comment).items():
            self.agreed.count((name in found) == is_about)


@lru_cache(maxsize=2)  # what is live, and what history is read with meanwhile
def learnt_heads(pk: int | None) -> Heads | None:
    """Those of a row of LearntHeads; None for no key, and for such as do not fit this version of the program."""
    if pk is None:
        return None
    row = LearntHeads.objects.get(pk=pk)
    try:
        return replace(load_heads(bytes(row.content), row.model_version), mark=f"+learnt-{pk}")
    except HeadsMismatch as error:
        log.error("learnt heads %s are not used: %s; run learn_topics", pk, error)
        return None
