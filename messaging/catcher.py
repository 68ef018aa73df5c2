"""Where the demo's and the tests' messages end: a real SMTP server, and a stand-in for Twilio's Messages API.

The stand-in keeps what the real client needs to see: https://www.twilio.com/docs/messaging/api/message-resource.
Both can be told to fail in the ways that real ones do.
"""

import asyncio
import base64
import binascii
import hmac
import json
import re
import secrets
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import MIMEPart
from email.utils import format_datetime
from enum import StrEnum
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

from aiosmtpd.smtp import SMTP, Envelope, Session

from messaging.choices import Channel

_MESSAGES = re.compile(r"^/2010-04-01/Accounts/(?P<account>[^/]+)/Messages(?:/(?P<sid>SM[0-9a-f]{32}))?\.json$")
_E164 = re.compile(r"^\+[1-9]\d{6,14}$")
_MEMORY = 10_000
_HANG_SECS = 120
_CALLBACK_SECS = 5
_LONGEST_SMS = 1600
# https://www.twilio.com/docs/api/errors/30003
_LOST = 30003


class Trouble(StrEnum):
    """How the next message fails."""

    BUSY = "busy"  # try again later: 429 with Retry-After, 451; not accepted
    ERROR = "error"  # 500, 554; not accepted
    RESET = "reset"  # the connection breaks; not accepted
    DROP = "drop"  # accepted, then the connection breaks
    HANG = "hang"  # accepted, and never answered
    LOST = "lost"  # a text message that is accepted, and does not arrive


@dataclass(frozen=True)
class Caught:
    """One message to one recipient. `message_id` is the e-mail's Message-ID, or the SID."""

    channel: Channel
    sender: str
    recipient: str
    text: str
    message_id: str
    subject: str = ""
    html: str = ""
    caught_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Catcher:
    """Both servers, each in a thread of its own, from `start` to `stop`; a context manager does both.

    `messages` remembers the latest; `keep` is called with each message before it is acknowledged, in some other
    thread. With `account` (SID, token) other credentials are refused. `fail_next` orders troubles, one a message.
    """

    def __init__(
        self,
        *,
        smtp_port: int = 0,
        sms_port: int = 0,
        account: tuple[str, str] | None = None,
        keep: Callable[[Caught], None] | None = None,
    ) -> None:
        self.smtp_port, self.sms_port = smtp_port, sms_port
        self.account = account
        self.messages: deque[Caught] = deque(maxlen=_MEMORY)
        # The SIDs of text messages that did not arrive, and of those that still wait at the provider.
        self.lost: set[str] = set()
        self.queued: set[str] = set()
        self.stopping = threading.Event()
        self._keep = keep
        self._troubles: dict[Channel, deque[Trouble]] = {channel: deque() for channel in Channel}

    def __enter__(self) -> "Catcher":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def sms_url(self) -> str:
        """What TWILIO_BASE_URL is set to."""
        return f"http://127.0.0.1:{self.sms_port}"

    def start(self) -> None:
        """Listen on loopback; a port of 0 becomes the free one that was found. Raises OSError for a taken port."""
        self._smtp = _SmtpThread(self)
        self.smtp_port = self._smtp.listen(self.smtp_port)
        try:
            self._sms = _SmsServer(self, self.sms_port)
        except OSError:
            self._smtp.close()
            raise
        self.sms_port = self._sms.server_address[1]
        self._sms_thread = threading.Thread(target=self._sms.serve_forever, args=(0.1,), daemon=True)
        self._sms_thread.start()

    def stop(self) -> None:
        """Stop listening; whoever still waits for an answer gets none."""
        self.stopping.set()
        self._sms.shutdown()
        self._sms.server_close()
        self._sms_thread.join()
        self._smtp.close()

    def fail_next(self, channel: Channel, *troubles: Trouble) -> None:
        """The next messages of this channel meet these troubles, in order; later ones arrive."""
        self._troubles[channel].extend(troubles)

    def trouble_for(self, channel: Channel) -> Trouble | None:
        """Take the next ordered trouble."""
        try:
            return self._troubles[channel].popleft()
        except IndexError:
            return None

    def accept(self, caught: Caught) -> None:
        """Remember and keep a message."""
        if self._keep:
            self._keep(caught)
        self.messages.append(caught)

    def by_sid(self, sid: str) -> Caught | None:
        """The text message with this SID."""
        return next((m for m in tuple(self.messages) if m.channel == Channel.SMS and m.message_id == sid), None)

    def status_of(self, caught: Caught) -> str:
        """What became of a text message, as Twilio says it."""
        if caught.message_id in self.queued:
            return "queued"
        return "undelivered" if caught.message_id in self.lost else "delivered"


# --- e-mail -----------------------------------------------------------------------------------------------------


