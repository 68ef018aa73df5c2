"""`manage.py replay FILE`: real comments through the public survey page of a running installation."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from demo.replay import ReplayError, codes_of, read_comments, send_all
from demo.replay_report import as_markdown, find, wait_until_quiet


class Command(BaseCommand):
    help = "Sends the comments of a file (JSON lines, .gz or not) through the public page and says what came of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help='Lines with "text", "language" and "label" or "stars".')
        parser.add_argument("--url", default=settings.PUBLIC_URL)
        parser.add_argument("--rate", type=float, default=20, help="Responses a second, at most (default: 20).")
        parser.add_argument("--limit", type=int, help="Only the first so many.")
        parser.add_argument("--codes", nargs="+", help="Touchpoints (default: those of var/demo.json).")
        parser.add_argument("--workers", type=int, default=8, help="Browsers at the same moment (default: 8).")
        parser.add_argument("--seed", type=int, default=1, help="Of the scores and touchpoints.")
        parser.add_argument("--patience", type=float, default=600, help="Seconds to wait for the readings.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rate"] <= 0 or options["workers"] < 1:
            raise CommandError("--rate and --workers must be positive.")
        try:
            codes = options["codes"] or codes_of(settings.VAR_DIR / "demo.json")
            comments = read_comments(options["file"], limit=options["limit"])
        except (ReplayError, ValueError, OSError) as error:
            raise CommandError(str(error)) from None
        if not comments:
            raise CommandError(f"{options['file']} holds no comment with words and a label.")
        self.stderr.write(f"Sending {len(comments)} comments to {options['url']} …")
        outcome = send_all(
            comments,
            url=options["url"],
            codes=codes,
            rate=options["rate"],
            workers=options["workers"],
            seed=options["seed"],
        )
        for failure in sorted(set(outcome.failures))[:10]:
            self.stderr.write(f"Not accepted: {failure}")
        if not outcome.sent:
            raise CommandError("Nothing was accepted.")
        self.stderr.write(f"Sent in {outcome.secs:.0f} s; waiting until all words are read …")
        try:
            quiet = wait_until_quiet(outcome.sent, patience_secs=options["patience"])
            found = find(outcome.sent)
        except OperationalError:
            raise CommandError(
                f"{len(outcome.sent)} responses were thanked for, but their database is not reachable from here."
            ) from None
        if not found.responses:
            raise CommandError(
                f"{len(outcome.sent)} responses were thanked for, but none is in this database: "
                "is it the one behind the address?"
            )
        if not quiet:
            self.stderr.write("Not everything was read in time; the figures are of what was.")
        self.stdout.write(as_markdown(outcome, found))
        if len(found.responses) != len(outcome.sent) or outcome.failures:
            raise CommandError("Not every comment that was sent is stored.")
