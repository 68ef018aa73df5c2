"""How many purchases there were: told by systems and files, known by week, shown where it is missing."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from integrations.choices import Scope
from integrations.models import ApiKey
from reports.models import StoreTraffic, TrafficSpan, TrafficWeek
from reports.periods import Week
from reports.traffic import WEEKS, Count, record_traffic
from tests.factories import Chain
from tests.integrations.conftest import Caller

PATH = "/api/v1/traffic/"
TUESDAY = date(2026, 11, 17)


def put(caller: Caller, *rows: dict[str, Any]) -> Any:
    return caller.client.put(PATH, {"rows": rows}, content_type="application/json", headers=caller.headers)


def told(**changes: Any) -> dict[str, Any]:
    return {"store": "KY1", "day": "2026-11-17", "channel": "receipt", "transactions": 40} | changes


@pytest.fixture
def caller(chain):
    return Caller(ApiKey.create("tills", [Scope.TRAFFIC_WRITE])[1])


def weeks() -> list[Any]:
    return list(TrafficWeek.objects.order_by("pk").values_list("store__code", "monday", "transactions", "days"))


def test_the_last_word_holds_and_weeks_are_its_sums(chain, caller):
    assert put(caller, told(), told(day="2026-11-18", transactions=2)).json() == {"kept": 2}
    assert weeks() == [("KY1", date(2026, 11, 16), 42, 2)]
    for _twice in range(2):
        assert put(caller, told(transactions=10)).status_code == 200
    assert weeks() == [("KY1", date(2026, 11, 16), 12, 2)]
    assert StoreTraffic.objects.count() == 2
    # Four weeks are a sum of theirs.
    put(caller, told(day="2026-11-03", transactions=5), told(day="2026-10-30", transactions=7))
    spans = TrafficSpan.objects.order_by("start").values_list("start", "channel", "transactions")
    assert list(spans) == [(date(2026, 10, 5), "receipt", 7), (date(2026, 11, 2), "receipt", 17)]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"store": "NOWHERE"}, "#/rows/1/store"),
        ({"channel": "letter"}, "#/rows/1/channel"),
        ({"transactions": -1}, "#/rows/1/transactions"),
        ({"day": "yesterday"}, "#/rows/1/day"),
        ({"day": "2199-01-01"}, "#/rows/1/day"),
    ],
)
def test_one_wrong_row_refuses_all_and_is_named(chain, caller, wrong, pointer):
    answer = put(caller, told(), told(**wrong))
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not StoreTraffic.objects.exists()


def test_a_key_tells_of_its_own_stores_only_and_needs_the_scope(chain):
    narrow = Caller(ApiKey.create("one", [Scope.TRAFFIC_WRITE], store=chain.foreign)[1])
    assert put(narrow, told()).status_code == 400
    assert put(narrow, told(store="LV1")).status_code == 200
    assert put(Caller(ApiKey.create("other", [Scope.STORES_READ])[1]), told()).status_code == 403


def send(client: Client, text: str) -> Any:
    return client.post("/setup/traffic/", {"file": SimpleUploadedFile("t.csv", text.encode())})


def test_a_file_is_taken_whole_or_refused_with_its_rows(chain, client):
    client.force_login(chain.head_office)
    page = send(
        client, "store;day;channel;transactions\nKY1;2026-11-17;receipt;40\nKY9;2026-11-17;receipt;1\nKY1;x;qr;-"
    )
    assert page.status_code == 422
    assert "Row 3: No store with this code." in page.content.decode()
    assert "Row 4" in page.content.decode()
    assert not StoreTraffic.objects.exists()
    assert send(client, "\ufeffStore,Day,Channel,Transactions\nKY1,2026-11-17,receipt,40\n").status_code == 302
    assert weeks() == [("KY1", date(2026, 11, 16), 40, 1)]
    for text in ("store,day\nKY1,2026-11-17", "store,day,channel,transactions\n", "", "x" * 200_000, "store\rday"):
        assert send(client, text).status_code == 422


def test_the_page_says_of_which_stores_nothing_is_known(chain, client):
    monday = (Week.of(timezone.now().date()) + -1).monday
    days = [monday - timedelta(weeks=WEEKS - 1) + timedelta(days=n) for n in range(7 * WEEKS)]
    record_traffic(Count(chain.store.pk, day, "receipt", 5) for day in days)
    record_traffic([Count(chain.foreign.pk, monday, "receipt", 5)])
    client.force_login(chain.head_office)
    page = client.get("/setup/traffic/").content.decode()
    assert "2 of 4 stores are known" in page
    assert "Of 1 store every single day is known." in page
    assert "Kyiv Two" in page and "Kyiv One" not in page


@pytest.mark.django_db(transaction=True)
def test_two_who_tell_of_one_week_at_once_lose_nothing():
    store = Chain().store.pk
    ready = threading.Barrier(4)

    def tell(number):
        try:
            for turn in range(5):
                ready.wait(120)
                record_traffic([Count(store, TUESDAY + timedelta(days=number), "receipt", turn + 1)])
        finally:
            connection.close()

    threads = [threading.Thread(target=tell, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert [week[2:] for week in weeks()] == [(20, 4)]
