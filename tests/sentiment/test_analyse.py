"""`analyse`: JSON lines in, readings out, in order, whatever a line holds."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from sentiment.streaming import analyse_lines


def test_each_line_is_answered_in_its_place(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(
        "\n".join(
            [
                json.dumps({"text": "The staff were rude and ignored me, terrible", "language": "en"}),
                "no JSON",
                "",
                "[1]",
                '{"text": 7}',
                '{"text": "\\ud800 half a pair"}',
                json.dumps({"text": "Дзвоніть 050 123 45 67, усе чудово, дякую!", "language": "uk"}),
            ]
        ).encode()
        + b'\n{"text": "caf\xe9"}\n'
    )
    out = io.StringIO()
    call_command("analyse", str(source), stdout=out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [sorted(answer) == ["error"] for answer in answers] == [False, True, True, True, True, False, False, False]
    first, last = answers[0], answers[6]
    assert (first["language"], first["sentiment"], first["topics"]) == ("en", "negative", ["staff"])
    assert set(first["probabilities"]) == {"negative", "neutral", "positive"}
    assert first["urgency"] == []
    assert last["language"] == "uk"
    assert last["redacted"] == "Дзвоніть [phone], усе чудово, дякую!"


def test_a_missing_file_is_one_clear_line() -> None:
    with pytest.raises(CommandError, match="nowhere"):
        call_command("analyse", "/nowhere.jsonl")


def test_answers_come_before_the_input_ends() -> None:
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield '{"text": "ok"}'

    answers = analyse_lines(lines(), chain=["en"])
    assert json.loads(next(answers))["language"] == "en"
    assert taken < 200


def test_evaluation_prints_the_model_beside_a_baseline(tmp_path: Path) -> None:
    rows = [
        ("Wonderful staff, thank you so much", "positive"),
        ("Terrible service, never again, so rude", "negative"),
        ("I bought a ring on Monday", "neutral"),
    ] * 4
    dev = tmp_path / "dev.jsonl"
    dev.write_text("".join(json.dumps({"text": t, "language": "en", "label": y}) + "\n" for t, y in rows))
    out = io.StringIO()
    call_command("evaluate_classifier", str(dev), stdout=out)
    assert "12 comments" in out.getvalue()
    assert "always the commonest" in out.getvalue()
