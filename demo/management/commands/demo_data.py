"""`manage.py demo_data`: fill an empty database with the demo chain."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.data import SEED, describe, is_empty, is_made, keep_a_clock_running, make_demo


class Command(BaseCommand):
    """Safe to run again: what is there stays, and only when no clock runs any more are two new cases opened."""

    help = "Makes the demo chain: stores, staff, thirteen weeks of responses, cases in every state."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", type=Path, help="Where to write logins and links (default: standard output).")
        parser.add_argument("--seed", type=int, default=SEED)
        parser.add_argument("--force", action="store_true", help="Even in a database that holds another chain.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_made():
            if not is_empty() and not options["force"]:
                raise CommandError("This database holds a chain that is not the demo's. Nothing was changed.")
            if not (settings.DEMO or settings.TESTING or options["force"]):
                raise CommandError("This is not a demo installation (DEMO=1). Nothing was changed; --force insists.")
            make_demo(seed=options["seed"])
        keep_a_clock_running()
        text = json.dumps(describe(), indent=2, ensure_ascii=False) + "\n"
        if options["json"]:
            options["json"].write_text(text)
        else:
            self.stdout.write(text, ending="")
