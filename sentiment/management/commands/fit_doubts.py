from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment.classifier import FOLDER, Classifier, get_classifier
from sentiment.doubts import IRONY, PLAIN, Doubt, Kind
from sentiment.files import ModelMissing
from sentiment.training.irony import learn_irony
from sentiment.training.plain import learn_plain
from sentiment.training.sums import write_noted

_LEARN: dict[Kind, Callable[[Classifier, Path], Doubt]] = {IRONY: learn_irony, PLAIN: learn_plain}


class Command(BaseCommand):
    help = "Fit anew what doubts ironic praise and plain words to a model that is there, and write it beside the model."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="folder with train.jsonl.gz")
        parser.add_argument("--folder", type=Path, default=FOLDER, help="the served files")
        parser.add_argument("--only", choices=[kind.file for kind in _LEARN], help="one of the two files")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        for kind, learn in _LEARN.items():
            if options["only"] not in (None, kind.file):
                continue
            try:
                classifier = get_classifier(None if folder == FOLDER else str(folder))
                doubt = learn(classifier, options["data"])
            except (OSError, ValueError, KeyError, ModelMissing) as error:
                raise CommandError(str(error)) from error
            write_noted(folder, kind.file, doubt.dump())
            self.stdout.write(f"{folder / kind.file} for {doubt.model_version}, doubted above {doubt.threshold:.2f}")
