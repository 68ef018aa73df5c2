"""What leaves this machine when words are read: nothing, and with an operator's service redacted words."""

import contextlib
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction

from alerts.choices import ReviewReason
from alerts.models import Case, Review, Rule
from alerts.policy import ensure_defaults
from alerts.work import run_evaluations
from core.database import process_environment
from core.work import drain
from sentiment import service
from sentiment.engine import read
from sentiment.holding import is_by_service
from sentiment.models import Analysis, ServedModel
from sentiment.reading import live_reader
from surveys.models import Response
from surveys.signals import response_saved
from tests.factories import Chain, make_response

CHAIN = ["en", "de", "uk"]


class StandIn(HTTPServer):
    """An operator's service: notes what it is sent, answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.readings: Any = None
        self.delay = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/sentiment"


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        time.sleep(self.server.delay)
        angry = {"negative": 0.97, "neutral": 0.02, "positive": 0.01}
        readings = [angry for _ in json.loads(body)["texts"]]
        if self.server.readings is not None:
            readings = self.server.readings
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        with contextlib.suppress(OSError):  # who waited has gone
            self.wfile.write(json.dumps({"readings": readings}).encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def stand_in(settings: LazySettings) -> Iterator[StandIn]:
    server = StandIn()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    settings.SENTIMENT_SERVICE_URL, settings.SENTIMENT_SERVICE_KEY = server.url, "s3cret"
    service.pause.end()
    yield server
    service.pause.end()
    server.shutdown()
    server.server_close()


def submit(chain: Chain, words: str) -> Response:
    response = make_response(touchpoint=chain.touchpoint, score=9, words=words)
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=False)
    return response


WORDS = "Olena was lovely, call me on +380 50 123 45 67 or a.shopper@example.org, order 4455667788."


def test_the_service_is_sent_the_redacted_words_and_nothing_else(chain: Chain, stand_in: StandIn) -> None:
    chain.manager.name = "Olena Kovalenko"
    chain.manager.save()
    response = submit(chain, WORDS)
    drain(["analysis"])
    [(path, headers, body)] = stand_in.seen
    assert path == "/sentiment"
    analysis = Analysis.objects.get(verbatim__response=response)
    assert json.loads(body) == {"texts": [analysis.redacted]}
    assert "[name]" in analysis.redacted and "[phone]" in analysis.redacted
    sent = body.decode() + json.dumps(headers)
    for secret in ("Olena", "123 45 67", "example.org", "4455667788", str(response.pk), chain.store.code, "Kyiv"):
        assert secret not in sent
    assert set(headers) <= {"Host", "User-Agent", "Content-Type", "Accept", "Authorization", "Accept-Encoding"} | {
        "Content-Length"
    }
    assert headers["Authorization"] == "Bearer s3cret"


def test_its_word_counts_for_sentiment_and_a_person_looks_first(chain: Chain, stand_in: StandIn) -> None:
    response = submit(chain, "Lovely staff, thank you so much for the help.")
    drain(["analysis"])
    analysis = Analysis.objects.get(verbatim__response=response)
    assert (analysis.sentiment, analysis.p_negative, analysis.alarming, analysis.proven) == (
        "negative",
        0.97,
        True,
        True,
    )
    assert is_by_service(analysis.model_version)
    assert [topic["topic"] for topic in analysis.topics] == ["staff"]
    assert analysis.embedding


@pytest.mark.parametrize(
    ("conditions", "words", "opens"),
    [
        ({"alarming": True}, "Lovely staff, thank you so much for the help.", False),
        ({"sentiment": {"negative": 0.8}}, "Lovely staff, thank you so much for the help.", False),
        ({"topics": ["staff"]}, "Lovely staff, thank you so much for the help.", True),
        ({"topics": ["staff"], "topics_negative": True}, "The staff were terribly rude to all of us.", True),
        ({"topics": ["staff"]}, "Sprzedawczyni była bardzo niemiła, nie polecam.", False),
    ],
)
def test_our_own_topics_open_a_case_beside_a_service_and_its_word_asks_a_person(
    chain: Chain, stand_in: StandIn, conditions: dict[str, Any], words: str, opens: bool
) -> None:
    ensure_defaults()
    Rule.objects.filter(trigger="text").delete()
    Rule.objects.create(name="Tried", trigger="text", conditions=conditions)
    submit(chain, words)
    drain(["analysis"])
    run_evaluations()
    assert is_by_service(Analysis.objects.get().model_version)
    assert Case.objects.exists() == opens
    assert [review.reason for review in Review.objects.all()] == ([] if opens else [ReviewReason.UNPROVEN])


@pytest.mark.parametrize(
    ("status", "readings"),
    [
        (500, None),
        (302, None),
        (204, None),
        (200, []),
        (200, [{"negative": 2, "neutral": -1, "positive": 0}]),
        (200, [{"negative": float("nan"), "neutral": 0, "positive": 1}]),
        (200, [{"negative": 0.1}]),
        (200, ["angry"]),
        (200, {"a": 1}),
        (200, [{"negative": 10**400, "neutral": 0, "positive": 0}]),
    ],
)
def test_whatever_it_answers_our_own_reading_stands(
    chain: Chain, stand_in: StandIn, status: int, readings: Any
) -> None:
    stand_in.status, stand_in.readings = status, readings
    response = submit(chain, "Lovely staff, thank you so much for the help.")
    drain(["analysis"])
    analysis = Analysis.objects.get(verbatim__response=response)
    assert (analysis.sentiment, analysis.proven) == ("positive", True)
    assert analysis.model_version.endswith("+service-failed")
    assert len(stand_in.seen) == 1


@pytest.mark.parametrize("key", ["from a file\n", "ключ"])
def test_a_key_that_cannot_be_sent_costs_no_reading(
    chain: Chain, stand_in: StandIn, settings: LazySettings, key: str
) -> None:
    settings.SENTIMENT_SERVICE_KEY = key
    submit(chain, "Lovely staff, thank you so much.")
    drain(["analysis"])
    assert Analysis.objects.get().model_version.endswith("+service-failed")
    assert stand_in.seen == []


def test_a_service_that_fails_is_left_alone_for_a_while(chain: Chain, stand_in: StandIn) -> None:
    stand_in.status = 500
    for _ in range(3):
        submit(chain, "Lovely staff, thank you so much.")
        drain(["analysis"])
    assert len(stand_in.seen) == 1
    assert Analysis.objects.filter(model_version__endswith="+service-failed").count() == 3
    stand_in.status = 200
    service.pause.end()
    submit(chain, "Lovely staff, thank you so much.")
    drain(["analysis"])
    assert len(stand_in.seen) == 2


def test_a_service_that_does_not_answer_holds_nothing_up(
    chain: Chain, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_TIMEOUT_SECS", 0.2)
    stand_in.delay = 1.0
    submit(chain, "Lovely staff, thank you so much.")
    drain(["analysis"])
    assert Analysis.objects.get().model_version.endswith("+service-failed")


@pytest.mark.parametrize("url", ["http://example.org/x", "https://127.0.0.1:1/x", "https://localhost:1/", "ftp://x/"])
def test_an_address_of_our_own_network_is_never_asked(
    chain: Chain, stand_in: StandIn, settings: LazySettings, url: str
) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    settings.SENTIMENT_SERVICE_URL = url
    submit(chain, "Lovely staff, thank you so much.")
    drain(["analysis"])
    assert Analysis.objects.get().model_version.endswith("+service-failed")
    assert stand_in.seen == []


def test_too_few_words_are_not_worth_asking(stand_in: StandIn) -> None:
    readings = read(["Super!", ""], page_languages=[None, None], chain_languages=CHAIN)
    assert service.with_service(readings) == readings
    assert stand_in.seen == []


def test_by_default_nobody_is_asked(settings: LazySettings) -> None:
    assert settings.SENTIMENT_SERVICE_URL == ""
    readings = read(["The staff were rude and slow."], page_languages=["en"], chain_languages=CHAIN)
    assert service.with_service(readings) == readings


# Every way of Python's to the network, forbidden before anything of ours is imported.
_CUT_OFF = """
import sys
def guard(event, args):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg",
                 "socket.bind", "urllib.Request", "http.client.connect"}:
        print("NETWORK", event, args, file=sys.stderr, flush=True)
        raise SystemExit(9)
