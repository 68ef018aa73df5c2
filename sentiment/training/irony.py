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
import numpy.typing as npt

from ..classifier import LABELS, Classifier, Scores
from ..heads import deviations
from ..hidden import Hidden, learn_hidden, mean_of
from ..irony import Floats, Irony, Remark
from .rows import Row, find_rows, read_rows
from .written import read_written

# What the encoder is tuned on, and what it never sees.
FOLDER, UNSEEN = Path(__file__).parent / "irony", Path(__file__).parent / "irony_unseen"
EACH = 1_200
_SEED, _LAYERS = 1, (1, 2, 3)
# Weight of a real comment beside a written one. Less finds as much, but for more real praise that is doubted.
_REAL = 0.3
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


def learn_irony(classifier: Classifier, data: Path, each: int = EACH, limit: int | None = None) -> Irony:
    """What doubts this model's praise, fitted with up to `each` real comments of a language of `data` (a folder with
    train) that praise.

    `limit` takes only so many of our own, to try the way. Raises ValueError for a model that says nothing to read.
    """
    remarks = [*read_remarks(), *read_remarks(UNSEEN)][:limit]
    written = read_written()[:limit]
    ours = classifier.score([remark.text for remark in remarks])
    real = classifier.score(draw_praise(data, each))
    plain = classifier.score([example.text for example in written])
    if ours.traits is None or real.traits is None or plain.traits is None:
        raise ValueError("this model says nothing that irony could be told by")
    praised = real.traits[_praises(real)]
    return fit_irony(remarks, ours.traits, praised, classifier.version, plain=plain.traits[_praises(plain)])


def _praises(scores: Scores) -> npt.NDArray[np.bool_]:
    return np.asarray(scores.probabilities.argmax(1) == LABELS.index("positive"))


def fit_irony(
    remarks: Sequence[Remark], written: Floats, praise: Floats, model_version: str, *, plain: Floats | None = None
) -> Irony:
    """`written` are the traits of `remarks`, `praise` those of real comments that the model reads as praise: every
    other one is learnt from, and the rest set the threshold. `plain` are those of praise that was written for something
    else: without it, whatever is written rather than real looks like irony."""
    mean, scale = praise.mean(0), np.maximum(praise.std(0), 1e-4)
    learnt, held = praise[::2], praise[1::2]
    plain = written[:0] if plain is None else plain
    x = deviations(np.vstack([written, learnt, plain]), mean, scale)
    labels = np.array([[remark.ironic] for remark in remarks] + [[False]] * (len(learnt) + len(plain)), np.float32)
    weights = np.array([[1.0]] * len(remarks) + [[_REAL]] * len(learnt) + [[1.0]] * len(plain), np.float32)
    layer = mean_of([learn_hidden(x, labels, weights, seed) for seed in _LAYERS])
    # As it is stored, so that the threshold is that of what will be served.
    hidden = Hidden(*(part.astype(np.float16).astype(np.float32) for part in _parts(layer)))
    irony = Irony(model_version, mean, scale, hidden, 0.0)
    return Irony(model_version, mean, scale, hidden, float(np.quantile(irony.scores(held), 1 - _DOUBTED)))


def _parts(layer: Hidden) -> tuple[Floats, Floats, Floats, Floats]:
    return layer.inner, layer.inner_bias, layer.outer, layer.outer_bias
