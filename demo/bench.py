"""Benchmarks that anyone can run: each prints what it measured, its budget, and whether it was kept.

CPU figures are those of the web server (gunicorn, as in production) and of its PostgreSQL backends together, per item,
beside the same work done by a bare Django view behind the same server on the same database (`demo.bare`). Wall times
are on the machine at hand.
"""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from alerts.inbox import waiting_for
from alerts.models import Case
from alerts.policy import ensure_defaults
from core.database import process_environment
from core.jobs import run_due
from demo import bare
from demo.bare import Server
from demo.bench_burst import CONTENT, HURT, flood, megabytes_of, urgent_shoppers, waits_of_the_urgent
from demo.bench_loop import killed_run, lateness_secs, many_open_cases, poll_ms
from demo.bench_posters import make_touchpoints, poster_secs
from demo.bench_reports import check_figure, history_figures, page_figures, rush_figures
from demo.bench_stores import list_waits, make_chain
from demo.chain_file import chain_tables, workbook
from demo.history import Extent
from demo.served import Served
from demo.site import Site
from messaging.models import Message
from reports.bench import measure as measure_reports
from sentiment.bench import measure as measure_reading
from sentiment.models import Analysis
from stores.choices import NodeKind, Role, TouchpointKind
from stores.importing.jobs import check_file, import_checked
from stores.models import Node, OpeningInterval, RoleAssignment, Store, Touchpoint, User
from surveys.defaults import ensure_surveys
from surveys.models import Response

# What a core reads at least, see DESIGN.
LEAST_READ_A_SECOND = 50
# The history that reports are measured on: what a developer waits for, and the largest chain we promise.
SMALL = Extent(stores=300, weeks=26, responses=200_000)
FULL = Extent(stores=7000, weeks=156, responses=20_000_000, words_pct=5)


@dataclass(frozen=True)
class Figure:
    """One line of `./run bench`. `verdict` compares `value` (or `ratio`, where there is a reference) with `budget`."""

    name: str
    value: float
    unit: str
    budget: float
    verdict: str
    reference: float | None = None
    ratio: float | None = None

    def as_line(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value is not None}


def figure(name: str, value: float, unit: str, *, budget: float, reference: float | None = None) -> Figure:
    """A figure with its verdict; with a `reference`, `budget` bounds the ratio to it."""
    ratio = None if reference is None else value / reference
    kept = (value if ratio is None else ratio) <= budget
    return Figure(
        name,
        round(value, 3),
        unit,
        budget,
        "pass" if kept else "fail",
        None if reference is None else round(reference, 3),
        None if ratio is None else round(ratio, 2),
    )


def cpu_ms(served: Served, work: Callable[[], None], *, times: int, rounds: int = 5) -> float:
    """Median over `rounds` of the CPU milliseconds per call of `work`, in the server and its database backends."""
    for _call in range(min(times, 20)):
        work()
    found = []
    for _round in range(rounds):
        before = served.cpu_secs()
        for _call in range(times):
            work()
            served.leave()
        found.append((served.cpu_secs() - before) * 1000 / times)
    return statistics.median(found)


@dataclass
class Place:
    """What the benchmarks stand on: one store, always open, with a manager, a till and a fitting room."""

    store: Store
    till: Touchpoint
    manager: User


def build_place() -> Place:
    if store := Store.objects.filter(code="B1").first():  # left by an earlier run
        till = store.touchpoints.get(kind=TouchpointKind.TILL)
        return Place(store, till, User.objects.get(email="manager@bench.example"))
    ensure_surveys()
    ensure_defaults()
    root = Node(kind=NodeKind.CHAIN, name="Bench")
    root.save()
    store = Store.objects.create(node=root, code="B1", name="Bench One", country="GB", time_zone="Europe/London")
    OpeningInterval.objects.bulk_create(
        OpeningInterval(store=store, weekday=day, opens="00:00", closes="00:00") for day in range(7)
    )
    manager = User.objects.create_user("manager@bench.example", "not used to sign in", name="Manager")
    RoleAssignment.objects.create(user=manager, role=Role.STORE_MANAGER, store=store)
    till = Touchpoint.objects.create(store=store, kind=TouchpointKind.TILL)
    return Place(store, till, manager)


def _hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


def answer(site: Server, code: str, *, score: int, words: str) -> None:
    """One complete response as a browser makes it: the page, the form, the thank-you page."""
    address = f"/q/{code}/"
    page = site.get(address).body.decode()
    fields = {"form": _hidden(page, "form"), "score": str(score), "reason": words, "contact": "none"}
    sent = site.post(address, fields)
    if sent.status != 303 or site.get(sent.headers["location"]).status != 200:
        raise RuntimeError(f"the page did not take an answer: {sent.status}")


