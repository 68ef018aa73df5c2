"""From comments to a checkpoint: vocabulary, the frozen trunk's states, what reads them, and the tuned branch."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from ..fitting import Example
from .finetune import (
    Cached,
    Recipe,
    embed,
    fit_judge,
    fit_likeness,
    fit_regression,
    run_layers,
    run_trunk,
    save_checkpoint,
    tune,
)
from .irony import irony_rows
from .network import Head, Layers, Trunk
from .rows import Row, find_balanced, shuffle_rows
from .vocabulary import WORDS, build_tokenizer, choose_pieces, common_words, save_tokenizer
from .wheel import Base, Floats, find_wheel_file, read_base
from .written import read_written, topic_labels, written_rows

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Branches:
    """What `train` leaves: everything the served graph is built from."""

    base: Base
    kept: list[int]
    trunk: Trunk
    tuned: Layers
    side: Layers  # untouched; what the regression and the embedding read
    head: Head
    regression: tuple[Floats, Floats]
    likeness: tuple[Floats, Floats]
    judge: dict[str, Floats]  # TopicJudge.plain


def training_rows(data: Path, recipe: Recipe) -> list[Row]:
    """Those of a folder and our own, in the order in which they are shown."""
    return shuffle_rows(data, recipe.seed, [*written_rows(), *irony_rows()])


def train(data: Path, work: Path, recipe: Recipe, limit: int | None = None) -> None:
    """Train on `data` (a folder with train); leave a checkpoint, its tokenizer and the fitted parts in `work`.

    `limit` takes only so many rows (and common words a language), for a test of the whole way.
    """
    work.mkdir(parents=True, exist_ok=True)
    base = read_base(find_wheel_file())
    rows = training_rows(data, recipe)[:limit]
    balanced = find_balanced(rows, recipe.most_of_a_kind)

    words = common_words(WORDS if limit is None else dict.fromkeys(WORDS, limit))
    kept = choose_pieces(base, (rows[i].text for i in balanced), words)
    tokenizer = build_tokenizer(base, kept)
    save_tokenizer(base, tokenizer, work)
    trunk = Trunk(base, kept, recipe.frozen_layers)
    log.info("%d pieces kept", len(kept))

    cached = run_trunk(trunk, tokenizer, [row.text for row in rows], kept.index(base.pad), recipe)
    _fit_readers(base, kept, cached, rows, balanced, work, recipe)
    fit_topics(base, trunk, tokenizer, kept.index(base.pad), read_written()[:limit], work, recipe)
    tuned, head = tune(base, cached, rows, recipe)
    torch.save({"tuned": tuned.state_dict(), "head": head.state_dict()}, work / "tuned.pt")
    save_checkpoint(work, base, len(kept), trunk, tuned, head, kept.index(base.pad))
    log.info("checkpoint saved in %s", work)


def _fit_readers(
    base: Base, kept: list[int], cached: Cached, rows: list[Row], balanced: list[int], work: Path, recipe: Recipe
) -> None:
    """Fit what reads untouched layers: the regression and the embedding."""
    pooled = embed(Layers(base, recipe.frozen_layers, recipe.read_layers).eval(), cached, balanced, recipe)
    weights, bias = fit_regression(pooled, np.array([rows[i].label for i in balanced]), recipe)
    few = balanced[: recipe.likeness_rows]
    whole = embed(Layers(base, recipe.frozen_layers, base.layers).eval(), cached, few, recipe)
    like, like_bias = fit_likeness(pooled[: len(few)], whole)
    np.savez(
        work / "readers.npz", kept=np.array(kept), weights=weights, bias=bias, likeness=like, likeness_bias=like_bias
    )
    log.info("regression fitted on %d rows, embedding on %d", len(balanced), len(few))


def fit_topics(
    base: Base, trunk: Trunk, tokenizer: Tokenizer, pad: int, written: list[Example], work: Path, recipe: Recipe
) -> None:
    """Fit what tells how topics are judged: it reads the same untouched layers as the regression, token by token."""
    texts = [" ".join(example.text.split()) for example in written]
    cached = run_trunk(trunk, tokenizer, texts, pad, recipe)
    cached = run_layers(Layers(base, recipe.frozen_layers, recipe.read_layers).eval(), cached, recipe)
    judge = fit_judge(cached, topic_labels(written), recipe)
    np.savez(work / "judge.npz", **judge.plain())  # type: ignore[arg-type]  # numpy's stub takes names for its options
    log.info("judgement of topics fitted on %d comments", len(written))


def load_branches(work: Path, recipe: Recipe) -> Branches:
    """What `train` left in `work`."""
    base = read_base(find_wheel_file())
    saved = torch.load(work / "tuned.pt", weights_only=True)
    tuned = Layers(base, recipe.frozen_layers, recipe.layers)
    tuned.load_state_dict(saved["tuned"])
    head = Head(base.hidden, 3)
    head.load_state_dict(saved["head"])
    readers = np.load(work / "readers.npz")
    kept = readers["kept"].tolist()
    return Branches(
        base,
        kept,
        Trunk(base, kept, recipe.frozen_layers).eval(),
        tuned.eval(),
        Layers(base, recipe.frozen_layers, recipe.read_layers).eval(),
        head.eval(),
        (readers["weights"], readers["bias"]),
        (readers["likeness"], readers["likeness_bias"]),
        dict(np.load(work / "judge.npz")),
    )
