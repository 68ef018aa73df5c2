"""What becomes of a message when its server refuses, hangs, breaks or takes it and says nothing.

The servers are real ones on loopback; the clients are the ones used in production (RELIABILITY A4, A5, F5, F6).
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import override_settings
from django.utils import timezone

from core.health import overdue_work
from core.leases import ClockNow, claim, from_now
from customers.models import Contact, ContactKind, Suppression
from messaging import actions, outbox
from messaging.catcher import Catcher, Trouble
from messaging.choices import Channel, MessageState
from messaging.models import Message
from messaging.outbox import Rendered, register_renderer
from messaging.work import deliver, deliver_due, message_id
from stores.models import User
from tests.factories import Chain

KIND = "test"
PHONE = "+380671234567"


@pytest.fixture(autouse=True)
def words() -> Iterator[None]:
    register_renderer(KIND, lambda message: Rendered("Subject\nline", "Text & text", "<p>Text &amp; text</p>"))
    yield
    outbox._renderers.pop(KIND)


def to_staff(chain: Chain, channel: Channel = Channel.EMAIL, **more: Any) -> Message:
    message = outbox.put(KIND, "1", channel=channel, dedup_key=str(uuid4()), user=chain.manager, **more)
    assert message
    return message


def to_shopper(value: str = PHONE, **more: Any) -> Message:
    kind = ContactKind.EMAIL if "@" in value else ContactKind.PHONE
    channel = Channel.EMAIL if "@" in value else Channel.SMS
    message = outbox.put(
        KIND, "1", channel=channel, dedup_key=str(uuid4()), contact=Contact.create(kind, value), **more
    )
    assert message
    return message


def deliver_now(message: Message) -> Message:
    """The message is due; the step runs once."""
    Message.objects.filter(pk=message.pk, run_at__isnull=False).update(run_at=ClockNow())
    deliver_due()
    message.refresh_from_db()
    return message


def impatience(trouble: Trouble) -> AbstractContextManager[object]:
    """What hangs is given up after a few seconds; nothing else is, however slow the machine."""
    if trouble != Trouble.HANG:
        return nullcontext()
    return override_settings(EMAIL_TIMEOUT=4, TWILIO_TIMEOUT_SECS=4)


def wait_of(message: Message) -> float:
    assert message.run_at
    return (message.run_at - timezone.now()).total_seconds()


# --- e-mail -----------------------------------------------------------------------------------------------------
def test_an_email_arrives_with_its_own_message_id(chain: Chain, catcher: Catcher) -> None:
    message = deliver_now(to_staff(chain))
    assert (message.state, message.run_at, message.attempts) == (MessageState.SENT, None, 1)
    assert message.sent_at
    (caught,) = catcher.messages
    assert caught.recipient == chain.manager.email
    assert (caught.subject, caught.text.strip(), caught.html.strip()) == (
        "Subject line",
        "Text & text",
        "<p>Text &amp; text</p>",
    )
    assert caught.message_id == message_id(message)
    assert deliver_due() == 0


def test_a_dedup_key_is_one_message(chain: Chain, catcher: Catcher) -> None:
    assert outbox.put(KIND, "1", channel=Channel.EMAIL, dedup_key="same", user=chain.manager)
    assert outbox.put(KIND, "1", channel=Channel.EMAIL, dedup_key="same", user=chain.manager) is None


def test_a_server_that_is_down_uses_up_no_attempt(chain: Chain, catcher: Catcher) -> None:
    message = to_staff(chain)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with override_settings(EMAIL_PORT=closed.getsockname()[1]):
            for _ in range(7):
                deliver_now(message)
                assert (message.state, message.attempts) == (MessageState.PENDING, 0)
                assert 0 < wait_of(message) <= 60
            # However long it is away, an alert is there a minute after it is back; a weekly mail may take longer.
            weekly = to_staff(chain, priority=9)
            Message.objects.update(created_at=timezone.now() - timedelta(days=3))
            assert wait_of(deliver_now(message)) <= 60 < wait_of(deliver_now(weekly))
    assert deliver_now(message).state == MessageState.SENT


def test_a_server_that_never_greets_is_given_up_in_time_and_tried_again(chain: Chain, catcher: Catcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, impatience(Trouble.HANG):
        with override_settings(EMAIL_PORT=silent.getsockname()[1]):
            message = deliver_now(to_staff(chain))
    assert message.state == MessageState.PENDING
    assert deliver_now(message).state == MessageState.SENT


def test_a_server_that_greets_with_not_now_uses_up_no_attempt(chain: Chain, catcher: Catcher) -> None:
    """421, as a server says that is about to be restarted."""
    with socket.create_server(("127.0.0.1", 0)) as busy, override_settings(EMAIL_PORT=busy.getsockname()[1]):

        def greet() -> None:
            client, _address = busy.accept()
            with client:
                client.sendall(b"421 4.3.2 Not now\r\n")

        greeting = threading.Thread(target=greet)
        greeting.start()
        message = deliver_now(to_staff(chain))
        greeting.join()
    assert (message.state, message.attempts) == (MessageState.PENDING, 0)
    assert "421" in message.last_error
    assert deliver_now(message).state == MessageState.SENT


@pytest.mark.parametrize("recipient", ["staff", "shopper"])
def test_try_again_later_is_tried_again(chain: Chain, catcher: Catcher, recipient: str) -> None:
    message = to_staff(chain) if recipient == "staff" else to_shopper("shopper@example.org")
    catcher.fail_next(Channel.EMAIL, Trouble.BUSY)
    assert deliver_now(message).state == MessageState.PENDING
    assert "451" in message.last_error
    assert deliver_now(message).state == MessageState.SENT
    assert len(catcher.messages) == 1


def test_never_is_never(chain: Chain, catcher: Catcher) -> None:
    catcher.fail_next(Channel.EMAIL, Trouble.ERROR)
    message = deliver_now(to_staff(chain))
    assert (message.state, message.run_at) == (MessageState.DEAD, None)
    assert "554" in message.last_error


@pytest.mark.parametrize("trouble", [Trouble.HANG, Trouble.DROP])
def test_silence_after_the_dot_is_repeated_to_staff_with_the_same_id(
    chain: Chain, catcher: Catcher, trouble: Trouble
) -> None:
    catcher.fail_next(Channel.EMAIL, trouble)
    with impatience(trouble):
        message = deliver_now(to_staff(chain))
    assert (message.state, message.attempts) == (MessageState.PENDING, 1)
    assert deliver_now(message).state == MessageState.SENT
    assert {caught.message_id for caught in catcher.messages} == {message_id(message)}
    assert len(catcher.messages) == 2


@pytest.mark.parametrize("trouble", [Trouble.HANG, Trouble.DROP])
def test_silence_after_the_dot_is_never_repeated_to_a_shopper(catcher: Catcher, db: None, trouble: Trouble) -> None:
    catcher.fail_next(Channel.EMAIL, trouble)
    with impatience(trouble):
        message = deliver_now(to_shopper("shopper@example.org"))
    assert (message.state, message.run_at) == (MessageState.UNKNOWN, None)
    assert deliver_now(message).state == MessageState.UNKNOWN
    assert len(catcher.messages) == 1


def test_doubt_ends_after_five_attempts(chain: Chain, catcher: Catcher) -> None:
    message = to_staff(chain)
    catcher.fail_next(Channel.EMAIL, *[Trouble.DROP] * 9)
    waits = []
    for _ in range(5):
        deliver_now(message)
        if message.run_at:
            waits.append(wait_of(message))
    assert message.state == MessageState.DEAD
    assert waits == sorted(waits)
    assert waits[-1] > 60
    assert deliver_due() == 0


def test_a_server_that_stays_away_is_seen_by_the_audit(chain: Chain, catcher: Catcher) -> None:
    kind = "messages to staff that no server takes"
    message = to_staff(chain)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with override_settings(EMAIL_PORT=closed.getsockname()[1]):
            deliver_now(message)
            assert kind not in overdue_work()
            Message.objects.update(created_at=from_now(-timedelta(minutes=2)))
            deliver_now(message)
    assert overdue_work() == {kind: 1}
    assert deliver_now(message).state == MessageState.SENT
    assert overdue_work() == {}


# --- text messages ----------------------------------------------------------------------------------------------
def test_a_text_message_arrives(chain: Chain, catcher: Catcher) -> None:
    message = deliver_now(to_shopper())
    (caught,) = catcher.messages
    assert (caught.recipient, caught.text) == (PHONE, "Text & text")
    assert (message.state, message.provider_id) == (MessageState.SENT, caught.message_id)


def test_too_fast_was_never_taken(catcher: Catcher, db: None) -> None:
    catcher.fail_next(Channel.SMS, Trouble.BUSY)
    message = deliver_now(to_shopper())
    assert (message.state, message.attempts) == (MessageState.PENDING, 0)
    assert deliver_now(message).state == MessageState.SENT


@pytest.mark.parametrize("trouble", [Trouble.ERROR, Trouble.RESET, Trouble.DROP, Trouble.HANG])
def test_what_may_have_been_taken_is_unknown_to_shoppers_and_repeated_to_staff(
    chain: Chain, catcher: Catcher, trouble: Trouble
) -> None:
    chain.manager.phone = PHONE
    chain.manager.save()
    catcher.fail_next(Channel.SMS, trouble, trouble)
    with impatience(trouble):
        assert deliver_now(to_shopper()).state == MessageState.UNKNOWN
        message = deliver_now(to_staff(chain, Channel.SMS))
    assert message.state == MessageState.PENDING
    assert deliver_now(message).state == MessageState.SENT


def test_a_provider_that_is_down_is_waited_for(catcher: Catcher, db: None) -> None:
    message = to_shopper()
    with override_settings(TWILIO_BASE_URL="http://127.0.0.1:9"):
        assert deliver_now(message).state == MessageState.PENDING
    assert deliver_now(message).state == MessageState.SENT


def test_a_wrong_number_is_dead(catcher: Catcher, db: None) -> None:
    assert deliver_now(to_shopper("12")).state == MessageState.DEAD


def test_without_an_account_texts_are_dead_at_once(catcher: Catcher, db: None) -> None:
    with override_settings(TWILIO_ACCOUNT_SID=""):
        assert deliver_now(to_shopper()).state == MessageState.DEAD


# --- what must not be sent --------------------------------------------------------------------------------------
def test_late_suppressed_erased_and_unneeded_messages_are_cancelled(chain: Chain, catcher: Catcher) -> None:
    late = to_staff(chain, expires_at=timezone.now() - timedelta(seconds=1))
    suppressed = to_shopper("+380671111111")
    assert suppressed.contact
    Suppression.objects.create(value_hash=suppressed.contact.value_hash, reason="stop")
    erased = to_shopper("+380672222222")
    assert erased.contact
    Contact.objects.filter(pk=erased.contact.pk).update(erased_at=timezone.now(), value="", value_hash="")
    closed = outbox.put(KIND, "1", channel=Channel.EMAIL, dedup_key="closed", user=chain.deputy)
    User.objects.filter(pk=chain.deputy.pk).update(is_active=False)
    assert closed
    for message in (late, suppressed, erased, closed):
        assert deliver_now(message).state == MessageState.CANCELLED, message.last_error
    register_renderer(KIND, lambda message: None)
    assert deliver_now(to_staff(chain)).state == MessageState.CANCELLED
    assert not catcher.messages


def test_whether_it_is_too_late_says_the_clock_of_the_database(chain: Chain, catcher: Catcher) -> None:
    """RELIABILITY A9: a machine that is hours ahead sends what is not late, one that is behind does not what is."""
    for offset, expires, state in ((3, 1, MessageState.SENT), (-3, -1, MessageState.CANCELLED)):
        message = to_staff(chain, expires_at=timezone.now() + timedelta(hours=expires))
        with time_machine.travel(timezone.now() + timedelta(hours=offset), tick=True):
            assert deliver_now(message).state == state


def test_staff_without_an_address_is_dead_and_seen_by_the_audit(chain: Chain, catcher: Catcher) -> None:
    from core.work import watches

    assert deliver_now(to_staff(chain, Channel.SMS)).state == MessageState.DEAD
    counts = {watch.name: watch.overdue(watch.patience_secs) for watch in watches()}
    assert counts["messages to staff given up"] == 1


def test_what_cannot_be_written_is_tried_five_times(chain: Chain, catcher: Catcher) -> None:
    def fail(message: Message) -> Rendered:
        raise ZeroDivisionError

    register_renderer(KIND, fail)
    message = to_staff(chain)
    for _ in range(5):
        deliver_now(message)
    assert message.state == MessageState.DEAD
    assert "ZeroDivisionError" in message.last_error


# --- workers that die -------------------------------------------------------------------------------------------
def test_a_shopper_message_whose_sender_died_before_the_call_is_sent(catcher: Catcher, db: None) -> None:
    message = to_shopper()
    claim(Message.objects.all(), limit=1, lease=timedelta(seconds=1))
    Message.objects.update(lease_until=from_now(-timedelta(seconds=1)))
    assert deliver_now(message).state == MessageState.SENT
    assert len(catcher.messages) == 1


def test_a_shopper_message_whose_sender_died_in_the_call_stays_unknown(catcher: Catcher, db: None) -> None:
    message = to_shopper()
    (dead,) = claim(Message.objects.all(), limit=1, lease=timedelta(seconds=1))
    assert actions.begin(dead)
    ended = timezone.now() - timedelta(seconds=1)
    Message.objects.update(lease_until=from_now(-timedelta(seconds=1)), expires_at=ended)
    # Although it is too late to send it now: it may have gone out in time.
    assert deliver_now(message).state == MessageState.UNKNOWN
    assert not catcher.messages
    # The dead one was only slow, and knows.
    actions.mark_sent(dead, "SM1")
    message.refresh_from_db()
    assert (message.state, message.provider_id) == (MessageState.SENT, "SM1")


def test_a_withdrawn_message_is_not_sent_by_whoever_had_claimed_it(catcher: Catcher, db: None) -> None:
    message = to_shopper()
    (claimed,) = claim(Message.objects.select_related("contact"), limit=1, lease=timedelta(seconds=60))
    Message.objects.update(state=MessageState.CANCELLED, run_at=None, lease_token=None)
    deliver(claimed)
    message.refresh_from_db()
    assert message.state == MessageState.CANCELLED
    assert not catcher.messages


def test_a_person_settles_what_is_unknown(chain: Chain, catcher: Catcher) -> None:
    message = to_shopper()
    assert not actions.settle_by_hand(message.pk, delivered=True)
    Message.objects.update(state=MessageState.UNKNOWN, run_at=None)
    assert actions.settle_by_hand(message.pk, delivered=True)
    assert not actions.send_again(message.pk)
    Message.objects.update(state=MessageState.DEAD)
    assert actions.send_again(message.pk)
    assert deliver_now(message).state == MessageState.SENT


def test_no_client_waits_for_ever() -> None:
    """Both libraries would: EMAIL_TIMEOUT is None and TwilioHttpClient(timeout=None) by default."""
    from django.conf import settings

    from messaging.transports import _twilio

    assert 0 < settings.EMAIL_TIMEOUT <= 10
    assert 0 < settings.TWILIO_TIMEOUT_SECS <= 10
    assert _twilio("AC0", "x", "http://127.0.0.1:9", 7).http_client.timeout == 7
    assert settings.SENDER_LEASE.total_seconds() >= 3 * settings.EMAIL_TIMEOUT
