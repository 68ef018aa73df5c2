"""What a store still lacks before the loop works there, one list for its page, for the filter and for head office.

Rooms further down register what only they can tell, such as that nobody ever scanned a code.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stores.access import Part
from stores.choices import HolidayRule, StoreKind
from stores.models import OpeningInterval, RoleAssignment, Store, Touchpoint
from stores.public_holidays import subdivisions
from stores.queries import LEVELS
from stores.zones import zone_fits


@dataclass(frozen=True)
class Gap:
    """Something that stores lack: `condition` finds those that do, `address` is where it is mended, `part` who may.

    `part` None leaves it to whoever may open the address. `at_once` is what mends it at many stores, in words, and the
    name of the page that takes a selection of stores for it.
    """

    key: str
    label: Promise
    remedy: Promise
    condition: Callable[[], Q]
    address: Callable[[Store], str]
    part: Part | None = None
    at_once: tuple[Promise, str] | None = None


# Unlike an empty list, it can be selected and counted by.
_NONE = Q(pk__lt=0)
_gaps: dict[str, Gap] = {}


def register(gap: Gap) -> None:
    """Have it looked for from now on."""
    _gaps[gap.key] = gap


def all_gaps() -> list[Gap]:
    """In the order of the list."""
    return list(_gaps.values())


def among(rows: "QuerySet[Any]") -> Q:
    """Stores that have any of these rows, whose store is never null.

    Asked once for all of them; `Exists` would be asked anew for each store, three times over when counting.
    """
    return Q(pk__in=rows.order_by().values("store"))


def incomplete() -> Q:
    """Stores that lack anything."""
    return reduce(or_, (gap.condition() for gap in _gaps.values()), _NONE)


def lacking(key: str) -> Q:
    """Stores that lack this; none for a key that nobody registered."""
    return _gaps[key].condition() if key in _gaps else _NONE


def gaps_of(stores: Iterable[Store]) -> dict[int, list[Gap]]:
    """What each of some stores lacks, by its id, in one query."""
    found: dict[int, list[Gap]] = {store.pk: [] for store in stores}
    flags = {f"lacks_{key}": _flag(gap.condition()) for key, gap in _gaps.items()}
    for row in Store.objects.filter(pk__in=found).order_by().annotate(**flags).values("pk", *flags):
        found[row["pk"]] = [gap for key, gap in _gaps.items() if row[f"lacks_{key}"]]
    return found


def _flag(condition: Q) -> "ExpressionWrapper[Q]":
    return ExpressionWrapper(condition, output_field=BooleanField())


@dataclass(frozen=True)
class Counts:
    """Of so many stores: how many lack each thing, and how many lack none."""

    stores: int
    complete: int
    lacking: dict[str, int]


def count_gaps(stores: QuerySet[Store]) -> Counts:
    """What some stores lack, in one query."""
    conditions = {key: gap.condition() for key, gap in _gaps.items()}
    anything = reduce(or_, conditions.values(), _NONE)
    found = stores.order_by().aggregate(
        all_stores=Count("pk"),
        any_gap=Count("pk", filter=anything),
        **{f"lacks_{key}": Count("pk", filter=condition) for key, condition in conditions.items()},
    )
    total = found["all_stores"]
    return Counts(total, total - found["any_gap"], {key: found[f"lacks_{key}"] for key in conditions})


# --- what this room can tell --------------------------------------------------------------------------------------
def _managed_by(**people: Any) -> Q:
    """Stores that have such a manager."""
    managers = RoleAssignment.objects.filter(role__in=LEVELS[0][0], **people)
    found = among(managers.filter(store__isnull=False))
    # Few are the manager of every store of a place: asked for first, since matching paths for each store is slow.
    for path in managers.filter(node__isnull=False).values_list("node__path", flat=True).distinct():
        found |= Q(node__path__startswith=path)
    return found


def _without_manager() -> Q:
    return ~_managed_by(user__left_at=None)


def _with_invited_manager_only() -> Q:
    return _managed_by(user__is_active=False, user__left_at=None) & ~_managed_by(user__is_active=True)


def _without_touchpoint() -> Q:
    return ~among(Touchpoint.objects.filter(retired_at=None)) & Q(kind=StoreKind.SHOP)


def _without_poster() -> Q:
    in_use = Touchpoint.objects.filter(retired_at=None)
    return among(in_use) & ~among(in_use.filter(poster_at__isnull=False)) & Q(kind=StoreKind.SHOP)


def _zone_of_another_country() -> Q:
    found = _NONE
    for country, zone in Store.objects.order_by().values_list("country", "time_zone").distinct():
        if not zone_fits(country, zone):
            found |= Q(country=country, time_zone=zone)
    return found


def _without_subdivision() -> Q:
    countries = Store.objects.order_by().values_list("country", flat=True).distinct()
    told_apart = [country for country in countries if subdivisions(country)]
    return Q(holiday_rule=HolidayRule.CLOSED, subdivision="", country__in=told_apart)


def _page(name: str, anchor: str = "") -> Callable[[Store], str]:
    return lambda store: reverse(name, args=[store.code]) + anchor


register(
    Gap(
        "manager",
        _("No manager"),
        _("Nobody answers first: every case goes to the area manager at once."),
        _without_manager,
        _page("store", "#staff-title"),
    )
)
register(
    Gap(
        "joining",
        _("Manager invited, not signed in yet"),
        _("Until they join, every case goes to the area manager at once."),
        _with_invited_manager_only,
        _page("store", "#staff-title"),
        at_once=(_("Send links"), "invitations"),
    )
)
register(
    Gap(
        "hours",
        _("No opening hours"),
        _("The thirty-minute clock runs day and night."),
        lambda: ~among(OpeningInterval.objects.all()),
        _page("store_hours"),
        Part.HOURS,
    )
)
register(
    Gap(
        "touchpoint",
        _("No code"),
        _("Shoppers of this store cannot be asked."),
        _without_touchpoint,
        _page("store", "#codes-title"),
        Part.TOUCHPOINTS,
        (_("Make touchpoints"), "stores_equip"),
    )
)
register(
    Gap(
        "poster",
        _("No poster"),
        _("No poster with a code of this store was made yet."),
        _without_poster,
        _page("store", "#codes-title"),
        Part.TOUCHPOINTS,
        (_("Print posters"), "posters"),
    )
)
register(
    Gap(
        "language",
        _("No language"),
        _("Nobody said what its shoppers read: their page is in English."),
        lambda: Q(languages=[]),
        _page("store_edit", "#id_languages"),
        Part.MASTER,
    )
)
register(
    Gap(
        "zone",
        _("Time zone of another country"),
        _("Its clock would count the wrong hours."),
        _zone_of_another_country,
        _page("store_edit", "#id_time_zone"),
        Part.MASTER,
    )
)
register(
    Gap(
        "subdivision",
        _("No region for public holidays"),
        _("It closes on public holidays, but those of its region are unknown."),
        _without_subdivision,
        _page("store_edit", "#id_subdivision"),
        Part.MASTER,
    )
)
