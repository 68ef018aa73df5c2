"""What staff and shoppers read: in their language, with words that may leave the house, and nothing that runs."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation

from alerts import actions
from alerts.choices import Severity
from alerts.models import Case, RootCause, Verification
from alerts.work import follow_verifications
from core.leases import ClockNow
from core.work import drain
from messaging.models import Message
from messaging.outbox import Rendered, renderer_of
from sentiment.models import Analysis
from surveys.models import Response, Verbatim
from tests.alerts.conftest import open_case, submit
from tests.factories import Chain, make_response

HOSTILE = '<script>alert(1)</script> <img src="http://evil.example/x"> {{ settings.SECRET_KEY }} {% now "Y" %}'


def written(kind: str, language: str = "en") -> Rendered:
    message = Message.objects.filter(kind=kind).latest("created_at")
    with translation.override(language):
        rendered = renderer_of(kind)(message)
    assert rendered
    return rendered


def test_the_subject_says_score_store_and_minutes_left(chain: Chain) -> None:
    case = open_case(chain, score=3, words="Nobody helped me.")
    mail = written("case_notice")
    assert mail.subject == "3/10 · Kyiv One · 30 min left"
    for body in (mail.text, mail.html):
        assert "Nobody helped me." in body
        assert f"{settings.PUBLIC_URL}/cases/{case.pk}/" in body
        assert "E-mail me" in body
    Case.objects.update(due_at=timezone.now())
    assert "overdue" in written("case_notice").subject


def test_still_here_leads(chain: Chain) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=1)
    response.still_here = True
    response.save()
    submit(response)
    mail = written("case_notice")
    assert mail.subject.startswith("Severe · still here · 1/10")
    assert mail.text.lstrip().startswith("Still in the store, at: Till. May someone come?")


def test_mail_holds_redacted_words_only(chain: Chain) -> None:
    """Before the words are read they are redacted on the spot; afterwards the reading's are taken."""
    case = open_case(chain, contact=None, words=f"{chain.manager.name} was rude, call me on +380671234567")
    for body in (written("case_notice").text, written("case_notice").html):
        assert "671234567" not in body
        assert chain.manager.name not in body
        assert "was rude" in body
        assert "No way to contact this shopper" in body
    Analysis.objects.update_or_create(
        verbatim=Verbatim.objects.get(response=case.response),
        defaults={"redacted": "As the model shares it", "analysed_at": timezone.now()},
    )
    assert "As the model shares it" in written("case_notice").text


def test_hostile_words_are_words(chain: Chain) -> None:
    open_case(chain, words=HOSTILE)
    mail = written("case_notice")
    assert "<script" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "<img" not in mail.html
    assert "{{ settings.SECRET_KEY }}" in mail.html
    assert settings.SECRET_KEY not in mail.html + mail.text
    assert "<script>alert(1)</script>" in mail.text


@pytest.mark.parametrize("language", ["en", "de", "uk"])
def test_nothing_is_loaded_from_anywhere(chain: Chain, root_cause: RootCause, language: str) -> None:
    case = open_case(chain)
    actions.answer_shopper(case.pk, actor=chain.manager, text="Sorry.", form_id=uuid4())
    actions.resolve(case.pk, actor=chain.manager, root_cause_id=root_cause.pk, outcome="put_right", form_id=uuid4())
    Verification.objects.update(run_at=ClockNow())
    follow_verifications()
    mails = [written("case_answer", language), written("verification", language)]
    Case.objects.update(state="open")
    mails.append(written("case_notice", language))
    for mail in mails:
        assert f'lang="{language}"' in mail.html
        assert not re.search(r"src=|url\(|<link|@import", mail.html)
        assert set(re.findall(r'href="([^"]*)"', mail.html)) <= set(re.findall(r"https?://\S+", mail.text))


def test_the_shopper_gets_a_link_and_never_the_answer(chain: Chain) -> None:
    case = open_case(chain)
    actions.answer_shopper(case.pk, actor=chain.manager, text="We are sorry about the lamp.", form_id=uuid4())
    mail = written("case_answer")
    link = f"{settings.PUBLIC_URL}/c/{case.response.token}/"
    assert link in mail.text and link in mail.html
    assert "lamp" not in mail.text + mail.html + mail.subject


