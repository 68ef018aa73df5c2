"""The whole way, resumable: each costly step leaves its result in the work folder."""

import logging
import random
from pathlib import Path

import numpy as np
import torch

from .finetune import Recipe, embed, fit_regression, run_trunk, save_checkpoint, tune
from .network import Head, Layers, Trunk
from .rows import find_rows, read_rows
from .vocabulary import build_tokenizer, choose_pieces, save_tokenizer
from .wheel import find_wheel_file, read_base

log = logging.getLogger(__name__)


def train(data: Path, work: Path, recipe: Recipe, limit: int | None = None) -> None:
    """Train on `data` (a folder with train and dev); leave a checkpoint, its tokenizer and the branches in `work`.

    `limit` takes only so many rows, for a test of the whole way.
    """
    work.mkdir(parents=True, exist_ok=True)
    base = read_base(find_wheel_file())
    rows = list(read_rows(find_rows(data, "train")))
    random.Random(recipe.seed).shuffle(rows)
    rows = rows[:limit]

    kept = choose_pieces(base, (row.text for row in rows), recipe.vocabulary)
    tokenizer = build_tokenizer(base, kept)
    save_tokenizer(base, tokenizer, work)
    trunk = Trunk(base, kept, recipe.frozen_layers)
    log.info("%d pieces kept", len(kept))

    cached = run_trunk(trunk, tokenizer, [row.text for row in rows], kept.index(base.pad), recipe)
    some = list(range(min(recipe.regression_rows, len(rows))))
    embeddings = embed(Layers(base, recipe.frozen_layers, base.layers).eval(), cached, some, recipe)
    labels = np.array([rows[i].label for i in some])
    weights, bias = fit_regression(embeddings, labels, recipe)
    np.savez(work / "regression.npz", weights=weights, bias=bias, kept=np.array(kept))
    log.info("regression fitted on %d rows", len(some))

    upper, head = tune(base, cached, rows, recipe)
    torch.save({"upper": upper.state_dict(), "head": head.state_dict()}, work / "tuned.pt")
    save_checkpoint(work, base, len(kept), trunk, upper, head, kept.index(base.pad))
    log.info("checkpoint saved in %s", work)


def load_branches(work: Path, recipe: Recipe, kept: list[int]) -> tuple[Trunk, Layers, Layers, Head]:
    """What `train` left: trunk (over the pieces `kept`), tuned upper layers, untouched upper layers, head."""
    base = read_base(find_wheel_file())
    saved = torch.load(work / "tuned.pt", weights_only=True)
    upper = Layers(base, recipe.frozen_layers, base.layers)
    upper.load_state_dict(saved["upper"])
    head = Head(base.hidden, 3)
    head.load_state_dict(saved["head"])
    trunk = Trunk(base, kept, recipe.frozen_layers)
    frozen = Layers(base, recipe.frozen_layers, base.layers)
    return trunk.eval(), upper.eval(), frozen.eval(), head.eval()
