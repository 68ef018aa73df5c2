"""`./run bench`: the benchmarks of DESIGN's budgets, one JSON object a line."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from demo.bench import FULL, SMALL, run
from demo.bench_reports import is_whole

KEPT = "halfhour_bench_kept"


class Command(BaseCommand):
    help = "Measures in a database of its own and prints one JSON object a line; exits 1 when a budget is not kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("parts", nargs="*", help="Which parts; all of them without any.")
        parser.add_argument(
            "--seconds", type=int, default=30, help="How long the latency benchmark sends (300: in full)."
        )
        parser.add_argument("--rate", type=int, default=20, help="Its responses per second.")
        parser.add_argument(
            "--comments", type=int, default=2000, help="How many comments come at once in the burst (10000: in full)."
        )
        parser.add_argument("--cases", type=int, default=1000, help="How many cases go through the random kills.")
        parser.add_argument(
            "--full",
            action="store_true",
            help="Reports on 7,000 stores, 3 years, 20 million answers: an hour and 60 GB of disk.",
        )
        parser.add_argument(
            "--keep",
            action="store_true",
            help="With `reports` alone: leaves the history, and measures on one of this week that an earlier run left.",
        )

    def handle(
        self,
        *args: Any,
        parts: list[str],
        seconds: int,
        rate: int,
        comments: int,
        cases: int,
        full: bool,
        keep: bool,
        **options: Any,
    ) -> None:
        if keep and parts != ["reports"]:
            raise CommandError("Only the history of `reports` can be left: ./run bench reports --keep")
        name, extent = connection.settings_dict["NAME"], FULL if full else SMALL
        if keep:  # a database that no test and no other benchmark uses
            connection.settings_dict["TEST"]["NAME"] = KEPT
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=keep)
        if keep and not is_whole(extent):
            # Another extent or week, or a run that was broken off.
            connection.creation.destroy_test_db(name, verbosity=0)
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        failed = False
        try:
            for found in run(parts, seconds=seconds, rate=rate, comments=comments, cases=cases, extent=extent):
                failed |= found.verdict == "fail"
                self.stdout.write(json.dumps(found.as_line()))
                self.stdout.flush()
        finally:
            connection.creation.destroy_test_db(name, verbosity=0, keepdb=keep)
        if failed:
            raise SystemExit(1)
