"""The spots in a store where shoppers are asked."""

from django.db import models

from core.tokens import typed_code
from stores.choices import TouchpointKind
from stores.models.tree import Store


class Touchpoint(models.Model):
    """A spot in a store where shoppers are asked, with the code that its QR carries."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="touchpoints")
    kind = models.CharField(max_length=20, choices=TouchpointKind)
    name = models.CharField(max_length=80, blank=True)
    code = models.CharField(max_length=12, unique=True, default=typed_code)
    retired_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replaces")

    def __str__(self) -> str:
        return f"{self.store}: {self.name or self.get_kind_display()}"