class _SmtpThread:
    """An event loop in a thread that serves SMTP. (aiosmtpd's own Controller cannot report a free port.)"""

    def __init__(self, catcher: Catcher) -> None:
        self._catcher = catcher
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def listen(self, port: int) -> int:
        server = asyncio.run_coroutine_threadsafe(
            self._loop.create_server(self._session, "127.0.0.1", port), self._loop
        )
        try:
            self._server = server.result()
        except OSError:
            self._stop_loop()
            raise
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def _session(self) -> SMTP:
        return SMTP(self, hostname="catcher", enable_SMTPUTF8=True, loop=self._loop)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        trouble = self._catcher.trouble_for(Channel.EMAIL)
        if trouble == Trouble.BUSY:
            return "451 4.3.2 Try again later"
        if trouble == Trouble.ERROR:
            return "554 5.0.0 Transaction failed"
        if trouble != Trouble.RESET:
            for caught in _read_mail(envelope):
                await asyncio.to_thread(self._catcher.accept, caught)
        if trouble == Trouble.HANG:
            await asyncio.sleep(_HANG_SECS)
        if trouble is not None:
            cast(asyncio.Transport, server.transport).abort()
        return "250 2.0.0 Caught"

    async def _close(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_default_executor()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=10)
        self._stop_loop()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _read_mail(envelope: Envelope) -> Iterable[Caught]:
    mail = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    for recipient in envelope.rcpt_tos:
        yield Caught(
            channel=Channel.EMAIL,
            sender=str(mail["From"] or envelope.mail_from),
            recipient=recipient,
            subject=str(mail["Subject"] or ""),
            text=_words(plain),
            html=_words(html),
            message_id=str(mail["Message-ID"] or ""),
        )


def _words(part: MIMEPart | None) -> str:
    """A part's text with plain line ends."""
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


# --- text messages ----------------------------------------------------------------------------------------------


