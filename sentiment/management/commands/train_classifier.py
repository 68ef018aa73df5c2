import logging
from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment import training
from sentiment.training.__main__ import add_arguments, run


class Command(BaseCommand):
    help = "Train the sentiment model from the pinned wheel and labelled comments, and write the served files."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        # It takes most of an hour: whoever waits sees how far it is.
        logging.getLogger(training.__name__).setLevel(logging.INFO)
        try:
            run(Namespace(**options))
        except ImportError as error:
            raise CommandError(f"{error}. Training needs the optional extra: pip install '.[train]'") from error
        except FileNotFoundError as error:
            raise CommandError(str(error)) from error
