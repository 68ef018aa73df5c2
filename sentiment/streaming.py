"""Comments as JSON lines in, readings as JSON lines out, in order and in constant memory."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from . import engine
from .files import ModelMissing

_CHUNK = 64
_BLOCK = 1 << 16
# No comment is this long; whatever comes without a line end must not fill the memory.
LONGEST_LINE = 1 << 18
_CODE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
_TOO_LONG = f"a line may have {LONGEST_LINE} bytes at most"


class Source(Protocol):
    """The part of a buffered binary file that reading needs."""

    def read1(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class Unreadable:
    """A line of which only this can be said."""

    error: str


Line = str | Unreadable


def chunks_of(source: Source) -> Iterator[list[Line]]:
    """The lines of a file or pipe as they come, a few at a time: what is there is not held back for what may follow.

    Lines end at line feeds only; a byte order mark at the very beginning is none of the first line. Undecodable bytes
    spoil their own line.
    """
    rest, skipping, first = b"", False, True
    while block := source.read1(_BLOCK):
        *ended, rest = (rest + block).split(b"\n")
        lines: list[Line] = []
        for raw in ended:
            lines.append(Unreadable(_TOO_LONG) if skipping else _decoded(raw, first=first))
            skipping = first = False
        if len(rest) > LONGEST_LINE:
            rest, skipping = b"", True
        yield from _batched(lines)
    if rest or skipping:
        yield [Unreadable(_TOO_LONG) if skipping else _decoded(rest, first=first)]


def _decoded(raw: bytes, *, first: bool) -> Line:
    if len(raw) > LONGEST_LINE:
        return Unreadable(_TOO_LONG)
    try:
        return raw.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        return Unreadable(f"not UTF-8: byte {error.start + 1}")


def _batched(lines: Iterable[Line]) -> Iterator[list[Line]]:
    source = iter(lines)
    while chunk := list(islice(source, _CHUNK)):
        yield chunk


def analyse_chunk(chunk: list[Line], *, first: int, chain: Sequence[str], model: str | None = None) -> Iterator[str]:
    """One answer a line, without its line end, to lines that are read together. `first`: the number of the first of
    them, counted from 1.

    A line that cannot be read is answered in its place by `{"error": …, "line": …}`; an empty one too, so that the nth
    answer always belongs to the nth line.
    """
    parsed = [_parse(line) for line in chunk]
    readings = iter(_read([row for row in parsed if not isinstance(row, Unreadable)], chain, model))
    for number, row in enumerate(parsed, start=first):
        found = row if isinstance(row, Unreadable) else next(readings)
        answer = {"error": found.error, "line": number} if isinstance(found, Unreadable) else _as_json(found)
        yield json.dumps(answer, ensure_ascii=False)


def _read(rows: list[dict[str, Any]], chain: Sequence[str], model: str | None) -> Sequence[engine.Reading | Unreadable]:
    """Together; each alone where the model fails at one of them. Raises ModelMissing where it fails at any words."""
    try:
        return _ask(rows, chain, model)
    except ModelMissing:
        raise
    except Exception:  # whatever a model may throw
        _try_out(chain, model)
    return [_read_alone(row, chain, model) for row in rows]


def _ask(rows: list[dict[str, Any]], chain: Sequence[str], model: str | None) -> list[engine.Reading]:
    texts, languages = [row["text"] for row in rows], [row["language"] for row in rows]
    return engine.read(texts, page_languages=languages, chain_languages=chain, model=model)


def _read_alone(row: dict[str, Any], chain: Sequence[str], model: str | None) -> engine.Reading | Unreadable:
    try:
        return _ask([row], chain, model)[0]
    except ModelMissing:
        raise
    except Exception as error:
        return Unreadable(f"it cannot be read: {type(error).__name__}")


def _try_out(chain: Sequence[str], model: str | None) -> None:
    """Raises ModelMissing for a model that cannot read the plainest words: the lines are not to blame."""
    try:
        _ask([{"text": "Good service, thank you.", "language": None}], chain, model)
    except ModelMissing:
        raise
    except Exception as error:
        raise ModelMissing(f"the model reads nothing: {type(error).__name__}: {error}") from error


def _parse(line: Line) -> dict[str, Any] | Unreadable:
    """The row, or what is wrong with it."""
    if isinstance(line, Unreadable):
        return line
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        # Its own place would be told in lines of this line.
        return Unreadable(f"not JSON: {getattr(error, 'msg', error)}")
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return Unreadable('an object with a string "text" is wanted')
    language = row.get("language")
    if language is not None and not (isinstance(language, str) and (not language or _CODE.fullmatch(language))):
        return Unreadable('"language" must be a code such as "de" or "pt-BR"')
    # Half of a surrogate pair is legal JSON but no text.
    text = row["text"].encode("utf-8", "replace").decode("utf-8")
    return {"text": text, "language": language or None}


def _as_json(reading: engine.Reading) -> dict[str, Any]:
    return {
        "language": reading.language,
        "language_confidence": reading.language_confidence,
        "sentiment": reading.sentiment,
        "probabilities": reading.probabilities,
        "confident": reading.confident,
        "alarming": reading.alarming,
        "topics": [hit.topic for hit in reading.topics],
        "topic_sentiments": {hit.topic: hit.sentiment for hit in reading.topics},
        "urgency": reading.urgency,
        "urgency_certain": reading.urgency_certain,
        "redacted": reading.redacted,
        "model_version": reading.model_version,
    }
