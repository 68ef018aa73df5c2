"""Push and chat against stand-ins, the other channel when one fails, one buzz in ten minutes."""

import base64
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import LazySettings
from django.db import connection

from core.leases import ClockNow, from_now
from messaging import outbox, push
from messaging.actions import send_again, settle_by_hand
from messaging.catcher import Catcher, Trouble
from messaging.choices import Channel, ChatStyle, MessageState
from messaging.grouping import take_buzz
from messaging.models import Buzz, ChatHook, Message, PushDevice
from messaging.outbox import Rendered, register_renderer
from messaging.preferences import channels_of, set_channels
from messaging.signals import stood_in
from messaging.work import deliver_due, fail_over
from stores.models import User
from tests.factories import Chain
from tests.messaging.listeners import Listener, Phone, encode

KIND = "test"
WORDS = Rendered("0/10 · Kyiv One", "Rude & <b>slow</b> *all* <!here> @channel", "", "https://hh.example/cases/1/")


@pytest.fixture(autouse=True)
def words() -> Iterator[None]:
    register_renderer(KIND, lambda message: WORDS)
    yield
    outbox._renderers.pop(KIND)


def put(user: User | None = None, channel: Channel = Channel.PUSH, **more: Any) -> Message:
    message = outbox.put(
        KIND, "1", channel=channel, dedup_key=f"{uuid4()}:{channel}", user=user, **({"priority": 1} | more)
    )
    assert message
    return message


def run(message: Message) -> Message:
    Message.objects.filter(pk=message.pk, run_at__isnull=False).update(run_at=ClockNow())
    deliver_due()
    message.refresh_from_db()
    return message


# --- push ---------------------------------------------------------------------------------------------------------
def test_a_phone_can_read_it_and_knows_who_it_is_from(chain: Chain, listener: Listener, settings: LazySettings) -> None:
    phone = Phone(chain.manager, listener.url)
    message = run(put(chain.manager, priority=0))
    assert message.state == MessageState.SENT
    [heard] = listener.heard
    content = phone.read(heard.body)
    assert (content["title"], content["url"], content["tag"]) == (WORDS.subject, WORDS.url, message.pk.hex)
    scheme, _, credentials = heard.headers["Authorization"].partition(" ")
    fields = dict(part.split("=", 1) for part in credentials.split(","))
    assert scheme == "vapid" and fields["k"] == push.public_key()
    point = base64.urlsafe_b64decode(fields["k"] + "=")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(fields["t"], key, algorithms=["ES256"], audience=listener.url)
    assert 0 < claims["exp"] - time.time() <= 24 * 3600 and claims["sub"] == settings.PUBLIC_URL
    assert heard.headers["Urgency"] == "high" and len(heard.headers["Topic"]) == 32
    phone.row.refresh_from_db()
    assert phone.row.delivered_at and not phone.row.last_error


def test_repeats_bear_the_same_topic(chain: Chain, listener: Listener) -> None:
    Phone(chain.manager, listener.url)
    message = run(put(chain.manager))
    Message.objects.filter(pk=message.pk).update(state=MessageState.UNKNOWN, last_error="drop")
    assert send_again(message.pk)
    run(message)
    first, second = (heard.headers["Topic"] for heard in listener.heard)
    assert first == second


def test_long_words_are_cut_and_stay_readable(chain: Chain, listener: Listener) -> None:
    phone = Phone(chain.manager, listener.url)
    register_renderer(KIND, lambda message: Rendered("Title", "Жахливо 😡 " * 2000))
    assert run(put(chain.manager)).state == MessageState.SENT
    assert len(listener.heard[0].body) <= 4096
    assert phone.read(listener.heard[0].body)["body"].startswith("Жахливо 😡 ")


def test_one_phone_that_takes_it_is_enough_and_a_gone_one_is_forgotten(chain: Chain, listener: Listener) -> None:
    lost, kept = Phone(chain.manager, listener.url, "Lost"), Phone(chain.manager, listener.url, "Kept")
    listener.answers.extend([410, 201])
    assert run(put(chain.manager)).state == MessageState.SENT
    lost.row.refresh_from_db()
    kept.row.refresh_from_db()
    assert lost.row.gone_at and lost.row.last_error == "410" and kept.row.delivered_at


@pytest.mark.parametrize("answer", [429, 500, 503, "drop"])
def test_a_service_in_trouble_is_asked_again(chain: Chain, listener: Listener, answer: int | str) -> None:
    Phone(chain.manager, listener.url)
    listener.answers.append(answer)
    message = run(put(chain.manager))
    assert message.state == MessageState.PENDING and message.last_error
    assert run(message).state == MessageState.SENT


@pytest.mark.parametrize("answer", [400, 403, 404, 410, 413])
def test_a_service_that_refuses_leaves_it_to_the_next_channel(chain: Chain, listener: Listener, answer: int) -> None:
    Phone(chain.manager, listener.url)
    listener.answers.append(answer)
    message = run(put(chain.manager))
    assert message.state == MessageState.DEAD
    assert fail_over() == 1
    assert Message.objects.get(stands_in_for=message).channel == Channel.EMAIL


