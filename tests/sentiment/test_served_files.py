"""The served model's files: whole, small enough, and honest about what was measured."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from sentiment import bench
from sentiment.bench import memory_of_worker
from sentiment.classifier import FOLDER, get_classifier
from sentiment.files import SUMS, read_sums
from sentiment.training.sums import note_checksums
from sentiment.training.vocabulary import PRODUCT

MEGABYTE = 1_000_000
# Plain remarks, none from any corpus: a vocabulary that knows the language needs few pieces a word.
REMARKS = {
    "ar": "الموظفون كانوا لطفاء جدا والخدمة سريعة",
    "cs": "Obsluha byla velmi milá a rychlá",
    "da": "Personalet var meget venligt og hurtigt",
    "de": "Die Verkäuferin war sehr freundlich und geduldig",
    "en": "The staff were very kind and patient",
    "es": "El personal fue muy amable y rápido",
    "fr": "Le personnel était très aimable et rapide",
    "it": "Il personale è stato molto gentile e veloce",
    "nl": "Het personeel was erg vriendelijk en snel",
    "pl": "Obsługa była bardzo miła i szybka",
    "pt": "Os funcionários foram muito simpáticos e rápidos",
    "ru": "Персонал был очень вежливый и быстрый",
    "sv": "Personalen var mycket vänlig och snabb",
    "uk": "Персонал був дуже привітний і швидкий",
}


def test_the_sums_are_those_of_the_files() -> None:
    lines = [line.split() for line in (FOLDER / SUMS).read_text().splitlines()]
    sums = {name: found for found, name in lines}
    assert set(sums) == {path.name for path in FOLDER.iterdir()} - {SUMS}
    for name, expected in sums.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == expected, name


def test_a_sum_noted_for_one_file_hides_no_damage_to_another(tmp_path: Path) -> None:
    for name in ("model.onnx", "heads.npz"):
        (tmp_path / name).write_text(name)
    (tmp_path / "older").mkdir()
    note_checksums(tmp_path)
    before = (tmp_path / SUMS).read_text().splitlines()
    assert [line.split()[1] for line in before] == ["heads.npz", "model.onnx"]
    for name in ("model.onnx", "heads.npz", "irony.npz"):
        (tmp_path / name).write_text("another")
    note_checksums(tmp_path, only="heads.npz")
    after = (tmp_path / SUMS).read_text().splitlines()
    assert after == [f"{hashlib.sha256(b'another').hexdigest()}  heads.npz", before[1]]


def test_all_files_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 60 * MEGABYTE


def test_the_card_speaks_of_this_model_and_of_what_is_proven() -> None:
    card, config = (FOLDER / "card.md").read_text(), json.loads((FOLDER / "config.json").read_text())
    assert card.startswith(f"# Sentiment of retail comments: {config['model_version']}\n")
    assert config["model_version"].endswith(hashlib.sha256((FOLDER / "model.onnx").read_bytes()).hexdigest()[:10])
    assert re.search(r"^- Proven .*: (.+)\.$", card, re.M).group(1).split(", ") == config["proven"]  # type: ignore[union-attr]
    for figures in ("## Trained on", "## Measured on", "## Beside plain ways", "## Limits", "licence"):
        assert figures in card


def test_only_what_was_measured_well_enough_is_proven() -> None:
    """By the card's own figures: at least 200 comments, 78 % of the poles right."""
    measured = re.findall(
        r"^\| ([a-z]{2}) \| (\d+) \| [^|]+ \| [^|]+ \| ([\d.]+)", (FOLDER / "card.md").read_text(), re.M
    )
    good = {code for code, rows, binary in measured if int(rows) >= 200 and float(binary) >= 0.78}
    assert get_classifier().proven <= good
    assert {"en", "de", "fr", "es"} <= get_classifier().proven
    assert not {"ar", "pl", "uk", "it"} & get_classifier().proven


@pytest.mark.parametrize("language", PRODUCT)
def test_the_vocabulary_knows_every_language_of_the_product(language: str) -> None:
    import transformers

    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(FOLDER)
    pieces = tokenizer(REMARKS[language], add_special_tokens=False)["input_ids"]
    assert tokenizer.unk_token_id not in pieces
    assert len(pieces) <= 2.2 * len(REMARKS[language].split())


def test_a_worker_stays_within_its_memory_and_loads_no_library_of_other_models() -> None:
    held = memory_of_worker(192)
    assert held.megabytes <= 350
    assert not {"torch", "transformers", "tokenizers"} & held.imported


def test_the_benchmark_reads_with_a_stores_names_and_a_chains_own_words() -> None:
    (reading,) = bench._read([{"text": "Sofie Novák at the charm bar was kind to us", "language": "en"}])
    assert len(bench.STAFF) == 30 and reading.redacted.startswith("[name]")
    assert {"availability", "staff"} <= {hit.topic for hit in reading.topics}


def test_a_list_as_sha256sum_writes_it_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / SUMS).write_text("aa *model.onnx\n\nbb  config.json\n")
    assert read_sums(tmp_path) == {"model.onnx": "aa", "config.json": "bb"}
