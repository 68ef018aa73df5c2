import time
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment.baselines import baselines
from sentiment.classifier import Floats, get_classifier
from sentiment.evaluation import Figures, Labels, measure, measure_by
from sentiment.files import ModelMissing
from sentiment.training.rows import read_rows


class Command(BaseCommand):
    help = "Measure the sentiment model on labelled comments, per language, beside plain ways of doing it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dev", type=Path, help="labelled comments: JSON lines with text, language and label")
        parser.add_argument("--train", type=Path, help="the same, to train the plain ways on")
        parser.add_argument("--model", help="a folder or hub model for transformers; default: the project's own")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rows = list(read_rows(options["dev"]))
            train = list(read_rows(options["train"])) if options["train"] else []
            classifier = get_classifier(options["model"] or settings.SENTIMENT_MODEL or None)
        except (OSError, ValueError, KeyError, ModelMissing) as error:
            raise CommandError(f"{options['dev']}: {error}") from error
        texts, labels = [row.text for row in rows], np.array([row.label for row in rows])
        classifier.score(texts[:64])
        began = time.process_time()
        scores = classifier.score(texts).probabilities
        rate = len(texts) / (time.process_time() - began)

        self.stdout.write(f"{classifier.version}: {len(rows)} comments, {rate:.0f} a second and core")
        self.stdout.write(f"{'':28}{'rows':>6}  accuracy{'':15}macro-F1{'':15}binary{'':17}calibration error")
        languages = [row.language for row in rows]
        self._lines(classifier.version, languages, scores, labels)
        alarmed = scores[:, 0] >= classifier.alert_threshold
        right = float(np.mean(labels[alarmed] == 0)) if alarmed.any() else float("nan")
        found = float(np.mean(alarmed[labels == 0]))
        self.stdout.write(
            f"alarm from {classifier.alert_threshold:.3f}: {right:.3f} of alarms right, {found:.3f} of negatives found"
        )
        for name, result in baselines(rows, train):
            if isinstance(result, str):
                self.stdout.write(f"{name}: {result}")
            else:
                self._lines(name, languages, result, labels)

    def _lines(self, name: str, languages: list[str], scores: Floats, labels: Labels) -> None:
        self._line(name, measure(scores, labels))
        for language, figures in measure_by(languages, scores, labels).items():
            self._line(f"  {language}", figures)

    def _line(self, name: str, figures: Figures) -> None:
        cells = (figures.accuracy, figures.macro_f1, figures.binary, figures.calibration_error)
        self.stdout.write(f"{name:28}{figures.rows:>6}  " + "  ".join(f"{cell!s:21}" for cell in cells))
