"""`analyse`: JSON lines in, readings out, in order, whatever a line holds."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.management import CommandError, call_command

from sentiment.bench import memory_grown
from sentiment.classifier import Scores, get_classifier
from sentiment.streaming import LONGEST_LINE, analyse_chunk, chunks_of
from tests.sentiment.tiny import make_tiny

GOOD = json.dumps({"text": "The staff were rude and slow", "language": "en"}).encode()


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
    wrong = {number: answer for number, answer in enumerate(answers, start=1) if "error" in answer}
    assert {number: answer["line"] for number, answer in wrong.items()} == {2: 2, 3: 3, 4: 4, 5: 5, 8: 8}
    assert all(sorted(answer) == ["error", "line"] for answer in wrong.values()) and len(answers) == 8
    first, last = answers[0], answers[6]
    assert (first["language"], first["sentiment"], first["topics"]) == ("en", "negative", ["staff"])
    assert set(first["probabilities"]) == {"negative", "neutral", "positive"}
    assert first["urgency"] == []
    assert last["language"] == "uk"
    assert last["redacted"] == "Дзвоніть [phone], усе чудово, дякую!"


def test_lines_are_counted_across_what_is_read_together(tmp_path: Path) -> None:
    found = answers(b"\n" * 200, tmp_path)
    assert [answer["line"] for answer in found] == list(range(1, 201))


@pytest.mark.parametrize(("said", "refused"), [("xx,yy", "unknown: xx, yy"), ("en,German", "German"), (",", "no code")])
def test_languages_that_nobody_can_tell_are_refused(said: str, refused: str, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(GOOD)
    with pytest.raises(CommandError, match=refused):
        call_command("analyse", str(source), languages=said)
    out = io.StringIO()
    call_command("analyse", str(source), languages="en, pt-BR", stdout=out)
    assert json.loads(out.getvalue())["language"] == "en"


def test_a_missing_file_is_one_clear_line() -> None:
    with pytest.raises(CommandError, match="nowhere"):
        call_command("analyse", "/nowhere.jsonl")


def test_answers_come_before_the_input_ends() -> None:
    class Pipe:
        taken = 0

        def read1(self, size: int = -1, /) -> bytes:
            self.taken += 1
            return b'{"text": "ok"}\n' if self.taken <= 1000 else b""

    pipe = Pipe()
    answers = (one for chunk in chunks_of(pipe) for one in analyse_chunk(chunk, first=1, chain=["en"]))
    assert json.loads(next(answers))["language"] == "en"
    assert pipe.taken < 3


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


def answers(data: bytes, tmp_path: Path) -> list[dict[str, Any]]:
    source = tmp_path / "in.jsonl"
    source.write_bytes(data)
    out = io.StringIO()
    call_command("analyse", str(source), stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", ["error"]),
        (GOOD, ["negative"]),
        (GOOD + b"\n", ["negative"]),
        (GOOD + b"\r\n" + GOOD + b"\r\n", ["negative", "negative"]),
        (b"\xef\xbb\xbf" + GOOD + b"\n" + GOOD, ["negative", "negative"]),
        (GOOD + b"\n\xef\xbb\xbf" + GOOD, ["negative", "error"]),
        (GOOD + b"\r" + GOOD, ["error"]),
        (b'{"text": "caf\xe9"}\n' + GOOD, ["error", "negative"]),
        (b"x" * (LONGEST_LINE + 1) + b"\n" + GOOD, ["error", "negative"]),
        (GOOD + b"\n" + b"x" * (3 * LONGEST_LINE), ["negative", "error"]),
        (b"[" * 100_000 + b"\n" + GOOD, ["error", "negative"]),
        (
            b"".join(
                b'{"text": "123", "language": "%b"}\n' % code
                for code in (b"\\ud800", b"x" * 500, b"../words/en", b"German", b"\\u0000")
            )
            + GOOD,
            ["error"] * 5 + ["negative"],
        ),
        (b'{"text": "Very rude staff, terrible", "language": ""}\n' + GOOD, ["negative", "negative"]),
        (b'{"text": "a", "text": null}\n{"text": "", "language": 3}\n\x00\n' + GOOD, ["error"] * 3 + ["negative"]),
    ],
)
def test_whatever_comes_is_answered_line_by_line(data: bytes, expected: list[str], tmp_path: Path) -> None:
    found = answers(data, tmp_path)
    assert [answer.get("sentiment", "error") for answer in found] == expected


def test_a_line_at_which_the_model_fails_takes_no_other_along(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = get_classifier()

    class Failing:
        """The served model, but for one word."""

        def __getattr__(self, name: str) -> Any:
            return getattr(whole, name)

        def score(self, texts: Sequence[str]) -> Scores:
            if any("deadly" in text for text in texts):
                raise IndexError
            return whole.score(texts)

    monkeypatch.setattr("sentiment.engine.get_classifier", lambda _: Failing())
    deadly = json.dumps({"text": "A deadly line"})
    found = [json.loads(line) for line in analyse_chunk([GOOD.decode(), deadly, GOOD.decode()], first=1, chain=["en"])]
    assert [answer.get("sentiment") for answer in found] == ["negative", None, "negative"]
    assert found[1] == {"error": "it cannot be read: IndexError", "line": 2}


def test_a_model_that_reads_nothing_is_told_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(_: object) -> None:
        raise IndexError("of no such layer")

    monkeypatch.setattr("sentiment.engine.get_classifier", broken)
    source = tmp_path / "in.jsonl"
    source.write_bytes((GOOD + b"\n") * 3)
    with pytest.raises(CommandError, match="reads nothing: IndexError: of no such layer"):
        call_command("analyse", str(source))


def test_a_line_without_an_end_fills_no_memory() -> None:
    class Endless:
        """A gigabyte without a line feed, and the most that was held of it."""

        left = 1 << 30

        def read1(self, size: int = -1, /) -> bytes:
            self.left -= size
            return b"x" * size if self.left > 0 else b""

    before = psutil.Process().memory_info().rss
    [[line]] = list(chunks_of(Endless()))
    assert "at most" in getattr(line, "error", "")
    assert psutil.Process().memory_info().rss - before < 64 << 20


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return make_tiny(tmp_path / "tiny", "tiny", "negative")


ENVIRONMENT = os.environ | {"HALFHOUR_TESTING": "1", "PYTHONUNBUFFERED": ""}
COMMAND = [sys.executable, str(Path(__file__).resolve().parents[2] / "manage.py"), "analyse"]


def test_a_pipe_is_answered_as_it_speaks(tiny: Path) -> None:
    command = [*COMMAND, "--model", str(tiny)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT) as child:
        assert child.stdin and child.stdout
        child.stdin.write(GOOD + b"\n")
        child.stdin.flush()
        # Nothing more comes, and still there is an answer.
        assert json.loads(child.stdout.readline())["sentiment"] == "negative"
        child.stdin.close()
        assert child.wait(300) == 0


def test_memory_stays(tiny: Path) -> None:
    """By a model of no size, so that what is kept of each line shows; `make bench` does the same with 10,000 lines."""
    assert memory_grown(1000, since=400, model=str(tiny)) < 12


def test_a_reader_who_leaves_sees_no_traceback(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    # More than a pipe holds, so that the command still writes.
    source.write_bytes((GOOD + b"\n") * 300)
    with subprocess.Popen(
        [*COMMAND, str(source)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as child:
        assert child.stdout and child.stderr
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(300) == 0
