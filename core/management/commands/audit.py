"""`./run manage audit`: look for overdue work until told to stop."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.audit import audit, audit_forever


class Command(BaseCommand):
    help = "Finds overdue work, does what nobody does, and pings DEADMAN_URL while all is well."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One round; fails when something is wrong.")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            if found := audit():
                raise CommandError(", ".join(f"{name}: {count}" for name, count in found.items()))
            return
        stopping: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda signum, frame: stopping.append(signum))
        audit_forever(stop=lambda: bool(stopping))
