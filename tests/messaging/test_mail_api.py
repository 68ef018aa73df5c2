"""E-mail by a provider's API: the real client, and a stand-in that takes, refuses, hangs, breaks and answers 500."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured

from customers.models import Contact, ContactKind
from feedback.env import email_transport
from messaging import outbox
from messaging.choices import Channel, MessageState
from messaging.models import Message
from messaging.outbox import Rendered, register_renderer
from messaging.work import deliver_due, message_id
from tests.factories import Chain
from tests.messaging.listeners import Listener
from tests.threads import PATIENCE_SECS

KIND = "test"
TAKEN = json.dumps({"ErrorCode": 0, "Message": "OK", "MessageID": str(uuid4()), "To": "shopper@example.org"}).encode()


@pytest.fixture
def provider(db: None, settings: LazySettings) -> Iterator[Listener]:
    register_renderer(KIND, lambda message: Rendered("Subject", "Text & text", "<p>Text &amp; text</p>"))
    with Listener(usual=200, says=TAKEN) as running:
        _use(settings, f"{running.url}/")
        yield running
    outbox._renderers.pop(KIND)


def _use(settings: LazySettings, url: str, *, wait_secs: float = PATIENCE_SECS) -> None:
    chosen = email_transport(f"postmark://key@?api_url={url}")
    chosen["ANYMAIL"]["REQUESTS_TIMEOUT"] = wait_secs
    for name, value in chosen.items():
        setattr(settings, name, value)


def to_shopper() -> Message:
    contact = Contact.create(ContactKind.EMAIL, "shopper@example.org")
    message = outbox.put(KIND, "1", channel=Channel.EMAIL, dedup_key=str(uuid4()), contact=contact)
    assert message
    deliver_due()
    message.refresh_from_db()
    return message


def test_it_takes_a_mail_with_both_its_forms_and_the_way_out(provider: Listener) -> None:
    message = to_shopper()
    assert (message.state, message.provider_id, message.ask_at) == (MessageState.SENT, "", None)
    [heard] = provider.heard
    sent: dict[str, Any] = heard.json()
    assert heard.headers["X-Postmark-Server-Token"] == "key"
    assert (sent["To"], sent["Subject"], sent["TextBody"]) == ("shopper@example.org", "Subject", "Text & text")
    assert sent["HtmlBody"] == "<p>Text &amp; text</p>"
    headers = {one["Name"]: one["Value"] for one in sent["Headers"]}
    assert headers["Message-ID"] == message_id(message) and "List-Unsubscribe" in headers


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (429, MessageState.PENDING),
        (401, MessageState.PENDING),
        (400, MessageState.DEAD),
        (500, MessageState.UNKNOWN),
        ("drop", MessageState.UNKNOWN),
        ("hang", MessageState.UNKNOWN),
    ],
)
def test_what_its_answers_mean_for_a_shopper(
    provider: Listener, settings: LazySettings, answer: int | str, state: str
) -> None:
    if answer == "hang":
        _use(settings, f"{provider.url}/", wait_secs=4)
    provider.answers.append(answer)
    assert to_shopper().state == state


def test_nobody_listens(provider: Listener, settings: LazySettings) -> None:
    _use(settings, "http://127.0.0.1:9/")
    message = to_shopper()
    assert (message.state, message.attempts) == (MessageState.PENDING, 0)


def test_to_staff_doubt_is_tried_again_with_the_same_id(provider: Listener, chain: Chain) -> None:
    provider.answers.append("drop")
    message = outbox.put(KIND, "1", channel=Channel.EMAIL, dedup_key=str(uuid4()), user=chain.manager)
    assert message
    deliver_due()
    Message.objects.filter(pk=message.pk).update(run_at=message.created_at)
    deliver_due()
    message.refresh_from_db()
    assert message.state == MessageState.SENT and len(provider.heard) == 2
    assert len({str(heard.json()["Headers"]) for heard in provider.heard}) == 1


def test_an_address_without_a_key_is_refused() -> None:
    found = email_transport("mailgun://k%40y@?sender_domain=mg.example")
    assert found["ANYMAIL"]["MAILGUN_API_KEY"] == "k@y" and found["ANYMAIL"]["MAILGUN_SENDER_DOMAIN"] == "mg.example"
    for wrong in ("postmark://", "carrier-pigeon://key@"):
        with pytest.raises(ImproperlyConfigured):
            email_transport(wrong)
