"""When a shopper wants to be called or written to: words of both the shopper's page and the staff's."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _


class ContactTime(models.TextChoices):
    """By the store's clock."""

    ANY = "any", _("Any time")
    MORNING = "morning", _("In the morning")
    AFTERNOON = "afternoon", _("In the afternoon")
    EVENING = "evening", _("In the evening")


# From which hour until which, by the store's clock.
_HOURS = {ContactTime.MORNING: (6, 12), ContactTime.AFTERNOON: (12, 17), ContactTime.EVENING: (17, 21)}


def hours_of_wish(when: str) -> tuple[int, int] | None:
    """From which hour until which somebody wants to be reached; None: at any time."""
    return _HOURS.get(ContactTime(when))


def is_convenient(when: str, local: datetime) -> bool:
    """Whether a moment of the store's clock is one at which somebody wants to be reached."""
    hours = hours_of_wish(when)
    return hours is None or hours[0] <= local.hour < hours[1]
