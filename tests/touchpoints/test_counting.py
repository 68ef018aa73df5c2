"""Scan, open, answer: counted without writing on a GET, apart from programs and staff, and lost only by a kill."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.database import process_environment
from core.tally import Tally
from feedback.processes import die_with_parent
from surveys import scans
from surveys.models import Response, ScanHour
from tests.factories import Chain
from tests.surveys.conftest import hidden
from tests.threads import PATIENCE_SECS

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1"
INSIDE_AN_APP = (
    "Mozilla/5.0 (Linux; Android 15; wv) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36 Telegram-Android/11.4"
)
ROBOTS = [
    "",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "WhatsApp/2.23.20.0",
    "facebookexternalhit/1.1",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "python-requests/2.32",
    "curl/8.5.0",
]


def shopper() -> Client:
    return Client(HTTP_USER_AGENT=PHONE)


def counted(touchpoint_id: int) -> dict[str, int]:
    scans.flush()
    rows = ScanHour.objects.filter(touchpoint=touchpoint_id)
    return {column: sum(getattr(row, column) for row in rows) for column in scans.COLUMNS}


def look(chain: Chain, client: Client | None = None, headers: dict[str, str] | None = None) -> Any:
    return (client or shopper()).get(f"/q/{chain.touchpoint.code}/", headers=headers)


def test_a_scan_is_counted_and_the_page_itself_writes_nothing(chain: Chain, surveys: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        look(chain)
    assert not [q for q in queries.captured_queries if re.match(r"\s*(INSERT|UPDATE|DELETE)", q["sql"])]
    assert not ScanHour.objects.exists()
    look(chain, Client(HTTP_USER_AGENT=INSIDE_AN_APP))
    assert counted(chain.touchpoint.pk) == {"scans": 2, "opens": 0, "robots": 0, "staff": 0}
    look(chain)
    assert counted(chain.touchpoint.pk)["scans"] == 3
    assert counted(chain.foreign_touchpoint.pk)["scans"] == 0


@pytest.mark.parametrize("agent", ROBOTS)
def test_programs_are_counted_apart(chain: Chain, surveys: Any, agent: str) -> None:
    client = Client(HTTP_USER_AGENT=agent)
    page = look(chain, client)
    client.post(f"/q/{chain.touchpoint.code}/?seen", {"form": hidden(page, "form")})
    assert counted(chain.touchpoint.pk) == {"scans": 0, "opens": 0, "robots": 1, "staff": 0}


@pytest.mark.parametrize(
    "headers", [{"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Purpose": "preview"}]
)
def test_what_a_browser_fetches_ahead_is_no_scan(chain: Chain, surveys: Any, headers: dict[str, str]) -> None:
    look(chain, headers=headers)
    shopper().head(f"/q/{chain.touchpoint.code}/")
    assert counted(chain.touchpoint.pk) == {"scans": 0, "opens": 0, "robots": 2, "staff": 0}


def test_staff_are_counted_apart(chain: Chain, surveys: Any) -> None:
    client = shopper()
    client.force_login(chain.manager)
    page = look(chain, client)
    client.post(f"/q/{chain.touchpoint.code}/?seen", {"form": hidden(page, "form")})
    assert counted(chain.touchpoint.pk) == {"scans": 0, "opens": 0, "robots": 0, "staff": 1}


def test_a_page_that_says_it_was_seen_is_an_open_and_a_forged_one_is_not(chain: Chain, surveys: Any) -> None:
    page, address = look(chain), f"/q/{chain.touchpoint.code}/?seen"
    assert shopper().post(address, {"form": hidden(page, "form")}).status_code == 204
    foreign = shopper().get(f"/q/{chain.foreign_touchpoint.code}/")
    for form in ("", "made.up.now", hidden(foreign, "form")):
        assert shopper().post(address, {"form": form}).status_code == 204
    assert counted(chain.touchpoint.pk) == {"scans": 1, "opens": 1, "robots": 0, "staff": 0}
    assert not Response.objects.exists()


@pytest.mark.parametrize("told_before", [True, False])
def test_an_answer_is_an_open_once(chain: Chain, surveys: Any, told_before: bool) -> None:
    address = f"/q/{chain.touchpoint.code}/"
    fields = {"form": hidden(look(chain), "form"), "score": "9", "contact": "none", "lang": "en"}
    if told_before:
        shopper().post(address + "?seen", {"form": fields["form"]})
        fields["seen"] = "1"
    for _again in range(2):
        assert shopper().post(address, fields).status_code == 303
    assert Response.objects.count() == 1
    assert counted(chain.touchpoint.pk)["opens"] == 1


def test_an_answer_from_an_address_that_says_seen_is_an_answer(chain: Chain, surveys: Any) -> None:
    """Somebody copied the beacon's address; nothing that was sent from there may be lost."""
    address = f"/q/{chain.touchpoint.code}/?seen"
    form = hidden(shopper().get(address), "form")
    assert shopper().post(address, {"form": form, "score": "9", "contact": "none", "lang": "en"}).status_code == 303
    assert Response.objects.count() == 1


