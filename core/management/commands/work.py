"""`./run manage work alerts facts`: claim and do due work until told to stop."""

import os
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.work import LANES, drain, run_forever

# Reading a flood of words takes a core for minutes; alerts and pages on the same machine get theirs first.
NICE_ANALYSIS = 5


class Command(BaseCommand):
    help = "Claims due rows of the named lanes and does their work, polling twice a second."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lanes", nargs="+", choices=LANES)
        parser.add_argument("--once", action="store_true", help="Stop when nothing is due.")

    def handle(self, *args: Any, lanes: list[str], once: bool, **options: Any) -> None:
        if once:
            self.stdout.write(f"{drain(lanes)} rows")
            return
        stopping: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda signum, frame: stopping.append(signum))
        if lanes == ["analysis"]:
            os.nice(NICE_ANALYSIS)
        run_forever(lanes, stop=lambda: bool(stopping))