def test_a_text_message_is_short_and_has_no_markup(chain: Chain) -> None:
    case = open_case(chain, contact="+380671234567", words="word " * 300)
    actions.answer_shopper(case.pk, actor=chain.manager, text="Sorry.", form_id=uuid4())
    sms = written("case_answer")
    assert sms.html == ""
    assert sms.text == f"Kyiv One has answered your feedback: {settings.PUBLIC_URL}/c/{case.response.token}/"
    Message.objects.filter(kind="case_notice").update(channel="sms")
    assert len(written("case_notice").text) < 300


def test_what_is_not_needed_any_more_is_not_written(chain: Chain, root_cause: RootCause) -> None:
    case = open_case(chain)
    actions.answer_shopper(case.pk, actor=chain.manager, text="Sorry.", form_id=uuid4())
    actions.resolve(case.pk, actor=chain.manager, root_cause_id=root_cause.pk, outcome="put_right", form_id=uuid4())
    notice = Message.objects.get(kind="case_notice")
    assert renderer_of("case_notice")(notice) is None
    actions.withdraw_permission(case.response_id)
    answer = Message.objects.get(kind="case_answer")
    assert renderer_of("case_answer")(answer) is None


def test_each_reads_their_own_language(chain: Chain, mailoutbox: list[EmailMultiAlternatives]) -> None:
    chain.manager.language = "de"
    chain.manager.save()
    open_case(chain, contact=None)
    drain(["alerts"])
    (mail,) = mailoutbox
    html: Any = mail.alternatives[0]
    assert 'lang="de"' in html[0]
    assert mail.to == [chain.manager.email]
    assert mail.extra_headers["Message-ID"].endswith("@localhost>")


def test_severe_is_said(chain: Chain) -> None:
    open_case(chain)
    Case.objects.update(severity=Severity.SEVERE)
    assert written("case_notice").subject.startswith("Severe · ")


def test_a_case_of_several_responses_shows_all_words(chain: Chain) -> None:
    case = open_case(chain, words="First complaint")
    again = make_response(touchpoint=chain.touchpoint, score=2, words="Second complaint")
    case.further_responses.create(response=again)
    text = written("case_notice").text
    assert "First complaint" in text and "Second complaint" in text
    assert Response.objects.count() == 2


@pytest.mark.parametrize(("contacted", "told"), [(True, "were contacted"), (False, "were not contacted"), (None, "")])
def test_a_no_is_one_notice_that_says_so_and_quotes_the_new_words(
    chain: Chain, root_cause: RootCause, contacted: bool | None, told: str
) -> None:
    case = open_case(chain, words="First complaint")
    actions.record_contact(case.pk, actor=chain.manager, channel="call", reached=True, form_id=uuid4())
    actions.resolve(case.pk, actor=chain.manager, root_cause_id=root_cause.pk, outcome="put_right", form_id=uuid4())
    old, form_id = set(Message.objects.values_list("pk", flat=True)), uuid4()
    words = f"{chain.manager.name} lied, call me on +380671234567"
    for _tap in range(2):
        actions.confirm(case.response_id, contacted=contacted, solved=False, text=words, form_id=form_id)
    new = Message.objects.exclude(pk__in=old)
    assert [(message.kind, message.user) for message in new] == [("case_notice", chain.area_manager)]
    assert case.entries.filter(kind="shopper").get().text == words
    mail = written("case_notice")
    assert mail.subject == "Reopened: the shopper says it is not solved · 2/10 · Kyiv One · 30 min left"
    for body in (mail.text, mail.html):
        assert "Reopened: the shopper says it is not solved." in body and "unhappy" not in body
        assert told in body and ("They say" in body) is bool(told)
        assert body.index("lied, call me") < body.index("First complaint")
        assert "671234567" not in body and chain.manager.name not in body
    new.update(channel="sms")
    assert "lied, call me" in written("case_notice").text
    # What is written later, even with the same answer, is news of its own.
    actions.confirm(case.response_id, contacted=contacted, solved=False, text="And more", form_id=uuid4())
    assert new.filter(kind="case_update").count() == 1
    actions.erase(case.response_id)
    assert "lied" not in written("case_notice").text