def shopper_cpu(place: Place) -> Iterator[Figure]:
    """The survey page, a complete response, and one that opens a case, against bare Django behind the same server."""
    bare.make_table()
    with Served("demo.bare:application()") as served:
        bare_page = cpu_ms(served, lambda: bare.ask(served), times=400)
        bare_whole = cpu_ms(served, lambda: bare.answer(served), times=200)
    address, code = f"/q/{place.till.code}/", place.till.code
    with Served("feedback.wsgi") as served:
        page = cpu_ms(served, lambda: _expect(served.get(address).status, 200), times=400)
        yield figure("survey page, CPU", page, "ms", budget=2.0, reference=bare_page)
        happy = cpu_ms(served, lambda: answer(served, code, score=9, words="Friendly and quick."), times=200)
        yield figure("complete response, CPU", happy, "ms", budget=2.5, reference=bare_whole)
        unhappy = cpu_ms(served, lambda: answer(served, code, score=2, words="Nobody helped me."), times=200)
        yield figure("complete response that opens a case, CPU", unhappy, "ms", budget=4.0, reference=bare_whole)
        size = len(served.get(address).body)
        yield figure("survey page, uncompressed", size / 1000, "kB", budget=40)
        size = len(served.get(address, accept_encoding="gzip").body)
        yield figure("survey page, compressed with everything", size / 1000, "kB", budget=10)


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"expected status {wanted}, got {found}")


_MAIL_SERVER = """
import sys
from messaging.catcher import Catcher
with Catcher() as catcher:
    print(catcher.smtp_port, flush=True)
    sys.stdin.read()
"""


