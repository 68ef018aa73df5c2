"""Requests to addresses that somebody typed in: webhooks, push services, an operator's own model.

RELIABILITY S11: https only, no redirects, and the address is checked when connecting, not before: a name may mean
another machine a moment later. Nothing here may reach into the network that the installation stands in.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

_MOST_ANSWER = 64 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(Exception):
    """The address is none that we may ask; the message is for whoever typed it in."""


class Unreachable(Exception):
    """`before_asking`: the request never left, so that asking again cannot double anything."""

    def __init__(self, reason: str, *, before_asking: bool) -> None:
        super().__init__(reason)
        self.before_asking = before_asking


@dataclass(frozen=True)
class Answer:
    """A server's answer; of its body the first 64 KiB."""

    status: int
    headers: dict[str, str]
    body: bytes


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also seen through its IPv6 wrappings."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_private or ip.is_unspecified)


def check_url(url: str) -> None:
    """Raises Forbidden for what can be told from the address alone, for forms; `post` checks again and more."""
    _parts(url)


def post(url: str, body: bytes, headers: dict[str, str], *, timeout_secs: float) -> Answer:
    """Send `body` and read the answer, whatever its status; redirects are answers like others.

    `timeout_secs` holds for connecting, and again for everything after that: a server that trickles keeps nobody
    longer. Raises Forbidden and Unreachable.
    """
    scheme, host, port, path = _parts(url)
    connection = _Checked(host, port, timeout=timeout_secs, secure=scheme == "https")
    try:
        connection.connect()
    except OSError as error:
        connection.close()
        raise Unreachable(type(error).__name__, before_asking=True) from error
    try:
        with _cut_after(timeout_secs, connection.sock):
            connection.request("POST", path, body=body, headers={"User-Agent": "Halfhour", **headers})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read(_MOST_ANSWER))
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(type(error).__name__, before_asking=False) from error
    finally:
        connection.close()


@contextmanager
def _cut_after(secs: float, sock: socket.socket) -> Iterator[None]:
    """A socket's own time-out begins anew with every byte: this one does not. Raises TimeoutError."""
    is_cut = threading.Event()

    def cut() -> None:
        is_cut.set()
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(secs, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    # What is cut off may look like a whole answer.
    if is_cut.is_set():
        raise TimeoutError


def _parts(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Forbidden("not an address") from error
    wanted = {"https"} | ({"http"} if settings.OUTBOUND_ALLOW_LOOPBACK else set())
    if parts.scheme not in wanted:
        raise Forbidden("an address beginning with https:// is wanted")
    if not parts.hostname or parts.username is not None or any(c.isspace() or ord(c) < 33 for c in url):
        raise Forbidden("not an address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        path.encode("ascii")
        parts.hostname.encode("idna")
    except UnicodeError as error:
        raise Forbidden("not an address") from error
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), path


class _Checked(http.client.HTTPConnection):
    """Connects to no address but one that it has just found to be public."""

    def __init__(self, host: str, port: int, *, timeout: float, secure: bool) -> None:
        super().__init__(host, port, timeout=timeout)
        self._secure = secure

    def connect(self) -> None:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if not (is_public(address) or (settings.OUTBOUND_ALLOW_LOOPBACK and _is_loopback(address))):
                raise Forbidden("that address leads into a private network")
        self.sock = socket.create_connection((addresses[0], self.port), self.timeout)
        if self._secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
