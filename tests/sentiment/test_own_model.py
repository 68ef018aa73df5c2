"""A model of the operator's own, from a folder, through a `transformers` pipeline: a tiny one, made here."""

import importlib
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from sentiment.checks import the_chosen_model_is_here
from sentiment.classifier import PipelineClassifier, get_classifier
from sentiment.engine import read
from sentiment.files import ModelMissing, loaded_commits, split_revision, version_of_name
from sentiment.keeping import note, version_of
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


class Hub(ThreadingHTTPServer):
    """A hub on loopback with one model, `somebody/elses`: `commits` are the folders of its files by commit, `refs` the
    commits of its branches and tags. `asked` are the paths that it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HubHandler)
        self.commits: dict[str, Path] = {}
        self.refs: dict[str, str] = {}
        self.asked: list[str] = []


class _HubHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        api, _, rest = self.path.partition("/somebody/elses")
        kind, _, wanted = rest.strip("/").partition("/")
        revision, _, name = wanted.partition("/")
        commit = self.server.refs.get(revision or "main", revision)
        folder = self.server.commits.get(commit)
        if folder is None:
            self._answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        elif api == "/api/models" and kind in ("", "revision"):
            files = [{"rfilename": path.name} for path in folder.iterdir()]
            self._answer(200, json.dumps({"id": "somebody/elses", "sha": commit, "siblings": files}).encode(), {})
        elif kind == "resolve" and (folder / name).is_file():
            self._answer(200, (folder / name).read_bytes(), {"X-Repo-Commit": commit, "ETag": f'"{commit}-{name}"'})
        else:
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})

    do_HEAD = do_GET

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


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


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("no-such-folder", "no folder"),
        ("a-file", "no folder"),
        ("empty", r"lacks config\.json"),
        ("  ", "blank"),
        ("x" * 300, "cannot be read"),
    ],
)
def test_a_place_without_a_model_is_told_before_any_library_is_asked_for(
    tmp_path: Path, settings: LazySettings, place: str, why: str
) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "empty").mkdir()
    settings.SENTIMENT_MODEL = place if place.isspace() else str(tmp_path / place)
    with pytest.raises(ModelMissing, match=why):
        get_classifier(settings.SENTIMENT_MODEL)
    with pytest.raises(ModelMissing, match=why):
        note(settings.SENTIMENT_MODEL)
    (warning,) = the_chosen_model_is_here()
    assert re.search(why, warning.msg)


def test_a_model_that_judges_something_else_is_refused(torch: Any, tmp_path: Path) -> None:
    name = make_model(torch, tmp_path / "joy", ["joy", "anger"], says=0)
    with pytest.raises(ModelMissing, match="joy"):
        get_classifier(name)


def test_a_model_of_two_classes_without_names_is_refused(torch: Any, tmp_path: Path) -> None:
    name = make_model(torch, tmp_path / "two", ["LABEL_0", "LABEL_1"], says=1)
    with pytest.raises(ModelMissing, match="praise and complaints"):
        get_classifier(name)
    named = make_model(torch, tmp_path / "named", ["NEGATIVE", "POSITIVE"], says=1)
    [reading] = read(["the staff so lovely"], page_languages=["en"], chain_languages=["en"], model=named)
    assert reading.sentiment == "positive"


READ_ALL = """
import json, sys
from sentiment.engine import read
for name in sys.argv[1:]:
    [one] = read(["the staff so very"], page_languages=["en"], chain_languages=["en"], model=name)
    print(json.dumps([one.sentiment, one.model_version.rpartition("+")[0]]))
"""


def test_a_hub_model_is_read_as_it_was_pinned_and_says_at_which_commit(torch: Any, tmp_path: Path, hub: Hub) -> None:
    """In a process of its own: the hub's address is read once, with the library."""
    labels = ["negative", "neutral", "positive"]
    old, new = "a1" * 20, "b2" * 20
    hub.commits = {
        commit: Path(make_model(torch, tmp_path / commit, labels, says=says)) for commit, says in ((old, 0), (new, 2))
    }
    hub.refs = {"main": new, "v1": old}
    surroundings = os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
        "HF_HOME": str(tmp_path / "cache"),
        "HF_HUB_OFFLINE": "0",
        "NO_PROXY": "127.0.0.1",
    }
    names = [f"somebody/elses@{old}", "somebody/elses@v1", "somebody/elses"]
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, *names], env=surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        ["negative", f"somebody/elses@{old[:12]}"],
        ["negative", "somebody/elses@v1"],
        ["positive", f"somebody/elses+{new[:12]}"],
    ]
    assert f"/somebody/elses/resolve/{old}/config.json" in hub.asked


def test_what_a_name_is_pinned_to_stands_in_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (odd := tmp_path / "model@v2").mkdir()
    commit = "0123456789abcdef" * 2 + "01234567"
    assert split_revision("somebody/elses@v2") == ("somebody/elses", "v2")
    for name in ("somebody/elses", "somebody/elses@", str(odd), f"{odd}@v3", "/not/mounted@v2"):
        assert split_revision(name) == (name, None)
    assert version_of_name(f"somebody/elses@{commit}") == "somebody/elses@0123456789ab"
    assert version_of_name("somebody/elses@release-2026-11") == "somebody/elses@release-2026-11"
    assert version_of_name("somebody/elses") == "somebody/elses"
    monkeypatch.setitem(loaded_commits, "somebody/elses", commit)
    assert version_of_name("somebody/elses") == "somebody/elses+0123456789ab"
    assert own_version(version_of("somebody/elses")) == "somebody/elses"
    for length in (53, 54, 80):
        monkeypatch.setitem(loaded_commits, "n" * length, commit)
        assert version_of_name("n" * length) == "n" * min(length, 54)
    longest = version_of_name(f"somebody/{'long-' * 20}@{commit}")
    assert len(longest) == 54 and longest.endswith("long-@0123456789ab")
