"""A model of our own kind in two kilobytes that says the same of every comment: for tests of who reads, not how well.

The graph is written by hand, for what writes graphs in training is installed for training only.
"""

import json
from pathlib import Path

import numpy as np

from sentiment.classifier import LABELS
from sentiment.topics import TOPICS

_FLOAT, _INT64 = 1, 7
_WIDE = 4


def make_tiny(folder: Path, name: str, says: str) -> Path:
    """The files in `folder`, which is made, of a version called `name` that is sure that everything is `says`."""
    folder.mkdir(parents=True)
    logits = [9.0 * (label == says) for label in LABELS]
    outputs = {
        "tuned": logits,
        "base": logits,
        "topics": [0.0] * len(TOPICS) * len(LABELS),
        "embedding": [0.5] * _WIDE,
        "traits": [0.5] * _WIDE,
    }
    (folder / "model.onnx").write_bytes(_graph(outputs))
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz.,"]
    added = [{"content": mark, "id": i} for i, mark in enumerate(pieces[:4])]
    steps = [{}, {"pattern": {"Regex": " +"}, "content": " "}]
    vocabulary = {"type": "Unigram", "vocab": [[piece, -1.0] for piece in pieces]}
    tokenizer = {"added_tokens": added, "normalizer": {"normalizers": steps}, "model": vocabulary}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    config = {
        "model_version": name,
        "max_tokens": 64,
        "blend_tuned": 0.6,
        "temperature": 1.0,
        "alert_threshold": 0.8,
        "proven": ["en"],
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def _graph(outputs: dict[str, list[float]]) -> bytes:
    """Takes the first place of the mask, which is one, and multiplies it by what is to be said."""
    pick = _field(8, b"place") + _number(1, 1) + _number(2, _INT64) + _field(9, np.array([0], np.int64).tobytes())
    nodes = [
        _node("Gather", ["attention_mask", "place"], "first", axis=1),
        _node("Cast", ["first"], "one", to=_FLOAT),
    ]
    constants, told = [pick], []
    for name, row in outputs.items():
        content = np.array([row], np.float32).tobytes()
        said = _number(1, 1) + _number(1, len(row)) + _number(2, _FLOAT)
        constants.append(said + _field(8, f"{name}_row".encode()) + _field(9, content))
        nodes.append(_node("MatMul", ["one", f"{name}_row"], name))
        told.append(_value(name, _FLOAT, _number(1, len(row))))
    taken = [_value(name, _INT64, _field(2, b"length")) for name in ("input_ids", "attention_mask")]
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, b"tiny"),
            *(_field(5, constant) for constant in constants),
            *(_field(11, value) for value in taken),
            *(_field(12, value) for value in told),
        ]
    )
    return _number(1, 10) + _field(7, graph) + _field(8, _field(1, b"") + _number(2, 18))


def _node(operator: str, inputs: list[str], output: str, **options: int) -> bytes:
    parts = [*(_field(1, name.encode()) for name in inputs), _field(2, output.encode()), _field(4, operator.encode())]
    parts += [_field(5, _field(1, k.encode()) + _number(3, v) + _number(20, 2)) for k, v in options.items()]
    return b"".join(parts)


def _value(name: str, kind: int, width: bytes) -> bytes:
    shape = _field(1, _field(2, b"batch")) + _field(1, width)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, kind) + _field(2, shape)))


def _field(number: int, content: bytes) -> bytes:
    """As protocol buffers have it: the field's number and kind, the length, the content."""
    return _whole(number << 3 | 2) + _whole(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _whole(number << 3) + _whole(value)


def _whole(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
