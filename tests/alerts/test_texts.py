"""What shoppers answer to our text messages is in their case once, and its owner reads it; nothing forged or lost."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from twilio.request_validator import RequestValidator

from alerts import actions
from alerts.choices import CaseState, EntryKind, EventKind
from alerts.models import Case, CaseEntry
from alerts.texts import hear_in_case
from core.personal import erase_response
from messaging import hearing
from messaging.choices import Channel, MessageState
from messaging.hearing import hear_due
from messaging.models import IncomingText, Message
from messaging.outbox import rendered_for
from tests.alerts.conftest import open_case
from tests.factories import Chain
from tests.threads import Beside

NUMBER = "+380671234567"
Texts = Callable[..., int]


@pytest.fixture
def texts(settings: LazySettings) -> Texts:
    """Hands over text messages as Twilio does; the answer's status."""
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "0" * 32, "secret"

    def hand_over(body: str, *, sid: str = "", number: str = NUMBER, token: str = "secret", **more: str) -> int:
        sent = {
            "AccountSid": settings.TWILIO_ACCOUNT_SID,
            "From": number,
            "Body": body,
            "MessageSid": sid or f"SM{uuid4().hex}",
            **more,
        }
        mark = RequestValidator(token).compute_signature(f"{settings.PUBLIC_URL}/messages/texts/", sent)
        status: int = Client().post("/messages/texts/", sent, headers={"X-Twilio-Signature": mark}).status_code
        return status

    return hand_over


def answered(chain: Chain, number: str = NUMBER) -> Case:
    """A case whose shopper was written to by text."""
    case = open_case(chain, contact=number)
    actions.answer_shopper(case.pk, actor=chain.manager, text="Sorry.", form_id=uuid4())
    Message.objects.filter(kind="case_answer").update(state=MessageState.SENT, run_at=None)
    return case


def said(case: Case) -> list[str]:
    return list(case.entries.filter(kind=EntryKind.SHOPPER).values_list("text", flat=True))


def test_it_lands_in_the_case_once_and_its_owner_reads_it(chain: Chain, texts: Texts) -> None:
    case = answered(chain)
    assert texts("Call +380501112233", sid="SM1", token="guessed") == 403
    for _time in range(2):
        assert texts("  Thanks, it fits now: call +380501112233 \n", sid="SM1") == 200
    assert IncomingText.objects.count() == 1 and hear_due() == 1 and hear_due() == 0
    assert said(case) == ["Thanks, it fits now: call +380501112233"]
    # Handed over once more, long after.
    texts("Thanks, it fits now: call +380501112233", sid="SM1")
    assert hear_due() == 0 and IncomingText.objects.get().text == ""
    case.refresh_from_db()
    # They had asked for a call; what was written instead has reached them.
    assert case.state == CaseState.CONTACTED
    [event] = case.events.filter(kind=EventKind.REPLIED)
    assert (event.channel, event.actor) == (Channel.SMS, None)
    [notice] = Message.objects.filter(kind="case_update")
    told = rendered_for(notice)
    assert notice.user == case.owner and told
    assert "it fits now" in told.text and "50111" not in told.text and "has written" in told.subject


def test_to_the_two_questions_and_more_than_once(chain: Chain, texts: Texts, root_cause: Any) -> None:
    case = answered(chain)
    actions.resolve(case.pk, actor=chain.manager, root_cause_id=root_cause.pk, outcome="put_right", form_id=uuid4())
    question = case.verifications.get()
    actions.ask_shopper(question)
    Message.objects.filter(kind="verification").update(state=MessageState.SENT, run_at=None)
    texts("No, nobody called")
    texts("Really")
    assert hear_due() == 2
    case.refresh_from_db()
    # A person reads it: a text never answers a question by itself.
    assert said(case) == ["No, nobody called", "Really"] and case.state == CaseState.RESOLVED
    question.refresh_from_db()
    assert question.answered_at is None


