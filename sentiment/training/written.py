"""Comments written for this project, in every language of the product, with their topics, how each is judged, urgency.

Real comments come with a sentiment and hardly anything else, and hardly ever is one urgent; none was Polish or Arabic.
Half of the urgent ones have a near miss beside them that uses the same words. They are for what is trained here: the
heads (`fitting.py`) are fitted on other examples besides, and the evaluation sets have no part in either.

`plain/` has what irony must not be mistaken for: statements of fact without a judgement ("The lounge is next to the
lift"), praise that denies something bad and complaints that deny something good. `Recipe.plain_times` says how much of
it is learnt.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..fitting import Example, read_examples, sentiment_of
from ..topics import TOPICS
from .rows import LABELS, Row

FOLDER, PLAIN = Path(__file__).parent / "written", Path(__file__).parent / "plain"


def read_written() -> list[Example]:
    """Every comment of the folder, in the format of fitting.read_examples."""
    return read_examples(FOLDER)


def written_rows(plain_times: int = 0) -> list[Row]:
    """Those whose sentiment as a whole leaves no doubt, and so many times the plain ones."""
    shown = [*read_written(), *read_examples(PLAIN) * plain_times]
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
