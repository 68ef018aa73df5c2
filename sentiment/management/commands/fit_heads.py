import hashlib
import random
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment.classifier import FOLDER, Classifier, ModelMissing, get_classifier
from sentiment.fitting import Rows, fit, read_examples, rows_of_comments, rows_of_examples
from sentiment.heads import FILE
from sentiment.training.rows import find_rows, read_rows
from sentiment.training.written import read_written

_SEED = 1


class Command(BaseCommand):
    help = (
        "Fit what finds topics and urgency to the served model, and write it beside the model. Needed once per model."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="folder with train.jsonl.gz")
        parser.add_argument("--folder", type=Path, default=FOLDER, help="the served files")
        parser.add_argument("--rows", type=int, default=250, help="real comments of each language")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            classifier = get_classifier(None if folder == FOLDER else str(folder))
            comments = _comments(classifier, options["data"], options["rows"])
        except (OSError, ValueError, KeyError, ModelMissing) as error:
            raise CommandError(str(error)) from error
        examples = [*read_examples(), *read_written()]
        scores = classifier.score([example.text for example in examples])
        if scores.embeddings is None:
            raise CommandError("this model has no embedding")
        about = {"examples": len(examples), "comments": len(comments.evidence)}
        heads = fit(rows_of_examples(examples, scores.embeddings), comments, classifier.version, about)
        (folder / FILE).write_bytes(heads.dump())
        _note_checksum(folder)
        self.stdout.write(
            f"{folder / FILE} for {classifier.version}: {about}, thresholds: topic {heads.topic_threshold:.2f}, "
            f"urgent {heads.urgent_threshold:.2f}, certain {heads.certain_threshold:.2f}"
        )


def _comments(classifier: Classifier, data: Path, each: int) -> Rows:
    """So many comments of each language, drawn with a fixed seed."""
    by_language: dict[str, list[str]] = {}
    for row in read_rows(find_rows(data, "train")):
        by_language.setdefault(row.language, []).append(row.text)
    texts = [
        (text, language)
        for language, found in sorted(by_language.items())
        for text in random.Random(_SEED).sample(found, min(each, len(found)))
    ]
    scores = classifier.score([text for text, _ in texts])
    if scores.embeddings is None:
        raise CommandError("this model has no embedding")
    return rows_of_comments(texts, scores.embeddings)


def _note_checksum(folder: Path) -> None:
    """Keep the list of checksums true."""
    sums = folder / "SHA256SUMS"
    kept = [line for line in sums.read_text().splitlines() if not line.endswith(f"  {FILE}")] if sums.exists() else []
    own = f"{hashlib.sha256((folder / FILE).read_bytes()).hexdigest()}  {FILE}"
    sums.write_text("\n".join(sorted([*kept, own], key=lambda line: line.split("  ")[1])) + "\n")
