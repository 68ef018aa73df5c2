"""The demo's mailbox shows what was caught, harmlessly, and exists in the demo only."""

from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from core.retention import purge
from customers.models import Contact, ContactKind
from messaging.catcher import Caught
from messaging.choices import Channel
from messaging.mailbox import keep_in_database
from messaging.models import CaughtMessage, IncomingText, Message

pytestmark = pytest.mark.django_db


def make_caught(**fields: object) -> CaughtMessage:
    values = {"channel": "email", "sender": "a@example.org", "recipient": "b@example.org", "caught_at": timezone.now()}
    return CaughtMessage.objects.create(**values | fields)


def test_empty_mailbox_says_what_to_do(client: Client) -> None:
    page = client.get("/demo/mailbox/")
    assert page.status_code == 200
    assert "Nothing yet" in page.content.decode()


def test_text_links_are_clickable_and_words_escaped(client: Client) -> None:
    caught = make_caught(channel="sms", text="<script>alert(1)</script> http://127.0.0.1:8000/r/abc/")
    page = client.get(f"/demo/mailbox/{caught.pk}/").content.decode()
    assert '<a href="http://127.0.0.1:8000/r/abc/"' in page
    assert "<script>alert" not in page


def test_html_may_neither_run_nor_load(client: Client) -> None:
    caught = make_caught(html='<html><head><title>x</title></head><body><img src="https://evil.example/x"></body>')
    page = client.get(f"/demo/mailbox/{caught.pk}/")
    assert f'src="/demo/mailbox/{caught.pk}/html/"' in page.content.decode()
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    frame = client.get(f"/demo/mailbox/{caught.pk}/html/")
    policy = frame["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "script-src" not in policy
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert '<head><base target="_blank"><title>' in frame.content.decode()


def test_one_recipient_only(client: Client) -> None:
    make_caught(subject="for b")
    make_caught(subject="for c", recipient="c@example.org")
    page = client.get("/demo/mailbox/?to=c@example.org").content.decode()
    assert "for c" in page and "for b" not in page


def test_a_text_message_is_answered_there_as_from_the_shoppers_phone(client: Client) -> None:
    shopper, staff = make_caught(channel="sms", recipient="+380671234567"), make_caught(channel="sms", recipient="+49")
    contact = Contact.create(ContactKind.PHONE, shopper.recipient)
    Message.objects.create(kind="test", subject_id="1", channel="sms", contact=contact, dedup_key="1", state="sent")
    assert "Answer as the shopper" in client.get(f"/demo/mailbox/{shopper.pk}/").content.decode()
    assert "Answer as the shopper" not in client.get(f"/demo/mailbox/{staff.pk}/").content.decode()
    assert client.post(f"/demo/mailbox/{shopper.pk}/", {"text": "3"}).status_code == 302
    assert IncomingText.objects.get().text == "3"
    for address in (f"/demo/mailbox/{staff.pk}/", "/demo/mailbox/"):
        assert client.post(address, {"text": "3"}).status_code == 404
    assert Client(enforce_csrf_checks=True).post(f"/demo/mailbox/{shopper.pk}/", {"text": "3"}).status_code == 403


@override_settings(DEMO=False, TESTING=False)
@pytest.mark.parametrize("address", ["/demo/mailbox/", "/demo/mailbox/1/", "/demo/mailbox/1/html/"])
def test_nowhere_but_in_the_demo(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_what_does_not_fit_a_column_is_cut(transactional_db: None) -> None:
    keep_in_database(Caught(Channel.EMAIL, "a", "b@example.org", "a\x00b", "<id>", subject="x" * 2000))
    kept = CaughtMessage.objects.get()
    assert (kept.text, len(kept.subject)) == ("ab", 998)


def test_old_messages_are_forgotten() -> None:
    old = make_caught(caught_at=timezone.now() - timedelta(days=8))
    new = make_caught()
    purge()
    assert list(CaughtMessage.objects.values_list("pk", flat=True)) == [new.pk]
    assert old.pk != new.pk
