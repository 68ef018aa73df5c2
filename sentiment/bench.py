"""What this room adds to `./run manage bench`: how fast, and in how much memory, comments are read by one core."""

import gzip
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import cache
from itertools import cycle, islice, product
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypedDict

import numpy as np
import psutil
from django.conf import settings

from core.database import process_environment
from sentiment import engine
from sentiment.classifier import ServedClassifier, get_classifier
from sentiment.entries import ChainWords, Entry, built_in
from sentiment.topic_evaluation import read_sets

# Real comments where they are at hand; they are other people's words and no part of the project.
REAL = settings.BASE_DIR.parent / "shared" / "data" / "dev.jsonl.gz"
# The length that the budgets are about.
MEAN_TOKENS = 28
_TEXTS, _BATCH, _SINGLES = 640, 32, 200
_PRODUCTS = 100
# How many comments a worker has read when its memory is measured; it grows no more long before.
_READ_BEFORE = 2000
_LINES = 10_000
# As many names as a large store has, its area and head office included; and what a chain's own lists may hold.
FIRST_NAMES = ("Anna", "Léa", "Marek", "Олена", "Sofie", "Tom")
STAFF = tuple(" ".join(pair) for pair in product(FIRST_NAMES, ("Berg", "Costa", "Novák", "Рябенко", "de Wit")))
OWN_WORDS = (
    "gift card",
    "loyalty",
    "click_and collect",
    "workshop ... day",
    "charm bar",
    "window display",
    "newsletter",
)


class Measured(TypedDict):
    name: str
    value: float
    unit: str
    budget: float
    verdict: str


def measure(comments: Path = REAL) -> Iterator[Measured]:
    """Comments a CPU second, everything included; how long one alone takes; what a worker holds that has read many.

    CPU time rather than the clock's, so that a busy machine does not decide. Without the file of real comments, those
    of the evaluation sets are read, in every language of the product.
    """
    yield _line("memory of a worker that reads", memory_of_worker(_READ_BEFORE).megabytes, "MB", most=350)
    yield _line(f"memory grown over {_LINES:,} lines", memory_grown(_LINES, since=_READ_BEFORE), "MB", most=16)
    rows = _choose(comments)
    # A worker reads all day: its lists are loaded, and its patterns made, once for each language.
    _read_in_batches(rows)
    began = time.process_time()
    _read_in_batches(rows)
    yield _line("comments read", len(rows) / (time.process_time() - began), "per CPU second", least=100)
    alone = []
    for row in rows[:_SINGLES]:
        began = time.process_time()
        _read([row])
        alone.append(1000 * (time.process_time() - began))
    yield _line("one comment alone, p95", float(np.percentile(alone, 95)), "CPU ms", most=30)
    # The same work on every machine, which tells a slow one from slow reading.
    yield _line(f"this machine: {_PRODUCTS} products of the model's shape", _machine_ms(), "CPU ms")


def _machine_ms() -> float:
    tokens, weights = np.ones((MEAN_TOKENS, 384), np.float32), np.ones((384, 1536), np.float32)
    began = time.process_time()
    for _ in range(_PRODUCTS):
        tokens @ weights
    return 1000 * (time.process_time() - began)


class Held(NamedTuple):
    """What a process holds: resident memory, and the names of what it has imported."""

    megabytes: float
    imported: frozenset[str]


_WORKER = """
import django
django.setup()
from core.management.commands import work
from sentiment.bench import report_memory
report_memory({comments})
"""


def memory_of_worker(comments: int) -> Held:
    """Of a process of its own that has all rooms loaded, as a worker has, and has read so many comments."""
    command = [sys.executable, "-c", _WORKER.format(comments=comments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=settings.BASE_DIR, env=process_environment())
    megabytes, imported = json.loads(done.stdout)
    return Held(megabytes, frozenset(imported))


def report_memory(comments: int) -> None:
    """Read so many comments, and say what that takes."""
    source = _endless()
    for _batch in range(0, comments, _BATCH):
        _read([{"text": text, "language": ""} for text in islice(source, _BATCH)])
    print(json.dumps([psutil.Process().memory_info().rss / 1e6, sorted(sys.modules)]))


def memory_grown(lines: int, *, since: int, model: str = "") -> float:
    """By how many megabytes a process of `analyse` is larger at the last of so many lines beyond `since` than there."""
    command = [sys.executable, "manage.py", "analyse", *(["--model", model] if model else [])]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=settings.BASE_DIR, env=process_environment()
    ) as child:
        assert child.stdin and child.stdout
        feeding = threading.Thread(target=_feed, args=(child.stdin, since + lines))
        feeding.start()
        held = []
        for number, _answer in enumerate(islice(child.stdout, since + lines), 1):
            if number in (since, since + lines):
                held.append(psutil.Process(child.pid).memory_info().rss)
        feeding.join()
        child.stdin.close()
    early, late = held
    return (late - early) / 1e6


def _feed(pipe: BinaryIO, lines: int) -> None:
    for text in islice(_endless(), lines):
        pipe.write(json.dumps({"text": text}).encode() + b"\n")
    pipe.flush()


def _endless() -> Iterator[str]:
    """The comments of the evaluation sets over and over, some as long as a survey takes."""
    texts = [comment.text for comment in read_sets()]
    texts += [(f"{text} " * 100)[:4000] for text in texts[:: len(texts) // 3]]
    random.Random(1).shuffle(texts)
    return cycle(texts)


def _choose(comments: Path) -> list[dict[str, str]]:
    """Comments in a fixed random order, the shortest left out until their mean length is that of the budget."""
    if comments.exists():
        with gzip.open(comments, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
    else:
        rows = [{"text": comment.text, "language": comment.language} for comment in read_sets()]
    random.Random(1).shuffle(rows)
    rows = rows[:_TEXTS]
    classifier = get_classifier()
    assert isinstance(classifier, ServedClassifier)
    lengths = classifier.count_tokens([row["text"] for row in rows])
    order = sorted(range(len(rows)), key=lambda i: lengths[i])
    while order and np.mean([lengths[i] for i in order]) < MEAN_TOKENS:
        order.pop(0)
    return [rows[i] for i in sorted(order)]


def _read_in_batches(rows: list[dict[str, str]]) -> None:
    for at in range(0, len(rows), _BATCH):
        _read(rows[at : at + _BATCH])


def _read(rows: list[dict[str, str]]) -> list[engine.Reading]:
    """As a worker does, with a store's names and a chain's lists."""
    return engine.read(
        [row["text"] for row in rows],
        page_languages=[row["language"] or None for row in rows],
        chain_languages=settings.VERBATIM_LANGUAGES,
        staff_names=[STAFF] * len(rows),
        chain_words=_chain_words(),
    )


@cache
def _chain_words() -> ChainWords:
    """In each language some words of the chain's own, and one of ours switched off."""
    languages = settings.VERBATIM_LANGUAGES
    own = [Entry(language, "topic", "availability", word) for language in languages for word in OWN_WORDS]
    return ChainWords(own, [entry for language in languages for entry in built_in("topic", language)[:1]])


def _line(name: str, value: float, unit: str, *, least: float = 0, most: float = 0) -> Measured:
    """One line as DESIGN §6 has it; the budget bounds from below or from above, and 0 is none."""
    kept = value >= least and (value <= most or not most)
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "budget": least or most,
        "verdict": "pass" if kept else "fail",
    }
