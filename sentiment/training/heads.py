"""How the heads for topics and urgency are learnt for a model: from our own examples and from real comments.

The evaluation sets (`evaluation_sets`) have no part in it.
"""

import random
from pathlib import Path

import numpy as np

from ..classifier import Classifier
from ..fitting import fit, read_examples, rows_of_comments, rows_of_examples
from ..heads import Heads
from .rows import find_rows, read_rows
from .written import read_written

EACH = 500
_SEED = 1


def learn_heads(classifier: Classifier, data: Path, each: int = EACH, limit: int | None = None) -> Heads:
    """Heads for this model, fitted with `each` real comments of a language of `data` (a folder with train).

    `limit` takes only so many of our own, to try the way. Raises ValueError for a model that says nothing to read.
    """
    examples = [*read_examples()[:limit], *read_written()[:limit]]
    fitted, unseen = _draw_comments(data, each)
    texts = [*(example.text for example in examples), *(text for text, _ in [*fitted, *unseen])]
    scores = classifier.score(texts)
    if scores.traits is None or scores.embeddings is None:
        raise ValueError("this model says nothing that heads could read")
    own, taught, held = np.split(scores.traits, [len(examples), len(examples) + len(fitted)])
    return fit(
        rows_of_examples(examples, own),
        rows_of_comments(fitted, taught),
        rows_of_comments(unseen, held),
        classifier.version,
        scores.embeddings.shape[1],
        {"examples": len(examples), "comments": len(fitted), "unseen": len(unseen)},
    )


def _draw_comments(data: Path, each: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """So many comments of each language with it, or a third of them, drawn with a fixed seed, and twice as many others
    that set the thresholds and nothing else."""
    by_language: dict[str, list[str]] = {}
    for row in read_rows(find_rows(data, "train")):
        by_language.setdefault(row.language, []).append(row.text)
    fitted, unseen = [], []
    for language, found in sorted(by_language.items()):
        taken = min(each, len(found) // 3)
        drawn = random.Random(_SEED).sample(found, 3 * taken)
        fitted += [(text, language) for text in drawn[:taken]]
        unseen += [(text, language) for text in drawn[taken:]]
    return fitted, unseen
