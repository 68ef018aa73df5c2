"""Receipts and calls: one link each, one message each, one response each."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone, translation

from core.tokens import keyed_hash
from customers.models import Contact, Receipt, Suppression
from messaging.models import Message
from messaging.outbox import renderer_of
from surveys.actions import call_ended, receipt_link
from surveys.inviting import BadAddress
from surveys.models import Call, Invitation, Response, ResponseRevision
from tests.factories import Chain
from tests.surveys.conftest import hidden

pytestmark = pytest.mark.django_db


@pytest.fixture
def called(chain: Chain, surveys: Any) -> Invitation:
    call_ended("call-1", chain.call_centre, "067 123 45 67", language="uk", ended_at=timezone.now())
    return Invitation.objects.get()


def path_of(invitation: Invitation) -> str:
    return f"/r/{invitation.token}/"


def test_a_call_is_asked_about_two_minutes_later_and_once(chain: Chain, surveys: Any, settings: Any) -> None:
    ended = timezone.now()
    first = call_ended("call-1", chain.call_centre, "067 123 45 67", queue="orders", agent="a7", ended_at=ended)
    again = call_ended("call-1", chain.call_centre, "067 999 99 99", ended_at=ended)
    assert first.created and first.invited and not again.created
    assert again.survey_url == first.survey_url == settings.PUBLIC_URL + path_of(Invitation.objects.get())
    message = Message.objects.get()
    assert (message.kind, message.channel, message.run_at) == ("call_survey", "sms", ended + timedelta(minutes=2))
    assert message.contact == Call.objects.get().contact == Contact.objects.get()
    assert Contact.objects.get().value == "+380671234567"


def test_the_link_of_another_stores_call_is_not_given_away(chain: Chain, surveys: Any) -> None:
    """A key for one store must not open what callers of another say; ids of calls are easily guessed."""
    assert call_ended("call-1", chain.call_centre, "067 123 45 67").survey_url
    guessed = call_ended("call-1", chain.foreign, "067 999 99 99")
    assert (guessed.created, guessed.survey_url, guessed.invited) == (False, None, False)
    assert Call.objects.get().store == chain.call_centre and Message.objects.count() == 1


def test_who_said_no_is_not_texted_and_not_kept(chain: Chain, surveys: Any) -> None:
    Suppression.objects.create(value_hash=keyed_hash("contact", "+380671234567"), reason="stop")
    suppressed = call_ended("call-1", chain.call_centre, "+380671234567")
    unasked = call_ended("call-2", chain.call_centre, "+380671234568", consent=False)
    assert suppressed.survey_url is None and unasked.survey_url is None
    assert not Message.objects.exists() and not Contact.objects.exists()
    assert call_ended("call-1", chain.call_centre, "+380671234567").created is False
    assert Call.objects.count() == 2


def test_a_number_that_cannot_be_dialled_stores_nothing(chain: Chain, surveys: Any) -> None:
    with pytest.raises(BadAddress):
        call_ended("call-1", chain.call_centre, "12")
    with pytest.raises(BadAddress):
        receipt_link(chain.store, "1", timezone.now(), email="nobody")
    assert not Call.objects.exists() and not Receipt.objects.exists()


def test_the_text_message_is_short_in_the_callers_language(called: Invitation) -> None:
    message = Message.objects.get()
    with translation.override("uk"):
        rendered = renderer_of("call_survey")(message)
    assert rendered is not None and rendered.text.endswith(path_of(called))
    assert "<" not in rendered.text


def test_a_message_about_an_answered_call_is_not_sent(client: Client, called: Invitation, answer: Any) -> None:
    answer(path_of(called), score="9")
    assert renderer_of("call_survey")(Message.objects.get()) is None


def test_the_same_receipt_is_the_same_link(chain: Chain, surveys: Any) -> None:
    bought = timezone.now() - timedelta(hours=1)
    first = receipt_link(chain.store, "A 17-4", bought)
    second = receipt_link(chain.store, "a17-4", bought, email="Ann@Example.com", language="de")
    third = receipt_link(chain.store, "a17-4", bought, email="ann@example.com")
    assert first.survey_url == second.survey_url == third.survey_url
    assert (first.created, second.created) == (True, False)
    assert (first.invited, second.invited, third.invited) == (False, True, True)
    message = Message.objects.get()
    assert message.kind == "receipt_survey" and message.contact is not None
    assert message.contact.value == "ann@example.com"
    assert receipt_link(chain.neighbour, "a17-4", bought).survey_url != first.survey_url
    assert "A17" not in Receipt.objects.first().number_hash  # type: ignore[union-attr]


def test_the_receipt_mail_offers_every_answer_as_a_link_that_only_preselects(chain: Chain, surveys: Any) -> None:
    receipt_link(chain.store, "1", timezone.now(), email="ann@example.com", language="de")
    with translation.override("de"):
        rendered = renderer_of("receipt_survey")(Message.objects.get())
    assert rendered is not None and "Kyiv One" in rendered.subject
    link = path_of(Invitation.objects.get())
    assert [f"{link}?score={n}" in rendered.html for n in range(11)] == [True] * 11
    assert "weiterempfehlen" in rendered.html and link in rendered.text
    assert "<img" not in rendered.html


def test_an_answer_to_an_invitation_is_a_verified_one(client: Client, called: Invitation, answer: Any) -> None:
    page = client.get(path_of(called)).content.decode()
    assert "…\u2060567" in page and "still_here" not in page
    sent = answer(path_of(called), score="3", reason="Rude", contact="call", phone="")
    response = Response.objects.get()
    assert sent["Location"] == f"/t/{response.token}/"
    assert (response.channel, response.sample_kind, response.invitation) == ("call", "verified", called)
    # The number we knew is the one to call back; nobody types it twice.
    assert response.contact == called.contact and Contact.objects.count() == 1


def test_the_day_is_the_day_of_the_visit(client: Client, chain: Chain, surveys: Any, answer: Any) -> None:
    receipt_link(chain.store, "1", timezone.now() - timedelta(days=3))
    answer(path_of(Invitation.objects.get()), score="9")
    response = Response.objects.get()
    assert (response.submitted_at.date() - response.local_day).days in {2, 3, 4}


def test_one_response_per_invitation_whatever_the_form(client: Client, called: Invitation, answer: Any) -> None:
    forms = [hidden(client.get(path_of(called)), "form") for _ in range(2)]
    first = answer(path_of(called), form=forms[0], score="3")
    second = answer(path_of(called), form=forms[1], score="8", reason="Solved at once")
    response = Response.objects.get()
    assert first["Location"] == second["Location"]
    assert (response.score, response.revision) == (8, 2) and ResponseRevision.objects.get().score == 3
    assert client.get(path_of(called))["Location"] == f"/t/{response.token}/"
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        late = client.post(path_of(called), {"form": forms[1], "score": "0", "contact": "none"})
    assert late.status_code == 303 and late["Location"] == f"/t/{response.token}/"
    assert Response.objects.get().score == 8


def test_expired_and_unknown_links_are_met_with_the_same_page(client: Client, called: Invitation) -> None:
    nonce = hidden(client.get(path_of(called)), "form")
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        expired, unknown = client.get(path_of(called)), client.get("/r/aaaaaaaaaaaaaaaaaaaaaaaaaa/")
        assert expired.status_code == unknown.status_code == 404 and expired.content == unknown.content
        assert client.post(path_of(called), {"form": nonce, "score": "1"}).status_code in {404, 422}
    assert not Response.objects.exists()


def test_a_form_of_one_invitation_does_not_fit_another(client: Client, chain: Chain, called: Invitation) -> None:
    receipt_link(chain.store, "1", timezone.now())
    other = Invitation.objects.exclude(pk=called.pk).get()
    nonce = hidden(client.get(path_of(called)), "form")
    assert client.post(path_of(other), {"form": nonce, "score": "1"}).status_code == 422
    assert not Response.objects.exists()
