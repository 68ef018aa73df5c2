from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment.classifier import FOLDER, LABELS, Scores, get_classifier
from sentiment.files import ModelMissing
from sentiment.irony import FILE
from sentiment.training.irony import draw_praise, fit_irony, read_remarks
from sentiment.training.sums import note_checksums
from sentiment.training.written import read_written


class Command(BaseCommand):
    help = "Fit what doubts ironic praise to the served model, and write it beside the model. Needed once per model."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="folder with train.jsonl.gz")
        parser.add_argument("--folder", type=Path, default=FOLDER, help="the served files")
        parser.add_argument("--rows", type=int, default=1200, help="real comments of each language that praise")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            classifier = get_classifier(None if folder == FOLDER else str(folder))
            remarks, praise = read_remarks(), draw_praise(options["data"], options["rows"])
        except (OSError, ValueError, KeyError, ModelMissing) as error:
            raise CommandError(str(error)) from error
        written, real = classifier.score([remark.text for remark in remarks]), classifier.score(praise)
        if written.traits is None or real.traits is None:
            raise CommandError("this model says nothing that irony could be told by")
        other = classifier.score([example.text for example in read_written()])
        plain = None if other.traits is None else other.traits[_praises(other)]
        praised = real.traits[_praises(real)]
        irony = fit_irony(remarks, written.traits, praised, classifier.version, plain=plain)
        (folder / FILE).write_bytes(irony.dump())
        note_checksums(folder, only=FILE)
        self.stdout.write(
            f"{folder / FILE} for {classifier.version}: {len(remarks)} remarks, {len(praised)} real comments "
            f"that praise, doubted above {irony.threshold:.2f}"
        )


def _praises(scores: Scores) -> npt.NDArray[np.bool_]:
    return np.asarray(scores.probabilities.argmax(1) == LABELS.index("positive"))
