"""Who changed what of the configuration, and from what to what."""

from django.db import models

from stores.choices import ChangeKind
from stores.models.people import User
from stores.models.tree import Node, Store


class ConfigChange(models.Model):
    """One change to the tree, a store or something of a store. Append-only: the database refuses changes.

    `what` names the thing in the words of the code ("store", "node", "hours", "exceptions", "touchpoint", "chat");
    `old` and `new` hold the columns that differ. No actor means that a program did it.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=10, choices=ChangeKind)
    what = models.CharField(max_length=20)
    # The id of the thing where a store has several of them, as it has of touchpoints.
    thing_id = models.BigIntegerField(null=True, blank=True)
    store = models.ForeignKey(Store, models.CASCADE, null=True, blank=True, related_name="config_changes")
    node = models.ForeignKey(Node, models.CASCADE, null=True, blank=True, related_name="config_changes")
    old = models.JSONField(default=dict)
    new = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(store__isnull=True) ^ models.Q(node__isnull=True), name="change_of_one_thing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.what} {self.kind}"