sys.addaudithook(guard)
import django; django.setup()
from core.work import drain
drain(["analysis"])
"""


@pytest.mark.django_db(transaction=True)
def test_reading_makes_no_network_call() -> None:
    """The whole way of a worker, in a process of its own: a first model goes live and is kept, words of any language
    are read and stored; without any network where this user may take it away from a process."""
    chain = Chain()
    words = (
        "The staff were rude, call me: +380501234567",
        "Дуже грубий персонал",
        "Tolle Beratung",
        "كانت الخدمة سيئة",
    )
    for one in words:
        submit(chain, one)
    command = [sys.executable, "-c", _CUT_OFF]
    unshare = shutil.which("unshare")
    if unshare and not subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode:
        command = [unshare, "-n", *command]
    environment = process_environment(HALFHOUR_TESTING="1", MODEL_KEEP_SECS="600")
    environment["DJANGO_SETTINGS_MODULE"] = "feedback.settings"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "NETWORK" not in done.stderr
    read_as = dict(Analysis.objects.values_list("verbatim__text", "sentiment"))
    assert set(read_as) == set(words) and read_as[words[0]] == "negative"
    assert live_reader().model and ServedModel.objects.get().kept


def test_the_guard_of_that_test_would_see_a_call() -> None:
    program = _CUT_OFF.split("import django")[0] + "import socket; socket.getaddrinfo('example.org', 443)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 9 and "NETWORK" in done.stderr