def test_a_subscription_into_our_own_network_is_never_asked(chain: Chain) -> None:
    phone = Phone(chain.manager, "https://127.0.0.1:1")
    assert run(put(chain.manager)).state == MessageState.DEAD
    phone.row.refresh_from_db()
    assert "private" in phone.row.last_error


def test_keys_that_are_none_are_recognised() -> None:
    good = push.public_key()
    assert push.check_keys(good, encode(os.urandom(16)))
    for p256dh, auth in [("", ""), (good, "AA"), ("A" * 87, encode(os.urandom(16))), ("é", "é")]:
        assert not push.check_keys(p256dh, auth)


# --- chat ---------------------------------------------------------------------------------------------------------
def hook(chain: Chain, url: str, style: str = ChatStyle.SLACK) -> ChatHook:
    return ChatHook.objects.create(name="Kyiv", style=style, url=f"{url}/hook/secret", store=chain.store)


def to_chat(room: ChatHook) -> Message:
    return put(None, Channel.CHAT, hook=room)


def test_slack_gets_text_and_no_markup(chain: Chain, listener: Listener) -> None:
    assert run(to_chat(hook(chain, listener.url))).state == MessageState.SENT
    text = str(listener.heard[0].json()["text"])
    plain = text.replace("\u200b", "")
    assert "&lt;b&gt;slow&lt;/b&gt;" in plain and "&lt;!here&gt;" in plain and "Rude &amp; " in plain
    assert "*all*" not in text and "@channel" not in text and f"<{WORDS.url}|" in text


def test_teams_gets_a_card_that_reads_no_markdown(chain: Chain, listener: Listener) -> None:
    assert run(to_chat(hook(chain, listener.url, ChatStyle.TEAMS))).state == MessageState.SENT
    attachments: Any = listener.heard[0].json()["attachments"]
    [attachment] = attachments
    blocks = attachment["content"]["body"]
    assert {block["type"] for block in blocks} == {"RichTextBlock"}
    assert blocks[1]["inlines"][0] == {"type": "TextRun", "text": WORDS.text}
    assert attachment["content"]["actions"][0]["url"] == WORDS.url


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (429, MessageState.PENDING),
        (500, MessageState.PENDING),
        ("drop", MessageState.PENDING),
        (404, MessageState.DEAD),
    ],
)
def test_a_chat_in_trouble(chain: Chain, listener: Listener, answer: int | str, state: str) -> None:
    listener.answers.append(answer)
    message = run(to_chat(hook(chain, listener.url)))
    assert message.state == state
    # Nobody in particular is to be told by another channel.
    assert message.failover_at is None and fail_over() == 0


def test_the_webhooks_address_lies_as_ciphertext_and_never_in_an_error(chain: Chain) -> None:
    room = hook(chain, "https://127.0.0.1:1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT url FROM messaging_chathook")
        assert "secret" not in cursor.fetchone()[0]
    assert "secret" not in run(to_chat(room)).last_error


# --- the other channel --------------------------------------------------------------------------------------------
def test_channels_follow_what_was_chosen_and_what_there_is(chain: Chain) -> None:
    user = chain.manager
    User.objects.filter(pk=user.pk).update(phone="+380671234567")
    user.refresh_from_db()
    assert channels_of([user])[user.pk] == [Channel.EMAIL, Channel.SMS]
    Phone(user, "https://push.example")
    assert channels_of([user])[user.pk] == [Channel.PUSH, Channel.EMAIL, Channel.SMS]
    set_channels(user, ["sms", "nonsense", "push"])
    assert channels_of([user])[user.pk] == [Channel.SMS, Channel.PUSH, Channel.EMAIL]
    PushDevice.objects.update(gone_at=ClockNow())
    assert channels_of([user])[user.pk] == [Channel.SMS, Channel.EMAIL]


def test_after_two_minutes_of_failing_the_next_channel_is_tried(
    chain: Chain,
    catcher: Catcher,
) -> None:
    user = chain.manager
    User.objects.filter(pk=user.pk).update(phone="+380671234567")
    told: list[str] = []

    def hear(sender: object, message: Message, instead_of: Message, **_: object) -> None:
        told.append(f"{instead_of.channel} → {message.channel}")

    stood_in.connect(hear)
    catcher.fail_next(Channel.EMAIL, Trouble.BUSY, Trouble.BUSY, Trouble.BUSY)
    message = run(put(user, Channel.EMAIL))
    assert message.state == MessageState.PENDING and fail_over() == 0
    Message.objects.update(failover_at=from_now(timedelta(0)))
    assert fail_over() == 1 and fail_over() == 0
    stood_in.disconnect(hear)
    assert told == ["email → sms"]
    other = run(Message.objects.get(stands_in_for=message))
    assert other.state == MessageState.SENT
    assert other.dedup_key == message.dedup_key.removesuffix("email") + "sms"
    # The first goes on, and brings about no third.
    message = run(message)
    Message.objects.update(failover_at=from_now(timedelta(0)))
    assert fail_over() == 0 and Message.objects.count() == 2


