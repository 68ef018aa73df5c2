"""`./run manage compile_translations`: the translations as the files that Django reads."""

from typing import Any

from django.core.management.base import BaseCommand

from core.catalogues import catalogue_path, compile_language, languages


class Command(BaseCommand):
    help = "Compiles locale/*/LC_MESSAGES/django.po without system gettext."
    # Runs before anything else is set up.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for language in languages():
            if catalogue_path(language).exists():
                compile_language(language)
