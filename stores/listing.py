"""Which stores of a list are meant: what is searched, filtered and ticked, and in which order they stand."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from stores.checklist import incomplete, lacking
from stores.choices import StoreKind
from stores.models import Node, Store
from stores.sorting import folded

# Those in use are not named in the address.
STATES = ("", "closed", "incomplete", "retired", "all")
SORTS = {
    "name": ("sort_key",),
    "code": ("code",),
    "city": ("city_key", "sort_key"),
    "country": ("country", "city_key", "sort_key"),
    "node": ("node__sort_key", "sort_key"),
}


@dataclass(frozen=True)
class StoreFilter:
    """What a reader looks for; everything unknown in an address counts as not said."""

    q: str = ""
    node: str = ""
    kind: str = ""
    country: str = ""
    state: str = ""
    missing: str = ""
    sort: str = "name"

    @classmethod
    def of(cls, query: QueryDict) -> "StoreFilter":
        def one_of(name: str, known: Iterable[str], default: str = "") -> str:
            value = query.get(name, default)
            return value if value in known else default

        return cls(
            q=query.get("q", "").strip()[:100],
            node=query.get("node", "")[:20],
            kind=one_of("kind", StoreKind.values),
            country=query.get("country", "")[:2],
            state=one_of("state", STATES),
            missing=query.get("missing", "")[:20],
            sort=one_of("sort", [*SORTS, *(f"-{name}" for name in SORTS)], "name"),
        )

    def apply(self, visible: QuerySet[Store]) -> QuerySet[Store]:
        """Those of `visible` that are looked for, in order."""
        found = visible
        for word in folded(self.q).split():
            found = found.filter(search_text__contains=word)
        if self.node:
            node = Node.objects.filter(code=self.node).first()
            found = found.filter(node__path__startswith=node.path) if node else found.none()
        if self.kind:
            found = found.filter(kind=self.kind)
        if self.country:
            found = found.filter(country=self.country)
        if self.missing:
            found = found.filter(lacking(self.missing))
        return self._ordered(found.filter(_in_state(self.state)))

    def _ordered(self, found: QuerySet[Store]) -> QuerySet[Store]:
        backwards = "-" if self.sort.startswith("-") else ""
        return found.order_by(*(backwards + column for column in SORTS[self.sort.lstrip("-")]), "pk")

    @cached_property
    def said(self) -> dict[str, str]:
        """What of it was said, as an address has it."""
        values = {name: getattr(self, name) for name in ("q", "node", "kind", "country", "state", "missing", "sort")}
        return {name: value for name, value in values.items() if value and (name, value) != ("sort", "name")}

    @property
    def narrows(self) -> bool:
        """Whether anything but the order was said."""
        return bool(self.said.keys() - {"sort"})

    def query(self, **changes: str) -> str:
        """The address of the list with some of it changed, from the question mark on."""
        return "?" + urlencode(replace(self, **changes).said)


def _in_state(state: str) -> Q:
    if state == "all":
        return Q()
    if state == "retired":
        return Q(retired_at__isnull=False)
    in_use = Q(retired_at=None)
    if state == "closed":
        return in_use & closed_now()
    return in_use & incomplete() if state == "incomplete" else in_use


def closed_now() -> Q:
    """Stores that are closed for a time; by the date in UTC, which is near enough for a list."""
    today = timezone.now().date()
    return Q(closed_from__lte=today) & (Q(closed_until=None) | Q(closed_until__gte=today))


@dataclass(frozen=True)
class Selection:
    """Ticked stores, or all that a filter finds."""

    filter: StoreFilter
    everything: bool
    codes: tuple[str, ...]

    @classmethod
    def of(cls, query: QueryDict) -> "Selection":
        return cls(StoreFilter.of(query), query.get("all") == "1", tuple(query.getlist("store")[:1000]))

    def stores(self, visible: QuerySet[Store]) -> QuerySet[Store]:
        """The stores meant, of those that somebody may see."""
        if self.everything:
            return self.filter.apply(visible)
        return visible.filter(code__in=self.codes).order_by("sort_key", "pk")

    @property
    def fields(self) -> list[tuple[str, str]]:
        """As fields of a form or parts of an address that mean the same selection again."""
        if self.everything:
            return [*self.filter.said.items(), ("all", "1")]
        return [*self.filter.said.items(), *(("store", code) for code in self.codes)]
