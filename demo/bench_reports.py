"""How reports bear the history of a large chain: their pages, their cells while answers come in, and the disk."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from statistics import median
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Max, Min, Sum
from django.test import Client
from django.utils import timezone

from core.garbage import settle
from core.leases import ClockNow
from demo.history import Crowd, Extent, make_history
from reports.bench import Measured, measured
from reports.checking import check
from reports.models import NodeWeek, StaleMark
from reports.rebuilding import rebuild
from reports.receivers import mark_stale
from stores.models import Node, Store
from surveys.models import SurveyVersion

# Answers a second at the busiest moment of a chain's year; how far reports may be behind then.
RUSH, BEHIND_SECS = 200, 10
# So many answers are sent at once, as many threads of the web would.
_AT_ONCE = 10
_MACHINE_ROWS = 20_000


class Page(NamedTuple):
    name: str
    address: str
    budget_ms: int


def pages(root: Node) -> list[Page]:
    """The pages of head office as they are used; those that read raw rows have more time."""
    country = Node.objects.filter(parent=root).order_by("pk").first() or root
    area = Node.objects.filter(parent=country).order_by("pk").first() or country
    store = Store.objects.filter(node=area).order_by("pk").first()
    found = [
        Page("the chain, 13 weeks", "/reports/", 300),
        Page("the chain, 52 weeks", "/reports/?weeks=52", 300),
        Page("the chain, all samples pooled", "/reports/?sample=pooled", 300),
        Page("a country", f"/reports/?node={country.pk}", 300),
        Page("an area", f"/reports/?node={area.pk}", 300),
        Page("the ranking of all stores", "/reports/stores/", 300),
        Page("what the change is made of", "/reports/change/", 300),
        Page("who was asked, the chain", "/reports/asking/", 300),
        Page("comments of the chain", "/verbatims/", 2000),
        Page("a word that nobody said, 52 weeks", "/verbatims/?weeks=52&q=zzzzz", 2000),
    ]
    if store:
        found.append(Page("a store", f"/reports/?store={store.code}", 300))
        found.append(Page("the screen of a store", f"/reports/store/{store.code}/", 300))
    return found


def page_waits(client: Client, page: Page, *, times: int = 30) -> list[float]:
    """Milliseconds, sorted, after one call that warms up."""
    waits = []
    for call in range(times + 1):
        began = time.perf_counter()
        status = client.get(page.address).status_code
        if status != 200:
            raise RuntimeError(f"{page.address} answered {status}")
        if call:
            waits.append((time.perf_counter() - began) * 1000)
    return sorted(waits)


def page_figures(client: Client, root: Node) -> Iterator[Measured]:
    """The p95 of each page."""
    client.get("/reports/")
    settle()  # as the server does
    machine = [_machine_ms()]
    for page in pages(root):
        waits = page_waits(client, page)
        machine.append(_machine_ms())
        yield measured(f"reports: {page.name}, p95", waits[int(len(waits) * 0.95)], "ms", page.budget_ms)
    # The same work on every machine, which tells a slow one from slow pages.
    yield measured(f"this machine: {_MACHINE_ROWS:,} rows made and added up", median(machine), "ms", 100)


def _machine_ms() -> float:
    """Milliseconds of a little work of the kind that pages of many stores are."""
    began = time.perf_counter()
    rows = {("store", number): (number, number % 7, number % 3) for number in range(_MACHINE_ROWS)}
    sum(one for counts in rows.values() for one in counts)
    return (time.perf_counter() - began) * 1000


def history_figures(extent: Extent) -> Iterator[Measured]:
    """Make the history and count it; what it takes on disk, now and for each further million of answers. Nothing where
    an earlier run has left it."""
    if is_whole(extent):
        return
    begun, empty = time.monotonic(), _disk()
    version = SurveyVersion.objects.filter(headline_kind="nps").latest("pk")
    for _done in make_history(extent, version):
        pass
    made = time.monotonic()
    yield measured(f"{extent.responses:,} answers made", made - begun, "s", 3600)
    raw = _disk()
    days = sum(step.days for step in rebuild())
    counted = time.monotonic() - made
    yield measured(f"all {days:,} store days counted, per thousand", counted / days * 1000, "s", 10)
    # What a chain has gathered in years lies vacuumed; else the database does it while the pages are measured.
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    whole = _disk()
    millions = extent.responses / 1e6
    yield measured("disk, answers and cells", whole / 1e9, "GB", 60)
    yield measured("disk per million answers: rows", (raw - empty) / millions / 1e6, "MB", 1500)
    yield measured("disk per million answers: cells and what is searched", (whole - raw) / millions / 1e6, "MB", 1500)


def _disk() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        size: int = cursor.fetchone()[0]
    return size


def check_figure() -> Iterator[Measured]:
    """The cells of the newest weeks against their rows; what differs may be none."""
    begun = time.monotonic()
    weeks = sorted(set(NodeWeek.objects.values_list("monday", flat=True)))[-2:]
    found = list(check(weeks=weeks))
    yield measured("cells unlike their rows", sum(len(one.differences) for one in found), "cells", 0)
    yield measured("a week's cells compared", (time.monotonic() - begun) / len(found), "s", 60)


def rush_figures(root: Node, workers: AbstractContextManager[None], *, seconds: int) -> Iterator[Measured]:
    """Answers as fast as they come at the worst, each with its mark, and how far the cells are behind meanwhile."""
    sent: list[int] = []
    behind: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.25):
            oldest = StaleMark.objects.filter(run_at__lte=ClockNow()).aggregate(at=Min("run_at"))["at"]
            behind.append((timezone.now() - oldest).total_seconds() if oldest else 0.0)
        connection.close()

    before, crowd = _answers_of(root), Crowd()
    watcher = threading.Thread(target=watch)
    with workers:
        watcher.start()
        start = time.monotonic()
        for turn in range(seconds * RUSH // _AT_ONCE):
            time.sleep(max(0.0, start + turn * _AT_ONCE / RUSH - time.monotonic()))
            with transaction.atomic():
                for response in crowd.answer(_AT_ONCE):
                    mark_stale(response)
            sent.append(_AT_ONCE)
        took = time.monotonic() - start
        until = time.monotonic() + 60
        while StaleMark.objects.filter(run_at__lte=ClockNow()).exists() and time.monotonic() < until:
            time.sleep(0.25)
        caught_up = time.monotonic() - start - took
        ended.set()
        watcher.join()
    missing = before + sum(sent) - _answers_of(root)
    if missing:
        raise RuntimeError(f"{missing} of {sum(sent)} answers are in no report")
    behind.sort()
    yield measured(f"cells behind at {sum(sent) / took:.0f} answers/s, most", behind[-1], "s", BEHIND_SECS)
    yield measured("cells behind after the rush", caught_up, "s", BEHIND_SECS)


def is_whole(extent: Extent) -> bool:
    """Whether there is a history of this extent up to this week, counted to its end."""
    root = Node.objects.filter(parent=None).first()
    if root is None or Store.objects.count() != extent.stores:
        return False
    newest = NodeWeek.objects.filter(node=root).aggregate(newest=Max("monday"))["newest"]
    return newest == extent.last_monday and _answers_of(root) >= extent.responses


def _answers_of(root: Node) -> int:
    return NodeWeek.objects.filter(node=root).aggregate(n=Sum("responses"))["n"] or 0
