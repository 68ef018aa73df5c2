"""`manage.py create_api_key NAME --scope …`: let a system call the API."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.choices import Scope
from integrations.models import ApiKey
from stores.models import Node, Store


class Command(BaseCommand):
    help = "Creates an API key and prints it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="Which system it is for.")
        parser.add_argument("--scope", action="append", required=True, choices=Scope.values, help="May be repeated.")
        reach = parser.add_mutually_exclusive_group()
        reach.add_argument("--store", help="The code of the only store it may reach.")
        reach.add_argument("--node", type=int, help="The id of the node under which it may reach all stores.")

    def handle(self, *args: Any, **options: Any) -> None:
        store = node = None
        if options["store"] and not (store := Store.objects.filter(code=options["store"]).first()):
            raise CommandError(f"No store with the code {options['store']!r}.")
        if options["node"] and not (node := Node.objects.filter(pk=options["node"]).first()):
            raise CommandError(f"No node with the id {options['node']}.")
        _key, text = ApiKey.create(options["name"], options["scope"], store=store, node=node)
        self.stdout.write(text)
        self.stderr.write("This key is shown only now; the database keeps its hash.")
