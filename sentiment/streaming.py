"""Comments as JSON lines in, readings as JSON lines out, in order and in constant memory."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from . import engine

_CHUNK = 64


def analyse_lines(lines: Iterable[str], *, chain: Sequence[str], model: str | None = None) -> Iterator[str]:
    """One answer a line, without its line end.

    A line that cannot be read is answered in its place by `{"error": …}`; an empty one too, so that the nth answer
    always belongs to the nth line.
    """
    source = iter(lines)
    while chunk := list(islice(source, _CHUNK)):
        parsed = [_parse(line) for line in chunk]
        good = [row for row in parsed if isinstance(row, dict)]
        readings = iter(
            engine.read(
                [row["text"] for row in good],
                page_languages=[row["language"] for row in good],
                chain_languages=chain,
                model=model,
            )
            if good
            else ()
        )
        for row in parsed:
            answer = {"error": row} if isinstance(row, str) else _as_json(next(readings))
            yield json.dumps(answer, ensure_ascii=False)


def _parse(line: str) -> dict[str, Any] | str:
    """The row, or what is wrong with it."""
    try:
        row = json.loads(line)
    except ValueError as error:
        return f"not JSON: {error}"
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return 'an object with a string "text" is wanted'
    language = row.get("language")
    if language is not None and not isinstance(language, str):
        return '"language" must be a string'
    # Half of a surrogate pair is legal JSON but no text.
    text = row["text"].encode("utf-8", "replace").decode("utf-8")
    return {"text": text, "language": language}


def _as_json(reading: engine.Reading) -> dict[str, Any]:
    return {
        "language": reading.language,
        "language_confidence": reading.language_confidence,
        "sentiment": reading.sentiment,
        "probabilities": reading.probabilities,
        "confident": reading.confident,
        "topics": [hit.topic for hit in reading.topics],
        "topic_sentiments": {hit.topic: hit.sentiment for hit in reading.topics},
        "urgency": reading.urgency,
        "urgency_certain": reading.urgency_certain,
        "redacted": reading.redacted,
        "model_version": reading.model_version,
    }