def test_a_phone_that_answers_by_itself_says_nothing_of_its_owner(chain: Chain, texts: Texts) -> None:
    case = answered(chain)
    texts("I’m driving with Focus turned on. I’ll see your message when I get where I’m going.")
    hear_due()
    case.refresh_from_db()
    assert len(said(case)) == 1 and case.state != CaseState.CONTACTED
    texts("I am in a hurry, tomorrow please")
    hear_due()
    case.refresh_from_db()
    assert case.state == CaseState.CONTACTED


def test_nothing_is_dropped_neither_a_picture_nor_what_comes_after_many(
    chain: Chain, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "_REPLIES_A_DAY", 2)
    case = answered(chain)
    for body, pictures in (("", "1"), ("Look", "2"), ("Hello?", "0")):
        assert texts(body, NumMedia=pictures) == 200
        hear_due()
    assert said(case) == ["[MMS]", "Look\n[MMS]", "Hello?"]
    # But the third wakes nobody.
    assert Message.objects.filter(kind="case_update").count() == 2
    with pytest.raises(actions.ActionRefused):
        actions.shopper_reply(case.response_id, text="On my page", form_id=uuid4())


def test_the_page_does_not_show_what_the_owner_of_the_number_texted(chain: Chain, texts: Texts, client: Client) -> None:
    case = answered(chain)
    texts("Who are you?")
    hear_due()
    page = client.get(f"/c/{case.response.token}/").content.decode()
    assert "You answered by text message." in page and "Who are you?" not in page


def test_what_answers_nothing_of_ours_is_not_kept(chain: Chain, texts: Texts) -> None:
    case = answered(chain)
    assert texts("Hello", number="+380509999999") == 200 and texts("   ") == 200
    erase_response(case.response_id)
    assert texts("Hello") == 200
    assert not IncomingText.objects.exists()


def test_deleting_what_one_said_takes_a_text_along_that_nobody_has_heard_yet(chain: Chain, texts: Texts) -> None:
    case = answered(chain)
    texts("Hello")
    actions.erase(case.response_id)
    assert not IncomingText.objects.exists() and hear_due() == 0
    assert not CaseEntry.objects.filter(case=case).exclude(text="").exists()


@pytest.mark.django_db(transaction=True)
def test_who_deletes_it_at_the_moment_it_is_heard_waits_and_leaves_nothing(
    texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = answered(Chain())
    texts("Hello")
    other = Beside(lambda: actions.erase(case.response_id))

    def hear(text: IncomingText) -> bool:
        taken = hear_in_case(text)
        other.until_held()
        return taken

    monkeypatch.setitem(hearing._listeners, "case_answer", [hear])
    assert hear_due() == 1
    other.end()
    assert not IncomingText.objects.exists()
    assert said(case) == [""] and not CaseEntry.objects.filter(case=case).exclude(text="").exists()


@pytest.mark.django_db(transaction=True)
def test_a_text_that_comes_while_the_words_go_leaves_nothing(texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    case = answered(Chain())

    hearing_it = Beside(hear_due)

    def text_comes(response_id: UUID) -> None:
        erase_response(response_id)
        comes = Beside(lambda: texts("Hello"))
        comes.start()
        comes.end()
        hearing_it.until_held()

    monkeypatch.setattr(actions, "erase_response", text_comes)
    actions.erase(case.response_id)
    hearing_it.end()
    assert IncomingText.objects.exists()
    assert not CaseEntry.objects.filter(case=case).exclude(text="").exists()
    assert not IncomingText.objects.exclude(text="").exists()


def test_what_fails_is_tried_again(chain: Chain, texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    case = answered(chain)
    texts("Hello")
    heard = hearing._listeners["case_answer"]
    with monkeypatch.context() as broken:
        broken.setitem(hearing._listeners, "case_answer", [lambda text: 1 / 0])
        assert hear_due() == 1
    waiting = IncomingText.objects.get()
    assert waiting.run_at and waiting.text == "Hello" and heard
    IncomingText.objects.update(run_at=waiting.received_at)
    assert hear_due() == 1 and said(case) == ["Hello"]
