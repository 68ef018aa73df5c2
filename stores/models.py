"""The chain's tree, its stores, their hours and touchpoints, and the people who answer for them."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q, Value
from django.db.models.functions import Concat, Substr
from django.utils.translation import gettext_lazy as _

from core.tokens import typed_code
from stores.choices import NodeKind, Role, StoreKind, TouchpointKind
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


class OpeningInterval(models.Model):
    """A stretch of a weekday on which the store is open, in its own time.

    `closes` at or before `opens` means the next day; 00:00 to 00:00 is round the clock. A store without any interval
    counts as always open, flagged as "no hours entered".
    """

    store = models.ForeignKey(Store, models.CASCADE, related_name="opening_intervals")
    weekday = models.PositiveSmallIntegerField(help_text="Monday is 0.")
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="interval_weekday"),
            models.UniqueConstraint(fields=["store", "weekday", "opens"], name="interval_once"),
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {self.opens:%H:%M}–{self.closes:%H:%M}"


class HoursException(models.Model):
    """A local date on which the weekly hours do not hold: closed (no times), or open at other times."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="hours_exceptions")
    date = models.DateField()
    opens = models.TimeField(null=True, blank=True)
    closes = models.TimeField(null=True, blank=True)
    reason = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "date", "opens"], name="exception_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(opens=None, closes=None) | Q(opens__isnull=False, closes__isnull=False),
                name="exception_both_times_or_none",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.opens or 'closed'}"


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


class UserManager(BaseUserManager["User"]):
    """Creates staff accounts by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A member of staff. What they may see follows from their roles alone."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=10, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name


class RoleAssignment(models.Model):
    """One role of one person, at one store or for everything under one node of the tree."""

    user = models.ForeignKey(User, models.CASCADE, related_name="roles")
    role = models.CharField(max_length=20, choices=Role)
    store = models.ForeignKey(Store, models.CASCADE, null=True, blank=True, related_name="staff")
    node = models.ForeignKey(Node, models.CASCADE, null=True, blank=True, related_name="staff")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(store=None, node__isnull=False) | Q(store__isnull=False, node=None),
                name="role_at_a_store_or_a_node",
            ),
            models.UniqueConstraint(fields=["user", "role", "store", "node"], name="role_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} ({self.store or self.node})"
