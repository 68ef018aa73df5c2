"""From the branches to the served folder: quantise, calibrate on dev, fit what stands beside the graph, write the card
and the checksums."""

import hashlib
import json
import logging
import random
from pathlib import Path

import numpy as np

from ..classifier import Floats, ModelConfig, ServedClassifier
from ..doubts import IRONY, PLAIN
from ..evaluation import (
    Figures,
    Labels,
    calibration_error,
    find_threshold,
    fit_calibration,
    macro_f1,
    measure_by,
)
from ..heads import FILE as HEADS
from .card import write_card
from .doubts import those_that_sound
from .export import build_graph
from .finetune import Recipe
from .heads import learn_heads
from .irony import learn_irony
from .pipeline import load_branches, training_rows
from .plain import learn_plain
from .quantise import Feed, write_quantised
from .rows import find_rows, read_rows
from .smoothing import find_factors
from .sums import note_checksums
from .vocabulary import build_tokenizer, save_tokenizer

log = logging.getLogger(__name__)

_MAX_TOKENS = 192
_ALERT_PRECISION = 0.8
_RANGE_TEXTS = 500
_SMOOTHING_TEXTS = 300
# Fewer labelled rows than this prove nothing about a language.
_PROVEN_ROWS = 200
_PROVEN_BINARY = 0.78


def write_served(data: Path, work: Path, out: Path, recipe: Recipe, limit: int | None = None) -> None:
    """Fill `out` with all that is served: model.onnx, the tokenizer, config.json, the heads, what doubts praise and
    complaints, card.md and SHA256SUMS. `limit` is that of `train`."""
    out.mkdir(parents=True, exist_ok=True)
    parts = load_branches(work, recipe)
    log.info("%d pieces served", len(parts.kept))
    tokenizer = build_tokenizer(parts.base, parts.kept)
    trained = training_rows(data, recipe)[:limit]
    some = random.Random(recipe.seed).sample([row.text for row in trained], min(_RANGE_TEXTS, len(trained)))
    ids = [tokenizer.encode(text).ids[:_MAX_TOKENS] for text in some]
    factors = find_factors(parts.trunk, [parts.tuned, parts.side], ids[:_SMOOTHING_TEXTS])
    graph = build_graph(parts, factors, positions=_MAX_TOKENS)
    write_quantised(graph, out / "model.onnx", map(_feed, ids))
    save_tokenizer(parts.base, tokenizer, out)
    written = out / "tokenizer.json"
    content = json.loads(written.read_text(encoding="utf-8"))
    written.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    digest = hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()[:10]
    config = ModelConfig(
        model_version=f"halfhour-e5-small-{digest}",
        max_tokens=_MAX_TOKENS,
        blend_tuned=recipe.blend_tuned,
        temperature=1.0,
        alert_threshold=1.0,
        proven=[],
    )
    _write_config(out, config)

    rows = list(read_rows(find_rows(data, "dev")))
    labels = np.array([row.label for row in rows])
    raw = ServedClassifier(out, 1).score([row.text for row in rows]).probabilities
    calibration = fit_calibration(raw, labels)
    config["temperature"], config["biases"] = calibration.temperature, list(calibration.biases)
    scores = calibration.apply(raw)
    config["alert_threshold"] = round(find_threshold(scores[:, 0], labels == 0, precision=_ALERT_PRECISION), 3)
    by_language = measure_by([row.language for row in rows], scores, labels)
    config["proven"] = [code for code, figures in by_language.items() if _is_proven(figures)]
    _write_config(out, config)
    log.info("%s, alert threshold %.3f", calibration, config["alert_threshold"])

    served = ServedClassifier(out, 1)
    (out / HEADS).write_bytes(learn_heads(served, data, limit=limit).dump())
    log.info("heads fitted")
    doubts = {IRONY: learn_irony(served, data, limit=limit), PLAIN: learn_plain(served, data, limit=limit)}
    for kind, doubt in doubts.items():
        (out / kind.file).write_bytes(doubt.dump())
    log.info("what doubts praise and complaints fitted")
    complaints = those_that_sound(served.score([row.text for row in rows]), PLAIN)
    believed = complaints.at.copy()
    believed[complaints.at] = ~doubts[PLAIN].doubts(complaints.traits)
    card = write_card(config, recipe, trained, rows, scores, believed, _cross(raw, labels, recipe.seed))
    (out / "card.md").write_text(card, encoding="utf-8")
    log.info("card written")
    note_checksums(out)


def _is_proven(figures: Figures) -> bool:
    return figures.polar_rows >= _PROVEN_ROWS and figures.binary.value >= _PROVEN_BINARY


def _feed(ids: list[int]) -> Feed:
    return {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64)}


def _write_config(out: Path, config: ModelConfig) -> None:
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _cross(raw: Floats, labels: Labels, seed: int) -> tuple[float, float]:
    """Calibration error and macro-F1 with each half judged by the calibration of the other: nothing is graded by its
    own fit."""
    halves = np.array_split(np.random.default_rng(seed).permutation(len(labels)), 2)
    crossed = np.empty_like(raw)
    for own, other in (halves, halves[::-1]):
        crossed[own] = fit_calibration(raw[other], labels[other]).apply(raw[own])
    return calibration_error(crossed, labels), macro_f1(crossed, labels)
