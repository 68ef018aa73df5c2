"""How the served model cuts text into pieces: by `sentencepiece`, from the `tokenizer.json` that `transformers` loads.

The library that goes with that file holds the same pieces in 87 MB instead of 15, and needs seven times as long; the
two agree but where several ways to cut are equally likely. A mark such as `</s>` that somebody types is text here.
"""

import ctypes
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

_SPACE = "▁"
# A sign of the file's regular expressions, \x{200B}, which Python writes otherwise.
_SIGN = re.compile(r"\\x\{([0-9A-F]+)\}")


class UnknownPieces(ValueError):
    """The file is none that the training writes."""


class Pieces:
    """The pieces of one `tokenizer.json`. Safe to call from several threads. Raises UnknownPieces."""

    def __init__(self, path: Path, most: int) -> None:
        """`most`: texts are cut after so many pieces, the marks at their start and end included."""
        # Slow to import, and needed by workers only.
        from sentencepiece import SentencePieceProcessor  # noqa: PLC0415

        self._most = most
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            ids = {token["content"]: token["id"] for token in stored["added_tokens"]}
            self._begin, self.padding, self._end, self.unknown = (ids[m] for m in ("<s>", "<pad>", "</s>", "<unk>"))
            self._steps = [_replacement(step) for step in stored["normalizer"]["normalizers"][1:]]
            model = _model_of(stored["model"], ids)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise UnknownPieces(f"{path} is not as the training writes it: {error}") from error
        self._processor = SentencePieceProcessor(model_proto=model)
        del stored, model
        give_back_memory()

    def encode(self, text: str) -> list[int]:
        """The ids of a text's pieces between its two marks."""
        inner: list[int] = self._processor.encode(self._normal(text), out_type=int)
        return [self._begin, *inner[: self._most - 2], self._end]

    def _normal(self, text: str) -> str:
        text = unicodedata.normalize("NFKC", text)
        for pattern, instead in self._steps:
            text = pattern.sub(instead, text)
        text = text.replace(" ", _SPACE)
        return text if not text or text.startswith(_SPACE) else _SPACE + text


def _replacement(step: dict[str, Any]) -> tuple[re.Pattern[str], str]:
    pattern = _SIGN.sub(lambda sign: f"\\U{int(sign[1], 16):08x}", step["pattern"]["Regex"])
    return re.compile(pattern), step["content"]


def _model_of(stored: dict[str, Any], marks: dict[str, int]) -> bytes:
    """The same pieces as `sentencepiece` reads them; what is normal is decided before it sees a text."""
    from sentencepiece import sentencepiece_model_pb2  # noqa: PLC0415

    # Its classes are made when it is imported, which the type checker does not see.
    proto: Any = sentencepiece_model_pb2
    if stored["type"] != "Unigram":
        raise ValueError(f"pieces of kind {stored['type']}")
    model, kinds = proto.ModelProto(), proto.ModelProto.SentencePiece
    for i, (piece, score) in enumerate(stored["vocab"]):
        kind = kinds.NORMAL
        if i in marks.values():
            kind = kinds.UNKNOWN if i == marks["<unk>"] else kinds.CONTROL
        model.pieces.add(piece=piece, score=score, type=kind)
    rules = model.trainer_spec
    rules.model_type = proto.TrainerSpec.UNIGRAM
    rules.bos_id, rules.pad_id, rules.eos_id, rules.unk_id = (marks[m] for m in ("<s>", "<pad>", "</s>", "<unk>"))
    normal = model.normalizer_spec
    normal.name = "identity"
    normal.add_dummy_prefix = normal.remove_extra_whitespaces = normal.escape_whitespaces = False
    written: bytes = model.SerializeToString()
    return written


def give_back_memory() -> None:
    """Return what loading has freed to the system; glibc would keep it. Does nothing where there is no glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
