"""How irony is learnt: comments written for this project, each complaint in words of praise beside praise that begins
like it, and real praise, which hardly ever is ironic.

Two thirds of the comments are among those that the encoder is tuned on: there it learns what irony means. A layer of
its own is fitted on all of them; the last third is as new to the encoder as a shopper's words are, and without it the
layer would take irony for plainer than it is. The evaluation sets (`evaluation_sets/irony`) have no part in either.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..classifier import LABELS, Classifier
from ..doubts import IRONY, Doubt, Floats
from ..irony_evaluation import Remark
from .doubts import REAL, Group, fit_doubt, those_that_sound, traits_of
from .rows import Row, find_rows, read_rows
from .written import read_written

# What the encoder is tuned on, and what it never sees.
FOLDER, UNSEEN = Path(__file__).parent / "irony", Path(__file__).parent / "irony_unseen"
EACH = 1_200
_SEED = 1
# Of real praise that had no part in the fit so much may be called unsure.
_DOUBTED = 0.007
# How often the encoder sees each: irony is rare among all that it learns.
_TIMES = 2


def read_remarks(folder: Path = FOLDER) -> list[Remark]:
    """Lines `- text` are meant as complaints, `+ text` as praise; one file a language. Raises ValueError for others."""
    remarks = []
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line[:2] not in ("- ", "+ "):
                raise ValueError(f"{folder.name}/{path.name}: neither complaint nor praise: {line!r}")
            remarks.append(Remark(line[2:], path.stem, line[0] == "-"))
    return remarks


def irony_rows() -> list[Row]:
    """What the encoder is tuned on: a complaint is one, in whatever words."""
    return [
        Row(
            remark.text,
            remark.language,
            LABELS.index("negative" if remark.ironic else "positive"),
            "irony written for Halfhour (each twice)",
            "the project's own",
            (),
        )
        for remark in read_remarks()
        for _time in range(_TIMES)
    ]


def draw_praise(data: Path, each: int) -> list[str]:
    """So many real comments of each language with it that are labelled positive, drawn with a fixed seed."""
    by_language: dict[str, list[str]] = {}
    for row in read_rows(find_rows(data, "train")):
        if row.label == 2:
            by_language.setdefault(row.language, []).append(row.text)
    drawn = [random.Random(_SEED).sample(found, min(each, len(found))) for _, found in sorted(by_language.items())]
    texts = [text for found in drawn for text in found]
    random.Random(_SEED).shuffle(texts)
    return texts


def learn_irony(classifier: Classifier, data: Path, each: int = EACH, limit: int | None = None) -> Doubt:
    """What doubts this model's praise, fitted with up to `each` real comments of a language of `data` (a folder with
    train) that praise.

    `limit` takes only so many of our own, to try the way. Raises ValueError for a model that says nothing to read, or
    that takes no real praise for it.
    """
    remarks = [*read_remarks(), *read_remarks(UNSEEN)][:limit]
    ours = traits_of(classifier.score([remark.text for remark in remarks]))
    real = those_that_sound(classifier.score(draw_praise(data, each)), IRONY).traits
    # Praise that was written for something else: without it, whatever is written rather than real looks like irony.
    written = classifier.score([example.text for example in read_written()[:limit]])
    return fit_irony(remarks, ours, real, classifier.version, plain=those_that_sound(written, IRONY).traits)


def fit_irony(
    remarks: Sequence[Remark], written: Floats, praise: Floats, model_version: str, *, plain: Floats | None = None
) -> Doubt:
    """`written` are the traits of `remarks`, `praise` those of real comments that the model reads as praise: every
    other one is learnt from, and the rest set the threshold. `plain` are those of other written praise."""
    groups = [
        Group(written, np.array([remark.ironic for remark in remarks]), 1.0),
        Group(praise[::2], np.zeros(len(praise[::2]), bool), REAL),
    ]
    if plain is not None:
        groups.append(Group(plain, np.zeros(len(plain), bool), 1.0))
    return fit_doubt(groups, praise, praise[1::2], model_version, doubted=_DOUBTED)
