"""The sentiment model: loaded once per process, on first use.

Two kinds: the served files of this project (an eight-bit graph and its tokenizer), and, when an operator names one,
any `transformers` text-classification model.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, NotRequired, Protocol, TypedDict

import numpy as np
import numpy.typing as npt

from .doubts import KINDS, served_doubt
from .files import (
    SHIPPED,
    ModelMissing,
    check_place,
    check_unchanged,
    check_whole,
    is_own,
    loaded_commits,
    mark_of,
    split_revision,
    sum_of,
    version_of_name,
)
from .heads import served_heads
from .pieces import Pieces, UnknownPieces, give_back_memory
from .topics import TOPICS

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.int8]
LABELS = ("negative", "neutral", "positive")
FOLDER = SHIPPED
# Measured on comments in the order they come: 128 tokens a batch read 66 a second where sixteen texts read 37.
_BATCH_TOKENS = 128
_PIPELINE_BATCH = 16
# What a component of an embedding is where it is one.
ONE = 127


class ModelConfig(TypedDict):
    """`config.json` of the served files, written by the training."""

    model_version: str
    max_tokens: int
    blend_tuned: float  # weight of the tuned branch; the rest is the regression on the untouched base
    temperature: float
    biases: NotRequired[list[float]]  # added to the logarithms, in the order of LABELS
    alert_threshold: float  # negative probability from which on four in five alarms are right, on dev
    proven: list[str]  # languages measured on enough real comments and found good enough


@dataclass(frozen=True)
class Scores:
    """One row per text: calibrated probabilities in the order of LABELS, and the share of unknown pieces.

    `embeddings` have length one and are told in 127ths; None when the model has none. Only those of one model version
    may be compared, by their scalar product. `topics` says how each topic of topics.TOPICS is judged if the text is
    about it: logits in the order of LABELS, texts × topics × 3; None when the model does not say. `traits` are what
    the heads read: the embedding first, then all that the layers and answers say of a text besides; None likewise.
    """

    probabilities: Floats
    unknown: Floats
    embeddings: Bytes | None = None
    topics: Floats | None = None
    traits: Floats | None = None


class Classifier(Protocol):
    """`mark` stands behind `version` of what was read: the other files beside the model. `proven` are the languages in
    which a text alone may open a case; in any other a person looks first."""

    version: str
    mark: str
    alert_threshold: float
    proven: frozenset[str]

    def score(self, texts: Sequence[str]) -> Scores: ...


@dataclass(frozen=True)
class Calibration:
    """What turns a model's probabilities into ones that hold: a temperature of their logarithms, and what is added to
    those of negative, neutral (0) and positive."""

    temperature: float
    biases: Sequence[float]

    def apply(self, probabilities: Floats) -> Floats:
        logits = np.log(np.maximum(probabilities, 1e-9)) / self.temperature + np.array(self.biases)
        return softmax(logits.astype(np.float32))


class ServedClassifier:
    """The files in `folder`, run by onnxruntime on `threads` threads. Safe to call from several threads."""

    def __init__(self, folder: Path, threads: int) -> None:
        # Slow to import, and needed by workers only.
        import onnxruntime  # noqa: PLC0415

        try:
            self._config: ModelConfig = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelMissing(f"no sentiment model in {folder}: run train_classifier") from error
        self.version, self.alert_threshold = self._config["model_version"], self._config["alert_threshold"]
        self.proven = frozenset(self._config["proven"])
        self._calibration = Calibration(self._config["temperature"], self._config.get("biases", (0.0, 0.0, 0.0)))
        self.mark = mark_of(sum_of(folder))
        try:
            self._pieces = Pieces(folder / "tokenizer.json", self._config["max_tokens"])
        except UnknownPieces as error:
            raise ModelMissing(str(error)) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        # Idle workers must not spin, and batches differ too much in shape for a plan of memory to pay; the arena stays
        # on, for without it every run asks the system for its memory anew, and more of it.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = False
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"),
            options,
            providers=["CPUExecutionProvider"],
            # Fused, these steps took six times as long as apart.
            disabled_optimizers=["SkipLayerNormFusion"],
        )
        give_back_memory()
        self._widths = {out.name: out.shape[1] for out in self._session.get_outputs()}

    def score(self, texts: Sequence[str]) -> Scores:
        probabilities = np.empty((len(texts), len(LABELS)), np.float32)
        unknown = np.zeros(len(texts), np.float32)
        embeddings = np.empty((len(texts), self._widths["embedding"]), np.int8)
        topics = np.empty((len(texts), self._widths["topics"]), np.float32)
        traits = np.empty((len(texts), self._widths["traits"]), np.float32)
        encoded = self._encode(texts)
        order = sorted(range(len(texts)), key=lambda i: len(encoded[i]))
        for rows in _batches(order, [len(ids) for ids in encoded]):
            longest = len(encoded[rows[-1]])
            ids = np.full((len(rows), longest), self._pieces.padding, np.int64)
            mask = np.zeros((len(rows), longest), np.int64)
            for k, i in enumerate(rows):
                ids[k, : len(encoded[i])] = encoded[i]
                mask[k, : len(encoded[i])] = 1
                inner = ids[k, 1 : len(encoded[i]) - 1]
                unknown[i] = np.mean(inner == self._pieces.unknown) if len(inner) else 1
            tuned, base, topics[rows], vector, traits[rows] = self._session.run(
                ["tuned", "base", "topics", "embedding", "traits"], {"input_ids": ids, "attention_mask": mask}
            )
            probabilities[rows] = self._blend(tuned, base)
            embeddings[rows] = np.rint(vector * ONE)
        return Scores(probabilities, unknown, embeddings, topics.reshape(len(texts), -1, len(LABELS)), traits)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How long the model takes each text to be, its marks at start and end included."""
        return [len(ids) for ids in self._encode(texts)]

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._pieces.encode(text) for text in texts]

    def _blend(self, tuned: Floats, base: Floats) -> Floats:
        share = self._config["blend_tuned"]
        mixed: Floats = share * softmax(tuned) + (1 - share) * softmax(base)
        return self._calibration.apply(mixed)


