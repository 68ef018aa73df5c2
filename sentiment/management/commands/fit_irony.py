from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment.classifier import FOLDER, get_classifier
from sentiment.files import ModelMissing
from sentiment.irony import FILE
from sentiment.training.irony import EACH, learn_irony
from sentiment.training.sums import write_noted


class Command(BaseCommand):
    help = "Fit anew what doubts ironic praise to a model that is there, and write it beside the model."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="folder with train.jsonl.gz")
        parser.add_argument("--folder", type=Path, default=FOLDER, help="the served files")
        parser.add_argument("--rows", type=int, default=EACH, help="real comments of each language that praise")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            classifier = get_classifier(None if folder == FOLDER else str(folder))
            irony = learn_irony(classifier, options["data"], options["rows"])
        except (OSError, ValueError, KeyError, ModelMissing) as error:
            raise CommandError(str(error)) from error
        write_noted(folder, FILE, irony.dump())
        self.stdout.write(f"{folder / FILE} for {irony.model_version}, doubted above {irony.threshold:.2f}")
