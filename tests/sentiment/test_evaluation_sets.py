"""The sets that judge topics and urgency are whole: a wrong key would quietly change every figure."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sentiment.fitting import Example, read_examples
from sentiment.labels import SENTIMENT_LABELS, TOPIC_LABELS, URGENCY_LABELS
from sentiment.training.written import PLAIN as PLAIN_TO_LEARN
from sentiment.training.written import read_written

FOLDER = Path(__file__).parents[2] / "sentiment" / "evaluation_sets"
PLAIN = FOLDER / "plain"
PRODUCT_LANGUAGES = ["en", "de", "uk", "fr", "es", "it", "pl", "da", "nl", "pt", "cs", "sv", "ar"]
# So many words in a row are no chance.
RUN = 8
# Of the short ones of plain words fewer are enough; three in a row are nobody's own.
SHORT_RUN, PHRASE = 6, 4
FIELDS = {"text", "topics", "urgency", "sentiment", "topic_sentiments", "near_miss"}


def rows_of(language: str, folder: Path = FOLDER) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()]


def both_of(language: str) -> list[dict[str, Any]]:
    """The set of topics and urgency, and that of plain words."""
    return [*rows_of(language), *rows_of(language, PLAIN)]


def test_there_is_one_file_per_product_language() -> None:
    for folder in (FOLDER, PLAIN):
        assert sorted(path.stem for path in folder.glob("*.jsonl")) == sorted(PRODUCT_LANGUAGES)


@pytest.mark.parametrize("language", PRODUCT_LANGUAGES)
def test_every_comment_carries_known_labels_only(language: str) -> None:
    for row in both_of(language):
        assert set(row) <= FIELDS, row
        assert row["text"].strip() == row["text"] != "", row
        assert set(row["topics"]) <= set(TOPIC_LABELS), row
        assert set(row["urgency"]) <= set(URGENCY_LABELS), row
        assert row["sentiment"] in SENTIMENT_LABELS, row
        assert len(set(row["topics"])) == len(row["topics"]), row


@pytest.mark.parametrize("language", PRODUCT_LANGUAGES)
def test_several_topics_have_a_sentiment_each_and_no_other_topic_has(language: str) -> None:
    for row in both_of(language):
        expected = set(row["topics"]) if len(row["topics"]) > 1 else set()
        sentiments = row.get("topic_sentiments", {})
        assert set(sentiments) == expected, row
        assert set(sentiments.values()) <= set(SENTIMENT_LABELS), row


@pytest.mark.parametrize("language", PRODUCT_LANGUAGES)
def test_a_set_is_large_and_mixed_enough_to_judge(language: str) -> None:
    rows = rows_of(language)
    near_misses = [row for row in rows if row.get("near_miss")]

    assert len(rows) >= 40
    assert len([row for row in rows if row["urgency"]]) >= 8
    assert {kind for row in rows for kind in row["urgency"]} == set(URGENCY_LABELS)
    assert {topic for row in rows for topic in row["topics"]} == set(TOPIC_LABELS)
    assert {row["sentiment"] for row in rows} == set(SENTIMENT_LABELS)
    assert len(near_misses) >= 4
    assert not [row for row in near_misses if row["urgency"]]


@pytest.mark.parametrize("language", PRODUCT_LANGUAGES)
def test_plain_words_are_facts_praise_and_complaints(language: str) -> None:
    tones = Counter(row["sentiment"] for row in rows_of(language, PLAIN))
    assert tones["neutral"] >= 12 and tones["positive"] >= 7 and tones["negative"] >= 5
    assert not [row for row in rows_of(language, PLAIN) if row["urgency"]]


def test_no_comment_occurs_twice() -> None:
    texts = Counter(row["text"].casefold() for language in PRODUCT_LANGUAGES for row in both_of(language))
    # A two-word verdict may be spelt the same in two languages; a sentence may not.
    assert [text for text, times in texts.items() if times > 1 and len(text.split()) > 2] == []


@pytest.mark.parametrize("language", PRODUCT_LANGUAGES)
def test_no_comment_occurs_twice_within_a_language(language: str) -> None:
    texts = [row["text"].casefold() for row in both_of(language)]
    assert len(set(texts)) == len(texts)


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def runs_of(words: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[k : k + length]) for k in range(len(words) - length + 1)}


def alike(one: list[str], other: list[str]) -> float:
    return len(set(one) & set(other)) / len(set(one) | set(other))


def fitted_on() -> list[Example]:
    return [*read_examples(), *read_written(), *read_examples(PLAIN_TO_LEARN)]


def test_nothing_that_was_fitted_on_is_in_a_set() -> None:
    """The exam is not among the exercises: no long run of the same words, no comment of mostly the same words."""
    exam = {language: [words_of(row["text"]) for row in both_of(language)] for language in PRODUCT_LANGUAGES}
    runs = {run for each in exam.values() for one in each for run in runs_of(one, RUN)}
    for example in fitted_on():
        said = words_of(example.text)
        assert runs.isdisjoint(runs_of(said, RUN)), example
        if len(said) >= RUN:  # "Alles gut" is nobody's own
            assert max((alike(said, one) for one in exam.get(example.language, ())), default=0) <= 0.6, example


@pytest.mark.parametrize("language", PRODUCT_LANGUAGES)
def test_nor_is_a_short_one_of_the_plain_words(language: str) -> None:
    fitted = [words_of(one.text) for one in fitted_on() if one.language == language]
    for row in rows_of(language, PLAIN):
        asked = words_of(row["text"])
        for said in fitted:
            assert said != asked, row
            assert runs_of(asked, SHORT_RUN).isdisjoint(runs_of(said, SHORT_RUN)), row
            short, long = sorted((asked, said), key=len)
            assert len(short) < PHRASE or tuple(short) not in runs_of(long, len(short)), row
            assert len(short) <= PHRASE or alike(asked, said) <= 0.6, row
