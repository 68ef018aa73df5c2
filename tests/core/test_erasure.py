"""Whoever deletes their words is nowhere afterwards: every column of every table is searched for what they left."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from alerts import actions
from alerts.models import Case
from alerts.policy import ensure_defaults
from core.fields import _cipher
from core.tokens import keyed_hash
from core.work import drain
from messaging.catcher import Catcher
from surveys.defaults import ensure_surveys
from surveys.inviting import call_ended, receipt_link
from surveys.models import Invitation, Response
from tests.factories import Chain, new_form_id
from tests.surveys.conftest import hidden

pytestmark = pytest.mark.django_db
PHONE, EMAIL, NAME, WORDS = "+380671234567", "zenobia@example.org", "Zenobia Quill", "A marmot lived in the lift"
TRACES = [PHONE, EMAIL, NAME, "marmot", keyed_hash("contact", PHONE), keyed_hash("contact", EMAIL)]


def found_in_database(settings: Any) -> set[tuple[str, str]]:
    """Which traces are where, ciphertext read with our keys."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            for (row,) in cursor.fetchall():
                found |= {(table, trace) for trace in TRACES if trace in row}
        cursor.execute("SELECT value FROM customers_contact WHERE value <> ''")
        for (value,) in cursor.fetchall():
            plain = _cipher(tuple(settings.FIELD_KEYS)).decrypt(value.encode()).decode()
            found |= {("customers_contact", trace) for trace in TRACES if trace == plain}
    return found


def answer(client: Client, address: str, **fields: str) -> None:
    nonce = hidden(client.get(address), "form")
    sent = {"form": nonce, "lang": "en", "score": "1", "contact": "none"}
    # Sent twice: the second corrects the first, whose words are kept as a revision.
    client.post(address, sent | {"reason": f"{WORDS}, says {NAME}, {PHONE}, {EMAIL}"})
    assert client.post(address, sent | {"reason": f"{WORDS} all day, says {NAME}"} | fields).status_code == 303


@pytest.mark.parametrize("way", ["qr", "receipt", "call"])
def test_nothing_is_left_of_who_deletes_their_words(client: Client, chain: Chain, settings: Any, way: str) -> None:
    ensure_defaults()
    ensure_surveys()
    address = f"/q/{chain.touchpoint.code}/"
    with Catcher() as catcher:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", catcher.smtp_port
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "0" * 32, "secret"
        settings.TWILIO_BASE_URL = catcher.sms_url
        if way == "receipt":
            receipt_link(chain.store, "1", chain.manager.created_at, email=EMAIL)
        elif way == "call":
            call_ended("call 1", chain.call_centre, PHONE)
        if way != "qr":
            address = f"/r/{Invitation.objects.get().token}/"
        # A caller is known by the phone, and leaves an e-mail address besides.
        left = {"contact": "call", "phone": PHONE} if way != "call" else {"contact": "email", "email": EMAIL}
        answer(client, address, **left)
        drain(["alerts", "analysis", "facts"])
        response, case = Response.objects.get(), Case.objects.get()
        for write in (actions.answer_shopper, actions.add_note, actions.record_action):
            write(case.pk, actor=chain.manager, text=f"Rang {NAME} about the marmot", form_id=new_form_id())
        actions.shopper_reply(response.pk, text=f"{WORDS}. {NAME}", form_id=new_form_id())
        drain(["alerts"])
        assert catcher.messages
        before = {trace for _table, trace in found_in_database(settings)}
        assert before >= {NAME, "marmot", PHONE if way == "qr" else EMAIL}

        page = f"/c/{response.token}/"
        assert client.post(page, {"form": hidden(client.get(page), "form"), "do": "erase"}).status_code == 303
        drain(["alerts", "analysis", "facts"])
    assert found_in_database(settings) == set()
    response.refresh_from_db()
    case.refresh_from_db()
    assert (response.score, case.response_id) == (1, response.pk)
