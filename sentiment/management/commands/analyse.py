import os
import signal
import sys
from contextlib import ExitStack
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from sentiment.files import ModelMissing
from sentiment.keeping import installed, keep, name_of
from sentiment.languages import known_languages
from sentiment.lexicon import base_of
from sentiment.models import RereadingState
from sentiment.reading import with_learnt
from sentiment.rereading import NotNow, go_live, open_rereading, start_rereading
from sentiment.streaming import Source, analyse_chunk, chunks_of


def _chosen(said: str) -> list[str]:
    """The codes of --languages. Raises CommandError where a language is not among those that can be told apart."""
    codes = [code for part in said.split(",") if (code := part.strip())]
    known = known_languages()
    if unknown := [code for code in codes if base_of(code) not in known]:
        raise CommandError(f"--languages: unknown: {', '.join(unknown)}. Known are {', '.join(sorted(known))}.")
    if not codes:
        raise CommandError("--languages: no code was given.")
    return codes


def _input() -> BinaryIO:
    if sys.stdin is None:
        raise CommandError("there is no input to read: name a file")
    return sys.stdin.buffer


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
        parser.add_argument(
            "--go-live",
            action="store_true",
            help="decide in head office's place: what has read all stored comments again reads new ones from now on",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["all"]:
            self._read_history(options["model"] or installed()[0])
            return
        if options["go_live"]:
            self._go_live()
            return
        chain = _chosen(options["languages"]) if options["languages"] is not None else settings.VERBATIM_LANGUAGES
        try:
            with ExitStack() as stack:
                source = _input() if options["path"] == "-" else stack.enter_context(open(options["path"], "rb"))
                model = options["model"] or settings.SENTIMENT_MODEL or None
                first = 1
                for chunk in chunks_of(cast("Source", source)):
                    for answer in analyse_chunk(chunk, first=first, chain=chain, model=model):
                        self.stdout.write(answer)
                    self.stdout.flush()
                    first += len(chunk)
        except KeyboardInterrupt:
            # As a shell expects of what was interrupted; what was read so far is written.
            raise SystemExit(128 + signal.SIGINT) from None
        except (OSError, ModelMissing) as error:
            if isinstance(error, BrokenPipeError):
                # The reader has had enough (`| head`): leave without a trace on its screen.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return
            raise CommandError(str(error)) from error

    def _go_live(self) -> None:
        found = open_rereading()
        if found is None:
            raise CommandError("Nothing waits for a decision: run analyse --all first.")
        if found.state != RereadingState.READY:
            raise CommandError(f"Nothing waits for a decision: {found.model_version}, {found.get_state_display()}.")
        try:
            go_live(found, None)
        except NotNow as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{found.model_version} reads new comments from now on; old ones follow.")

    def _read_history(self, place: str | None) -> None:
        if not name_of(place):
            raise CommandError("no sentiment model is installed: run train_classifier")
        try:
            # Whoever else keeps the files is waited for: the job may run on a node that has none.
            start_rereading(None, with_learnt(keep(place, wait=True)))
            self.stdout.write("Old comments are being read again.")
        except NotNow as refused:
            self.stdout.write(str(refused))
        except (OSError, ModelMissing) as error:
            raise CommandError(str(error)) from error
        if (found := open_rereading()) and found.job:
            self.stdout.write(f"{found.get_state_display()}: {found.job.done} of {found.job.total or found.total}")
        self.stdout.write(f"Progress, comparison and decision: {settings.PUBLIC_URL}{reverse('models')}")
