"""Calls the WSGI application as its server would, without the test client between: the CPU is the site's alone."""

import io
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.core.handlers.wsgi import WSGIHandler


@dataclass(frozen=True)
class Answer:
    """Status, lower-case headers and body of one response."""

    status: int
    headers: dict[str, str]
    body: bytes


class Site:
    """The application under the settings that hold when this is made."""

    def __init__(self) -> None:
        self.application = WSGIHandler()

    def get(self, address: str, *, accept_encoding: str = "") -> Answer:
        return self._call("GET", address, b"", accept_encoding)

    def post(self, address: str, fields: dict[str, str]) -> Answer:
        return self._call("POST", address, urlencode(fields).encode(), "")

    def _call(self, method: str, address: str, body: bytes, accept_encoding: str) -> Answer:
        parts = urlsplit(address)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "127.0.0.1",
            "HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.9",
            "HTTP_ACCEPT_ENCODING": accept_encoding,
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            started.extend((status, headers))

        result = self.application(environ, start_response)  # type: ignore[arg-type]
        try:
            content = b"".join(result)
        finally:
            result.close()
        status, headers = started
        return Answer(int(status.split(" ", 1)[0]), {name.lower(): value for name, value in headers}, content)
