import io
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentiment.classifier import ModelMissing
from sentiment.streaming import analyse_lines


class Command(BaseCommand):
    help = 'Read comments, JSON lines {"text": …, "language"?: …}, and write what each means, in order.'
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="?", default="-", help="a file of JSON lines; - or nothing is the input")
        parser.add_argument("--languages", help="codes to choose from, by commas; default: the chain's")
        parser.add_argument("--model", help="a folder or hub model for transformers; default: the project's own")

    def handle(self, *args: Any, **options: Any) -> None:
        chain = options["languages"].split(",") if options["languages"] else settings.VERBATIM_LANGUAGES
        try:
            with ExitStack() as stack:
                # Undecodable bytes must spoil their own line, not the run.
                lines: TextIO
                if options["path"] == "-":
                    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
                else:
                    lines = stack.enter_context(Path(options["path"]).open(encoding="utf-8", errors="replace"))
                model = options["model"] or settings.SENTIMENT_MODEL or None
                for answer in analyse_lines(lines, chain=chain, model=model):
                    self.stdout.write(answer)
        except (OSError, ModelMissing) as error:
            if isinstance(error, BrokenPipeError):
                # The reader has had enough (`| head`): leave without a trace on its screen.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return
            raise CommandError(str(error)) from error
