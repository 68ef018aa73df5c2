"""The pages of being told: my channels and phones, messages to settle, team chats."""

import os
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from core.leases import from_now
from messaging import outbox, push, testing
from messaging.catcher import Catcher
from messaging.choices import Channel, MessageState
from messaging.models import ChatHook, Message, PushDevice
from messaging.preferences import channels_of
from messaging.work import deliver_due
from stores.choices import Role
from stores.models import ConfigChange, RoleAssignment, User
from tests.factories import Chain, make_user
from tests.messaging.listeners import encode


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def subscription(**more: str) -> dict[str, str]:
    keys = {"p256dh": push.public_key(), "auth": encode(os.urandom(16))}
    return {"endpoint": f"https://push.example/{uuid4()}"} | keys | more


# --- mine -----------------------------------------------------------------------------------------------------------
def test_a_phone_is_added_once_told_and_removed(chain: Chain) -> None:
    client = signed_in(chain.manager)
    said = subscription()
    for _ in range(2):
        client.post("/me/alerts/devices/", said, headers={"User-Agent": "Mozilla/5.0 (Linux; Android 15) Chrome/150"})
    device = PushDevice.objects.get(gone_at=None)
    assert (device.name, device.user) == ("Android, Chrome", chain.manager)
    assert channels_of([chain.manager])[chain.manager.pk][0] == Channel.PUSH
    assert "Android, Chrome" in client.get("/me/alerts/").content.decode()
    assert signed_in(chain.foreign_manager).post(f"/me/alerts/devices/{device.pk}/remove/").status_code == 404
    client.post(f"/me/alerts/devices/{device.pk}/remove/")
    assert channels_of([chain.manager])[chain.manager.pk] == [Channel.EMAIL]


def test_a_shared_browser_belongs_to_whoever_added_it_last(chain: Chain) -> None:
    said = subscription()
    signed_in(chain.manager).post("/me/alerts/devices/", said)
    signed_in(chain.deputy).post("/me/alerts/devices/", said)
    assert PushDevice.objects.get().user == chain.deputy


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": ""},
        {"endpoint": "http://push.example/1"},
        {"endpoint": "https://push.example/" + "x" * 2000},
        {"p256dh": "AAAA"},
        {"auth": ""},
    ],
)
def test_what_no_browser_says_is_refused_in_words(chain: Chain, wrong: dict[str, str]) -> None:
    client = signed_in(chain.manager)
    answer = client.post("/me/alerts/devices/", subscription(**wrong), follow=True)
    assert "cannot be reached" in answer.content.decode() and not PushDevice.objects.exists()


def test_the_first_choice_is_kept(chain: Chain) -> None:
    User.objects.filter(pk=chain.manager.pk).update(phone="+380671234567")
    client = signed_in(chain.manager)
    client.post("/me/alerts/channels/", {"first": "sms"})
    chain.manager.refresh_from_db()
    assert channels_of([chain.manager])[chain.manager.pk] == [Channel.SMS, Channel.EMAIL]
    client.post("/me/alerts/channels/", {"first": "pigeon"})
    assert channels_of([chain.manager])[chain.manager.pk] == [Channel.SMS, Channel.EMAIL]


def test_a_test_goes_by_every_channel_and_shows_what_became_of_it(
    chain: Chain,
    catcher: Catcher,
) -> None:
    User.objects.filter(pk=chain.manager.pk).update(phone="+380671234567", language="de")
    client = signed_in(User.objects.get(pk=chain.manager.pk))
    for _ in range(2):
        client.post("/me/alerts/test/")
    assert Message.objects.count() == 2
    assert "every 2s" in client.get("/me/alerts/", headers={"HX-Request": "true"}).content.decode()
    deliver_due()
    page = client.get("/me/alerts/", headers={"HX-Request": "true"}).content.decode()
    assert "every 2s" not in page and page.count("Gesendet") == 2
    assert sorted(one.channel for one in catcher.messages) == ["email", "sms"]
    Message.objects.update(created_at=from_now(-timedelta(minutes=2)))
    client.post("/me/alerts/test/")
    assert Message.objects.count() == 4 and len(testing.last_test(chain.manager)) == 2


# --- messages to settle ---------------------------------------------------------------------------------------------
def unsettled(chain: Chain, state: MessageState) -> Message:
    message = outbox.put("case_notice", uuid4(), channel=Channel.EMAIL, dedup_key=str(uuid4()), user=chain.manager)
    assert message
    Message.objects.filter(pk=message.pk).update(state=state, run_at=None, last_error="554 <b>no</b>")
    return message


