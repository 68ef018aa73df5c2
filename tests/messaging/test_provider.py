"""What the provider of text messages says later (RELIABILITY A4, A10, F7): by callbacks in any order, or asked."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django.live_server_helper import LiveServer
from twilio.request_validator import RequestValidator

from core.leases import ClockNow, claim
from customers.models import Contact, ContactKind, Suppression
from messaging import actions, outbox
from messaging.catcher import Catcher, Trouble
from messaging.choices import Channel, MessageState
from messaging.models import Message
from messaging.outbox import Rendered, register_renderer
from messaging.provider import MISSING, Word, ask_provider, learn
from messaging.work import deliver_due
from stores.models import User
from tests.alerts.processes import wait_until
from tests.factories import Chain

KIND = "test"
PHONE = "+380671234567"
ACCOUNT = "AC" + "0" * 32


@pytest.fixture(autouse=True)
def words(db: None) -> Iterator[None]:
    register_renderer(KIND, lambda message: Rendered("", f"Words of {message.subject_id}"))
    yield
    outbox._renderers.pop(KIND)


def text_to_shopper(about: str = "1", **columns: Any) -> Message:
    contact = Contact.create(ContactKind.PHONE, PHONE)
    message = outbox.put(KIND, about, channel=Channel.SMS, dedup_key=str(uuid4()), contact=contact)
    assert message
    Message.objects.filter(pk=message.pk).update(**columns)
    message.refresh_from_db()
    return message


def sent_text(**columns: Any) -> Message:
    taken = {"state": MessageState.SENT, "run_at": None, "attempts": 1, "provider_id": "SM1"}
    return text_to_shopper(**taken | columns)


def text_to_staff(chain: Chain) -> Message:
    User.objects.filter(pk=chain.manager.pk).update(phone=PHONE)
    message = outbox.put(KIND, "1", channel=Channel.SMS, dedup_key=f"{uuid4()}:sms", user=chain.manager)
    assert message
    return message


def say(message: Message, *states: str, sid: str = "SM1", error: int = 0) -> Message:
    for state in states:
        learn(message.pk, Word(sid, state, error))
    message.refresh_from_db()
    return message


# --- in any order -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("end", "state"), [("delivered", MessageState.SENT), ("undelivered", MessageState.DEAD)])
def test_in_any_order_and_twice_the_end_is_the_same(end: str, state: str) -> None:
    for order in permutations(("queued", "sent", end)):
        message = say(sent_text(), *order, *reversed(order))
        assert (message.provider_state, message.state, message.ask_at) == (end, state, None), order


def test_a_callback_before_our_own_note_of_the_sending_counts(chain: Chain) -> None:
    for end, state in (("delivered", MessageState.SENT), ("failed", MessageState.DEAD)):
        message = text_to_shopper()
        (claimed,) = claim(Message.objects.filter(pk=message.pk), limit=1, lease=timedelta(seconds=60))
        assert actions.begin(claimed)
        say(message, end, sid="SM7")
        actions.mark_sent(claimed, "SM7")
        message.refresh_from_db()
        assert (message.state, message.provider_id, message.run_at) == (state, "SM7", None)


def test_what_was_unknown_is_settled_and_what_was_dropped_stays_dropped() -> None:
    unknown = say(sent_text(state=MessageState.UNKNOWN, provider_id=""), "queued")
    assert (unknown.state, unknown.provider_id) == (MessageState.SENT, "SM1") and unknown.sent_at and unknown.ask_at
    dropped = say(sent_text(state=MessageState.CANCELLED), "undelivered")
    assert (dropped.state, dropped.provider_state) == (MessageState.CANCELLED, "undelivered")


def test_of_what_was_never_handed_over_nothing_is_believed() -> None:
    assert say(text_to_shopper(), "delivered").state == MessageState.PENDING
    assert say(sent_text(), "jubilant").provider_state == ""
    assert not learn(uuid4(), Word("SM1", "delivered"))


def test_a_repetition_is_not_buried_with_the_first_try() -> None:
    message = say(sent_text(provider_id="SM2"), "sent", sid="SM2")
    assert say(message, "undelivered", sid="SM1").state == MessageState.SENT
    assert say(message, "delivered", sid="SM2").provider_state == "delivered"


def test_staff_who_did_not_get_it_are_told_by_another_channel_and_stop_is_kept(chain: Chain) -> None:
    message = text_to_staff(chain)
    Message.objects.filter(pk=message.pk).update(state=MessageState.SENT, run_at=None, attempts=1, provider_id="SM1")
    assert say(message, "undelivered", error=30003).failover_at
    stopped = say(sent_text(), "undelivered", error=21610)
    assert stopped.contact and Suppression.objects.filter(value_hash=stopped.contact.value_hash).exists()


# --- forged -------------------------------------------------------------------------------------------------------
@pytest.fixture
def account(settings: LazySettings) -> None:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT, "secret"
    settings.PUBLIC_URL = "https://hh.example"


def call_back(client: Client, message: Message, *, token: str = "secret", algorithm: str = "", **sent: str) -> int:
    path = f"/messages/status/{message.pk}/"
    form = {"AccountSid": ACCOUNT, "MessageSid": "SM1", "MessageStatus": "undelivered"} | sent
    signature = RequestValidator(token).compute_signature(f"https://hh.example{path}", form, algorithm or None)
    headers = {"X-Twilio-Signature": signature}
    if algorithm:
        headers["X-Twilio-Webhooks-Signature-Settings"] = f"key=k1,algorithm={algorithm}"
    status: int = client.post(path, form, headers=headers).status_code
    return status


@pytest.mark.usefixtures("account")
def test_only_what_the_provider_has_signed_is_believed(client: Client, settings: LazySettings) -> None:
    message = sent_text()
    path = f"/messages/status/{message.pk}/"
    assert client.post(path, {"AccountSid": ACCOUNT, "MessageSid": "SM1", "MessageStatus": "failed"}).status_code == 403
    assert call_back(client, message, token="guessed") == 403
    assert call_back(client, message, AccountSid="AC" + "1" * 32) == 403
    assert call_back(client, message, algorithm="HMAC_SHA256", token="guessed") == 403
    assert client.get(path).status_code == 405
    settings.TWILIO_AUTH_TOKEN = ""
    assert call_back(client, message, token="") == 403
    settings.TWILIO_AUTH_TOKEN = "secret"
    message.refresh_from_db()
    assert (message.state, message.provider_state) == (MessageState.SENT, "")
    assert call_back(client, message, ErrorCode="30003", algorithm="HMAC_SHA256") == 204
    assert call_back(client, message) == 204
    message.refresh_from_db()
    assert (message.state, message.last_error) == (MessageState.DEAD, "undelivered 30003")


# --- the whole way, by real requests --------------------------------------------------------------------------------
def deliver_now(message: Message) -> Message:
    Message.objects.filter(pk=message.pk, run_at__isnull=False).update(run_at=ClockNow())
    deliver_due()
    message.refresh_from_db()
    return message


@pytest.mark.parametrize(
    ("trouble", "state", "word"),
    [
        (None, MessageState.SENT, "delivered"),
        # Taken, and the answer was lost: nobody has to wonder.
        (Trouble.DROP, MessageState.SENT, "delivered"),
        (Trouble.LOST, MessageState.DEAD, "undelivered"),
    ],
)
def test_the_provider_reports_what_became_of_a_text(
    live_server: LiveServer,
    settings: LazySettings,
    catcher: Catcher,
    trouble: Trouble | None,
    state: str,
    word: str,
) -> None:
    settings.PUBLIC_URL = live_server.url
    message = text_to_shopper()
    if trouble:
        catcher.fail_next(Channel.SMS, trouble)
    deliver_now(message)
    assert wait_until(lambda: Message.objects.filter(pk=message.pk, provider_state=word).exists(), secs=30)
    message.refresh_from_db()
    assert (message.state, message.run_at) == (state, None)
    assert len(catcher.messages) == 1


# --- asked --------------------------------------------------------------------------------------------------------
def ask_now(message: Message) -> Message:
    Message.objects.filter(pk=message.pk, ask_at__isnull=False).update(ask_at=ClockNow())
    ask_provider()
    message.refresh_from_db()
    return message


def test_what_is_unknown_is_looked_for_at_the_provider_before_a_person_must(catcher: Catcher) -> None:
    """Its callbacks do not reach us here."""
    catcher.fail_next(Channel.SMS, Trouble.DROP)
    taken = deliver_now(text_to_shopper())
    assert taken.state == MessageState.UNKNOWN and taken.ask_at
    taken = ask_now(taken)
    assert (taken.state, taken.provider_id) == (MessageState.SENT, catcher.messages[0].message_id)
    assert (taken.provider_state, taken.ask_at) == ("delivered", None)

    catcher.fail_next(Channel.SMS, Trouble.RESET)
    lost = ask_now(deliver_now(text_to_shopper()))
    # The first one's record is not taken for it, although the words are the same.
    assert (lost.state, lost.provider_state, lost.provider_id) == (MessageState.UNKNOWN, MISSING, "")
    assert lost.ask_at
    assert len(catcher.messages) == 1


def test_what_still_queues_at_the_provider_is_found_there(catcher: Catcher) -> None:
    """It was sent on no date yet: a list of what was sent since then would not name it."""
    catcher.fail_next(Channel.SMS, Trouble.DROP)
    message = deliver_now(text_to_shopper())
    sid = catcher.messages[0].message_id
    catcher.queued.add(sid)
    message = ask_now(message)
    assert (message.state, message.provider_id, message.provider_state) == (MessageState.SENT, sid, "queued")
    catcher.queued.clear()
    assert message.ask_at and ask_now(message).provider_state == "delivered"
    assert len(catcher.messages) == 1


def test_a_provider_that_cannot_be_asked_is_asked_again(catcher: Catcher, settings: LazySettings) -> None:
    catcher.fail_next(Channel.SMS, Trouble.DROP)
    message = deliver_now(text_to_shopper())
    there, settings.TWILIO_BASE_URL = settings.TWILIO_BASE_URL, "http://127.0.0.1:9"
    message = ask_now(message)
    assert (message.state, message.provider_state) == (MessageState.UNKNOWN, "") and message.ask_at
    settings.TWILIO_BASE_URL = there
    assert ask_now(message).state == MessageState.SENT


def test_what_was_taken_and_never_spoken_of_again_is_asked_about(catcher: Catcher) -> None:
    catcher.fail_next(Channel.SMS, Trouble.LOST)
    message = deliver_now(text_to_shopper())
    assert message.state == MessageState.SENT and message.ask_at
    assert ask_now(message).state == MessageState.DEAD


def test_what_cannot_be_written_any_more_is_not_asked_about_for_ever() -> None:
    message = sent_text(kind="no longer known", state=MessageState.UNKNOWN, provider_id="")
    Message.objects.filter(pk=message.pk).update(ask_at=ClockNow(), created_at=ClockNow() - timedelta(days=3))
    with pytest.raises(KeyError):
        ask_provider()
    message.refresh_from_db()
    assert message.ask_at is None


def test_a_person_reads_that_the_provider_knows_of_no_such_message(client: Client, chain: Chain) -> None:
    message = sent_text(state=MessageState.UNKNOWN, provider_id="", provider_state=MISSING)
    client.force_login(chain.operator)
    assert "knows of no such message" in client.get("/messages/").content.decode()
    assert actions.send_again(message.pk, actor=chain.operator)
    message.refresh_from_db()
    assert (message.state, message.provider_state, message.ask_at) == (MessageState.PENDING, "", None)
