"""How well topics, urgency and the sentiment of the whole are found: figures on comments that had no part in making the
word lists, the heads and the model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .labels import SENTIMENT_LABELS
from .measuring import FOLDER, Share, rows_of
from .topics import TOPICS
from .urgency import URGENCIES

if TYPE_CHECKING:
    from .engine import Reading


@dataclass(frozen=True)
class Comment:
    """One comment with what people say it means; `near_miss`: it has words of urgency and is not urgent."""

    text: str
    language: str
    topics: frozenset[str]
    urgency: frozenset[str]
    sentiment: str
    topic_sentiments: Mapping[str, str]
    near_miss: bool


@dataclass
class Tone:
    """Of comments of one sentiment: read as such, taken for a complaint, and alarming."""

    right: Share = field(default_factory=Share)
    negative: Share = field(default_factory=Share)
    alarming: Share = field(default_factory=Share)

    def count(self, true: str, reading: "Reading") -> None:
        self.right.count(reading.sentiment == true)
        self.negative.count(reading.sentiment == "negative")
        self.alarming.count(reading.alarming)


@dataclass
class F1:
    """Hits, what was said too much, and what was missed."""

    hits: int = 0
    extra: int = 0
    missed: int = 0

    def count(self, said: Iterable[str], true: Iterable[str]) -> None:
        said, true = set(said), set(true)
        self.hits += len(said & true)
        self.extra += len(said - true)
        self.missed += len(true - said)

    @property
    def value(self) -> float:
        """Micro-F1; 1 where there was nothing to say and nothing was said."""
        total = 2 * self.hits + self.extra + self.missed
        return 2 * self.hits / total if total else 1.0


@dataclass
class Figures:
    """Urgency is found when any kind is (`certain`: so that it may open a case by itself); a false alarm is any kind
    found in a comment without one. `kind_right` asks of the urgent whether their own kind is among the found."""

    topics: F1 = field(default_factory=F1)
    by_topic: dict[str, F1] = field(default_factory=lambda: {topic: F1() for topic in TOPICS})
    sentiments: Share = field(default_factory=Share)
    found: Share = field(default_factory=Share)
    found_certain: Share = field(default_factory=Share)
    kind_right: Share = field(default_factory=Share)
    by_kind: dict[str, Share] = field(default_factory=lambda: {kind: Share() for kind in URGENCIES})
    false_alarms: Share = field(default_factory=Share)
    false_certain: Share = field(default_factory=Share)
    false_near: Share = field(default_factory=Share)
    by_tone: dict[str, Tone] = field(default_factory=lambda: {label: Tone() for label in SENTIMENT_LABELS})

    def count(self, comment: Comment, reading: "Reading") -> None:
        said = {hit.topic: hit.sentiment for hit in reading.topics}
        self.by_tone[comment.sentiment].count(comment.sentiment, reading)
        self.topics.count(said, comment.topics)
        for topic, figure in self.by_topic.items():
            figure.count({topic} & set(said), {topic} & comment.topics)
        for topic, sentiment in comment.topic_sentiments.items():
            if topic in said:
                self.sentiments.count(said[topic] == sentiment)
        if comment.urgency:
            self.found.count(bool(reading.urgency))
            self.found_certain.count(reading.urgency_certain)
            self.kind_right.count(bool(comment.urgency & set(reading.urgency)))
            for kind in comment.urgency:
                self.by_kind[kind].count(bool(reading.urgency))
        else:
            self.false_alarms.count(bool(reading.urgency))
            self.false_certain.count(reading.urgency_certain)
            if comment.near_miss:
                self.false_near.count(bool(reading.urgency))


def read_sets(folder: Path = FOLDER) -> list[Comment]:
    """Every comment of a folder of sets, one `<language>.jsonl` each."""
    return [_comment(row, language) for row, language in rows_of(folder)]


def _comment(row: dict[str, Any], language: str) -> Comment:
    return Comment(
        row["text"],
        language,
        frozenset(row["topics"]),
        frozenset(row["urgency"]),
        row["sentiment"],
        row.get("topic_sentiments", {}),
        row.get("near_miss", False),
    )
