"""No more messages: said once, by whatever way, it holds everywhere; nobody but its owner says it, or takes it back."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core import mail
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from core.work import drain
from customers.leaving import leave_url, says_stop
from customers.models import Contact, Permission, Suppression
from messaging.hearing import hear_due
from messaging.models import IncomingText, Message
from messaging.outbox import rendered_for
from surveys.inviting import call_ended, public_link, receipt_link
from surveys.models import Invitation, NotAsked, Response
from tests.factories import Chain

pytestmark = pytest.mark.django_db
NUMBER, EMAIL = "+380671234567", "ann@example.com"


@pytest.fixture
def mailed(chain: Chain, surveys: Any) -> Contact:
    """Somebody who is asked by e-mail."""
    receipt_link(chain.store, "1", timezone.now(), email=EMAIL, language="de")
    return Contact.objects.get()


def path(contact: Contact, settings: LazySettings) -> str:
    return leave_url(contact).removeprefix(settings.PUBLIC_URL)


def test_a_mail_offers_the_way_out_and_a_look_at_it_says_nothing(
    client: Client, mailed: Contact, settings: LazySettings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    drain(["alerts"])
    [sent] = mail.outbox
    assert sent.message()["List-Unsubscribe"] == f"<{leave_url(mailed)}>"
    assert sent.message()["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert isinstance(sent, mail.EmailMultiAlternatives)
    assert leave_url(mailed) in str(sent.body) and leave_url(mailed) in str(sent.alternatives[0][0])
    address = path(mailed, settings)
    for _look in range(3):
        page = client.get(address)
        assert page.status_code == client.head(address).status_code == 200
    shown = page.content.decode()
    assert '<html lang="de"' in shown and "a…\u2060@example.com" in shown and EMAIL not in shown and not page.cookies
    assert not Suppression.objects.exists()
    assert client.get(f"/r/{Invitation.objects.get().token}/").content.decode().count(leave_url(mailed)) == 1


@pytest.mark.parametrize("sent", [{"do": "stop"}, {"List-Unsubscribe": "One-Click"}])
def test_said_once_it_holds_for_every_message(
    client: Client, chain: Chain, mailed: Contact, settings: LazySettings, sent: dict[str, str]
) -> None:
    given = Permission.objects.get()
    assert (given.purpose, given.withdrawn_at) == ("asking", None) and "till" in given.wording
    address = path(mailed, settings)
    assert client.post(address, sent).status_code == (303 if "do" in sent else 200)
    given.refresh_from_db()
    assert given.withdrawn_at and Suppression.objects.get().reason == "unsubscribed"
    drain(["alerts"])
    assert Message.objects.get().state == "cancelled" and Message.objects.get().last_error == "suppressed"
    again = receipt_link(chain.neighbour, "2", timezone.now(), email=EMAIL.upper())
    assert again.not_asked == "suppressed" and NotAsked.objects.get().reason == "suppressed"
    # The owner of the link may think better of it.
    assert "again" in client.get(address).content.decode()
    client.post(address, {"do": "again"})
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    "forge",
    [
        lambda link: link[:-3] + ("bb/" if link.endswith("aa/") else "aa/"),
        lambda link: "/u/" + "0" * 32 + link[35:],
        lambda _: "/u/x/",
    ],
)
def test_nobody_else_says_it(client: Client, mailed: Contact, settings: LazySettings, forge: Any) -> None:
    forged = forge(path(mailed, settings))
    assert client.get(forged).status_code == client.post(forged, {"do": "stop"}).status_code == 404
    assert not Suppression.objects.exists()
    page = client.get(forged).content.decode()
    # Who wants to hear no more of us is not asked for an answer.
    assert "This link does not work any more" in page and "still like to hear you" not in page and "<form" not in page


def test_the_links_outlive_a_new_key(client: Client, mailed: Contact, settings: LazySettings) -> None:
    address = path(mailed, settings)
    settings.LINK_KEYS = ["a new key for links, long enough", *settings.LINK_KEYS]
    assert client.post(address, {"do": "stop"}).status_code == 303 and Suppression.objects.exists()


@pytest.fixture
def provider(settings: LazySettings) -> Any:
    """Hands over text messages as Twilio does."""
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "0" * 32, "secret"

    def hand_over(body: str, *, signed: bool = True, **more: str) -> Any:
        sent = {"AccountSid": settings.TWILIO_ACCOUNT_SID, "From": NUMBER, "Body": body} | more
        address = f"{settings.PUBLIC_URL}/messages/texts/"
        mark = RequestValidator("secret").compute_signature(address, sent) if signed else "forged"
        return Client().post("/messages/texts/", sent, headers={"X-Twilio-Signature": mark})

    return hand_over


def test_a_word_in_a_text_message_stops_all_of_them(chain: Chain, surveys: Any, provider: Any) -> None:
    assert call_ended("call-1", chain.call_centre, NUMBER, language="uk").invited
    assert provider("Стоп", signed=False).status_code == 403 and not Suppression.objects.exists()
    assert provider("Was ist das?").content == b"<Response/>" and not Suppression.objects.exists()
    answered = provider(" СТОП! ").content.decode()
    assert answered.startswith("<Response><Message>") and "Стоп" not in answered
    assert Suppression.objects.get().reason == "stop" and Permission.objects.get().withdrawn_at
    # Said twice it is confirmed once.
    assert provider("стоп").content == b"<Response/>"
    assert call_ended("call-2", chain.call_centre, NUMBER).not_asked == "suppressed"


def test_whose_text_message_cannot_be_read_is_sent_the_link_once(chain: Chain, surveys: Any, provider: Any) -> None:
    call_ended("call-1", chain.call_centre, NUMBER, language="de")
    asked = Message.objects.filter(kind="call_survey")
    asked.update(state="sent", run_at=None)
    for words, sid in (("13", "SM1"), ("13", "SM1"), ("3 oder 4", "SM2")):
        assert provider(words, MessageSid=sid).content == b"<Response/>"
    assert hear_due() == 2
    [again] = Message.objects.exclude(kind="call_survey")
    told = rendered_for(again)
    assert told and public_link(Invitation.objects.get()) in told.text and "0 (nein) - 10 (ja)" in told.text
    # Answered in vain it says nothing more, and of the words nothing stays.
    again.state = "sent"
    again.save()
    provider("???", MessageSid="SM3")
    assert hear_due() == 1 and Message.objects.count() == 2 and not IncomingText.objects.exclude(text="").exists()
    # Nobody is asked what they have answered meanwhile.
    Invitation.objects.update(expires_at=timezone.now())
    assert rendered_for(again) is None


def test_what_the_provider_understood_itself_is_heard_and_not_answered(
    chain: Chain, surveys: Any, provider: Any, client: Client, settings: LazySettings
) -> None:
    call_ended("call-1", chain.call_centre, NUMBER)
    address = path(Contact.objects.get(), settings)
    client.post(address)
    assert provider("STOP", OptOutType="STOP").content == b"<Response/>" and Suppression.objects.exists()
    # On the page it cannot be taken back, whatever was said there: the provider would refuse the messages all the same.
    assert 'value="again"' not in client.get(address).content.decode()
    client.post(address, {"do": "again"})
    assert Suppression.objects.exists()
    provider("START", OptOutType="START")
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    "text", ["STOP", "stop.", "Abmelden", "désabonner", "відписатися", "Не пишіть", "إلغاء", "opt-out", "3 STOP"]
)
def test_words_that_stop(text: str) -> None:
    assert says_stop(text)


@pytest.mark.parametrize("text", ["", "Please stop the noise in the shop", "не", "3", "Non-stop service!"])
def test_words_that_do_not(text: str) -> None:
    assert not says_stop(text)


def test_numbers_of_countries_far_away_are_not_texted(client: Client, chain: Chain, answer: Any) -> None:
    far = "+252612345678"
    refused = answer(score="2", reason="Dear", contact="text", phone=far)
    assert refused.status_code == 422 and "send text messages to this country" in refused.content.decode()
    assert not Contact.objects.exists()
    # A person may dial it.
    assert answer(score="2", contact="call", phone=far).status_code == 303
    # And whoever has it by another way, the sender does not.
    contact = Response.objects.get().contact
    assert contact is not None
    Message.objects.create(kind="case_answer", subject_id="x", channel="sms", contact=contact, dedup_key="far")
    Message.objects.update(run_at=timezone.now())
    drain(["alerts"])
    assert Message.objects.get(dedup_key="far").last_error == "country"
