"""What doubts complaints is learnt from everything that the model takes for one: facts and praise among it that were
written for this project (`plain/`), real comments that are none, and complaints of every kind that are.

Complaints without a bad word ("For that price a box would have been nice") are what must not be lost: those written for
irony are among them, though most of these the encoder was tuned on and finds plainer than it will find a shopper's.
"""

import random
from pathlib import Path

import numpy as np

from ..classifier import LABELS, Classifier
from ..doubts import PLAIN, Doubt
from ..fitting import read_examples, sentiment_of
from .doubts import REAL, Group, fit_doubt, those_that_sound
from .irony import UNSEEN, read_remarks
from .rows import find_rows, read_rows
from .written import PLAIN as FOLDER
from .written import read_written

# Real comments of each language: complaints, and of each other label.
COMPLAINTS, OTHERS = 700, 250
_SEED = 1
# Of real complaints that had no part in the fit so many may be called unsure.
_DOUBTED = 0.015


def learn_plain(classifier: Classifier, data: Path, limit: int | None = None) -> Doubt:
    """What doubts this model's complaints, fitted with real comments of `data` (a folder with train) and our own.

    `limit` takes only so many of each of our own, to try the way. Raises ValueError for a model that says nothing to
    read, or that takes no real complaint for one.
    """
    examples = [*read_examples(FOLDER)[:limit], *read_written()[:limit], *read_examples()[:limit]]
    judged = [(example.text, sentiment_of(example)) for example in examples]
    written = [(text, label != "negative") for text, label in judged if label]
    remarks = [(remark.text, not remark.ironic) for remark in [*read_remarks(), *read_remarks(UNSEEN)][:limit]]
    groups = [_group(classifier, written, 1.0), _group(classifier, remarks, REAL)]
    real = _group(classifier, draw_comments(data), REAL)
    learnt = Group(real.traits[::2], real.wrong[::2], REAL)
    held = real.traits[1::2][~real.wrong[1::2]]
    return fit_doubt([*groups, learnt], real.traits, held, classifier.version, doubted=_DOUBTED)


def _group(classifier: Classifier, judged: list[tuple[str, bool]], weight: float) -> Group:
    """Of texts, each with whether it is no complaint, those that sound like one."""
    found = those_that_sound(classifier.score([text for text, _ in judged]), PLAIN)
    return Group(found.traits, np.array([wrong for _, wrong in judged])[found.at], weight)


def draw_comments(data: Path) -> list[tuple[str, bool]]:
    """Real comments of each language and label with whether they are no complaints, drawn with a fixed seed."""
    found: dict[tuple[str, int], list[str]] = {}
    for row in read_rows(find_rows(data, "train")):
        found.setdefault((row.language, row.label), []).append(row.text)
    draw, drawn = random.Random(_SEED), []
    for (_language, label), texts in sorted(found.items()):
        wrong = LABELS[label] != PLAIN.sounds
        drawn += [(text, wrong) for text in draw.sample(texts, min(OTHERS if wrong else COMPLAINTS, len(texts)))]
    return drawn
