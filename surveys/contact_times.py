"""When a shopper wants to be called or written to: words of both the shopper's page and the staff's."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ContactTime(models.TextChoices):
    """By the store's clock."""

    ANY = "any", _("Any time")
    MORNING = "morning", _("In the morning")
    AFTERNOON = "afternoon", _("In the afternoon")
    EVENING = "evening", _("In the evening")
