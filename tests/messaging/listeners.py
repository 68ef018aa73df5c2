"""Stand-ins on loopback for a push service and a chat's webhook, and the phone that reads what is pushed."""

import base64
import json
import os
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from uuid import uuid4

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from messaging.models import PushDevice
from stores.models import User


@dataclass(frozen=True)
class Heard:
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.body)
        return found


@dataclass
class Listener:
    """Keeps what it is sent. `answers` orders the next ones, by status; "drop" takes the message and breaks the
    connection, "hang" keeps still. `says` is what a good answer says."""

    answers: deque[int | str] = field(default_factory=deque)
    heard: list[Heard] = field(default_factory=list)
    usual: int = 201
    says: bytes = b""

    def __enter__(self) -> "Listener":
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer = outer.answers.popleft() if outer.answers else outer.usual
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if answer in ("drop", "hang") or int(answer) < 300:
                    outer.heard.append(Heard(self.path, dict(self.headers), body))
                if answer == "hang":
                    time.sleep(30)
                elif answer != "drop":
                    said = outer.says if int(answer) < 300 else b""
                    self.send_response(int(answer))
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Phone:
    """A browser's side of web push: its keys, and what it makes of a message."""

    def __init__(self, user: User, url: str, name: str = "Phone") -> None:
        self._key, self._auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        self.row = PushDevice.objects.create(
            user=user,
            name=name,
            endpoint=f"{url}/push/{uuid4().hex}",
            p256dh=encode(self._key.public_key().public_bytes(*form)),
            auth=encode(self._auth),
        )

    def read(self, body: bytes) -> dict[str, str]:
        plain = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        found: dict[str, str] = json.loads(plain)
        return found


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
