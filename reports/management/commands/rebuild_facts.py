"""`./run manage rebuild_facts`: count every cell again from the raw rows."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reports.facts import count_store
from reports.rebuilding import rebuild
from stores.models import Store


class Command(BaseCommand):
    help = (
        "Counts all cells, or those of the stores named, again from the raw rows. Safe at any time; stopped, it goes on"
        " where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("codes", nargs="*", metavar="STORE", help="Store codes; none means all.")
        parser.add_argument("--anew", action="store_true", help="Begin at the beginning, whatever was done before.")

    def handle(self, *args: Any, codes: list[str], anew: bool, **options: Any) -> None:
        if codes:
            self._stores(codes)
            return
        begun, counted, last = time.monotonic(), 0, None
        for step in rebuild(anew=anew):
            counted += step.days
            last = last or step.done - 1
            left = (time.monotonic() - begun) / (step.done - last) * (step.total - step.done)
            self.stdout.write(
                f"{step.done}/{step.total} week of {step.monday}: {step.days} store days, about {left:.0f} s left"
            )
            self.stdout.flush()
        self.stdout.write(f"{counted} store days counted, and all sums of them")

    def _stores(self, codes: list[str]) -> None:
        stores = Store.objects.filter(code__in=codes).order_by("pk")
        if unknown := set(codes) - set(stores.values_list("code", flat=True)):
            raise CommandError(f"No store {', '.join(sorted(unknown))}.")
        for number, (pk, code) in enumerate(list(stores.values_list("pk", "code")), start=1):
            self.stdout.write(f"{number}/{len(stores)} {code}: {count_store(pk)} store days counted")
