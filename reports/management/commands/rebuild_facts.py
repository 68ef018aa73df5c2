"""`./run manage rebuild_facts`: count every cell again from the raw rows."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reports.facts import count_store
from stores.models import Store


class Command(BaseCommand):
    help = "Counts the cells of all stores, or of those named, again from the raw rows. Safe at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("codes", nargs="*", metavar="STORE", help="Store codes; none means all.")

    def handle(self, *args: Any, codes: list[str], **options: Any) -> None:
        stores = Store.objects.order_by("pk")
        if codes:
            stores = stores.filter(code__in=codes)
            if unknown := set(codes) - set(stores.values_list("code", flat=True)):
                raise CommandError(f"No store {', '.join(sorted(unknown))}.")
        known = list(stores.values_list("pk", "code"))
        days = 0
        for number, (pk, code) in enumerate(known, start=1):
            days += count_store(pk)
            self.stdout.write(f"{number}/{len(known)} {code}: {days} store days counted")
