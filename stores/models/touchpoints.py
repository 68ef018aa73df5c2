"""The spots in a store where shoppers are asked."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from core.tokens import typed_code
from stores.choices import TouchpointKind
from stores.models.tree import Store


class Touchpoint(models.Model):
    """A spot in a store where shoppers are asked, with the code that its QR carries."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="touchpoints")
    kind = models.CharField(max_length=20, choices=TouchpointKind)
    name = models.CharField(max_length=80, blank=True)
    code = models.CharField(max_length=12, unique=True, default=typed_code)
    # When a poster with this very code was last made; a new code needs a new one.
    poster_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replaces")

    def __str__(self) -> str:
        return f"{self.store}: {self.title}"

    @property
    def title(self) -> str:
        """What people call it in its store."""
        return self.name or self.get_kind_display()

    @property
    def typed(self) -> str:
        """The code as it is printed: in fours."""
        return "-".join(self.code[i : i + 4] for i in range(0, len(self.code), 4))


class FormerCode(models.Model):
    """A code that a touchpoint had before it was given a new one; posters with it may still hang."""

    touchpoint = models.ForeignKey(Touchpoint, models.PROTECT, related_name="former_codes")
    code = models.CharField(max_length=12, unique=True)
    ended_at = models.DateTimeField()
    # Until when it leads to the touchpoint: None is for ever, `ended_at` itself not at all.
    leads_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(leads_until=None) | Q(leads_until__gte=F("ended_at")), name="former_code_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.touchpoint_id} until {self.ended_at:%Y-%m-%d}"

    def leads(self, now: datetime | None = None) -> bool:
        """Whether it still brings shoppers to the touchpoint."""
        return self.leads_until is None or self.leads_until > (now or timezone.now())
