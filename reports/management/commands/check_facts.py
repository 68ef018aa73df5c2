"""`./run manage check_facts`: compare the cells with the rows they were counted from."""

import random
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from reports.checking import check
from reports.rebuilding import weeks_of_rows
from stores.models import Node, Store


class Command(BaseCommand):
    help = "Compares all cells with the rows behind them and names what differs; exits 1 if anything does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--weeks", type=int, help="Only so many weeks, the newest.")
        parser.add_argument("--stores", type=int, help="Only so many stores, chosen by chance; no nodes then.")

    def handle(self, *args: Any, weeks: int | None, stores: int | None, **options: Any) -> None:
        chosen = None
        if stores is not None:
            known = list(Store.objects.values_list("pk", flat=True))
            chosen = random.sample(known, min(stores, len(known)))
        names = {f"Store {pk}": code for pk, code in Store.objects.values_list("pk", "code")}
        names |= {f"Node {pk}": code for pk, code in Node.objects.values_list("pk", "code")}
        cells = differing = 0
        for checked in check(stores=chosen, weeks=weeks_of_rows()[:weeks]):
            cells += checked.cells
            differing += len(checked.differences)
            for one in checked.differences:
                kind = "Node" if one.table.startswith("Node") else "Store"
                self.stdout.write(f"{kind.lower()} {names.get(f'{kind} {one.owner}', '?')}: {one}")
            self.stdout.write(f"week of {checked.monday}: {checked.cells} cells")
            self.stdout.flush()
        self.stdout.write(f"{cells} cells compared, {differing} differ")
        if differing:
            raise SystemExit(1)
