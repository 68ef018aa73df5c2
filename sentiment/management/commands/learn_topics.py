from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from sentiment.files import ModelMissing
from sentiment.keeping import place_of
from sentiment.learning import NothingToLearn, learn
from sentiment.reading import Reader, live_reader
from sentiment.rereading import NotNow, open_rereading, start_rereading


class Command(BaseCommand):
    help = "Learn from people's corrections of topics and urgency, and measure it; head office decides what goes live."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--read-again", action="store_true", help="start reading history with it, so that it can be compared"
        )

    def handle(self, *args: Any, read_again: bool, **options: Any) -> None:
        live = live_reader()
        if read_again and open_rereading():
            raise CommandError("Old comments are being read again already: decide about that first.")
        try:
            row = learn(place_of(live.model))
            if read_again:
                start_rereading(None, Reader(live.model, row.pk))
        except (NothingToLearn, ModelMissing, NotNow) as error:
            raise CommandError(str(error)) from error
        for name, before in row.before.items():
            self.stdout.write(f"{name:14}{before:.3f} → {row.after[name]:.3f}")
        self.stdout.write(f"{row.corrections} corrections, {row}: not live.")
        self.stdout.write(f"Comparison and decision: {settings.PUBLIC_URL}{reverse('models')}")
