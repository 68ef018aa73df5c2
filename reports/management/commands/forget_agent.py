"""`./run manage forget_agent STORE AGENT`: take the name of somebody who answers calls off all of their calls."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reports.forgetting import forget_agent
from stores.models import Store


class Command(BaseCommand):
    help = "Takes an agent's name off all of their calls. What callers said stays, and counts for the queue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("store", help="The call centre's code.")
        parser.add_argument("agent", help="The agent, as telephony writes it.")

    def handle(self, *args: Any, store: str, agent: str, **options: Any) -> None:
        centre = Store.objects.filter(code=store).first()
        if centre is None:
            raise CommandError(f"No store has the code {store}.")
        calls = forget_agent(centre, agent)
        if not calls:
            raise CommandError(f"No call at {store} names {agent}.")
        self.stdout.write(f"{calls} calls name nobody any more")