def _batches(order: list[int], lengths: list[int]) -> Iterator[list[int]]:
    """Neighbours of an order by length, so few to a batch that padding stays cheaper than what a batch saves."""
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) + 1) * lengths[i] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


class PipelineClassifier:
    """Any local folder or hub model, through a `transformers` pipeline. Its probabilities are taken as they come.

    A hub model may be pinned: `owner/name@revision`.
    """

    # Nobody has measured this model here: its text alone must be very sure, and a person looks first.
    alert_threshold = 0.9
    proven: frozenset[str] = frozenset()

    def __init__(self, name: str) -> None:
        check_place(name)
        transformers = _import_transformers(name)
        hub, revision = split_revision(name)
        try:
            self._pipeline = transformers.pipeline(
                "text-classification", model=hub, revision=revision, top_k=None, truncation=True
            )
        except (OSError, ValueError) as error:
            raise ModelMissing(f"the model {name!r} cannot be loaded: {error}") from error
        if revision is None and (commit := _commit_of(hub)):
            loaded_commits[name] = commit
        self.version, self.mark = version_of_name(name), mark_of("")
        self._most_tokens = _most_tokens(self._pipeline)
        self._columns = [label_column(label) for label in self._pipeline.model.config.id2label.values()]
        if not {LABELS.index("negative"), LABELS.index("positive")} <= set(self._columns):
            # The names that a model of two classes has by default: which of them is praise cannot be known.
            raise ModelMissing(
                f"the model {name!r} has no labels for both praise and complaints: name them in its config"
            )
        self._labels = list(self._pipeline.model.config.id2label.values())

    def score(self, texts: Sequence[str]) -> Scores:
        probabilities = np.zeros((len(texts), len(LABELS)), np.float32)
        column = dict(zip(self._labels, self._columns, strict=True))
        scored = self._pipeline(list(texts), batch_size=_PIPELINE_BATCH, max_length=self._most_tokens)
        for row, answers in enumerate(scored):
            for answer in answers:
                probabilities[row, column[answer["label"]]] += answer["score"]
        return Scores(probabilities, np.zeros(len(texts), np.float32))


def _commit_of(hub: str) -> str | None:
    """Of a hub's model that was loaded without a pin, as the library has it on this machine; None for a folder."""
    if Path(hub).exists():
        return None
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415  (comes with transformers)

    found = try_to_load_from_cache(hub, "config.json")
    return Path(found).parent.name if isinstance(found, str) else None


def _most_tokens(pipeline: Any) -> int:
    """How much of a text a model can read. Many tokenizers do not say; what is too long would end the reading."""
    # Some count their positions from two on.
    positions = getattr(pipeline.model.config, "max_position_embeddings", 512) - 2
    return int(min(pipeline.tokenizer.model_max_length, positions))


def label_column(label: str) -> int:
    """Which of LABELS a model's own label means. Raises ModelMissing for one that cannot be read."""
    plain = label.lower()
    if stars := re.match(r"([1-5])\s*stars?", plain):
        return (0, 0, 1, 2, 2)[int(stars.group(1)) - 1]
    for column, start in enumerate(("neg", "neu", "pos")):
        if plain.startswith(start) or plain == f"label_{column}":
            return column
    raise ModelMissing(f"label {label!r} is none of negative, neutral, positive, LABEL_0 to LABEL_2 or 1 to 5 stars")


def softmax(logits: Floats) -> Floats:
    """Along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def _import_transformers(name: str) -> Any:
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        import torch  # noqa: F401, PLC0415
        import transformers  # noqa: PLC0415
    except ImportError as error:
        wanted = "torch and transformers: run .venv/bin/pip install '.[torch]' in the project's folder"
        raise ModelMissing(f"the model {name!r} needs {wanted} ({error})") from error
    return transformers


_loading = Lock()


def get_classifier(model: str | None = None) -> Classifier:
    """The classifier for `model`; None means the served files. Raises ModelMissing."""
    with _loading:
        return _load(model)


# A process reads with one model; when another goes live, the memory of the one before is not kept.
@lru_cache(maxsize=1)
def _load(model: str | None) -> Classifier:
    folder = FOLDER if model is None else Path(model)
    try:
        if model is not None and not is_own(folder):
            return PipelineClassifier(model)
        check_whole(folder)
        loaded = ServedClassifier(folder, int(os.environ.get("SENTIMENT_THREADS", "1")))
        # What the graph or the configuration lacks shows here, not at somebody's words.
        scores = loaded.score(["a"])
        assert scores.topics is not None and scores.traits is not None
        if scores.topics.shape[1] != len(TOPICS):
            raise ModelMissing(f"the model in {folder} knows other topics than this release")
        for kind in KINDS:
            served_doubt(folder, kind, loaded.version, scores.traits.shape[1])
        served_heads(folder, loaded.version)
        check_unchanged(folder)
    except ModelMissing:
        raise
    except Exception as error:  # whatever the libraries throw at files that are damaged, or of another release
        raise ModelMissing(f"the model in {folder} cannot be loaded: {type(error).__name__}: {error}") from error
    return loaded
