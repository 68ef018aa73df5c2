"""A model of the operator's own, from a folder, through a `transformers` pipeline: a tiny one, made here."""

import importlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from sentiment.classifier import PipelineClassifier, get_classifier
from sentiment.engine import read
from sentiment.files import ModelMissing
from sentiment.keeping import version_of
from sentiment.reading import own_version

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "so", "lovely", "staff", "the", "very"]


@pytest.fixture(scope="module")
def torch() -> Any:
    try:
        import torch
    except ImportError:
        if os.environ.get("REQUIRE_TORCH"):
            pytest.fail("REQUIRE_TORCH is set and torch is not installed: pip install '.[torch]'")
        pytest.skip("NOT PROVEN HERE: models of an operator's own need torch, pip install '.[torch]'")
    torch.manual_seed(7)
    return torch


def make_model(torch: Any, folder: Path, labels: list[str], *, says: int) -> str:
    """A folder with a two-layer model of random weights that is certain of the label numbered `says`."""
    # Made known on demand, which the type checker does not see.
    made: Any = importlib.import_module("transformers")
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    made.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = made.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    model = made.BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.bias[says] = 9.0
    model.save_pretrained(folder)
    return str(folder)


def test_a_folder_is_read_by_its_own_labels(torch: Any, tmp_path: Path) -> None:
    name = make_model(torch, tmp_path / "stars", [f"{n} star{'s' * (n > 1)}" for n in range(1, 6)], says=0)
    [reading] = read(["the staff so bad"], page_languages=["en"], chain_languages=["en"], model=name)
    assert reading.sentiment == "negative" and reading.confident
    assert sum(reading.probabilities.values()) == pytest.approx(1, abs=0.01)
    # Nobody has measured it here: a person looks first, and there is nothing to compare by.
    assert (reading.alarming, reading.proven, reading.embedding) == (True, False, b"")
    assert reading.model_version == version_of(name) and own_version(reading.model_version) == name[-54:]
    assert isinstance(get_classifier(name), PipelineClassifier)


def test_texts_of_any_length_are_read(torch: Any, tmp_path: Path) -> None:
    name = make_model(torch, tmp_path / "three", ["LABEL_0", "LABEL_1", "LABEL_2"], says=2)
    texts = ["very good staff " * 500, "very good staff", ""]
    readings = read(texts, page_languages=[None] * 3, chain_languages=["en"], model=name)
    assert [reading.sentiment for reading in readings] == ["positive", "positive", "neutral"]


def test_the_command_takes_it_too(torch: Any, tmp_path: Path) -> None:
    name = make_model(torch, tmp_path / "named", ["Negative", "Neutral", "Positive"], says=1)
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"text": "the staff so lovely"}) + "\n")
    out = io.StringIO()
    call_command("analyse", str(source), "--model", name, stdout=out)
    assert json.loads(out.getvalue())["sentiment"] == "neutral"


def test_without_its_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelMissing, match=r"somebody/elses.*pip install '\.\[torch\]'"):
        get_classifier("somebody/elses")


def test_a_model_that_judges_something_else_is_refused(torch: Any, tmp_path: Path) -> None:
    name = make_model(torch, tmp_path / "joy", ["joy", "anger"], says=0)
    with pytest.raises(ModelMissing, match="joy"):
        get_classifier(name)
