"""Facts are no complaints, and what denies something bad is praise: what teaches it, and how well it is told."""

from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from sentiment import engine
from sentiment.fitting import read_examples, sentiment_of
from sentiment.measuring import FOLDER
from sentiment.topic_evaluation import Comment, Figures
from sentiment.training.rows import LABELS
from sentiment.training.written import PLAIN, written_rows
from tests.sentiment.test_evaluation_sets import PRODUCT_LANGUAGES

CHAIN = [*PRODUCT_LANGUAGES, "ru"]
SETS = FOLDER / "plain"


def test_a_comment_about_no_topic_may_have_a_sentiment(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("=0 | I paid by card.\n=+ | no complaints\n- | hm\nprice- | dear\n")
    assert [sentiment_of(one) for one in read_examples(tmp_path)] == ["neutral", "positive", None, "negative"]
    for line in ("=? | x", "0 | x", "=0 price- | x"):
        (tmp_path / "en.txt").write_text(line)
        with pytest.raises(ValueError, match="unknown label"):
            read_examples(tmp_path)


def test_the_encoder_sees_each_of_them_as_often_as_the_recipe_says() -> None:
    for times in (0, 2):
        shown = Counter((row.language, row.text, LABELS[row.label]) for row in written_rows(times))
        for example in read_examples(PLAIN):
            assert shown[example.language, example.text, sentiment_of(example) or ""] == times, example


def test_tones_are_counted_by_what_is_true() -> None:
    fact = Comment("Do you also have this in blue?", "en", frozenset(), frozenset(), "neutral", {}, False)
    (reading,) = engine.read([fact.text], page_languages=["en"], chain_languages=CHAIN)
    figures = Figures()
    figures.count(fact, reading)
    tone = figures.by_tone["neutral"]
    assert (tone.right.hits, tone.negative.hits, tone.alarming.hits, tone.right.of) == (1, 0, 0, 1)
    assert figures.by_tone["positive"].right.of == 0


def test_the_command_tells_the_tones(tmp_path: Path) -> None:
    (tmp_path / "en.jsonl").write_text((SETS / "en.jsonl").read_text(encoding="utf-8"), encoding="utf-8")
    out = StringIO()
    call_command("evaluate_topics", sets=tmp_path, stdout=out)
    lines = {line.split()[0]: line for line in out.getvalue().splitlines() if "as a complaint" in line}
    assert set(lines) == {"negative", "neutral", "positive"} and "/12)" in lines["neutral"]
