"""Addresses that somebody typed in never lead into our own network (RELIABILITY S11)."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.conf import LazySettings

from core.outbound import Forbidden, Unreachable, check_url, is_public, post

PRIVATE = [
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_none_of_ours(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_asked(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://",
        "https://user:pass@example.org/",
        "https://example.org/a b",
        "https://example.org/\r\nX: y",
        "https://example.org:99999/",
        "javascript:alert(1)",
        "//example.org/",
        f"https://{'a' * 64}.example/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        check_url(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:10.0.0.1]"])
def test_names_of_our_own_network_are_refused_at_connect(host: str) -> None:
    with pytest.raises((Forbidden, Unreachable)) as caught:
        post(f"https://{host}:1/", b"", {}, timeout_secs=1)
    assert not isinstance(caught.value, Unreachable) or "gaierror" in str(caught.value)


def test_a_name_that_turns_private_after_the_check_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver under an attacker's hand: public when checked, private when asked."""
    answers = iter(["93.184.216.34", "127.0.0.1"])

    def rebind(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: Any) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        post("https://rebinding.example/", b"", {}, timeout_secs=1)
    with pytest.raises(Forbidden):
        post("https://rebinding.example/", b"", {}, timeout_secs=1)
    # Connected is what was checked, and the name is not looked up again.
    assert connected == [("93.184.216.34", 443)]


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    seen: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            if self.path != "/away":
                self.wfile.write(b"x" * 100_000)

        def log_message(self, *args: object) -> None:
            pass

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}", seen
    listening.shutdown()
    listening.server_close()


def test_a_server_that_trickles_is_left_in_time(settings: LazySettings) -> None:
    """Each byte would begin a socket's own time-out anew."""
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    listening = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        with listening.accept()[0] as taken, suppress(OSError):
            taken.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            for _ in range(600):
                taken.sendall(b"x")
                time.sleep(0.1)

    threading.Thread(target=trickle, daemon=True).start()
    begun = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        post(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"", {}, timeout_secs=2)
    listening.close()
    assert time.monotonic() - begun < 40 and not caught.value.before_asking


def test_redirects_are_not_followed_and_answers_are_cut(
    server: tuple[str, list[tuple[str, bytes]]], settings: LazySettings
) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    url, seen = server
    assert post(f"{url}/away", b"1", {}, timeout_secs=60).status == 302
    assert seen == [("/away", b"1")]
    assert len(post(f"{url}/long", b"2", {}, timeout_secs=60).body) == 64 * 1024
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    with pytest.raises(Forbidden):
        post(f"{url}/", b"3", {}, timeout_secs=60)
    assert len(seen) == 2
