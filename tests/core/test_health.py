"""What monitoring is told, and what the auditor does when nobody works."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client, override_settings

from alerts.choices import StepState
from alerts.models import CaseStep
from core.audit import audit, deserted_lanes
from core.leases import ClockNow, from_now
from core.models import Heartbeat
from core.schedules import sing
from messaging.models import Message
from tests.alerts.conftest import open_case
from tests.factories import Chain

Beat = Callable[[], None]


@pytest.fixture
def all_alive(db: None) -> Beat:
    def beat() -> None:
        Heartbeat.beat("work alerts facts")
        Heartbeat.beat("work analysis")
        sing()

    beat()
    return beat


@pytest.fixture
def deadman() -> Iterator[list[str]]:
    pings: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pings.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with override_settings(DEADMAN_URL=f"http://127.0.0.1:{server.server_address[1]}/ping"):
        yield pings
    server.shutdown()
    server.server_close()


def ready(client: Client) -> tuple[int, dict[str, object]]:
    answer = client.get("/readyz")
    return answer.status_code, json.loads(answer.content)


def test_health_asks_nothing(client: Client) -> None:
    """A query without the database fixture would fail."""
    assert client.get("/healthz").content == b"ok\n"


def test_ready_when_all_work(client: Client, all_alive: Beat) -> None:
    assert ready(client) == (
        200,
        {
            "ready": True,
            "database": True,
            "lanes": {"alerts": True, "facts": True, "analysis": True},
            "jobs": True,
            "overdue": {},
        },
    )


@pytest.mark.parametrize(("name", "secs"), [("work analysis", 31), ("work alerts facts", 31), ("qcluster", 181)])
def test_not_ready_when_somebody_is_silent(client: Client, all_alive: Beat, name: str, secs: int) -> None:
    Heartbeat.objects.filter(name=name).update(beat_at=from_now(-timedelta(seconds=secs)))
    assert ready(client)[0] == 503


def test_not_ready_while_work_is_overdue(client: Client, chain: Chain, all_alive: Beat) -> None:
    open_case(chain, contact=None, words="Olena was rude")
    Message.objects.update(run_at=from_now(-timedelta(minutes=2)))
    status, said = ready(client)
    assert status == 503
    assert said["overdue"] == {"messages overdue": 1}
    assert "Olena" not in str(said)


def test_not_ready_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError

    monkeypatch.setattr("core.views.silence_of_lanes", away)
    assert ready(client) == (503, {"ready": False, "database": False})


def test_the_dead_man_hears_only_of_a_clean_round(chain: Chain, all_alive: Beat, deadman: list[str]) -> None:
    assert audit() == {}
    assert deadman == ["/ping"]
    Heartbeat.objects.filter(name="qcluster").delete()
    assert "no canary of django-q2" in audit()
    all_alive()
    Message.objects.all().delete()
    open_case(chain, contact=None)
    Message.objects.update(state="dead", run_at=None)
    assert audit()["messages to staff given up"] == 1
    with pytest.raises(CommandError, match="given up"):
        call_command("audit", "--once")
    assert deadman == ["/ping"]
    assert Heartbeat.objects.filter(name="audit").exists()


def test_a_dead_man_address_that_talks_nonsense_is_no_reason_to_die(chain: Chain, all_alive: Beat) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            caller, _address = server.accept()
            with caller:
                caller.recv(1000)
                caller.sendall(b"nonsense\r\n\r\n")

        threading.Thread(target=talk, daemon=True).start()
        with override_settings(DEADMAN_URL=f"http://127.0.0.1:{server.getsockname()[1]}/"):
            assert audit() == {}
            assert Heartbeat.objects.filter(name="audit").exists()


def test_the_audit_does_what_nobody_does(chain: Chain, all_alive: Beat, mailoutbox: list[object]) -> None:
    open_case(chain, contact=None)
    CaseStep.objects.filter(ordinal=1).update(run_at=ClockNow())
    audit()
    assert CaseStep.objects.get(ordinal=1).state == StepState.PENDING

    Heartbeat.objects.filter(name="work alerts facts").update(beat_at=from_now(-timedelta(seconds=16)))
    assert deserted_lanes() == ["alerts", "facts"]
    found = audit()
    assert CaseStep.objects.get(ordinal=1).state == StepState.FIRED
    assert len(mailoutbox) == 3
    assert "no loop over alerts" in found
