"""A sentiment service of the operator's own choice, asked after our own model and never instead of it.

Opt-in by SENTIMENT_SERVICE_URL. It is sent the redacted words and nothing else: no ids, no store, no language, no
scores (RELIABILITY P8). Topics, urgency, language, redaction and likeness stay ours, and so does the sentiment where
the service does not answer. The contract, which an operator's adapter fulfils:

    POST {"texts": ["…", …]}   →   200 {"readings": [{"negative": 0.9, "neutral": 0.1, "positive": 0.0}, …]}

with `Authorization: Bearer <SENTIMENT_SERVICE_KEY>` if a key is set, one reading per text, in order. It has to store
nothing. `model_version` tells whether the service spoke: `<our own>+service`, or `+service-failed`.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, cast

import structlog
from django.conf import settings

from core.outbound import Answer, post
from sentiment.classifier import LABELS, PipelineClassifier
from sentiment.engine import Reading, Sentiment
from sentiment.holding import ANSWERED

log = structlog.get_logger()
FAILED = "+service-failed"
_OK = 200
# Long enough for a batch, short enough that the lease of its rows outlasts it.
_TIMEOUT_SECS = 10
# A service that fails is left alone for a while: a burst must not wait for each of its timeouts.
_PAUSE_SECS = 60


class _Pause:
    """Until when nobody asks, for the threads of this process."""

    def __init__(self) -> None:
        self._until, self._lock = 0.0, Lock()

    def is_on(self) -> bool:
        with self._lock:
            return time.monotonic() < self._until

    def begin(self) -> None:
        with self._lock:
            self._until = time.monotonic() + _PAUSE_SECS

    def end(self) -> None:
        with self._lock:
            self._until = 0.0


pause = _Pause()


class _Unfit(Exception):
    """The service answered something that is no reading of what it was asked."""


def with_service(readings: Sequence[Reading]) -> list[Reading]:
    """The readings with the service's sentiment where one is configured and has answered; as they were otherwise.

    Too few or too strange words are not sent: they stay unsure.
    """
    if not settings.SENTIMENT_SERVICE_URL:
        return list(readings)
    asked = [i for i, reading in enumerate(readings) if reading.confident and reading.redacted.strip()]
    found = list(readings)
    if not asked:
        return found
    answers = _ask([readings[i].redacted for i in asked])
    for k, i in enumerate(asked):
        found[i] = _marked(readings[i], FAILED) if answers is None else _overruled(readings[i], answers[k])
    return found


def _ask(texts: list[str]) -> list[dict[str, float]] | None:
    """Calibrated or not, the probabilities of each text; None when the service is not to be had."""
    if pause.is_on():
        return None
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if settings.SENTIMENT_SERVICE_KEY:
        headers["Authorization"] = f"Bearer {settings.SENTIMENT_SERVICE_KEY}"
    try:
        body = json.dumps({"texts": texts}, ensure_ascii=False).encode()
        return _parse(post(settings.SENTIMENT_SERVICE_URL, body, headers, timeout_secs=_TIMEOUT_SECS), len(texts))
    except Exception as error:  # whatever an address, a key or an answer may hold: our own reading stands
        # The kind alone: an error may quote what was sent.
        log.warning("sentiment service failed", error=type(error).__name__)
        pause.begin()
        return None


def _parse(answer: Answer, wanted: int) -> list[dict[str, float]]:
    """Raises whatever an answer of another form leads to."""
    if answer.status != _OK:
        raise _Unfit
    rows = json.loads(answer.body)["readings"]
    found = [{label: float(row[label]) for label in LABELS} for row in rows]
    if len(found) != wanted or not all(_is_distribution(row) for row in found):
        raise _Unfit
    return found


def _is_distribution(row: dict[str, float]) -> bool:
    values: Any = row.values()
    return all(math.isfinite(value) and 0 <= value <= 1 for value in values) and abs(sum(values) - 1) < 0.05


def _overruled(reading: Reading, said: dict[str, float]) -> Reading:
    """The service's word. Nobody has measured it here: it must be very sure, and then a person looks first, which the
    mark tells the rules. `proven` stays what it is of our own model, whose topics stay too."""
    total = sum(said.values())
    probabilities = {label: round(value / total, 4) for label, value in said.items()}
    return replace(
        _marked(reading, ANSWERED),
        sentiment=cast(Sentiment, max(probabilities, key=probabilities.__getitem__)),
        probabilities=probabilities,
        alarming=probabilities["negative"] >= PipelineClassifier.alert_threshold,
    )


def _marked(reading: Reading, mark: str) -> Reading:
    return replace(reading, model_version=reading.model_version + mark)
