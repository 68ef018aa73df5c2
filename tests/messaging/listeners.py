"""A stand-in on loopback for a push service and a chat's webhook: it keeps what it is sent, and can be told to fail."""

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


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
    """`answers` orders the next ones, by status; "drop" takes the message and breaks the connection, "hang" keeps
    still."""

    answers: deque[int | str] = field(default_factory=deque)
    heard: list[Heard] = field(default_factory=list)
    usual: int = 201

    def __enter__(self) -> "Listener":
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer = outer.answers.popleft() if outer.answers else outer.usual
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if answer in ("drop", "hang") or int(answer) < 300:
                    outer.heard.append(Heard(self.path, dict(self.headers), body))
                if answer == "hang":
                    time.sleep(3)
                elif answer != "drop":
                    self.send_response(int(answer))
                    self.end_headers()

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
