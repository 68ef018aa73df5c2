"""Facts are no complaints, and what denies something bad is praise: what teaches it, and how well it is told."""

from collections import Counter
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from sentiment import engine
from sentiment.classifier import FOLDER, LABELS, get_classifier
from sentiment.doubts import PLAIN as DOUBTS_COMPLAINTS
from sentiment.doubts import served_doubt
from sentiment.files import SUMS
from sentiment.fitting import Example, read_examples, sentiment_of
from sentiment.measuring import FOLDER as ALL_SETS
from sentiment.measuring import judge
from sentiment.topic_evaluation import Comment, Figures, Tone, read_sets
from sentiment.training.doubts import REAL, Group, fit_doubt
from sentiment.training.written import PLAIN, QUIET, written_rows
from tests.sentiment.test_evaluation_sets import PRODUCT_LANGUAGES

CHAIN = [*PRODUCT_LANGUAGES, "ru"]
SETS = ALL_SETS / "plain"


def test_a_comment_about_no_topic_may_have_a_sentiment(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("=0 | I paid by card.\n=+ | no complaints\n- | hm\nprice- | dear\n")
    assert [sentiment_of(one) for one in read_examples(tmp_path)] == ["neutral", "positive", None, "negative"]
    (tmp_path / "en.txt").write_text("price+ staff- | cheap but rude\nprice+ staff- =+ | rude, but at that price\n")
    mixed, weighed = read_examples(tmp_path)
    assert mixed.topics == weighed.topics == {"price": "positive", "staff": "negative"}
    assert (sentiment_of(mixed), sentiment_of(weighed)) == (None, "positive")
    for line in ("=? | x", "0 | x", "=0 =+ price- | x", "price | x", "!hurry | x", "prize+ | x"):
        (tmp_path / "en.txt").write_text(line)
        with pytest.raises(ValueError, match="unknown label"):
            read_examples(tmp_path)


def test_the_encoder_sees_what_is_told_quietly_twice_and_none_of_the_plain_words() -> None:
    shown = Counter((row.language, row.text, LABELS[row.label]) for row in written_rows())

    def times(example: Example) -> int:
        return shown[example.language, example.text, sentiment_of(example) or ""]

    def is_new(example: Example) -> bool:
        # Two authors may have written the same few words, as "ni fu ni fa".
        return len(example.text.split()) > 5

    told = [example for example in read_examples(QUIET) if sentiment_of(example)]
    assert told and all(times(one) == 2 for one in told if is_new(one))
    assert not any(times(one) for one in read_examples(PLAIN) if is_new(one))


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


# --- what doubts complaints beside the encoder -------------------------------------------------------------------
@pytest.fixture(scope="module")
def tones() -> dict[str, Tone]:
    """Of all the sets of plain words."""

    def read(texts: Sequence[str], language: str) -> list[engine.Reading]:
        return engine.read(texts, page_languages=[language] * len(texts), chain_languages=CHAIN)

    return judge(read_sets(SETS), read, Figures)["all"].by_tone


def test_plain_words_alarm_as_seldom_as_their_readme_says(tones: dict[str, Tone]) -> None:
    """With some room: another processor rounds otherwise."""
    facts, praise, complaints = (tones[tone].alarming.value for tone in ("neutral", "positive", "negative"))
    assert facts is not None and facts <= 0.22
    assert praise is not None and praise <= 0.33
    assert complaints is not None and complaints >= 0.72


def test_a_doubted_complaint_is_unsure_and_a_bad_score_beside_it_bears_it_out() -> None:
    facts = [comment for comment in read_sets(SETS) if comment.sentiment == "neutral"]
    texts, pages = [comment.text for comment in facts], [comment.language for comment in facts]

    def read(*, belied: bool) -> list[engine.Reading]:
        beside = [belied] * len(texts)
        return engine.read(texts, page_languages=pages, chain_languages=CHAIN, praise_belied=beside)

    alone = get_classifier().score(texts).probabilities.argmax(1) == LABELS.index("negative")
    without_score, with_bad_score = read(belied=False), read(belied=True)
    doubted = [i for i, reading in enumerate(without_score) if alone[i] and not reading.confident]
    assert len(doubted) > 20
    for i in doubted:
        reading, beside_bad_score = without_score[i], with_bad_score[i]
        assert (reading.sentiment, reading.alarming) == ("neutral", False)
        assert "negative" not in {hit.sentiment for hit in reading.topics}
        assert (beside_bad_score.sentiment, beside_bad_score.confident) == ("negative", True)


@pytest.fixture
def without_the_layer(tmp_path: Path) -> Iterator[str]:
    """A folder with the served files but for what doubts complaints."""
    for file in FOLDER.iterdir():
        if file.name not in (DOUBTS_COMPLAINTS.file, SUMS):
            (tmp_path / file.name).symlink_to(file)
    yield str(tmp_path)
    served_doubt.cache_clear()


def test_without_the_layer_complaints_are_believed(without_the_layer: str, caplog: pytest.LogCaptureFixture) -> None:
    facts = [comment.text for comment in read_sets(SETS) if comment.language == "en" and comment.sentiment == "neutral"]
    pages = ["en"] * len(facts)
    here = engine.read(facts, page_languages=pages, chain_languages=CHAIN)
    there = engine.read(facts, page_languages=pages, chain_languages=CHAIN, model=without_the_layer)
    doubted = [one.sentiment for one, other in zip(there, here, strict=True) if one.confident and not other.confident]
    assert len(doubted) > 1 and set(doubted) == {"negative"}
    assert caplog.text.count("run fit_doubts") == 1


def test_the_same_comments_teach_the_same_and_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """On made-up traits: what sets facts apart is learnt, and as many real complaints are doubted as was asked."""
    monkeypatch.setattr("sentiment.training.doubts._LAYERS", (1,))
    draw = np.random.default_rng(1)
    real = draw.normal(0, 1, (900, 32)).astype(np.float32)
    written = draw.normal(0, 1, (600, 32)).astype(np.float32)
    wrong = np.arange(600) % 3 == 0
    written[:, :12] += np.where(wrong, 2.0, 0.0).astype(np.float32)[:, None]
    groups = [Group(written, wrong, 1.0), Group(real[::2], np.zeros(450, bool), REAL)]
    doubt = fit_doubt(groups, real, real[1::2], "made-up", doubted=0.02)
    assert fit_doubt(groups, real, real[1::2], "made-up", doubted=0.02).dump() == doubt.dump()
    assert doubt.doubts(written)[wrong].mean() > 0.6 > 0.05 > doubt.doubts(written)[~wrong].mean()
    assert doubt.doubts(real[1::2]).mean() == pytest.approx(0.02, abs=0.003)
    with pytest.raises(ValueError, match="no real comment"):
        fit_doubt(groups, real, real[:0], "made-up", doubted=0.02)
