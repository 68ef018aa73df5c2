"""The pieces that the served model reads: those of the file that `transformers` loads, in a fraction of its memory."""

import json
from pathlib import Path

import pytest
import transformers

from sentiment.classifier import FOLDER
from sentiment.pieces import Pieces, UnknownPieces

SETS = Path(__file__).parents[2] / "sentiment" / "evaluation_sets"
STRANGE = [
    "",
    "   ",
    "a\tb\r\nc  d\u00a0e",
    "zero\u200bwidth\u200djoined\ufeff",
    "▁under ▁scored",
    "ﬁne ½ ① Ｗｉｄｅ",
    "e\u0301\u0301 \u0308",
    "ไทย ქართული አማርኛ",
    "👨‍👩‍👧 🙄🙃 👍🏽",
    "한국어 很好的服务",
    "word " * 400,
]


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return Pieces(FOLDER / "tokenizer.json", 192)


def test_texts_are_cut_as_transformers_cuts_them(pieces: Pieces) -> None:
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(FOLDER)
    texts = STRANGE + [json.loads(line)["text"] for path in sorted(SETS.glob("*.jsonl")) for line in path.open()]
    assert len(texts) > 500
    expected = tokenizer(texts, truncation=True, max_length=192)["input_ids"]
    differing = [text for text, ids in zip(texts, expected, strict=True) if pieces.encode(text) != ids]
    # The same letter many times over can be cut in several ways that are equally likely.
    assert len(differing) <= len(texts) // 500, differing


def test_marks_that_somebody_types_are_text(pieces: Pieces) -> None:
    begin, *inner, end = pieces.encode("<s> hi </s> <pad><unk>")
    assert not {begin, end, pieces.padding, pieces.unknown} & set(inner)


def test_long_texts_are_cut_short_between_their_marks(pieces: Pieces) -> None:
    ids = pieces.encode("very good " * 10_000)
    assert len(ids) == 192
    assert (ids[0], ids[-1]) == tuple(pieces.encode(""))


@pytest.mark.parametrize("content", ["{}", "[]", "no", '{"added_tokens": [], "normalizer": null}'])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(UnknownPieces, match="is not as the training writes it"):
        Pieces(path, 192)
