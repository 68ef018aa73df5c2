"""Labelled comments: JSON lines, plain or gzipped, with `text`, `language`, `label` and `source`."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LABELS = ("negative", "neutral", "positive")


@dataclass(frozen=True)
class Row:
    text: str
    language: str
    label: int
    source: str
    licence: str
    topics: tuple[str, ...]


def read_rows(path: Path) -> Iterator[Row]:
    """Every row of one file. Raises KeyError or ValueError on a line that is not of the kind above."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Row(
                " ".join(row["text"].split()),
                row["language"],
                LABELS.index(row["label"]),
                row.get("source", ""),
                row.get("licence", ""),
                tuple(row.get("topics", ())),
            )


def shuffle_rows(data: Path, seed: int, more: Iterable[Row] = ()) -> list[Row]:
    """The training rows of a folder, and more, in the order in which they are shown."""
    rows = [*read_rows(find_rows(data, "train")), *more]
    random.Random(seed).shuffle(rows)
    return rows


def find_balanced(rows: list[Row], most_of_a_kind: int) -> list[int]:
    """Which rows to take so that no source has more than its share of a language."""
    taken: Counter[tuple[str, str]] = Counter()
    chosen = []
    for i, row in enumerate(rows):
        kind = (row.source.split("/")[0], row.language)
        taken[kind] += 1
        if taken[kind] <= most_of_a_kind:
            chosen.append(i)
    return chosen


def find_rows(data: Path, name: str) -> Path:
    """`train` or `dev` in a folder, gzipped or not."""
    for suffix in (".jsonl.gz", ".jsonl"):
        if (path := data / f"{name}{suffix}").exists():
            return path
    raise FileNotFoundError(f"no {name}.jsonl.gz in {data}")
