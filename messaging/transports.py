"""Handing one message to the server that delivers it, and what its answer means for trying again."""

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.urls import reverse

from core import outbound
from customers.leaving import leave_url
from messaging.chat import send_to_chat
from messaging.choices import Channel
from messaging.models import Message, PushDevice
from messaging.outbox import Rendered
from messaging.push import push

if TYPE_CHECKING:
    from twilio.rest import Client
    from twilio.rest.api.v2010.account.message import MessageInstance

# https://www.twilio.com/docs/api/errors/21610: the recipient has answered STOP.
STOPPED = 21610
_MOST_LISTED = 200


class Undelivered(Exception):
    """`reason` may quote the address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotTaken(Undelivered):
    """The server never took the message: trying again cannot double it."""


class Ambiguous(Undelivered):
    """The message may or may not be on its way."""


class Refused(Undelivered):
    """The server will never take it. `opted_out`: the recipient has told the provider to stop."""

    def __init__(self, reason: str, *, opted_out: bool = False) -> None:
        super().__init__(reason)
        self.opted_out = opted_out


def send(message: Message, rendered: Rendered, *, message_id: str) -> str:
    """Deliver one message; returns the provider's id for it, or an empty string.

    `message_id` is the e-mail's Message-ID: repeats bear the same. Raises NotTaken, Ambiguous or Refused.
    """
    if message.channel == Channel.EMAIL:
        _send_email(rendered.to or _address(message), rendered, message_id, _ways_out(message))
        return ""
    if message.channel == Channel.SMS:
        return _send_sms(_address(message), rendered.text, status_url(message))
    if message.channel == Channel.PUSH:
        _send_push(message, rendered)
    else:
        _send_chat(message, rendered)
    return ""


def _address(message: Message) -> str:
    if message.user:
        found = message.user.email if message.channel == Channel.EMAIL else message.user.phone
    else:
        found = (message.contact.value or "") if message.contact else ""
    if not found:
        raise Refused("no address")
    return found


# --- e-mail -----------------------------------------------------------------------------------------------------
def _ways_out(message: Message) -> dict[str, str]:
    """RFC 8058: what a shopper's mail program needs to offer "no more of these" by one click."""
    if message.contact is None:
        return {}
    return {
        "List-Unsubscribe": f"<{leave_url(message.contact)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _send_email(address: str, rendered: Rendered, message_id: str, ways_out: dict[str, str]) -> None:
    backend = get_connection()
    mail = EmailMultiAlternatives(
        " ".join(rendered.subject.split()),
        rendered.text,
        to=[address],
        # RFC 3834: no out-of-office notes, please.
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"} | ways_out,
        connection=backend,
    )
    if rendered.html:
        mail.attach_alternative(rendered.html, "text/html")
    for one in rendered.attachments:
        mail.attach(one.name, one.content, one.content_type)
    if settings.EMAIL_BACKEND.startswith("anymail."):
        _send_by_api(mail)
        return
    try:
        backend.open()
    except OSError as error:  # refused, timed out, no greeting, no sign-in: smtplib's errors are OSErrors
        raise NotTaken(_describe(error)) from error
    content_sent = _watch_content(getattr(backend, "connection", None))
    try:
        backend.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise _by_code(code, f"{code} {_readable(answer)}") from error
    except smtplib.SMTPResponseException as error:
        raise _by_code(error.smtp_code, _describe(error)) from error
    except OSError as error:
        # RFC 1047: a connection lost after the final dot leaves both sides in doubt.
        raise (Ambiguous if content_sent() else NotTaken)(_describe(error)) from error
    except ValueError as error:
        raise Refused(f"not an address or header: {type(error).__name__}") from error
    finally:
        with suppress(OSError):
            backend.close()


def _watch_content(connection: Any) -> Callable[[], bool]:
    """Tells later whether the message's content was begun on this SMTP connection."""
    if not isinstance(connection, smtplib.SMTP):
        return lambda: True
    begun: list[bool] = []
    send_content = connection.data

    def data(msg: Any) -> tuple[int, bytes]:
        begun.append(True)
        return send_content(msg)

    connection.data = data  # type: ignore[method-assign]
    return lambda: bool(begun)


def _by_code(code: int, reason: str) -> Undelivered:
    """RFC 5321 §4.2.1: 4yz try again, 5yz do not."""
    return NotTaken(reason) if 400 <= code < 500 else Refused(reason)


def _send_by_api(mail: EmailMultiAlternatives) -> None:
    """To a provider that takes e-mail over HTTPS; only who has one pays for the import. What else the client raises may
    come after the provider has taken it."""
    from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused  # noqa: PLC0415

    try:
        mail.send()
    except AnymailAPIError as error:
        if error.status_code is None:
            raise _by_connection(error.__cause__ or error) from error
        raise _by_answer(error.status_code) from error
    except AnymailRecipientsRefused as error:
        raise Refused("recipient refused") from error


def _by_answer(status: int) -> Undelivered:
    """What a provider's answer over HTTPS means for asking again."""
    if status == 429 or status in (401, 403):  # too fast, or credentials that somebody has to mend
        return NotTaken(f"{status}")
    return Refused(f"{status}") if 400 <= status < 500 else Ambiguous(f"{status}")


def _by_connection(error: BaseException) -> Undelivered:
    """Whether a request that ended without an answer can have reached its server."""
    from requests.exceptions import ConnectionError as NoConnection  # noqa: PLC0415
    from requests.exceptions import ConnectTimeout  # noqa: PLC0415
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415

    cause = getattr(error.args[0], "reason", None) if error.args else None
    refused = isinstance(error, NoConnection) and isinstance(cause, NewConnectionError)
    unmet = refused or isinstance(error, ConnectTimeout)
    return (NotTaken if unmet else Ambiguous)(type(cause or error).__name__)


def _readable(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def _describe(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_readable(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"


# --- text messages ----------------------------------------------------------------------------------------------
@lru_cache(maxsize=4)
def _twilio(account: str, token: str, base_url: str, timeout_secs: int) -> "Client":
    # A second's import that only senders of text messages pay.
    from twilio.http.http_client import TwilioHttpClient  # noqa: PLC0415
    from twilio.rest import Client  # noqa: PLC0415

    # Without a pool each request has a session of its own: threads share this client.
    client = Client(account, token, http_client=TwilioHttpClient(pool_connections=False, timeout=timeout_secs))
    if base_url:
        client.api.base_url = base_url
    return client


def status_url(message: Message) -> str:
    """Where the provider says what became of a message; empty where it could not reach us."""
    reachable = settings.SECURE or settings.TWILIO_BASE_URL
    return f"{settings.PUBLIC_URL}{reverse('message_status', args=[message.pk])}" if reachable else ""


def _client() -> "Client":
    """Raises Refused where there is no account."""
    if not settings.TWILIO_ACCOUNT_SID:
        raise Refused("text messages are not set up")
    return _twilio(
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_AUTH_TOKEN,
        settings.TWILIO_BASE_URL,
        settings.TWILIO_TIMEOUT_SECS,
    )


@contextmanager
def _asking() -> Iterator["Client"]:
    """The client; what it raises becomes NotTaken, Ambiguous or Refused."""
    client = _client()
    from requests import RequestException  # noqa: PLC0415
    from twilio.base.exceptions import TwilioException, TwilioRestException  # noqa: PLC0415

    try:
        yield client
    except TwilioRestException as error:
        raise _by_status(error.status, error.code, str(error.msg)) from error
    except TwilioException as error:
        raise Refused(type(error).__name__) from error
    except (RequestException, ValueError) as error:  # a timeout after asking, an answer that is not JSON
        raise _by_connection(error) from error


def _send_sms(number: str, text: str, status_url: str) -> str:
    told = {"status_callback": status_url} if status_url else {}
    with _asking() as client:
        return str(client.messages.create(to=number, from_=settings.TWILIO_FROM, body=text, **told).sid)


def look_up_text(sid: str) -> "MessageInstance":
    """What the provider keeps of a text message. Raises Undelivered."""
    with _asking() as client:
        return client.messages(sid).fetch()


def find_texts(number: str, *, since: datetime) -> "list[MessageInstance]":
    """What the provider has made of text messages to a number since then, of its newest. Raises Undelivered.

    Its list can be asked by when a message was sent, never by when it was made
    (https://www.twilio.com/docs/messaging/api/message-resource), and one that still queues there was not sent: so all
    are asked for, and looked through here.
    """
    with _asking() as client:
        found: list[MessageInstance] = client.messages.list(to=number, limit=_MOST_LISTED)
    return [one for one in found if one.date_created is None or one.date_created >= since]


def _by_status(status: int, code: int | None, reason: str) -> Undelivered:
    """What Twilio's status means for asking again: https://www.twilio.com/docs/api/errors."""
    reason = f"{status} {code or ''} {reason}"
    if status == 429 or status in (401, 403):  # too fast, or credentials that somebody has to mend
        return NotTaken(reason)
    if 400 <= status < 500:
        return Refused(reason, opted_out=code == STOPPED)
    return Ambiguous(reason)


# --- push and chat ----------------------------------------------------------------------------------------------
def _send_push(message: Message, rendered: Rendered) -> None:
    """To every phone of the person; one that takes it is enough."""
    content = {"title": rendered.subject, "body": rendered.text, "url": rendered.url, "tag": message.pk.hex}
    devices = PushDevice.objects.filter(user=message.user_id, gone_at=None)
    outcomes = [push(one, content, topic=message.pk.hex, urgent=message.priority == 0) for one in devices]
    if any(outcome.taken for outcome in outcomes):
        return
    reason = ", ".join(outcome.reason for outcome in outcomes)
    if any(outcome.later for outcome in outcomes):
        raise NotTaken(reason)
    raise Refused(reason or "no device takes push messages")


def _send_chat(message: Message, rendered: Rendered) -> None:
    if message.hook is None or message.hook.retired_at:
        raise Refused("the chat was taken out")
    try:
        answer = send_to_chat(message.hook, rendered)
    except outbound.Forbidden as error:
        raise Refused(str(error)) from error
    except outbound.Unreachable as error:
        raise (NotTaken if error.before_asking else Ambiguous)(str(error)) from error
    if answer.status == 429:
        raise NotTaken("429")
    if answer.status >= 500:
        raise Ambiguous(str(answer.status))
    if not 200 <= answer.status < 300:
        raise Refused(str(answer.status))