def test_what_has_arrived_in_the_meantime_needs_nobody_in_its_place(chain: Chain) -> None:
    message = put(chain.manager, Channel.EMAIL)
    Message.objects.update(failover_at=from_now(timedelta(0)), state=MessageState.SENT)
    assert fail_over() == 0
    message.refresh_from_db()
    assert message.failover_at is None


def test_two_loops_add_one_stand_in(transactional_db: None, listener: Listener) -> None:
    chain = Chain()
    User.objects.filter(pk=chain.manager.pk).update(phone="+380671234567")
    put(chain.manager, Channel.EMAIL)
    Message.objects.update(failover_at=from_now(timedelta(0)), state=MessageState.DEAD, run_at=None)

    def loop(_: int) -> int:
        try:
            return fail_over()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(loop, range(4))) == 1
    assert Message.objects.count() == 2


def test_a_shopper_is_never_told_by_another_channel(chain: Chain) -> None:
    from customers.models import Contact, ContactKind

    contact = Contact.create(ContactKind.PHONE, "+380671234567")
    message = outbox.put(KIND, "1", channel=Channel.SMS, dedup_key=str(uuid4()), contact=contact)
    assert message
    message = run(message)
    assert message.state == MessageState.DEAD and message.failover_at is None
    assert settle_by_hand(message.pk, delivered=False)


# --- one buzz -----------------------------------------------------------------------------------------------------
def test_below_severe_a_phone_buzzes_once_and_tells_of_the_others(chain: Chain, listener: Listener) -> None:
    phone = Phone(chain.manager, listener.url)
    first, second, third = (put(chain.manager) for _ in range(3))
    deliver_due()
    states = list(Message.objects.order_by("created_at").values_list("state", flat=True))
    assert len(listener.heard) == 1 and states.count(MessageState.SENT) == 3
    assert "2 more" in phone.read(listener.heard[0].body)["body"]
    carried = Message.objects.filter(carried_by__isnull=False)
    assert carried.count() == 2 and {first.pk, second.pk, third.pk} > set(carried.values_list("pk", flat=True))
    # The next one waits for its ten minutes, without using up an attempt.
    later = run(put(chain.manager))
    assert later.state == MessageState.PENDING and later.attempts == 0 and later.run_at
    assert abs((later.run_at - Buzz.objects.get().at).total_seconds() - 600) < 1
    Buzz.objects.update(at=from_now(-timedelta(minutes=10)))
    assert run(later).state == MessageState.SENT and len(listener.heard) == 2


def test_what_waits_for_longer_or_is_late_already_is_not_carried_along(chain: Chain, listener: Listener) -> None:
    phone = Phone(chain.manager, listener.url)
    other = put(chain.manager, run_at=from_now(timedelta(hours=9)))  # until its store opens
    late = put(chain.manager, run_at=from_now(timedelta(minutes=1)))
    Message.objects.filter(pk=late.pk).update(stands_in_for=put(chain.manager, Channel.EMAIL, run_at=other.run_at))
    run(put(chain.manager))
    assert "more" not in phone.read(listener.heard[0].body)["body"]
    assert not Message.objects.filter(carried_by__isnull=False).exists()


def test_the_severe_wait_for_no_buzz(chain: Chain, listener: Listener) -> None:
    Phone(chain.manager, listener.url)
    for _ in range(3):
        assert run(put(chain.manager, priority=0)).state == MessageState.SENT
    assert len(listener.heard) == 3


def test_a_buzz_that_failed_is_not_waited_for(chain: Chain, listener: Listener) -> None:
    Phone(chain.manager, listener.url)
    listener.answers.append(503)
    message = run(put(chain.manager))
    assert message.state == MessageState.PENDING and message.last_error
    assert run(message).state == MessageState.SENT


def test_mail_does_not_buzz(chain: Chain, catcher: Catcher) -> None:
    for _ in range(3):
        assert run(put(chain.manager, Channel.EMAIL)).state == MessageState.SENT


def test_of_two_senders_one_gets_the_buzz(transactional_db: None) -> None:
    chain = Chain()
    message = put(chain.manager)

    def take(_: int) -> bool:
        try:
            return take_buzz(message)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take, range(6))) == 1


def test_what_is_held_back_by_its_room_waits_without_losing_an_attempt(chain: Chain) -> None:
    from django.utils import timezone

    morning = timezone.now() + timedelta(hours=8)
    register_renderer(KIND, lambda message: WORDS, gate=lambda message: morning)
    message = run(put(chain.manager, Channel.EMAIL))
    outbox._gates.pop(KIND)
    assert (message.state, message.run_at, message.attempts) == (MessageState.PENDING, morning, 0)
