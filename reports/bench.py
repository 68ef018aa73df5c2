"""What this room adds to `./run manage bench`. Each measurement leaves the database as it was."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import TypedDict

from django.db import transaction
from django.db.models import Count

from alerts.kudos import KudosCount
from core.spreadsheets import csv_lines
from reports.answers import Labels, Wanted, batch_of
from reports.explorer import Search, find
from reports.facts import count_store
from reports.figures import Figure, Source
from reports.models import StoreDay
from reports.pdf import wall_pdf
from reports.periods import Week, latest_day
from reports.statistics import Nps
from reports.wall import MOST_DONE, MOST_LESSONS, MOST_PRAISES, Done, Voice, Wall
from reports.wall_figures import WallFigure
from stores.models import Store
from surveys.models import Response


class Measured(TypedDict):
    name: str
    value: float
    unit: str
    budget: float
    verdict: str


def measure() -> Iterator[Measured]:
    """The budgets of DESIGN §7 that are about reports, on the data that is there."""
    yield measured("wall PDF", _median(_print_wall), "s", 0.5)
    for name, words in (("nobody said", "zzzzz"), ("everybody says", "the")):
        yield measured(f"explorer, words {name}", 1000 * _median(partial(_explore, words)), "ms", 2000)
    yield measured("CSV of 100,000 answers", _csv_secs(), "s", 5)
    fullest = StoreDay.objects.values("store_id").annotate(n=Count("pk")).order_by("-n").first()
    if fullest:
        days = StoreDay.objects.filter(store_id=fullest["store_id"]).values("local_day").distinct().count()
        yield measured("counting a store day", 1000 * _median(lambda: _count(fullest["store_id"])) / days, "ms", 10)


def measured(name: str, value: float, unit: str, budget: float) -> Measured:
    """A figure with its verdict: no more than the budget."""
    verdict = "pass" if value <= budget else "fail"
    return {"name": name, "value": round(value, 4), "unit": unit, "budget": budget, "verdict": verdict}


def _median(work: Callable[[], object], times: int = 7) -> float:
    """Seconds, after one run that warms up."""
    work()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def _csv_secs(number: int = 100_000) -> float:
    """Seconds for so many answers as lines of a file; of fewer, as many times as long."""
    wanted = Wanted(Response.objects.order_by("-submitted_at", "-pk"), of_search=False, personal=False)
    labels, after, lines = Labels("yes", "no"), None, 0
    started = time.perf_counter()
    while lines < number:
        rows, after = batch_of(wanted, after)
        lines += sum(1 for _line in csv_lines(map(labels.cells, rows)))
        if after is None:
            break
    return (time.perf_counter() - started) * number / max(1, lines)


def _explore(q: str) -> None:
    week = Week.of(latest_day({"UTC"}))
    find(Search(last_week=week, this_week=week, q=q), Store.objects.all())


def _count(store_id: int) -> None:
    with transaction.atomic():
        count_store(store_id)


def _print_wall() -> None:
    week = Week.parse("2026-W47")
    words = "The advice was patient and exact, and the present was wrapped beautifully. Danke! Щиро дякую! شكرا جزيلا "
    voice = Voice(3 * words, "en", week.monday, "QR")
    wall_pdf(
        Wall(
            store=Store(code="BENCH", name="Bench"),
            week=week,
            today=week.sunday,
            praises=[voice] * MOST_PRAISES,
            lessons=[voice] * MOST_LESSONS,
            done=[Done(voice, words)] * MOST_DONE,
            figures=[WallFigure(Source("qr", "volunteer"), "", "", nps=Figure(Nps(60, 20, 12), False))],
            responses=92,
            unread=0,
            kudos=KudosCount(0, 0),
        )
    )