@contextmanager
def working(*lanes: list[str]) -> Iterator[None]:
    """Work loops as processes of their own, one for each list of lanes, and a mail server that takes everything."""
    # A process of its own, or the mail server would wait for the shoppers' threads of this one.
    catcher = subprocess.Popen(
        [sys.executable, "-c", _MAIL_SERVER], cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert catcher.stdin and catcher.stdout
    port = int(catcher.stdout.readline())
    environment = process_environment(EMAIL_URL=f"smtp://127.0.0.1:{port}")
    workers = [
        subprocess.Popen([sys.executable, "manage.py", "work", *of], cwd=settings.BASE_DIR, env=environment)
        for of in lanes
    ]
    try:
        time.sleep(3)
        yield
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(20)
        catcher.stdin.close()
        catcher.wait(20)


def send_steadily(place: Place, *, seconds: int, rate: int) -> list[float]:
    """Unhappy responses at a steady rate; the seconds from each notice's row to its transport, ascending."""
    Message.objects.all().delete()
    before = timezone.now()
    stop = time.monotonic() + seconds
    turns = iter(range(seconds * rate))
    lock = threading.Lock()
    start = time.monotonic()

    def shopper() -> None:
        site = Site()
        while True:
            with lock:
                turn = next(turns, None)
            if turn is None or time.monotonic() > stop + 30:
                connection.close()
                return
            time.sleep(max(0.0, start + turn / rate - time.monotonic()))
            answer(site, place.till.code, score=1, words="Waited far too long.")

    threads = [threading.Thread(target=shopper) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    notices = Message.objects.filter(kind="case_notice", created_at__gte=before)
    end = time.monotonic() + 60
    while notices.filter(sent_at=None).exists() and time.monotonic() < end:
        time.sleep(0.5)
    sent = list(notices.values_list("sent_at", "created_at"))
    waits = sorted(60.0 if at is None else (at - made).total_seconds() for at, made in sent)
    if len(waits) < seconds * rate:
        raise RuntimeError(f"{seconds * rate} responses made only {len(waits)} notices")
    return waits


def notice_latency(place: Place, *, seconds: int, rate: int) -> Iterator[Figure]:
    """Unhappy responses at a steady rate; from Send to the notice handed to an SMTP server, no django-q2 running."""
    with working(["alerts", "facts"]):
        waits = send_steadily(place, seconds=seconds, rate=rate)
    yield figure(f"Send to notice, p95 at {rate}/s", waits[int(len(waits) * 0.95)], "s", budget=2)
    yield figure(f"Send to notice, p99 at {rate}/s", waits[int(len(waits) * 0.99)], "s", budget=5)


def comment_burst(place: Place, *, comments: int, seconds: int) -> Iterator[Figure]:
    """So many comments at once: how fast they are read, and what waits meanwhile: notices of unhappy scores, and cases
    that only words can open."""
    till = place.till.code
    answer(Site(), till, score=CONTENT, words="The first of many.")
    flood(Response.objects.latest("submitted_at"), comments)
    waiting = Analysis.objects.filter(run_at__isnull=False)
    with working(["alerts", "facts"], ["analysis"]):
        end = time.monotonic() + 120
        while not Analysis.objects.filter(analysed_at__isnull=False).exists() and time.monotonic() < end:
            time.sleep(0.2)
        # From here on the model is loaded.
        since, began, left = timezone.now(), time.monotonic(), waiting.count()
        waits: list[float] = []
        with urgent_shoppers(lambda: answer(Site(), till, score=CONTENT, words=HURT)):
            # As long as there is a flood to be held up by.
            while not waits or (time.monotonic() < began + seconds and waiting.count() > comments // 5):
                waits += send_steadily(place, seconds=5, rate=2)
        end = began + 4 * comments / LEAST_READ_A_SECOND
        # What is left by then counts against it.
        while (still := waiting.count()) and time.monotonic() < end:
            time.sleep(1)
        spent, held = time.monotonic() - began, megabytes_of("analysis")
        opened = waits_of_the_urgent(since)
    if still == left:
        raise RuntimeError(f"not one of {comments} comments was read in {spent:.0f} s")
    urgent = Analysis.objects.filter(priority__lte=1)
    reads = sorted(
        (at - made).total_seconds() for at, made in urgent.values_list("analysed_at", "verbatim__created_at") if at
    )
    name = f"in a burst of {comments:,} comments"
    yield figure(f"Send to notice, p95 {name}", _p95(waits), "s", budget=2)
    yield figure(f"unhappy words read, p95 {name}", _p95(reads), "s", budget=5)
    yield figure(f"urgent words, Send to case, p95 {name}", _p95(opened), "s", budget=5)
    yield figure(
        f"seconds per thousand read {name}", spent * 1000 / (left - still), "s", budget=1000 / LEAST_READ_A_SECOND
    )
    yield figure(f"memory of the process that read {name}", held, "MB", budget=350)


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def inbox_page(place: Place) -> Iterator[Figure]:
    """The inbox of a manager with a thousand open cases, and its poll when nothing changed."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(place.manager, backend="allauth.account.auth_backends.AuthenticationBackend")
    missing = 1000 - Case.objects.filter(store=place.store, state="open").count()
    shopper = Site()
    for _number in range(max(0, missing)):
        answer(shopper, place.till.code, score=0, words="Nobody at the till.")
    waits = []
    # The names of static files as they are: nobody need have collected them.
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(STORAGES=settings.STORAGES | plain):
        for _call in range(40):
            began = time.perf_counter()
            page = client.get("/inbox/")
            waits.append((time.perf_counter() - began) * 1000)
            _expect(page.status_code, 200)
    yield figure("inbox page, p95 with 1,000 open cases", sorted(waits)[int(len(waits) * 0.95)], "ms", budget=150)
    version = waiting_for(place.manager).version
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    asked = {"Cookie": cookie, "HX-Request": "true"}
    with Served("feedback.wsgi") as served:
        ask = partial(served.get, f"/inbox/?version={version}", headers=asked)
        spent = cpu_ms(served, lambda: _expect(ask().status, 204), times=100)
    yield figure("inbox poll when nothing changed, CPU", spent, "ms", budget=10)


@contextmanager
def head_office_at(root: Node) -> Iterator[Client]:
    """A browser of somebody who sees everything."""
    person = User.objects.filter(email="head@bench.example").first()
    if person is None:
        person = User.objects.create_user("head@bench.example", "not used to sign in", name="Head office")
        RoleAssignment.objects.create(user=person, role=Role.HEAD_OFFICE, node=root)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    # The names of static files as they are: nobody need have collected them.
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(STORAGES=settings.STORAGES | plain):
        yield client


def store_list(place: Place, *, stores: int = 7000) -> Iterator[Figure]:
    """The list of stores of a large chain, and the pages over all of it."""
    make_chain(place.store.node, stores)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with head_office_at(place.store.node) as client:
        for name, waits in list_waits(client):
            p95 = waits[int(len(waits) * 0.95)]
            yield figure(f"stores, {name}, p95 at {stores:,} stores", p95, "ms", budget=200)


def import_of_stores(place: Place, *, stores: int = 7000) -> Iterator[Figure]:
    """From the file that was sent to the last store with its hours and its manager."""
    head_office = User.objects.create_user("files@bench.example", "not used to sign in", name="Head office")
    RoleAssignment.objects.create(user=head_office, role=Role.HEAD_OFFICE, node=place.store.node)
    data = workbook(chain_tables(stores, place.store.node.code))
    begun = time.monotonic()
    upload = check_file(head_office, "chain.xlsx", data, retire_missing=False, invite=False)
    run_due()
    upload.refresh_from_db()
    import_checked(upload)
    run_due()
    secs = time.monotonic() - begun
    _expect(RoleAssignment.objects.filter(user__email__endswith="@shops.example").count(), stores)
    yield figure(f"{stores:,} stores with hours and staff from a file", secs, "s", budget=60)


def steps_among_many(place: Place, *, cases: int = 100_000) -> Iterator[Figure]:
    """How late steps fire among so many open cases, and what one look for due steps costs there."""
    other = another_place(place, "B2", "Bench Two")
    answer(Site(), other.till.code, score=1, words="Waited far too long.")
    many_open_cases(Case.objects.get(store=other.store), cases)
    waits = poll_ms()
    yield figure(f"one poll for due steps among {cases:,} open cases", statistics.median(waits), "ms", budget=5)
    late = lateness_secs(working(["alerts", "facts"], ["alerts", "facts"]), steps=600, seconds=60)
    yield figure(f"lateness of steps, p99 among {cases:,} open cases", late[int(len(late) * 0.99)], "s", budget=2)


def another_place(place: Place, code: str, name: str) -> Place:
    """One more store, with a manager of its own."""
    store = Store.objects.create(
        node=place.store.node, code=code, name=name, country="GB", time_zone=place.store.time_zone
    )
    manager = User.objects.create_user(f"manager.{code.lower()}@bench.example", "not used to sign in", name=name)
    RoleAssignment.objects.create(user=manager, role=Role.STORE_MANAGER, store=store)
    return Place(store, Touchpoint.objects.create(store=store, kind=TouchpointKind.TILL), manager)


def under_kills(place: Place, *, cases: int) -> Iterator[Figure]:
    """So many cases with every sort of step while two of every process are killed at random; the table goes to the
    standard error."""
    Message.objects.all().delete()
    other, site = another_place(place, "B3", "Bench Three"), Site()
    found = killed_run(
        other.store,
        other.manager,
        lambda: answer(site, other.till.code, score=1, words="Waited far too long."),
        cases=cases,
        kills=max(20, cases // 10),
    )
    lines = found.lines
    yield figure(
        f"{cases:,} cases under kills, steps missed", sum(line.missed + line.open for line in lines), "", budget=0
    )
    yield figure(
        f"{cases:,} cases under kills, rows or events doubled", sum(line.doubled for line in lines), "", budget=0
    )
    undelivered = sum(line.notices - line.delivered for line in lines)
    yield figure(f"{cases:,} cases under kills, notices not delivered", undelivered, "", budget=0)


def posters(place: Place, *, number: int = 6700) -> Iterator[Figure]:
    """Print-ready A4 posters for nearly all stores, as the long job that head office asks for."""
    if Store.objects.count() < number:
        make_chain(place.store.node, number)
    secs, size = poster_secs(make_touchpoints(number), place.manager, format="a4")
    yield figure(f"{number:,} posters as PDF", secs, "s", budget=15)
    yield figure(f"{number:,} posters, file", size / 1e6, "MB", budget=100)


def reports(place: Place, *, extent: Extent, seconds: int) -> Iterator[Figure]:
    """The history of a large chain, its pages, and its cells while answers come in."""
    root = place.store.node
    if (missing := extent.stores - Store.objects.count()) > 0:
        make_chain(root, missing)
    lines = [history_figures(extent), measure_reports(), check_figure()]
    with head_office_at(root) as client:
        lines.insert(1, page_figures(client, root))
        lines.append(rush_figures(root, working(["facts"]), seconds=seconds))
        for line in chain.from_iterable(lines):
            yield Figure(**line)


def run(
    only: Collection[str] = (),
    *,
    seconds: int,
    rate: int,
    comments: int,
    cases: int,
    extent: Extent | None = None,
) -> Iterator[Figure]:
    """The parts named in `only`, or all of them, in an order in which each leaves the next what it needs."""
    parts: dict[str, Callable[[Place], Iterator[Figure]]] = {
        "shopper": shopper_cpu,
        "latency": partial(notice_latency, seconds=seconds, rate=rate),
        "inbox": inbox_page,
        "stores": store_list,
        "import": import_of_stores,
        "posters": posters,
        "steps": steps_among_many,
        "burst": partial(comment_burst, comments=comments, seconds=seconds),
        "kills": partial(under_kills, cases=cases),
        # Last: among so many answers whatever comes after it would measure something else.
        "reports": partial(reports, extent=extent or SMALL, seconds=seconds),
    }
    if unknown := set(only) - {"reading", *parts}:
        raise ValueError(f"No part {', '.join(sorted(unknown))}; there are reading, {', '.join(parts)}.")
    if not only or "reading" in only:
        yield from (Figure(**line) for line in measure_reading())
    wanted = [measure for name, measure in parts.items() if not only or name in only]
    if wanted:
        place = build_place()
        for measure in wanted:
            yield from measure(place)
