"""Irony is unsure rather than praise, and praise that sounds like it stays praise."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sentiment import engine
from sentiment.classifier import FOLDER, LABELS, get_classifier
from sentiment.doubts import IRONY, KINDS, Kind, load_doubt, served_doubt
from sentiment.files import FILES, SUMS, compute_sum, mark_of
from sentiment.heads import HeadsMismatch, load_heads
from sentiment.irony_evaluation import FOLDER as SETS
from sentiment.irony_evaluation import Figures, read_sets
from sentiment.measuring import judge
from sentiment.models import Analysis
from sentiment.reading import own_version
from sentiment.service import FAILED
from sentiment.training.irony import FOLDER as TUNED_ON
from sentiment.training.irony import UNSEEN, fit_irony, irony_rows, read_remarks
from tests.sentiment.test_evaluation_sets import PRODUCT_LANGUAGES

CHAIN = [*PRODUCT_LANGUAGES, "ru"]


@pytest.fixture(scope="module")
def readings() -> dict[str, engine.Reading]:
    """Of every comment of the sets, by its words."""
    remarks = read_sets()
    texts, languages = [remark.text for remark in remarks], [remark.language for remark in remarks]
    return dict(zip(texts, engine.read(texts, page_languages=languages, chain_languages=CHAIN), strict=True))


@pytest.fixture(scope="module")
def figures(readings: dict[str, engine.Reading]) -> dict[str, Figures]:
    return judge(read_sets(), lambda texts, language: [readings[text] for text in texts], Figures)


def test_the_sets_are_as_well_told_as_their_readme_says(figures: dict[str, Figures]) -> None:
    """Some below the figures there: another processor rounds otherwise."""
    doubted, kept = figures["all"].ironic_doubted.value, figures["all"].sincere_kept.value
    assert doubted is not None and doubted >= 0.78
    assert kept is not None and kept >= 0.60


def test_no_topic_is_praised_where_the_praise_is_doubted(readings: dict[str, engine.Reading]) -> None:
    alone = get_classifier().score(list(readings)).probabilities.argmax(1) == LABELS.index("positive")
    doubted = [reading for reading, praise in zip(readings.values(), alone, strict=True) if praise]
    said = {hit.sentiment for reading in doubted if not reading.confident for hit in reading.topics}
    assert said == {"neutral", "negative"}


def test_more_is_told_than_the_model_tells_alone(figures: dict[str, Figures]) -> None:
    ironic = [remark.text for remark in read_sets() if remark.ironic]
    alone = get_classifier().score(ironic).probabilities.argmax(1) != LABELS.index("positive")
    assert figures["all"].ironic_doubted.hits >= 1.1 * alone.sum()


def test_every_language_of_the_product_has_a_set_of_both_kinds() -> None:
    remarks = read_sets()
    for language in PRODUCT_LANGUAGES:
        own = [remark.ironic for remark in remarks if remark.language == language]
        assert own.count(True) >= 5 and own.count(False) >= 5, language
    rows = [json.loads(line) for path in SETS.glob("*.jsonl") for line in path.read_text().splitlines()]
    assert all(set(row) == {"text", "meant"} for row in rows)


def test_nothing_that_was_learnt_from_is_in_a_set() -> None:
    def words(text: str) -> list[str]:
        return text.casefold().replace(",", " ").replace(".", " ").split()

    learnt = [words(remark.text) for remark in [*read_remarks(), *read_remarks(UNSEEN)]]
    runs = {tuple(one[k : k + 6]) for one in learnt for k in range(len(one) - 5)}
    for remark in read_sets():
        said = words(remark.text)
        assert runs.isdisjoint(tuple(said[k : k + 6]) for k in range(len(said) - 5)), remark


def test_a_part_of_what_the_layer_learns_from_is_new_to_the_encoder() -> None:
    shown, unseen = ({remark.text for remark in read_remarks(folder)} for folder in (TUNED_ON, UNSEEN))
    assert shown == {row.text for row in irony_rows()} and len(unseen) > 1000
    assert shown.isdisjoint(unseen)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_served_belongs_to_the_served_model(kind: Kind) -> None:
    version = get_classifier().version
    content = (FOLDER / kind.file).read_bytes()
    assert load_doubt(content, version).dump() == content
    with pytest.raises(HeadsMismatch):
        load_doubt(content, "another")


def test_a_reading_names_the_files_that_had_a_part_in_it(readings: dict[str, engine.Reading], tmp_path: Path) -> None:
    """So that history that another layer read is known, and can be read again; likeness is told all the same."""
    version, mark = get_classifier().version, get_classifier().mark
    for name in FILES:
        (tmp_path / name).symlink_to(FOLDER / name)
    assert mark_of(compute_sum(tmp_path)) == mark
    served = load_doubt((FOLDER / IRONY.file).read_bytes(), version)
    (tmp_path / IRONY.file).unlink()
    (tmp_path / IRONY.file).write_bytes(replace(served, threshold=served.threshold + 1).dump())
    other = mark_of(compute_sum(tmp_path))
    assert {reading.model_version for reading in readings.values()} == {version + mark}
    assert "" != mark != other
    assert own_version(version + mark) == own_version(version + other) == version
    longest = f"{version}{mark}+learnt-999{FAILED}"
    assert len(longest) <= (Analysis._meta.get_field("model_version").max_length or 0)


@pytest.mark.parametrize("load", [load_doubt, load_heads])
@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"PK", b"\x93NUMPY"])
def test_what_is_no_file_of_weights_says_so(load: Callable[[bytes, str], object], content: bytes) -> None:
    with pytest.raises(HeadsMismatch, match="not readable"):
        load(content, get_classifier().version)


@pytest.fixture
def other_files(tmp_path: Path) -> Iterator[Path]:
    """The served files without what tells irony."""
    for file in FOLDER.iterdir():
        if file.name not in (IRONY.file, SUMS):
            (tmp_path / file.name).symlink_to(file)
    yield tmp_path
    served_doubt.cache_clear()


def test_without_it_or_with_a_bad_one_all_else_is_read(other_files: Path, caplog: pytest.LogCaptureFixture) -> None:
    served = load_doubt((FOLDER / IRONY.file).read_bytes(), get_classifier().version)
    narrow = replace(served, mean=served.mean[:-1])
    few = replace(narrow, scale=served.scale[:-1], hidden=replace(served.hidden, inner=served.hidden.inner[:-1]))
    for content in (None, b"", narrow.dump(), few.dump()):
        if content is not None:
            (other_files / IRONY.file).write_bytes(content)
        served_doubt.cache_clear()
        caplog.clear()
        for _again in range(2):
            (reading,) = engine.read(
                ["The staff were so kind."], page_languages=["en"], chain_languages=CHAIN, model=str(other_files)
            )
            assert (reading.sentiment, reading.confident) == ("positive", True)
            assert [hit.topic for hit in reading.topics] == ["staff"]
            assert own_version(reading.model_version) == get_classifier(str(other_files)).version
        assert caplog.text.count("fit_doubts") == 1


def test_the_same_remarks_teach_the_same_and_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """On made-up traits: what sets irony apart is learnt, and usual praise is let be."""
    monkeypatch.setattr("sentiment.training.doubts._LAYERS", (1,))
    remarks = [remark for remark in read_remarks() if remark.language in ("en", "de")]
    draw = np.random.default_rng(1)
    praise = draw.normal(0, 1, (600, 32)).astype(np.float32)
    written = draw.normal(0, 1, (len(remarks), 32)).astype(np.float32)
    written[:, :12] += np.array([[2.0 * remark.ironic] for remark in remarks], np.float32)
    irony = fit_irony(remarks, written, praise, "made-up")
    assert fit_irony(remarks, written, praise, "made-up").dump() == irony.dump()
    found = irony.scores(written) > irony.threshold
    ironic = np.array([remark.ironic for remark in remarks])
    assert found[ironic].mean() > 0.6 > 0.05 > found[~ironic].mean()
    assert (irony.scores(praise) > irony.threshold).mean() < 0.02
