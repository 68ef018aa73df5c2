import json
from typing import Any

from django.core.management.base import BaseCommand

from sentiment.lessons import corrected_rows


class Command(BaseCommand):
    help = "Write what people corrected and confirmed as rows of an evaluation set: JSON lines, redacted."

    def handle(self, *args: Any, **options: Any) -> None:
        for row in corrected_rows():
            self.stdout.write(json.dumps(row.as_json(), ensure_ascii=False))