def test_a_phone_may_be_called_after_a_robot(chain: Chain, surveys: Any) -> None:
    look(chain, Client(HTTP_USER_AGENT="Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG 9) Chrome/131.0 Mobile Safari"))
    assert counted(chain.touchpoint.pk)["scans"] == 1


@time_machine.travel("2026-11-19T10:30Z")  # within one hour
def test_what_was_judged_is_judged_again_when_more_comes_in(chain: Chain, surveys: Any) -> None:
    look(chain)
    counted(chain.touchpoint.pk)
    ScanHour.objects.update(judged=True)
    look(chain)
    counted(chain.touchpoint.pk)
    assert [(row.scans, row.judged) for row in ScanHour.objects.all()] == [(2, False)]


def test_a_touchpoint_that_is_gone_loses_the_others_nothing(chain: Chain, surveys: Any) -> None:
    scans._tally.add((2**40, 0, "scans"))
    look(chain)
    assert counted(chain.touchpoint.pk)["scans"] == 1


@pytest.mark.django_db(transaction=True)
def test_many_threads_and_a_database_that_is_away_lose_nothing(settings: LazySettings) -> None:
    written: dict[str, int] = {}
    away = True

    def write(counts: dict[str, int]) -> None:
        if away:
            from django.db import OperationalError

            raise OperationalError("away")
        for key, number in counts.items():
            written[key] = written.get(key, 0) + number

    settings.TALLY_FLUSH_SECS = 0.02
    tally = Tally[str]("test", write)

    def count() -> None:
        for _ in range(2000):
            tally.add("a")

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    away = False
    for thread in threads:
        thread.join()
    until = time.monotonic() + PATIENCE_SECS
    while written.get("a") != 12_000 and time.monotonic() < until:
        time.sleep(0.02)
    tally.stop()
    assert written == {"a": 12_000}


_PROCESS = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "feedback.settings"
import django
django.setup()
from django.conf import settings
settings.TALLY_FLUSH_SECS = float(sys.argv[2])
from surveys import scans
for _ in range(7):
    scans._tally.add((int(sys.argv[1]), int(time.time()) // 3600, "scans"))
pid = os.fork()
scans._tally.add((int(sys.argv[1]), int(time.time()) // 3600, "opens"))
print("counted", flush=True)
if sys.argv[3] == "wait":
    time.sleep(600)
sys.exit(0)
"""


def process(touchpoint_id: int, secs: float, end: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _PROCESS, str(touchpoint_id), str(secs), end],
        env=process_environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )


@pytest.mark.django_db(transaction=True)
def test_an_orderly_end_loses_nothing_and_a_fork_counts_for_itself() -> None:
    chain = Chain()
    ended = process(chain.touchpoint.pk, 30, "exit")
    assert ended.wait(3 * PATIENCE_SECS) == 0
    until = time.monotonic() + PATIENCE_SECS
    while counted(chain.touchpoint.pk)["opens"] < 2 and time.monotonic() < until:
        time.sleep(0.05)
    # Parent and child have both counted an open; the seven scans are the parent's alone.
    assert counted(chain.touchpoint.pk) == {"scans": 7, "opens": 2, "robots": 0, "staff": 0}


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_has_written_all_but_the_last_seconds() -> None:
    chain = Chain()
    running = process(chain.touchpoint.pk, 0.1, "wait")
    try:
        until = time.monotonic() + PATIENCE_SECS
        while counted(chain.touchpoint.pk)["opens"] < 2 and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(PATIENCE_SECS)
    assert counted(chain.touchpoint.pk) == {"scans": 7, "opens": 2, "robots": 0, "staff": 0}