class _Refused(Exception):
    """An error in Twilio's own form: https://www.twilio.com/docs/api/errors."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class _SmsServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, catcher: Catcher, port: int) -> None:
        self.catcher = catcher
        super().__init__(("127.0.0.1", port), _SmsRequest)


class _SmsRequest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _SmsServer

    def log_message(self, *args: object) -> None:
        """Keep quiet: requests hold phone numbers."""

    def do_GET(self) -> None:
        self._respond(self._get)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        self._respond(lambda: self._order_trouble(body) if self.path == "/control/trouble" else self._post(body))

    def _respond(self, work: Callable[[], tuple[int, dict[str, Any]] | None]) -> None:
        headers: dict[str, str] = {}
        try:
            done = work()
        except _Refused as refused:
            status, text = refused.status, str(refused)
            done = (
                status,
                {
                    "code": refused.code,
                    "message": text,
                    "more_info": f"https://www.twilio.com/docs/errors/{refused.code}",
                    "status": status,
                },
            )
            if status == 429:
                headers["Retry-After"] = "1"
        if done is None:
            self._break()
            return
        payload = json.dumps(done[1]).encode()
        self.send_response(done[0])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def _break(self) -> None:
        """End the connection with a reset instead of an answer."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _account(self, path: str) -> tuple[str, str | None]:
        """The account of the address and the SID, if any. Raises _Refused without matching credentials."""
        found = _MESSAGES.match(path)
        if not found:
            raise _Refused(404, 20404, f"The requested resource {path} was not found")
        try:
            scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            scheme = user = password = ""
        allowed = self.server.catcher.account or (found["account"], password)
        if scheme.lower() != "basic" or not password or (user, password) != allowed or user != found["account"]:
            raise _Refused(401, 20003, "Authenticate")
        return found["account"], found["sid"]

    def _post(self, body: str) -> tuple[int, dict[str, Any]] | None:
        account, sid = self._account(urlsplit(self.path).path)
        if sid:
            raise _Refused(405, 20004, "Method not allowed")
        form = {name: values[-1] for name, values in parse_qs(body).items()}
        for name, code in (("To", 21604), ("From", 21603), ("Body", 21602)):
            if not form.get(name):
                raise _Refused(400, code, f"A '{name}' parameter is required.")
        if not _E164.match(form["To"]):
            raise _Refused(400, 21211, "Invalid 'To' Phone Number")
        if len(form["Body"]) > _LONGEST_SMS:
            raise _Refused(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        catcher = self.server.catcher
        trouble = catcher.trouble_for(Channel.SMS)
        if trouble == Trouble.BUSY:
            raise _Refused(429, 20429, "Too Many Requests")
        if trouble == Trouble.ERROR:
            raise _Refused(500, 20500, "Internal Server Error")
        if trouble == Trouble.RESET:
            return None
        caught = Caught(
            channel=Channel.SMS,
            sender=form["From"],
            recipient=form["To"],
            text=form["Body"],
            message_id=f"SM{secrets.token_hex(16)}",
        )
        catcher.accept(caught)
        if trouble == Trouble.LOST:
            catcher.lost.add(caught.message_id)
        if url := form.get("StatusCallback"):
            # Never waited for: the callback may come before the answer, as it does in life.
            report = partial(_report, url, account, self._token(), caught, catcher.status_of(caught))
            threading.Thread(target=report, daemon=True).start()
        if trouble == Trouble.HANG:
            catcher.stopping.wait(_HANG_SECS)
        if trouble not in (None, Trouble.LOST):
            return None
        return 201, _resource(account, caught, "queued")

    def _token(self) -> str:
        credentials = base64.b64decode(self.headers.get("Authorization", "").partition(" ")[2])
        return credentials.decode().partition(":")[2]

    def _get(self) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(self.path)
        account, sid = self._account(parts.path)
        catcher = self.server.catcher
        if sid:
            found = catcher.by_sid(sid)
            if not found:
                raise _Refused(404, 20404, f"The requested resource {parts.path} was not found")
            return 200, _resource(account, found, catcher.status_of(found))
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        size = min(int(query.get("PageSize", 50)), 1000)
        page = int(query.get("Page", 0))
        newest_first = [
            m for m in reversed(tuple(catcher.messages)) if m.channel == Channel.SMS and _wanted(catcher, m, query)
        ]
        shown = newest_first[page * size : (page + 1) * size]
        more = len(newest_first) > (page + 1) * size
        return 200, {
            "messages": [_resource(account, caught, catcher.status_of(caught)) for caught in shown],
            "page": page,
            "page_size": size,
            "uri": self.path,
            "next_page_uri": f"{parts.path}?Page={page + 1}&PageSize={size}&{_others(parts.query)}" if more else None,
        }

    def _order_trouble(self, body: str) -> tuple[int, dict[str, Any]]:
        """`{"channel": "sms", "troubles": ["busy", …]}`: not Twilio's, but how another process orders troubles."""
        try:
            order = json.loads(body)
            troubles = [Trouble(name) for name in order["troubles"]]
            self.server.catcher.fail_next(Channel(order["channel"]), *troubles)
        except (ValueError, KeyError, TypeError) as error:
            raise _Refused(400, 0, f"Not an order: {error}") from None
        return 200, {"ordered": troubles}


def _report(url: str, account: str, token: str, caught: Caught, last: str) -> None:
    """The callbacks of a text message, signed as Twilio signs them: https://www.twilio.com/docs/usage/security."""
    for status in ("queued", "sent", last):
        form = {"AccountSid": account, "MessageSid": caught.message_id, "MessageStatus": status, "To": caught.recipient}
        if status == "undelivered":
            form["ErrorCode"] = str(_LOST)
        signed = url + "".join(f"{name}{value}" for name, value in sorted(form.items()))
        signature = base64.b64encode(hmac.new(token.encode(), signed.encode(), "sha1").digest()).decode()
        request = Request(url, urlencode(form).encode(), {"X-Twilio-Signature": signature})  # noqa: S310 - our own
        with suppress(OSError), urlopen(request, timeout=_CALLBACK_SECS):  # noqa: S310
            pass


def _others(query: str) -> str:
    """A query string without its paging."""
    return "&".join(part for part in query.split("&") if not part.startswith(("Page=", "PageSize=")))


def _wanted(catcher: Catcher, caught: Caught, query: dict[str, str]) -> bool:
    """Whether a message passes the filters of Twilio's list: To, From, DateSent and its comparisons. One that is still
    queued was not sent on any date."""

    def moment(text: str) -> str:
        return caught.caught_at.strftime("%Y-%m-%dT%H:%M:%SZ" if "T" in text else "%Y-%m-%d")

    sent, after, before = query.get("DateSent"), query.get("DateSent>"), query.get("DateSent<")
    if (sent or after or before) and catcher.status_of(caught) == "queued":
        return False
    return (
        query.get("To") in (None, caught.recipient)
        and query.get("From") in (None, caught.sender)
        and (not sent or moment(sent) == sent)
        and (not after or moment(after) >= after)
        and (not before or moment(before) <= before)
    )


def _resource(account: str, caught: Caught, status: str) -> dict[str, Any]:
    """The message as Twilio's JSON shows it."""
    at = format_datetime(caught.caught_at)
    uri = f"/2010-04-01/Accounts/{account}/Messages/{caught.message_id}"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": caught.text,
        "date_created": at,
        "date_sent": None if status == "queued" else at,
        "date_updated": at,
        "direction": "outbound-api",
        "error_code": _LOST if status == "undelivered" else None,
        "error_message": "Unreachable destination handset" if status == "undelivered" else None,
        "from": caught.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": caught.message_id,
        "status": status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": caught.recipient,
        "uri": f"{uri}.json",
    }
