from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment import engine
from sentiment.classifier import LABELS, get_classifier
from sentiment.files import ModelMissing
from sentiment.irony_evaluation import FOLDER, Figures, read_sets
from sentiment.lexicon import split_words
from sentiment.measuring import Share, judge
from sentiment.training.rows import read_rows

_BATCH, _ENOUGH_WORDS = 256, 3


class Command(BaseCommand):
    help = "Measure how well irony is told from praise, per language, and how much real praise is doubted for it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sets", type=Path, default=FOLDER, help="a folder of <language>.jsonl")
        parser.add_argument("--comments", type=Path, help="real comments (JSON lines), to count doubted praise among")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            figures = judge(read_sets(options["sets"]), _read, Figures)
        except (OSError, ValueError, KeyError, ModelMissing) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{'':5}{'ironic: unsure or negative':>30}{'sincere: still praise':>30}")
        for language, figure in figures.items():
            self.stdout.write(f"{language:5}{figure.ironic_doubted!s:>30}{figure.sincere_kept!s:>30}")
        if options["comments"]:
            self._count_doubted(options["comments"])

    def _count_doubted(self, path: Path) -> None:
        """Of what the model alone reads as praise so much is called unsure; by its label. Too few words always are."""
        rows = [row for row in read_rows(path) if len(split_words(row.text)) >= _ENOUGH_WORDS]
        doubted, truly = Share(), dict.fromkeys(LABELS, 0)
        for at in range(0, len(rows), _BATCH):
            part = rows[at : at + _BATCH]
            alone = get_classifier().score([row.text for row in part]).probabilities.argmax(1)
            readings = engine.read(
                [row.text for row in part],
                page_languages=[row.language for row in part],
                chain_languages=settings.VERBATIM_LANGUAGES,
            )
            for row, said, reading in zip(part, alone, readings, strict=True):
                if LABELS[said] == "positive":
                    doubted.count(not reading.confident)
                    truly[LABELS[row.label]] += not reading.confident
        self.stdout.write(f"\n{path}: of praise unsure {doubted}, labelled {truly}")


def _read(texts: Sequence[str], language: str) -> list[engine.Reading]:
    return engine.read(texts, page_languages=[language] * len(texts), chain_languages=settings.VERBATIM_LANGUAGES)
