import time
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment.measuring import Share
from sentiment.redaction import MARKS, redact
from sentiment.redaction_evaluation import EVERYDAY_STAFF, REGIONS, Figures, seeds
from sentiment.training.rows import Row, find_rows, read_rows


class Command(BaseCommand):
    help = (
        "Measure redaction: how many seeded secrets go, per kind and language, and how many real comments are touched."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--each", type=int, default=200, help="secrets of each kind in each language")
        parser.add_argument("--data", type=Path, help="a folder of real comments: train.jsonl.gz and dev.jsonl.gz")
        parser.add_argument("--show", action="store_true", help="write every real comment that is touched, to judge it")

    def handle(self, *args: Any, **options: Any) -> None:
        self._measure_seeds(options["each"])
        if options["data"]:
            try:
                rows = [row for name in ("train", "dev") for row in read_rows(find_rows(options["data"], name))]
            except (OSError, ValueError, KeyError) as error:
                raise CommandError(str(error)) from error
            self._measure_comments(rows, show=options["show"])

    def _measure_seeds(self, each: int) -> None:
        pooled = Figures()
        for language in REGIONS:
            figures = Figures()
            for seed in seeds(language, each):
                figures.count(seed)
                pooled.count(seed)
            self._write_seeds(language, figures)
        self._write_seeds("all", pooled)

    def _write_seeds(self, language: str, figures: Figures) -> None:
        cells = (f"{kind} {share!s:18}" for kind, share in figures.hidden.items())
        self.stdout.write(f"{language:5}" + "".join(cells) + f"kept behind it {figures.kept}")

    def _measure_comments(self, rows: list[Row], *, show: bool) -> None:
        """Nobody has labelled these: each one touched is at worst a false hit."""
        touched: dict[str, Share] = {language: Share() for language in ["all", *sorted({row.language for row in rows})]}
        marks: Counter[str] = Counter()
        by_names, began = Share(), time.process_time()
        for row in rows:
            redacted = redact(row.text, languages=(row.language,))
            touched["all"].count(redacted != row.text)
            touched[row.language].count(redacted != row.text)
            marks.update({mark: redacted.count(mark) - row.text.count(mark) for mark in MARKS})
            if show and redacted != row.text:
                self.stdout.write(f"{row.language}\t{row.text}\t{redacted}")
        took_ms = (time.process_time() - began) / max(1, len(rows)) * 1000
        for row in rows:
            by_names.count(
                redact(row.text, languages=(row.language,), staff_names=EVERYDAY_STAFF)
                != redact(row.text, languages=(row.language,))
            )
        self.stdout.write("")
        for language, share in touched.items():
            self.stdout.write(f"{language:5}real comments touched, rightly or not {share} = {share.value or 0:.2%}")
        self.stdout.write(", ".join(f"{mark} {count}" for mark, count in marks.items() if count))
        self.stdout.write(f"more of them with a staff of {len(EVERYDAY_STAFF)} whose names are words: {by_names}")
        self.stdout.write(f"{took_ms:.2f} ms of CPU a comment")
