from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _first_surveys(sender: object, **_: Any) -> None:
    """A chain without a survey would ask nobody."""
    from surveys.defaults import ensure_surveys  # noqa: PLC0415

    ensure_surveys()


class SurveysConfig(AppConfig):
    name = "surveys"

    def ready(self) -> None:
        # Registers what erasing does here, who writes our messages, what stores lack that only this room can tell, and
        # what the lanes do for us.
        from surveys import call_texts, erasure, renderers, store_gaps, texts, work  # noqa: F401, PLC0415

        post_migrate.connect(_first_surveys, sender=self)
