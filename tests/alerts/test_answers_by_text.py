"""The question after a call by text message: "3" comes back, it asks why, and the case is open."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import LazySettings
from django.db import transaction
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from alerts import actions
from alerts.choices import EntryKind, Trigger
from alerts.models import Case, CaseResponse, Evaluation
from alerts.opening import is_stale, judge
from core.work import drain
from customers.models import Contact, Permission, Suppression
from messaging import hearing
from messaging.catcher import Catcher
from messaging.choices import Channel
from messaging.hearing import hear_due
from messaging.models import IncomingText, Message
from messaging.outbox import rendered_for
from messaging.segments import segments
from reports.facts import count_days
from reports.models import StaleMark, StoreDay
from sentiment.models import Analysis
from sentiment.signals import verbatim_analysed
from surveys import fairness, texts
from surveys.actions import Submitted, change_score, submit
from surveys.choices import AUTOMATIC, MANY, STAFF_FLAG, UNFINISHED, QuestionKind
from surveys.counting import no_answer
from surveys.defaults import ensure_surveys
from surveys.inviting import call_ended, public_link
from surveys.models import Call, Invitation, PartialAnswer, Response, ResponseRevision, SurveyChoice, SurveyVersion
from surveys.partials import settle_left
from surveys.text_answers import Said, read_answer
from tests.alerts.conftest import open_case
from tests.factories import Chain, make_version, minutes_ago
from tests.messaging.conftest import catcher as catcher
from tests.threads import Beside

pytestmark = pytest.mark.django_db
NUMBER = "+380671234567"
Texts = Callable[..., None]
COMPLAINTS = (
    "Jeg kører aldrig ind til jer igen",
    "Ik rijd een uur voor niets",
    "I am driving an hour for nothing",
    "Out of office hours nobody answers",
)


@pytest.fixture
def text(settings: LazySettings) -> Texts:
    """Hands a text message over as Twilio does, and has it heard."""
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "0" * 32, "secret"

    def hand_over(body: str, *, sid: str = "", number: str = NUMBER) -> None:
        sent = {
            "AccountSid": settings.TWILIO_ACCOUNT_SID,
            "From": number,
            "Body": body,
            "MessageSid": sid or f"SM{uuid4().hex}",
        }
        mark = RequestValidator("secret").compute_signature(f"{settings.PUBLIC_URL}/messages/texts/", sent)
        assert Client().post("/messages/texts/", sent, headers={"X-Twilio-Signature": mark}).status_code == 200
        hear_due()

    return hand_over


def call(chain: Chain, *, language: str = "en", name: str = "call-1") -> Invitation:
    """A call that ended, and its question is with the caller."""
    ensure_surveys()
    ended = minutes_ago(3)
    done = call_ended(name, chain.call_centre, NUMBER, queue="orders", agent="a7", language=language, ended_at=ended)
    assert done.invitation is None and done.invited
    Message.objects.filter(kind="call_survey").update(state="sent", run_at=None)
    return Invitation.objects.get(call__external_id=name)


def words_of(response: Response) -> list[str]:
    return list(response.verbatims.order_by("pk").values_list("text", flat=True))


def written(kind: str) -> str:
    """What we write to the shopper; each kind once."""
    [message] = Message.objects.filter(kind=kind)
    rendered = rendered_for(message)
    assert rendered is not None
    return rendered.text


def choose(version: SurveyVersion) -> None:
    SurveyChoice.objects.filter(channel="call").update(survey=version.survey)


# --- the whole way --------------------------------------------------------------------------------------------------
def test_three_comes_back_and_it_asks_why_and_the_case_is_open(chain: Chain, text: Texts, catcher: Catcher) -> None:
    ensure_surveys()
    call_ended("call-1", chain.call_centre, NUMBER, queue="orders", agent="a7", language="en", ended_at=minutes_ago(3))

    def told() -> list[str]:
        drain(["alerts"])
        return [caught.text for caught in catcher.messages if caught.recipient == NUMBER]

    [asked] = told()
    assert "recommend Call centre" in asked and "0 (no) - 10 (yes)" in asked
    assert public_link(Invitation.objects.get()) in asked and segments(asked) <= 2
    for _time in range(2):
        text("3", sid="SM1")
    response, case = Response.objects.get(), Case.objects.get()
    assert (response.score, response.channel, response.sample_kind) == (3, "call", "verified")
    assert response.invitation and response.invitation.call and response.flags == []
    assert (response.invitation.call.queue, response.invitation.call.agent) == ("orders", "a7")
    assert (case.response, case.store, case.owner) == (response, chain.call_centre, chain.call_centre_lead)
    # They may be answered as they wrote, so that the loop can be closed with them, and the ledger says why.
    assert (response.contact_wish, response.contact, case.fix_only) == ("text", response.invitation.contact, False)
    assert Permission.objects.filter(contact=response.contact, purpose="answer", wording__contains="by text").exists()
    [_asked, why] = told()
    assert "main reason for your score? Just reply." in why and f"/c/{response.token}/" in why
    for _time in range(2):
        text("Nobody <b>helped</b> me", sid="SM2")
    response.refresh_from_db()
    assert words_of(response) == ["Nobody <b>helped</b> me"] and (response.score, response.revision) == (3, 2)
    assert Analysis.objects.get().analysed_at is None
    # Its owner is told once more, and nothing more goes to the shopper, whatever answers by itself there.
    assert Message.objects.filter(kind="case_update", user=chain.call_centre_lead).count() == 1
    for _time in range(3):
        text("I am driving")
    assert len(told()) == 2
    assert case.entries.filter(kind=EntryKind.SHOPPER).count() == 3 and Response.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_texts_at_once_are_the_score_and_its_reason(text: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    call(Chain())

    other = Beside(lambda: text("Nobody helped me"))

    def submit_slowly(*args: Any, **more: Any) -> Submitted:
        done = submit(*args, **more)
        other.until_held()
        return done

    monkeypatch.setattr(texts, "submit", submit_slowly)
    text("3")
    other.end()
    assert Response.objects.get().score == 3 and words_of(Response.objects.get()) == ["Nobody helped me"]


def test_a_number_with_its_reason_needs_no_question(chain: Chain, text: Texts) -> None:
    call(chain)
    text("8 - super")
    text("and so quick")
    response = Response.objects.get()
    # Without a case there is nowhere else to go.
    assert response.score == 8 and words_of(response) == ["super\nand so quick"]
    assert written("call_survey_more").startswith("Thank you. Your answer, ")


def test_words_without_a_number_are_kept_and_it_is_asked_for_once(chain: Chain, text: Texts) -> None:
    call(chain)
    text("terrible service, I waited 45 minutes")
    response = Response.objects.get()
    assert response.score is None and response.flags == [UNFINISHED] and Analysis.objects.count() == 1
    more = written("call_survey_more")
    assert "with a number, 0 (no) - 10 (yes)." in more and f"/c/{response.token}/" in more
    text("12")
    assert not Case.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        text("2")
    response = Response.objects.get()
    assert (response.score, response.flags) == (2, [])
    # What is on no scale may be meant for people.
    assert words_of(response) == ["terrible service, I waited 45 minutes", "12"]
    assert Case.objects.get().response == response
    to_shopper = Message.objects.filter(user=None).values_list("kind", flat=True)
    assert set(to_shopper) == {"call_survey", "call_survey_more"}


def test_what_a_phone_says_by_itself_is_kept_and_its_owner_may_answer_still(
    chain: Chain, text: Texts, client: Client
) -> None:
    link = f"/r/{call(chain).token}/"
    driving = "I’m driving with Focus turned on. I’ll see your message when I get where I’m going."
    text(driving)
    response = Response.objects.get()
    assert (response.score, response.contact_wish, words_of(response)) == (None, "none", [driving])
    assert response.flags == [AUTOMATIC] and not Response.objects.exclude(no_answer()).exists()
    assert Message.objects.count() == 1 and not Permission.objects.filter(wording__contains="by text").exists()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert 'name="score"' in client.get(link).content.decode()
        text("3")
    response.refresh_from_db()
    assert (response.score, response.contact_wish, response.flags) == (3, "text", [])
    assert response.submitted_at > timezone.now() + timedelta(hours=1)
    assert "main reason for your score? Just reply." in written("call_survey_more")
    text("Nobody came to help")
    assert words_of(response) == [driving, "Nobody came to help"]
    # What the phone wrote stays out of what is counted and of what opens a case, whatever is read into it.
    for words in Analysis.objects.order_by("pk"):
        words.sentiment, words.analysed_at, words.confident, words.p_negative = "negative", timezone.now(), True, 1.0
        words.save()
        fact = Evaluation(response=response, trigger=Trigger.TEXT, verbatim_id=words.pk)
        case = judge(fact, response, fresh=False)
        assert (case is None) == (words.verbatim.text == driving)
    with transaction.atomic():
        count_days({(response.store_id, response.local_day)})
    assert StoreDay.objects.get().negative == 1


def test_words_of_its_owner_make_what_a_phone_said_an_answer(chain: Chain, text: Texts, client: Client) -> None:
    path = f"/r/{call(chain).token}/"
    form = client.get(path).content.decode().split('name="form" value="')[1].split('"')[0]
    text("Auto-reply: I am away")
    text("I waited for an hour")
    response = Response.objects.get()
    assert response.flags == [UNFINISHED] and "with a number" in written("call_survey_more")
    client.post(path, {"form": form, "score": "2", "reason": "And nobody came"})
    response.refresh_from_db()
    assert (response.score, response.flags) == (2, [])
    assert words_of(response) == ["Auto-reply: I am away", "I waited for an hour\nAnd nobody came"]
    assert Case.objects.get().response == response


@pytest.mark.parametrize(
    ("first", "texted", "score", "words"),
    [
        ("page", "2", 2, "gas smell"),
        ("page", "I waited for an hour", 1, "I waited for an hour\ngas smell"),
        ("text", "I waited for an hour", 1, "I waited for an hour\ngas smell"),
    ],
)
def test_what_a_page_said_it_kept_stands_beside_what_is_texted(
    chain: Chain, text: Texts, client: Client, first: str, texted: str, score: int, words: str
) -> None:
    """Sent with a number that nobody can dial, and left at that."""
    path = f"/r/{call(chain).token}/"
    form = client.get(path).content.decode().split('name="form" value="')[1].split('"')[0]
    if first == "text":
        text(texted)
    page = {"form": form, "score": "1", "reason": "gas smell", "contact": "call", "phone": "12"}
    assert client.post(path, page).status_code == 422
    if first == "page":
        text(texted)
    assert PartialAnswer.objects.update(run_at=minutes_ago(1)) == 1
    settle_left()
    response = Response.objects.get()
    assert (response.score, response.flags, words_of(response)) == (score, [], [words])
    assert not PartialAnswer.objects.exists()


def test_a_page_after_what_a_phone_says_bears_its_own_marks(
    chain: Chain, text: Texts, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "MANY_AN_HOUR", 0)
    path = f"/r/{call(chain).token}/"
    text("Auto-reply: I am away")
    client.force_login(chain.call_centre_lead)
    form = client.get(path).content.decode().split('name="form" value="')[1].split('"')[0]
    client.post(path, {"form": form, "score": "9"})
    assert {STAFF_FLAG, MANY} <= set(Response.objects.get().flags)


def test_a_reason_by_text_that_had_to_be_given_completes_the_answer(chain: Chain, text: Texts) -> None:
    first = make_version()
    score, reason = first.document["questions"]
    document = first.document | {"questions": [score, reason | {"required": True}]}
    version = SurveyVersion.objects.create(survey=first.survey, number=2, headline_kind="nps", document=document)
    ensure_surveys()
    choose(version)
    call(chain)
    text("3")
    assert Response.objects.get().flags == [UNFINISHED]
    text("Nobody helped me")
    assert Response.objects.get().flags == []


def test_what_a_phone_says_by_itself_sends_nothing_that_was_only_tapped(
    chain: Chain, text: Texts, client: Client
) -> None:
    path = f"/r/{call(chain).token}/"
    form = client.get(path).content.decode().split('name="form" value="')[1].split('"')[0]
    assert client.post(path, {"form": form, "score": "2", "step": "1"}).status_code == 204
    PartialAnswer.objects.update(run_at=minutes_ago(1))
    settle_left()
    text("Auto-reply: I am away")
    response = Response.objects.get()
    assert (response.score, response.flags, words_of(response)) == (2, ["unsent"], ["Auto-reply: I am away"])
    text("3")
    response.refresh_from_db()
    assert (response.score, response.flags) == (3, []) and Case.objects.get().response == response


def test_a_phone_that_wrote_first_takes_no_question_and_no_late_word_away(chain: Chain, text: Texts) -> None:
    call(chain)
    text("Auto-reply: I am away")
    text("12")
    assert "Which number" in written("call_survey_again") and Response.objects.get().flags == [AUTOMATIC]
    long_ago(45)
    text("They let me wait for an hour")
    zone = ZoneInfo(chain.call_centre.time_zone)
    response, day = Response.objects.get(), Call.objects.get().ended_at.astimezone(zone).date()
    # The words count today, when somebody reads them, and a score on the day of the call.
    assert response.local_day != day
    Invitation.objects.update(expires_at=timezone.now() + timedelta(days=1))
    text("2")
    response.refresh_from_db()
    assert (response.score, response.local_day) == (2, day)
    assert (response.flags, response.contact_wish) == ([], "text")
    assert words_of(response) == ["Auto-reply: I am away", "They let me wait for an hour"]
    assert Message.objects.filter(kind="call_survey_more").exists()


# --- where no question waits ----------------------------------------------------------------------------------------
def long_ago(days: int) -> None:
    """What was asked and answered so far lies so far back, and its time is over."""
    then = timezone.now() - timedelta(days=days)
    Call.objects.update(ended_at=then)
    Invitation.objects.update(created_at=then, expires_at=minutes_ago(1))
    Message.objects.update(created_at=then)
    Response.objects.update(submitted_at=then)
    ResponseRevision.objects.update(replaced_at=then)


def test_what_comes_after_the_time_is_kept_and_answered_once(chain: Chain, text: Texts, client: Client) -> None:
    call(chain)
    long_ago(45)
    for body in ("3 - they let me wait for an hour", "And then hung up", "9", "Hello?"):
        text(body)
    response = Response.objects.get()
    # What was not asked is no score, and nothing more is asked.
    assert (response.score, response.flags, response.channel) == (None, [UNFINISHED], "call")
    assert response.invitation == Invitation.objects.get() and response.store == chain.call_centre
    assert words_of(response) == ["3 - they let me wait for an hour\n9", "And then hung up\nHello?"]
    assert written("call_survey_more").startswith("Thank you. Your answer, and how")
    assert set(Message.objects.values_list("kind", flat=True)) == {"call_survey", "call_survey_more"}
    # Who leads the place finds it among the words of these days, with what it lacks.
    Analysis.objects.update(analysed_at=timezone.now())
    StaleMark.objects.update(run_at=minutes_ago(1))
    drain(["facts"])
    client.force_login(chain.call_centre_lead)
    found = client.get("/verbatims/", {"mark": UNFINISHED}).content.decode()
    assert "they let me wait for an hour" in found and "And then hung up" in found


def test_where_only_a_link_was_sent_a_text_is_kept_and_the_page_may_follow(
    chain: Chain, text: Texts, client: Client
) -> None:
    invitation = call(chain)
    SurveyChoice.objects.filter(channel="call").delete()
    Invitation.objects.update(version=None)
    assert written("call_survey") == f"Halfhour: how was your call? {public_link(invitation)}"
    text("Auto-reply: I am away")
    assert Response.objects.get().flags == [AUTOMATIC] and Message.objects.count() == 1
    text("Nobody came back to me")
    response = Response.objects.get()
    assert (response.score, response.flags, response.contact_wish) == (None, [UNFINISHED], "text")
    assert f"/c/{response.token}/" in written("call_survey_more")
    # A survey is chosen meanwhile: its number stands on its own scale.
    version = make_version(headline_kind=QuestionKind.CSAT)
    assert response.headline_kind != version.headline_kind
    SurveyChoice.objects.create(channel="call", survey=version.survey)
    path = f"/r/{invitation.token}/"
    form = client.get(path).content.decode().split('name="form" value="')[1].split('"')[0]
    client.post(path, {"form": form, "score": "5"})
    response.refresh_from_db()
    assert (response.score, response.headline_kind, response.version, response.flags) == (5, "csat", version, [])
    assert "Nobody came back to me" in words_of(response)[-1]


@pytest.mark.parametrize("answered", [False, True])
def test_what_cannot_wait_makes_a_case_however_late_it_is_texted(chain: Chain, text: Texts, answered: bool) -> None:
    call(chain)
    if answered:
        text("9")
    long_ago(20)
    text("There is a gas leak in your shop, my child was hurt and had to go to hospital")
    words = Analysis.objects.get()
    assert words.priority == 0
    Analysis.objects.update(analysed_at=timezone.now(), urgency=["safety"], urgency_certain=True, language="en")
    verbatim_analysed.send(sender=Analysis, analysis=words)
    drain(["alerts"])
    assert "safety" in Case.objects.get().urgency


def test_words_of_last_month_stay_old_whatever_else_is_texted(chain: Chain, text: Texts) -> None:
    call(chain)
    text("9 - it was rather quick")
    long_ago(20)
    verbatim = Response.objects.get().verbatims.get()
    assert is_stale(verbatim)
    change_score(verbatim.response_id, 8, at=timezone.now(), version=verbatim.response.version)
    assert ResponseRevision.objects.filter(replaced_at__gte=minutes_ago(1)).exists() and is_stale(verbatim)
    text("But then they hung up")
    assert not is_stale(Response.objects.get().verbatims.get())


def test_a_number_of_several_calls_answers_the_last_that_was_asked_about(chain: Chain, text: Texts) -> None:
    first = call(chain)
    second = call(chain, name="call-2")
    Invitation.objects.filter(pk=first.pk).update(expires_at=minutes_ago(1))
    text("3")
    assert Response.objects.get().invitation == second and Response.objects.get().score == 3


def test_one_number_cannot_fill_the_tables(chain: Chain, text: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "_MOST_A_DAY", 2)
    call(chain)
    for body in ("3", "Rude", "Rude again"):
        text(body)
    assert IncomingText.objects.count() == 2 and words_of(Response.objects.get()) == ["Rude"]
    IncomingText.objects.update(received_at=minutes_ago(25 * 60))
    text("Rude again")
    assert IncomingText.objects.count() == 3


def test_who_wants_no_messages_is_heard_and_not_written_to(chain: Chain, text: Texts) -> None:
    call(chain)
    Invitation.objects.update(expires_at=minutes_ago(1))
    text("Stop")
    text("You kept me waiting for an hour")
    response = Response.objects.get()
    assert (response.contact_wish, words_of(response)) == ("none", ["You kept me waiting for an hour"])
    assert not Permission.objects.filter(withdrawn_at=None).exists()
    drain(["alerts"])
    assert Message.objects.get(kind="call_survey_more").last_error == "suppressed"


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_a_person_who_speaks_of_driving_is_answered(chain: Chain, text: Texts, complaint: str) -> None:
    call(chain)
    text(complaint)
    assert words_of(Response.objects.get()) == [complaint] and "with a number" in written("call_survey_more")


def test_what_the_page_and_a_text_say_stands_side_by_side(chain: Chain, text: Texts, client: Client) -> None:
    """A page that was open before the text came is sent without words and without a wish."""
    path = f"/r/{call(chain).token}/"
    form = client.get(path).content.decode().split('name="form" value="')[1].split('"')[0]
    text("2 - cut off twice")
    client.post(path, {"form": form, "score": "3"})
    client.post(path, {"form": form, "score": "3", "reason": "Slow, said Ms Weaver"})
    client.post(path, {"form": form, "score": "3", "reason": "Slow, they said"})
    assert words_of(Response.objects.get()) == ["cut off twice\nSlow, they said"]
    client.post(path, {"form": form, "score": "3"})
    response = Response.objects.get()
    assert (response.score, response.revision, words_of(response)) == (3, 5, ["cut off twice"])
    assert "cut off twice" in response.answers.values() and response.contact_wish == "text"
    assert Permission.objects.get(wording__contains="by text").withdrawn_at is None


def test_a_form_takes_nothing_back_that_was_texted_however_often_and_late_it_comes(
    chain: Chain, text: Texts, client: Client
) -> None:
    path = f"/r/{call(chain).token}/"
    form = client.get(path).content.decode().split('name="form" value="')[1].split('"')[0]

    def send(words: str, score: str = "9") -> None:
        assert client.post(path, {"form": form, "score": score, "reason": words}).status_code == 303

    send("Rude")
    text("And slow")
    response = Response.objects.get()
    send("Rude", "8")
    assert words_of(response) == ["Rude\nAnd slow"]
    # It takes its own words back.
    send("And it rang for ages", "8")
    IncomingText.objects.all().delete()
    with time_machine.travel(timezone.now() + timedelta(minutes=40)):
        for _time in range(2):
            send("One more thing", "10")
        text("Really")
    response.refresh_from_db()
    assert words_of(response) == ["And it rang for ages\nAnd slow\nOne more thing\nReally"]
    assert response.score == 8 and response.answers["reason"] == words_of(response)[0]


def test_a_text_takes_nothing_back_of_a_page_that_is_quicker_by_a_moment(
    chain: Chain, text: Texts, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/r/{call(chain).token}/"
    form = client.get(path).content.decode().split('name="form" value="')[1].split('"')[0]

    def too_late(*args: Any, **more: Any) -> Submitted:
        client.post(path, {"form": form, "score": "9", "reason": "Quick", "contact": "call", "phone": ""})
        return submit(*args, **more)

    monkeypatch.setattr(texts, "submit", too_late)
    text("2 - and another thing")
    response = Response.objects.get()
    assert (response.score, response.contact_wish) == (9, "call")
    assert words_of(response) == ["Quick\n2 - and another thing"]


def test_what_may_be_anything_is_no_score_and_is_asked_for_once(chain: Chain, text: Texts) -> None:
    invitation = call(chain)
    for body in ("12", "3 or 4", "0k", "11/10", "+380671234567", "22.11.2026", "?"):
        text(body)
    assert not Response.objects.exists()
    again = written("call_survey_again")
    assert "Which number" in again and public_link(invitation) in again and "0 (no) - 10 (yes)" in again
    text("4/10")
    assert Response.objects.get().score == 4


def test_only_a_number_corrects_and_only_for_half_an_hour(chain: Chain, text: Texts) -> None:
    call(chain)
    text("3")
    text("8")
    response = Response.objects.get()
    assert (response.score, ResponseRevision.objects.get().score) == (8, 3) and words_of(response) == []
    # The case is not withdrawn.
    assert Case.objects.count() == 1
    text("2 people were rude to me")
    assert words_of(response) == ["2 people were rude to me"]
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        text("0")
    response.refresh_from_db()
    assert response.score == 8


def test_a_number_corrects_what_was_said_on_the_page(chain: Chain, text: Texts, client: Client) -> None:
    path = f"/r/{call(chain).token}/"
    form = client.get(path).content.decode().split('name="form" value="')[1].split('"')[0]
    client.post(path, {"form": form, "score": "9", "reason": "Quick", "contact": "call", "phone": ""})
    text("8")
    response = Response.objects.get()
    assert (response.score, response.contact_wish, words_of(response)) == (8, "call", ["Quick"])
    assert response.contact is not None and response.contact.value == NUMBER
    assert not Message.objects.filter(kind="call_survey_more").exists()


def test_it_is_read_on_the_scale_that_was_asked(chain: Chain, text: Texts) -> None:
    """Head office may ask something else before the answer comes."""
    call(chain)
    choose(make_version(headline_kind=QuestionKind.CSAT))
    text("9")
    assert (Response.objects.get().score, Response.objects.get().headline_kind) == (9, "nps")
    call(chain, name="call-2")
    asked = [one for one in map(rendered_for, Message.objects.filter(kind="call_survey")) if one]
    assert ["How was it? Reply with a number, 1 (bad) - 5 (good)" in one.text for one in asked] == [True]
    text("9")
    text("5/5 stars")
    assert Response.objects.get(headline_kind="csat").score == 5


def test_a_number_is_never_moved_to_another_scale(chain: Chain, text: Texts, client: Client) -> None:
    """The text asked from 1 to 5, and the page that head office chose meanwhile from 0 to 10."""
    ensure_surveys()
    other = SurveyChoice.objects.get(channel="call").survey.versions.get()
    choose(make_version(headline_kind=QuestionKind.CSAT))
    path = f"/r/{call(chain).token}/"
    choose(other)
    form = client.get(path).content.decode().split('name="form" value="')[1].split('"')[0]
    client.post(path, {"form": form, "score": "9"})
    text("5")
    response = Response.objects.get()
    assert (response.score, response.headline_kind) == (9, "nps")
    Response.objects.update(score=None, answers={}, flags=[UNFINISHED])
    text("5")
    response.refresh_from_db()
    assert (response.score, response.headline_kind, response.flags) == (5, "csat", [])


def test_every_message_is_short_in_every_language(chain: Chain, text: Texts, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://feedback.chain.example"
    link = public_link(call(chain))

    def parts(kind: str) -> dict[str, int]:
        found = {}
        for language, _name in settings.LANGUAGES:
            Contact.objects.update(language=language)
            told = written(kind)
            found[language] = segments(told)
            assert (link in told and "0 (" in told) != (kind == "call_survey_more")
        return found

    asked = parts("call_survey")
    assert max(asked.values()) <= 2
    text("12")
    assert max(parts("call_survey_again").values()) <= 2
    text("3")
    assert max(parts("call_survey_more").values()) <= 2


# --- who may, and who is left alone ---------------------------------------------------------------------------------
def test_a_word_that_stops_is_no_answer_and_wins(chain: Chain, text: Texts) -> None:
    call(chain)
    text("3")
    text("Стоп")
    assert Suppression.objects.exists() and words_of(Response.objects.get()) == []
    drain(["alerts"])
    assert Message.objects.get(kind="call_survey_more").last_error == "suppressed"


def test_nobody_else_answers_and_who_deleted_it_is_not_answered(chain: Chain, text: Texts) -> None:
    call(chain)
    text("3", number="+380509999999")
    assert not Response.objects.exists()
    text("3")
    actions.erase(Response.objects.get().pk)
    text("And another thing")
    drain(["alerts"])
    response = Response.objects.get()
    assert words_of(response) == [] and not IncomingText.objects.exists()
    assert Message.objects.get(kind="call_survey_more", channel=Channel.SMS).state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_a_text_that_comes_while_it_is_deleted_waits_and_leaves_nothing(
    text: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(Chain())
    text("3")
    hold, other = actions._hold, Beside(lambda: text("And another thing"))

    def hold_first(response_id: UUID) -> Response:
        held = hold(response_id)
        other.until_held()
        return held

    monkeypatch.setattr(actions, "_hold", hold_first)
    actions.erase(Response.objects.get().pk)
    other.end()
    assert words_of(Response.objects.get()) == []
    assert not IncomingText.objects.exclude(text="").exists()


def test_who_deletes_an_answer_that_joined_a_case_takes_their_texts_along(chain: Chain, text: Texts) -> None:
    case = open_case(chain, contact="+380501112233")
    call(chain)
    text("9, fine")
    response = Response.objects.get(channel="call")
    CaseResponse.objects.create(case=case, response=response)
    text("Call me back about the other thing")
    actions.shopper_reply(case.response_id, text="Mine", form_id=uuid4())
    assert {entry.text for entry in case.entries.all()} == {"Call me back about the other thing", "Mine"}
    actions.erase(response.pk)
    assert {entry.text for entry in case.entries.all()} == {"", "Mine"}


# --- what a text says -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "score", "words"),
    [
        *((body, 3, "") for body in ("3", " 3! ", "3/10", "٣", "３", "(3)", "3️⃣", "\u200f٣", "3 :)", "3 von 10")),
        ("10", 10, ""),
        ("0", 0, ""),
        ("3 - nobody helped me", 3, "nobody helped me"),
        ("8, super", 8, "super"),
        ("8... super", 8, "super"),
        ("3/10 nobody helped", 3, "nobody helped"),
        ("3\nNobody", 3, "Nobody"),
        ("3 of 10, slow", 3, "slow"),
        *((body, None, "") for body in ("12", "3 or 4", "3 чи 4", "0k", "11/10", "3/5", "3.5", "3-4", "3 4", "10%")),
        *((body, None, "") for body in ("-3", "3:30", "+380671234567", "12.03.2026", "", "?", "3 x", "123", "5€")),
        *((body, None, body) for body in ("terrible service", "👎", "Call 067 123 45 67", "3 minutes on hold")),
        # What is counted is no score, in whatever words.
        *((body, None, body) for body in ("10 items were missing", "1 Mitarbeiter war da", "3 хвилини чекав")),
        *((body, None, body) for body in ("8 super", "3rd time I call", "3. Mal", "10-minute wait")),
        *((body, None, body) for body in ("2 of 10 bags were missing", "1 - rude agent\n2 - slow answers")),
        ("maybe 3", None, "maybe 3"),
    ],
)
def test_a_text_is_read_narrowly(body: str, score: int | None, words: str) -> None:
    assert read_answer(body, range(11)) == Said(score, words)


def test_parts_are_counted_as_they_are_paid_for() -> None:
    parts = {"a" * 160: 1, "a" * 161: 2, "€" * 81: 2, "ї" * 70: 1, "ї" * 71: 2, "ї" * 135: 3, "😀" * 36: 2}
    assert {text: segments(text) for text in parts} == parts
