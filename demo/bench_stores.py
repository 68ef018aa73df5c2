"""A chain of many stores, and how long the pages over all of them take."""

import time
from collections.abc import Iterator
from itertools import islice

from django.contrib.auth.hashers import make_password
from django.test import Client

from stores.choices import NodeKind, Role, TouchpointKind
from stores.many import count_anew
from stores.models import Node, OpeningInterval, RoleAssignment, Store, Touchpoint, User

_COUNTRIES = ("DE", "UA", "GB", "FR", "PL", "IT", "ES", "AT", "CZ", "SE")
_ZONES = {"UA": "Europe/Kyiv", "GB": "Europe/London"}
_AREAS_PER_COUNTRY = 20
# Every nth store lacks its manager, its hours or its codes.
_BARE = 9
# The list as people use it: as it is, sought, narrowed, sorted, deep in its pages.
_ADDRESSES = {
    "first page": "/stores/",
    "search": "/stores/?q=Straße+12",
    "something missing": "/stores/?state=incomplete",
    "one place, by city": "/stores/?node=BENCH-DE&sort=-city",
    "page 100": "/stores/?sort=code&page=100",
}


def make_chain(root: Node, number: int) -> None:
    """`number` stores in ten countries, most of them with hours, a manager and two codes."""
    areas = list(_areas(root))
    stores = Store.objects.bulk_create(
        [
            Store(
                node=areas[n % len(areas)],
                code=f"S{n:05}",
                name=f"Straße {n}",
                city=f"Місто {n % 700}",
                country=country,
                time_zone=_ZONES.get(country, "Europe/Berlin"),
                languages=["de", "uk"],
            )
            for n in range(number)
            for country in [_COUNTRIES[n % len(areas) // _AREAS_PER_COUNTRY]]
        ],
        batch_size=1000,
    )
    equipped = [store for n, store in enumerate(stores) if n % _BARE]
    OpeningInterval.objects.bulk_create(
        (
            OpeningInterval(store=store, weekday=day, opens="09:00", closes="20:00")
            for store in equipped
            for day in range(6)
        ),
        batch_size=5000,
    )
    Touchpoint.objects.bulk_create(
        (Touchpoint(store=store, kind=kind) for store in equipped for kind in islice(TouchpointKind, 2)),
        batch_size=5000,
    )
    unusable = make_password(None)
    people = User.objects.bulk_create(
        [User(email=f"{s.code}@bench.example".lower(), name=f"Manager {s.code}", password=unusable) for s in equipped],
        batch_size=1000,
    )
    RoleAssignment.objects.bulk_create(
        (
            RoleAssignment(user=user, role=Role.STORE_MANAGER, store=store)
            for user, store in zip(people, equipped, strict=True)
        ),
        batch_size=5000,
    )
    count_anew()


def _areas(root: Node) -> Iterator[Node]:
    for country in _COUNTRIES:
        above = Node(kind=NodeKind.COUNTRY, name=country, code=f"BENCH-{country}", parent=root)
        above.save()
        for n in range(_AREAS_PER_COUNTRY):
            area = Node(kind=NodeKind.AREA, name=f"{country} {n}", parent=above)
            area.save()
            yield area


def list_waits(client: Client, *, times: int = 60) -> Iterator[tuple[str, list[float]]]:
    """Milliseconds of each page, sorted, after one call that warms up."""
    for name, address in (*_ADDRESSES.items(), ("checklist", "/setup/"), ("tree", "/tree/")):
        waits = []
        for call in range(times + 1):
            began = time.perf_counter()
            status = client.get(address).status_code
            if status != 200:
                raise RuntimeError(f"{address} answered {status}")
            if call:
                waits.append((time.perf_counter() - began) * 1000)
        yield name, sorted(waits)
