"""Rows that belong to no room in particular."""

from django.db import models

from core.leases import ClockNow


class Heartbeat(models.Model):
    """When a background process was last seen alive. `/readyz` and the audit read it."""

    name = models.CharField(max_length=80, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str) -> None:
        """Say that the process `name` is alive now, by the database's clock."""
        cls.objects.update_or_create(name=name, defaults={"beat_at": ClockNow()})
