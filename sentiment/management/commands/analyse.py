import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from sentiment.classifier import ModelMissing
from sentiment.reading import Reader, live_reader
from sentiment.rereading import NotNow, open_rereading, start_rereading
from sentiment.streaming import Source, analyse_chunk, chunks_of


class Command(BaseCommand):
    help = 'Read comments, JSON lines {"text": …, "language"?: …}, and write what each means, in order.'
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="?", default="-", help="a file of JSON lines; - or nothing is the input")
        parser.add_argument("--languages", help="codes to choose from, by commas; default: the chain's")
        parser.add_argument("--model", help="a folder or hub model for transformers; default: the project's own")
        parser.add_argument(
            "--all",
            action="store_true",
            help="read all stored comments again in the background, beside what is live, until head office decides",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["all"]:
            self._read_history(options["model"] or "")
            return
        chain = options["languages"].split(",") if options["languages"] else settings.VERBATIM_LANGUAGES
        try:
            with ExitStack() as stack:
                source: BinaryIO = sys.stdin.buffer
                if options["path"] != "-":
                    source = stack.enter_context(Path(options["path"]).open("rb"))
                model = options["model"] or settings.SENTIMENT_MODEL or None
                for chunk in chunks_of(cast("Source", source)):
                    for answer in analyse_chunk(chunk, chain=chain, model=model):
                        self.stdout.write(answer)
                    self.stdout.flush()
        except (OSError, ModelMissing) as error:
            if isinstance(error, BrokenPipeError):
                # The reader has had enough (`| head`): leave without a trace on its screen.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return
            raise CommandError(str(error)) from error

    def _read_history(self, model: str) -> None:
        try:
            start_rereading(None, Reader(model, live_reader().heads))
            self.stdout.write("Old comments are being read again.")
        except NotNow as refused:
            self.stdout.write(str(refused))
        if (found := open_rereading()) and found.job:
            self.stdout.write(f"{found.get_state_display()}: {found.job.done} of {found.job.total or found.total}")
        self.stdout.write(f"Progress, comparison and decision: {settings.PUBLIC_URL}{reverse('models')}")
