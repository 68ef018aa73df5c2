"""Comments written for this project, in every language of the product, with their topics, how each is judged, urgency.

Real comments come with a sentiment and hardly anything else, and hardly ever is one urgent; none was Polish or Arabic.
Half of the urgent ones have a near miss beside them that uses the same words. They are for what is trained here: the
heads (`fitting.py`) are fitted on other examples besides, and the evaluation sets have no part in either.

`quiet/` has more of them, told without a word of praise or blame ("fourth winter and still dry"): such praise and such
complaints beside each other, and both in one comment with a verdict.

`plain/` has what irony must not be mistaken for: statements of fact without a judgement ("The lounge is next to the
lift"), praise that denies something bad and complaints that deny something good. The encoder never sees it: the layer
that doubts complaints (`plain.py`) is fitted on it.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..fitting import Example, read_examples, sentiment_of
from ..topics import TOPICS
from .rows import LABELS, Row

FOLDER, QUIET, PLAIN = (Path(__file__).parent / name for name in ("written", "quiet", "plain"))
# How often the encoder sees what is told without a word of praise or blame: it is rare among all that it learns.
_QUIET_TIMES = 2


def read_written() -> list[Example]:
    """Every comment of both folders, in the format of fitting.read_examples."""
    return [*read_examples(FOLDER), *read_examples(QUIET)]


def written_rows() -> list[Row]:
    """What the encoder is tuned on: those whose sentiment as a whole leaves no doubt, the quiet ones twice."""
    shown = [*read_examples(FOLDER), *read_examples(QUIET) * _QUIET_TIMES]
    judged = [(example, sentiment_of(example)) for example in shown]
    return [
        Row(example.text, example.language, LABELS.index(label), "written for Halfhour", "the project's own", ())
        for example, label in judged
        if label
    ]


def topic_labels(examples: list[Example]) -> npt.NDArray[np.int64]:
    """Examples × topics: how each is judged, by its place in LABELS; -1 where a comment is not about it."""
    rows = [[LABELS.index(e.topics[topic]) if topic in e.topics else -1 for topic in TOPICS] for e in examples]
    return np.array(rows, np.int64)
