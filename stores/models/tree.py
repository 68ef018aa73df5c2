"""The chain's tree and its stores."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator, URLValidator
from django.db import connection, models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Lower, Substr
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from stores.choices import HolidayRule, NodeKind, StoreKind
from stores.sorting import folded, sort_key
from stores.zones import validate_time_zone

# Codes stand in addresses, file names and spreadsheets.
CODE = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
validate_code = RegexValidator(CODE, _("Letters A–Z, digits, dot, hyphen and underscore only."))
# Any fixed number will do, as long as nothing else of ours locks by it.
_TREE_LOCK = 0x7472_6565


class TreeError(ValueError):
    """A place was to be put below itself."""


def lock_tree() -> None:
    """Wait until nobody else changes the shape of the tree, and keep it so until the transaction ends.

    Whoever locks rows of nodes as well takes this first.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TREE_LOCK])


class Node(models.Model):
    """A place in the tree above the stores: chain, brand, country, region or area, to any depth.

    `path` holds the ids from the root down, as `/1/4/9/`, so that everything under a node is one prefix search.
    """

    code = models.CharField(max_length=20, unique=True, blank=True, validators=[validate_code])
    kind = models.CharField(max_length=20, choices=NodeKind)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=1000, editable=False, default="", db_index=True)
    sort_key = models.BinaryField(editable=False, default=b"")
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("code"), name="node_code_whatever_case"),
            models.CheckConstraint(condition=Q(parent=None) | ~Q(parent=F("pk")), name="node_not_below_itself"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def above(self) -> list[int]:
        """The ids from the root down to this node itself."""
        return [int(part) for part in self.path.strip("/").split("/")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves with the sort key in step with the name, and with its path and those below in step with the parent.

        All at once, and one at a time for the whole tree: a node without a path would be above every store, and two
        moves that do not see each other could make a circle. Raises TreeError if the parent lies below the node.
        """
        self.sort_key = sort_key(self.name)
        with transaction.atomic():
            lock_tree()
            if not self.code:
                self.code = _free_code(self.name, self.kind)
            above = Node.objects.values_list("path", flat=True).get(pk=self.parent_id) if self.parent_id else "/"
            old = Node.objects.filter(pk=self.pk).values_list("path", flat=True).first() if self.pk else ""
            if old and above.startswith(old):
                raise TreeError(f"{self.code} cannot lie below itself")
            super().save(*args, **kwargs)
            self.path = f"{above}{self.pk}/"
            if old == self.path:
                return
            Node.objects.filter(pk=self.pk).update(path=self.path)
            if old:
                below = Node.objects.filter(path__startswith=old).exclude(pk=self.pk)
                below.update(path=Concat(Value(self.path), Substr("path", len(old) + 1)))


def _free_code(name: str, kind: str) -> str:
    """A code that nobody has, from the name's Latin letters, or from the kind if it has none."""
    letters = "".join(c for c in folded(name) if c.isascii() and c.isalnum()).upper()[:12] or kind.upper()
    taken = {code.upper() for code in Node.objects.filter(code__istartswith=letters).values_list("code", flat=True)}
    return next(code for code in (letters, *(f"{letters}-{n}" for n in range(2, len(taken) + 3))) if code not in taken)


class StoreManager(models.Manager["Store"]):
    """Keeps the derived columns right also where many stores are made at once."""

    def bulk_create(self, objs: Iterable["Store"], *args: Any, **kwargs: Any) -> list["Store"]:
        stores = list(objs)
        for store in stores:
            store.derive()
        return super().bulk_create(stores, *args, **kwargs)


class Store(models.Model):
    """A leaf of the tree: a shop, or a call centre, which has hours and people just the same."""

    node = models.ForeignKey(Node, models.PROTECT, related_name="stores")
    kind = models.CharField(max_length=20, choices=StoreKind, default=StoreKind.SHOP)
    code = models.CharField(max_length=20, unique=True, validators=[validate_code])
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=80, blank=True)
    # ISO 3166-1, two letters, and ISO 3166-2 with its country, as "DE-BY": they say which days are public holidays.
    country = models.CharField(max_length=2)
    subdivision = models.CharField(max_length=6, blank=True)
    time_zone = models.CharField(max_length=60, validators=[validate_time_zone])
    # The languages its shoppers read, most common first.
    languages = ArrayField(models.CharField(max_length=10), default=list)
    phone = models.CharField(max_length=20, blank=True)
    # Addresses of the store, not of people.
    contact_emails = ArrayField(models.EmailField(), default=list, blank=True)
    public_review_url = models.CharField(max_length=200, blank=True, validators=[URLValidator(schemes=["https"])])
    # Open unless somebody has said otherwise: a clock that stands by mistake is worse than one that runs.
    holiday_rule = models.CharField(max_length=10, choices=HolidayRule, default=HolidayRule.OPEN)
    # Temporarily closed from the first to the last of these local dates; no last one is "until further notice".
    closed_from = models.DateField(null=True, blank=True)
    closed_until = models.DateField(null=True, blank=True)
    closed_reason = models.CharField(max_length=120, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    # Derived from name and city, see `derive`.
    sort_key = models.BinaryField(editable=False, default=b"")
    city_key = models.BinaryField(editable=False, default=b"")
    search_text = models.TextField(editable=False, default="")

    objects = StoreManager()

    class Meta:
        indexes = [
            # The first pages of the store list.
            models.Index(fields=["sort_key", "id"], name="store_by_name"),
        ]
        constraints = [
            models.UniqueConstraint(Lower("code"), name="store_code_whatever_case"),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="store_country_two_letters"),
            models.CheckConstraint(
                condition=Q(subdivision="") | Q(subdivision__startswith=Concat(F("country"), Value("-"))),
                name="store_subdivision_of_its_country",
            ),
            models.CheckConstraint(
                condition=Q(public_review_url="") | Q(public_review_url__startswith="https://"),
                name="store_review_link_encrypted",
            ),
            models.CheckConstraint(
                condition=Q(closed_from=None, closed_until=None)
                | Q(closed_from__isnull=False, closed_until=None)
                | Q(closed_from__isnull=False, closed_until__gte=F("closed_from")),
                name="store_closure_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def holiday_place(self) -> str:
        """The country or subdivision on whose public holidays this store is closed; "" if it opens on them."""
        return (self.subdivision or self.country) if self.holiday_rule == HolidayRule.CLOSED else ""

    @property
    def has_closure(self) -> bool:
        """Whether a temporary closure holds or lies ahead; one that is over is history."""
        if self.closed_from is None or self.closed_until is None:
            return self.closed_from is not None
        return self.closed_until >= timezone.now().astimezone(ZoneInfo(self.time_zone)).date()

    def derive(self) -> None:
        """Fill the columns by which the list sorts and searches."""
        self.sort_key = sort_key(self.name)
        self.city_key = sort_key(self.city)
        self.search_text = folded(f"{self.code} {self.name} {self.city} {self.postcode}")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.derive()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "sort_key", "city_key", "search_text"}
        super().save(*args, **kwargs)