@pytest.mark.parametrize("state", [MessageState.UNKNOWN, MessageState.DEAD])
@pytest.mark.parametrize(
    ("verb", "then"),
    [("arrived", MessageState.SENT), ("again", MessageState.PENDING), ("drop", MessageState.CANCELLED)],
)
def test_a_person_settles_what_nobody_tries_any_more(chain: Chain, state: MessageState, verb: str, then: str) -> None:
    message = unsettled(chain, state)
    client = signed_in(chain.operator)
    page = client.get("/messages/").content.decode()
    assert "554 &lt;b&gt;no&lt;/b&gt;" in page and chain.manager.name in page
    assert "· New case" in page and message.kind not in page
    answer = client.post(f"/messages/{message.pk}/", {"verb": verb}, follow=True)
    message.refresh_from_db()
    assert message.state == then and "Settled." in answer.content.decode()
    assert message.settled_by == chain.operator
    assert bool(message.run_at) == (then == MessageState.PENDING)
    answer = client.post(f"/messages/{message.pk}/", {"verb": "drop"}, follow=True)
    assert "already" in answer.content.decode()


def test_the_head_office_of_a_part_settles_for_its_own_people(chain: Chain) -> None:
    own, foreign = unsettled(chain, MessageState.DEAD), unsettled(chain, MessageState.DEAD)
    Message.objects.filter(pk=foreign.pk).update(user=chain.foreign_manager)
    client = signed_in(make_user(email="part@chain.example", role=Role.HEAD_OFFICE, node=chain.area))
    page = client.get("/messages/").content.decode()
    assert str(own.pk) in page and str(foreign.pk) not in page
    for message in (own, foreign):
        client.post(f"/messages/{message.pk}/", {"verb": "drop"})
    assert list(Message.objects.filter(state=MessageState.CANCELLED)) == [own]


def test_nothing_to_settle_says_so(chain: Chain) -> None:
    assert "Nothing to settle" in signed_in(chain.head_office).get("/messages/").content.decode()


# --- chats ----------------------------------------------------------------------------------------------------------
def filled(**more: str) -> dict[str, str]:
    address = {"name": "Kyiv team", "style": "slack", "url": "https://chat.example/hook/secret", "language": "de"}
    return address | {"store": "KY1"} | more


def test_head_office_connects_tests_and_removes_a_chat(chain: Chain) -> None:
    client = signed_in(chain.head_office)
    assert client.post("/messages/chats/", filled()).status_code == 302
    hook = ChatHook.objects.get()
    assert (hook.store, hook.node, hook.language) == (chain.store, None, "de")
    page = client.get("/messages/chats/").content.decode()
    assert "Kyiv team" in page and "secret" not in page
    client.post(f"/messages/chats/{hook.pk}/", {"verb": "test"})
    assert Message.objects.get().hook == hook
    client.post(f"/messages/chats/{hook.pk}/", {"verb": "remove"})
    hook.refresh_from_db()
    assert hook.retired_at and hook.url == ""
    said = ConfigChange.objects.filter(store=chain.store, what="chat", actor=chain.head_office)
    assert list(said.order_by("pk").values_list("kind", "new__name")) == [
        ("created", "Kyiv team"),
        ("retired", "Kyiv team"),
    ]
    assert "Kyiv team" in client.get("/stores/KY1/history/").content.decode()
    deliver_due()
    assert Message.objects.get().state == MessageState.DEAD


def test_who_runs_the_installation_connects_no_chat_to_words_they_may_not_read(chain: Chain) -> None:
    both = make_user(email="both@chain.example", role=Role.HEAD_OFFICE, node=chain.area)
    RoleAssignment.objects.create(user=both, role=Role.OPERATOR, node=chain.root)
    client = signed_in(both)
    page = client.get("/messages/chats/").content.decode()
    assert chain.area.name in page and f">{chain.root.name}<" not in page
    answer = client.post("/messages/chats/", filled(store="", node=str(chain.root.pk)))
    assert answer.status_code == 422 and not ChatHook.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"url": "http://chat.example/"}, {"store": "NO"}, {"store": ""}, {"name": ""}, {"style": "irc"}],
)
def test_a_chat_that_cannot_be_is_refused_with_what_was_typed(chain: Chain, wrong: dict[str, str]) -> None:
    answer = signed_in(chain.head_office).post("/messages/chats/", filled(**wrong))
    page = answer.content.decode()
    assert answer.status_code == 422 and "errorlist" in page and not ChatHook.objects.exists()
    assert wrong.get("name", "Kyiv team") in page


# --- the app --------------------------------------------------------------------------------------------------------
def test_the_app_is_described_and_its_worker_served_from_the_root(client: Client, db: None) -> None:
    assert client.get("/manifest.webmanifest").json()["display"] == "standalone"
    worker = client.get("/sw.js")
    assert worker["Content-Type"] == "text/javascript" and b"showNotification" in worker.content
