"""The chain's tree and its stores."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Value
from django.db.models.functions import Concat, Substr

from stores.choices import NodeKind, StoreKind
from stores.sorting import sort_key


class Node(models.Model):
    """A place in the tree above the stores: chain, brand, country, region or area, to any depth.

    `path` holds the ids from the root down, as `/1/4/9/`, so that everything under a node is one prefix search.
    """

    kind = models.CharField(max_length=20, choices=NodeKind)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=200, editable=False, default="", db_index=True)
    sort_key = models.BinaryField(editable=False, default=b"")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves with the sort key in step with the name, and with its path and those below in step with the parent.

        All at once: a node without a path would be above every store.
        """
        self.sort_key = sort_key(self.name)
        with transaction.atomic():
            super().save(*args, **kwargs)
            old, self.path = self.path, f"{self.parent.path if self.parent else '/'}{self.pk}/"
            if old == self.path:
                return
            Node.objects.filter(pk=self.pk).update(path=self.path)
            if old:
                below = Node.objects.filter(path__startswith=old).exclude(pk=self.pk)
                below.update(path=Concat(Value(self.path), Substr("path", len(old) + 1)))


class Store(models.Model):
    """A leaf of the tree: a shop, or a call centre, which has hours and people just the same."""

    node = models.ForeignKey(Node, models.PROTECT, related_name="stores")
    kind = models.CharField(max_length=20, choices=StoreKind, default=StoreKind.SHOP)
    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120)
    sort_key = models.BinaryField(editable=False, default=b"")
    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=80, blank=True)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=60)
    # The languages its shoppers read, most common first.
    languages = ArrayField(models.CharField(max_length=10), default=list)
    phone = models.CharField(max_length=20, blank=True)
    public_review_url = models.URLField(blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sort_key = sort_key(self.name)
        super().save(*args, **kwargs)
