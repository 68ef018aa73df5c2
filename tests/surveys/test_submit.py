"""From Send to the thank-you page: kept once, with everything said."""

from typing import Any

import pytest
from django.test import Client

from customers.models import Permission
from surveys.models import Response, Verbatim
from tests.factories import Chain

pytestmark = pytest.mark.django_db


def test_an_answer_is_kept_and_thanked_for(client: Client, chain: Chain, answer: Any) -> None:
    sent = answer(score="3", reason="Nobody at the till", contact="call", phone="067 123 45 67", still_here="1")
    response = Response.objects.get()
    assert sent.status_code == 303
    assert sent["Location"] == f"/t/{response.token}/"
    assert (response.score, response.store, response.touchpoint) == (3, chain.store, chain.touchpoint)
    assert (response.channel, response.sample_kind, response.language) == ("qr", "volunteer", "en")
    assert response.still_here and response.flags == []
    assert response.answers == {
        "recommend": 3,
        "reason": "Nobody at the till",
        "contact": "call",
        "still_here": True,
    }
    assert Verbatim.objects.get().text == "Nobody at the till"
    assert response.contact is not None and response.contact.value == "+380671234567"
    permission = Permission.objects.get()
    assert permission.contact == response.contact and "Halfhour" in permission.wording and permission.language == "en"
    page = client.get(sent["Location"])
    assert page.status_code == 200 and f"/c/{response.token}/" in page.content.decode()
