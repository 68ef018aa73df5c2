"""What an API key may do."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    RECEIPTS_WRITE = "receipts:write", _("Create survey links for receipts")
    CALLS_WRITE = "calls:write", _("Report ended calls")
    RESPONSES_READ = "responses:read", _("Read responses")
    STORES_READ = "stores:read", _("Read stores")
    TRAFFIC_WRITE = "traffic:write", _("Tell how many purchases there were")
