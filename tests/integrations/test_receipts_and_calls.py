"""Systems of the chain start the loop: a link for a receipt, a text message after a call."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from customers.models import Contact, Receipt
from integrations.choices import Scope
from integrations.models import IdempotentAnswer
from messaging.models import Message
from surveys.models import Call, Invitation
from tests.factories import Chain
from tests.integrations.conftest import Caller

pytestmark = pytest.mark.django_db
RECEIPTS, CALLS = "/api/v1/receipts/", "/api/v1/calls/"


def receipt(**changes: Any) -> dict[str, Any]:
    return {"store": "KY1", "number": "R-1001", "purchased_at": timezone.now().isoformat()} | changes


def ended_call(**changes: Any) -> dict[str, Any]:
    return {
        "id": "call-1",
        "store": "CALL",
        "phone": "+380501234567",
        "queue": "orders",
        "agent": "A7",
        "ended_at": timezone.now().isoformat(),
        "consent": True,
    } | changes


def pointers(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.content
    return [error["pointer"] for error in answer.json()["errors"]]


def test_a_receipt_gets_a_link_that_opens_the_survey(chain: Chain, caller: Caller) -> None:
    answer = caller.post(RECEIPTS, receipt(language="uk"))
    assert answer.status_code == 201
    invitation = Invitation.objects.get()
    assert answer.json()["survey_url"] == f"{settings.PUBLIC_URL}/r/{invitation.token}/"
    assert (invitation.store, invitation.channel, invitation.language) == (chain.store, "receipt", "uk")
    assert "R-1001" not in str(Receipt.objects.values().get())


def test_the_same_receipt_again_is_the_same_link(chain: Chain, caller: Caller) -> None:
    first, second = caller.post(RECEIPTS, receipt()), caller.post(RECEIPTS, receipt(number=" r-1001"))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Invitation.objects.count() == 1


def test_a_call_leads_to_one_text_message(chain: Chain, caller: Caller) -> None:
    before = timezone.now()
    first, second = caller.post(CALLS, ended_call()), caller.post(CALLS, ended_call())
    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (202, {"invited": True})
    message = Message.objects.get()
    assert (message.channel, message.contact and message.contact.value) == ("sms", "+380501234567")
    assert message.run_at is not None and message.run_at >= before
    assert Call.objects.get().agent == "A7"


def test_without_consent_the_number_is_not_even_kept(chain: Chain, caller: Caller) -> None:
    assert caller.post(CALLS, ended_call(consent=False)).json() == {"invited": False}
    assert not Message.objects.exists() and not Contact.objects.exists()
    assert Call.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"store": "nope"}, "#/store"),
        ({"store": 5}, "#/store"),
        ({"store": "CALL"}, "#/store"),
        ({"number": ""}, "#/number"),
        ({"number": "a\x00b"}, "#/number"),
        ({"purchased_at": "2026-03-28T17:05:00"}, "#/purchased_at"),
        ({"purchased_at": (timezone.now() + timedelta(days=1)).isoformat()}, "#/purchased_at"),
        ({"purchased_at": (timezone.now() - timedelta(days=60)).isoformat()}, "#/purchased_at"),
        ({"purchased_at": "0001-01-01T00:00:00+14:00"}, "#/purchased_at"),
        ({"email": "not an address"}, "#/email"),
        ({"language": "xx"}, "#/language"),
    ],
)
def test_wrong_fields_are_named_and_store_nothing(
    chain: Chain, caller: Caller, changes: dict[str, Any], wrong: str
) -> None:
    assert pointers(caller.post(RECEIPTS, receipt(**changes), key="k")) == [wrong]
    assert not Receipt.objects.exists() and not IdempotentAnswer.objects.exists()
    assert caller.post(RECEIPTS, receipt(), key="k").status_code == 201


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"phone": "12"}, "#/phone"),
        ({"store": "KY1"}, "#/store"),
        ({"consent": None}, "#/consent"),
        ({"consent": "yes"}, "#/consent"),
        ({"consent": 1}, "#/consent"),
        ({"ended_at": (timezone.now() - timedelta(days=2)).isoformat()}, "#/ended_at"),
    ],
)
def test_wrong_fields_of_a_call(chain: Chain, caller: Caller, changes: dict[str, Any], wrong: str) -> None:
    assert pointers(caller.post(CALLS, ended_call(**changes))) == [wrong]
    assert not Call.objects.exists() and not Contact.objects.exists()


def test_a_store_out_of_reach_looks_unknown(chain: Chain, make_caller: Callable[..., Caller]) -> None:
    narrow = make_caller(Scope.RECEIPTS_WRITE, store=chain.foreign)
    out_of_reach = narrow.post(RECEIPTS, receipt())
    unknown = narrow.post(RECEIPTS, receipt(store="nope"))
    assert pointers(out_of_reach) == ["#/store"]
    assert out_of_reach.json() == unknown.json()


def test_why_a_store_of_the_other_kind_is_refused(chain: Chain, caller: Caller) -> None:
    assert caller.post(RECEIPTS, receipt(store="CALL")).json()["detail"] == "This is a call centre."
    assert caller.post(CALLS, ended_call(store="KY1")).json()["detail"] == "This is no call centre."


@pytest.mark.parametrize("levels", [21, 700, 100_000])
@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"a":', "}")])
def test_a_body_without_end_is_a_bad_request(
    chain: Chain, caller: Caller, levels: int, before: str, after: str
) -> None:
    answer = caller.post(RECEIPTS, before * levels + "1" + after * levels)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "This JSON is nested too deeply."
