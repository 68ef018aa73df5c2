import random
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment.classifier import FOLDER, get_classifier
from sentiment.files import ModelMissing
from sentiment.fitting import fit, read_examples, rows_of_comments, rows_of_examples
from sentiment.heads import FILE
from sentiment.training.rows import find_rows, read_rows
from sentiment.training.sums import note_checksums
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
        parser.add_argument("--rows", type=int, default=500, help="real comments of each language")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        examples = [*read_examples(), *read_written()]
        try:
            classifier = get_classifier(None if folder == FOLDER else str(folder))
            fitted, unseen = _comments(options["data"], options["rows"])
        except (OSError, ValueError, KeyError, ModelMissing) as error:
            raise CommandError(str(error)) from error
        texts = [*(example.text for example in examples), *(text for text, _ in [*fitted, *unseen])]
        scores = classifier.score(texts)
        if scores.traits is None or scores.embeddings is None:
            raise CommandError("this model says nothing that heads could read")
        parts = np.split(scores.traits, [len(examples), len(examples) + len(fitted)])
        heads = fit(
            rows_of_examples(examples, parts[0]),
            rows_of_comments(fitted, parts[1]),
            rows_of_comments(unseen, parts[2]),
            classifier.version,
            scores.embeddings.shape[1],
            about := {"examples": len(examples), "comments": len(fitted), "unseen": len(unseen)},
        )
        (folder / FILE).write_bytes(heads.dump())
        note_checksums(folder, only=FILE)
        self.stdout.write(
            f"{folder / FILE} for {classifier.version}: {about}, thresholds: topic {heads.topic_threshold:.2f}, "
            f"urgent {heads.urgent_threshold:.2f}, certain {heads.certain_threshold:.2f}"
        )


def _comments(data: Path, each: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """So many comments of each language with it, drawn with a fixed seed, and twice as many others that set the
    thresholds and nothing else."""
    by_language: dict[str, list[str]] = {}
    for row in read_rows(find_rows(data, "train")):
        by_language.setdefault(row.language, []).append(row.text)
    fitted, unseen = [], []
    for language, found in sorted(by_language.items()):
        drawn = random.Random(_SEED).sample(found, min(3 * each, len(found)))
        fitted += [(text, language) for text in drawn[:each]]
        unseen += [(text, language) for text in drawn[each:]]
    return fitted, unseen
