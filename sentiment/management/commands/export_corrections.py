import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sentiment.lessons import corrected_rows


class Command(BaseCommand):
    help = "Write what people corrected and confirmed as rows of an evaluation set: JSON lines, redacted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--labelled", action="store_true", help="only rows with a sentiment: what evaluate_classifier reads"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for row in corrected_rows():
            if options["labelled"] and not row.said.get("sentiment"):
                continue
            self.stdout.write(json.dumps(row.as_json(), ensure_ascii=False))
