from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment.classifier import ModelMissing
from sentiment.learning import NothingToLearn, learn


class Command(BaseCommand):
    help = "Learn from people's corrections of topics and urgency; goes live only if the evaluation sets do not suffer."

    def add_arguments(self, parser: CommandParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--go-live", action="store_true", default=None, help="whatever the figures say")
        choice.add_argument("--try", action="store_false", dest="go_live", help="measure and keep, never go live")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            row = learn(settings.SENTIMENT_MODEL or None, go_live=options["go_live"])
        except (NothingToLearn, ModelMissing) as error:
            raise CommandError(str(error)) from error
        for name, before in row.before.items():
            self.stdout.write(f"{name:14}{before:.3f} → {row.after[name]:.3f}")
        self.stdout.write(f"{row.corrections} corrections, {'live' if row.live_at else 'not live'}: {row}")
