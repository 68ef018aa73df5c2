from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment import engine
from sentiment.files import ModelMissing
from sentiment.measuring import FOLDER, Share, judge
from sentiment.topic_evaluation import Figures, read_sets
from sentiment.training.rows import read_rows

_BATCH = 256


class Command(BaseCommand):
    help = "Measure topics, urgency and sentiment on the evaluation sets, per language, topic and kind."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sets", type=Path, default=FOLDER, help="a folder of <language>.jsonl")
        parser.add_argument("--comments", type=Path, help="real comments (JSON lines), to count alarms among them")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            figures = judge(read_sets(options["sets"]), _read, Figures)
        except (OSError, ValueError, KeyError, ModelMissing) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{'':5}{'topics F1':>10}{'their sentiment':>20}{'urgent found':>18}{'certain':>18}{'own kind':>18}"
            f"{'false alarms':>18}{'certain':>18}{'near misses':>18}"
        )
        for language, figure in figures.items():
            self.stdout.write(f"{language:5}" + _cells(figure))
        pooled = figures["all"]
        self.stdout.write("")
        for topic, f1 in pooled.by_topic.items():
            self.stdout.write(
                f"{topic:14}F1 {f1.value:.3f}  right {f1.hits:4}  too much {f1.extra:4}  missed {f1.missed:4}"
            )
        for kind, share in pooled.by_kind.items():
            self.stdout.write(f"{kind:16}found {share}")
        for label, tone in pooled.by_tone.items():
            read = f"read as such {tone.right!s:>16}  as a complaint {tone.negative!s:>16}"
            self.stdout.write(f"{label:10}{read}  alarming {tone.alarming}")
        if options["comments"]:
            self._count_alarms(options["comments"])

    def _count_alarms(self, path: Path) -> None:
        rows = list(read_rows(path))
        found, certain = Share(), Share()
        for at in range(0, len(rows), _BATCH):
            part = rows[at : at + _BATCH]
            for reading in engine.read(
                [row.text for row in part],
                page_languages=[row.language for row in part],
                chain_languages=settings.VERBATIM_LANGUAGES,
            ):
                found.count(bool(reading.urgency))
                certain.count(reading.urgency_certain)
        self.stdout.write(f"\n{path}: alarms {found}, certain {certain}")


def _read(texts: Sequence[str], language: str) -> list[engine.Reading]:
    return engine.read(texts, page_languages=[language] * len(texts), chain_languages=settings.VERBATIM_LANGUAGES)


def _cells(figure: Figures) -> str:
    shares = (
        figure.found,
        figure.found_certain,
        figure.kind_right,
        figure.false_alarms,
        figure.false_certain,
        figure.false_near,
    )
    return f"{figure.topics.value:10.3f}{figure.sentiments!s:>20}" + "".join(f"{share!s:>18}" for share in shares)
