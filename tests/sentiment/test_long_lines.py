"""A hostile line costs no more than a long comment: what is looked for in it is bounded, what is stored is whole."""

import time

import pytest

from sentiment.concepts import find_concepts
from sentiment.engine import read
from sentiment.languages import find_language
from sentiment.lexicon import Phrases, split_words
from sentiment.redaction import redact

CHAIN = ["en", "de", "uk", "fr", "ar", "ru"]
SIZE = 100_000
# Linear work takes half a second, and what looked at the rest of the line from each of its signs anew a minute.
MOST_SECS = 15
SHAPES = {
    "no space": "a" * SIZE,
    "emojis": "😀" * (SIZE // 5),
    "hyphens": "aaaa " + "-" * SIZE,
    "apostrophes": "aaaa " + "'" * SIZE,
    "orders": "order-" * (SIZE // 6),
    "mail": "a@" * (SIZE // 2),
    "numbers": "0501234567 " * (SIZE // 11),
    "brackets": "(at)" * (SIZE // 4),
    "a fall here and floors there": "slipped " * (SIZE // 16) + "floor " * (SIZE // 12),
}


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """Loading the model and the detector is no part of reading."""
    read(["Warm up the model, please"], page_languages=[None], chain_languages=CHAIN)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hostile_line_is_read_in_a_moment(shape: str) -> None:
    began = time.process_time()
    (reading,) = read([SHAPES[shape]], page_languages=["en"], chain_languages=CHAIN, staff_names=[["Anna Bo"]])
    assert time.process_time() - began < MOST_SECS
    if shape not in ("mail", "numbers"):
        assert len(reading.redacted) == len(SHAPES[shape])


@pytest.mark.parametrize("shape", ["hyphens", "orders", "a fall here and floors there"])
def test_each_part_is_linear_by_itself(shape: str) -> None:
    text, began = SHAPES[shape], time.process_time()
    find_language(text, None, CHAIN)
    redact(text, languages=("en", "de"))
    find_concepts(split_words(text), ("en", "de"))
    assert time.process_time() - began < MOST_SECS


def test_what_stands_far_behind_is_redacted_still() -> None:
    (reading,) = read(["Nice shop. " * 9000 + "Call +380 50 123 45 67"], page_languages=["en"], chain_languages=CHAIN)
    assert reading.redacted.endswith("Call [phone]")


def test_long_words_are_not_kept_in_memory() -> None:
    phrases = Phrases([("wait", "waiting")])
    assert phrases.find(split_words("waiting" + "x" * SIZE))
    assert not phrases._known
