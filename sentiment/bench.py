"""What this room adds to `./run manage bench`: how fast, and in how much memory, comments are read by one core."""

import gzip
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import numpy as np
import psutil
from django.conf import settings

from sentiment import engine
from sentiment.classifier import ServedClassifier, get_classifier

# Real comments where they are at hand; they are other people's words and no part of the project.
REAL = settings.BASE_DIR.parent / "shared" / "data" / "dev.jsonl.gz"
# The length that the budgets are about.
MEAN_TOKENS = 28
_TEXTS, _BATCH, _SINGLES = 640, 32, 200


class Measured(TypedDict):
    name: str
    value: float
    unit: str
    budget: float
    verdict: str


def measure(comments: Path = REAL) -> Iterator[Measured]:
    """Comments a CPU second, everything included; how long one alone takes; what the process holds then.

    CPU time rather than the clock's, so that a busy machine does not decide. Nothing is measured without `comments`.
    """
    if not comments.exists():
        return
    rows = _choose(comments)
    _read(rows[:_BATCH])
    began = time.process_time()
    for at in range(0, len(rows), _BATCH):
        _read(rows[at : at + _BATCH])
    yield _line("comments read", len(rows) / (time.process_time() - began), "per CPU second", least=100)
    alone = []
    for row in rows[:_SINGLES]:
        began = time.process_time()
        _read([row])
        alone.append(1000 * (time.process_time() - began))
    yield _line("one comment alone, p95", float(np.percentile(alone, 95)), "CPU ms", most=30)
    yield _line("memory of a process that reads", psutil.Process().memory_info().rss / 1e6, "MB", most=350)


def _choose(comments: Path) -> list[dict[str, str]]:
    """Real comments in a fixed random order, the shortest left out until their mean length is that of the budget."""
    with gzip.open(comments, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    random.Random(1).shuffle(rows)
    rows = rows[:_TEXTS]
    classifier = get_classifier()
    assert isinstance(classifier, ServedClassifier)
    lengths = classifier.count_tokens([row["text"] for row in rows])
    order = sorted(range(len(rows)), key=lambda i: lengths[i])
    while order and np.mean([lengths[i] for i in order]) < MEAN_TOKENS:
        order.pop(0)
    return [rows[i] for i in sorted(order)]


def _read(rows: list[dict[str, str]]) -> None:
    engine.read(
        [row["text"] for row in rows],
        page_languages=[row["language"] for row in rows],
        chain_languages=settings.VERBATIM_LANGUAGES,
    )


def _line(name: str, value: float, unit: str, *, least: float = 0, most: float = 0) -> Measured:
    """One line as DESIGN §6 has it; the budget bounds from below or from above."""
    kept = value >= least if least else value <= most
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "budget": least or most,
        "verdict": "pass" if kept else "fail",
    }
