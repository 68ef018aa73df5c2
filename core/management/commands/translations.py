"""`./run manage translations [--check]`: bring the catalogues in step with what our pages say."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.catalogues import gaps, languages, said, said_in, update


class Command(BaseCommand):
    help = "Adds new sentences to the catalogues and drops unused ones; with --check only says what is missing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; fail when a language is incomplete.")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        incomplete = False
        for language in languages():
            template = said_in(language)
            if not check:
                update(language, template)
            found = gaps(language, template)
            incomplete = incomplete or bool(found)
            for what, names in (
                ("no translation", found.missing),
                ("other blanks", found.wrong_blanks),
                ("no longer said", found.stale),
            ):
                for name in names:
                    self.stdout.write(f"{language}: {what}: {name!r}")
        if check and incomplete:
            raise CommandError("Run `./run manage translations` and fill in what is missing in locale/.")
        self.stdout.write(f"{len(said())} sentences, {len(said(for_shoppers=True))} of them for shoppers")
