"""After Send: an honest thank-you, and a private page that only its link opens."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from alerts import actions
from alerts.choices import CaseState
from alerts.models import Case, CaseEntry, RootCause
from alerts.policy import ensure_defaults
from customers.models import Contact
from surveys.models import Response
from tests.factories import Chain, new_form_id
from tests.surveys.conftest import hidden

pytestmark = pytest.mark.django_db


@pytest.fixture
def private(client: Client, chain: Chain, answer: Any) -> str:
    """The private page of a shopper who gave a 2 and a phone number."""
    ensure_defaults()
    answer(score="2", reason="Nobody came", contact="call", phone="067 123 45 67")
    return f"/c/{Response.objects.get().token}/"


def act(client: Client, page: str, do: str, **fields: str) -> Any:
    return client.post(page, {"form": hidden(client.get(page), "form"), "do": do} | fields)


def resolve(chain: Chain) -> Case:
    case = Case.objects.get()
    actions.record_contact(case.pk, actor=chain.manager, channel="call", reached=True, form_id=new_form_id())
    cause = RootCause.objects.first() or RootCause.objects.create(name="Staffing")
    actions.resolve(
        case.pk, actor=chain.manager, root_cause_id=cause.pk, outcome="put_right", text="Called", form_id=new_form_id()
    )
    return case


def test_the_review_link_is_the_same_at_every_score(client: Client, chain: Chain, answer: Any) -> None:
    links = set()
    for score in range(11):
        page = client.get(answer(score=str(score))["Location"]).content.decode()
        links.add(re.search(r'<a href="https://reviews[^>]*>[^<]*</a>', page)[0])  # type: ignore[index]
    assert len(links) == 1


def test_an_hour_is_named_only_when_a_case_holds_somebody_to_it(client: Client, chain: Chain, answer: Any) -> None:
    ensure_defaults()
    with time_machine.travel("2026-05-05T09:00:00Z", tick=False):
        angry = client.get(answer(score="1", contact="call", phone="067 123 45 67")["Location"]).content.decode()
        assert "will call you by 12:30" in angry
        happy = client.get(answer(score="10", contact="call", phone="067 123 45 68")["Location"]).content.decode()
        silent = client.get(answer(score="1")["Location"]).content.decode()
    assert "12:30" not in happy and "12:30" not in silent
    assert 'id="more"' in silent and 'id="more"' not in angry + happy


def test_the_private_page_says_what_was_said_and_where_it_stands(client: Client, chain: Chain, private: str) -> None:
    page = client.get(private).content.decode()
    assert "Nobody came" in page and "…\u2060567" in page and "+38067" not in page
    assert "have been told" in page and 'value="confirm"' not in page
    case = Case.objects.get()
    actions.add_note(case.pk, actor=chain.manager, text="internal words", form_id=new_form_id())
    actions.answer_shopper(case.pk, actor=chain.manager, text="We are <sorry>", form_id=new_form_id())
    page = client.get(private).content.decode()
    assert "We are &lt;sorry&gt;" in page and "internal words" not in page
    assert chain.manager.name not in page


def test_a_reply_is_kept_once(client: Client, private: str) -> None:
    nonce = hidden(client.get(private), "form")
    for _ in range(2):
        sent = client.post(private, {"form": nonce, "do": "reply", "text": "The lift, too"})
        assert sent.status_code == 303 and sent["Location"] == private
    client.post(private, {"form": nonce, "do": "reply", "text": "And the door"})
    assert list(CaseEntry.objects.values_list("text", flat=True)) == ["The lift, too", "And the door"]
    assert "And the door" in client.get(private).content.decode()


@pytest.mark.parametrize("do", ["reply", "confirm"])
def test_a_text_that_is_too_long_stays_whole_on_its_page(client: Client, private: str, do: str) -> None:
    shown = client.get(private)
    fields = {"form": hidden(shown, "form"), "do": do, "contacted": "yes", "solved": "no", "text": "y" * 4001}
    sent = client.post(private, fields if do == "confirm" else fields | {"contacted": "", "solved": ""})
    assert sent.status_code == 422 and b"Characters: 4001 of 4000 at most." in sent.content
    assert b"maxlength" not in shown.content.partition(b'id="f-text"')[2].partition(b">")[0]
    assert do == "confirm" or b"y" * 4001 in sent.content
    assert not CaseEntry.objects.exists()


def test_an_unsigned_reply_is_kept_on_the_page_and_stored_nowhere(client: Client, private: str) -> None:
    sent = client.post(private, {"form": "x", "do": "reply", "text": "The lift, too"})
    assert sent.status_code == 422 and b"The lift, too" in sent.content
    assert not CaseEntry.objects.exists()


def test_two_questions_and_only_send_answers_them(client: Client, chain: Chain, private: str) -> None:
    case = resolve(chain)
    page = client.get(f"{private}?contacted=yes&solved=yes").content.decode()
    assert "Did we contact you?" in page and "Was it solved?" in page
    case.refresh_from_db()
    assert case.state == CaseState.RESOLVED
    assert act(client, private, "confirm", contacted="yes").status_code == 422
    assert act(client, private, "confirm", contacted="yes", solved="yes").status_code == 303
    case.refresh_from_db()
    assert case.state == CaseState.CONFIRMED
    assert "You told us that it is solved" in client.get(private).content.decode()


def test_no_reopens_with_what_is_missing(client: Client, chain: Chain, private: str) -> None:
    resolve(chain)
    assert act(client, private, "confirm", contacted="yes", solved="no", text="Still broken").status_code == 303
    case = Case.objects.get()
    assert (case.state, case.level, case.round) == (CaseState.OPEN, 1, 1)
    assert case.entries.filter(kind="shopper").get().text == "Still broken"
    assert "not solved" in client.get(private).content.decode()


def test_whoever_left_no_address_is_not_asked_whether_we_contacted_them(
    client: Client, chain: Chain, answer: Any
) -> None:
    ensure_defaults()
    answer(score="2", reason="Nobody came")
    page = f"/c/{Response.objects.get().token}/"
    cause = RootCause.objects.order_by("order")[0]
    actions.resolve(
        Case.objects.get().pk,
        actor=chain.manager,
        root_cause_id=cause.pk,
        outcome="put_right",
        text="Fixed",
        form_id=new_form_id(),
    )
    asked = client.get(page).content.decode()
    assert "Was it solved?" in asked and "Did we contact you?" not in asked
    assert act(client, page, "confirm").status_code == 422
    assert act(client, page, "confirm", solved="no", contacted="yes", text="Still cold").status_code == 303
    verification = Case.objects.get().verifications.get()
    assert (verification.contacted, verification.solved) == (None, False)
    assert Case.objects.get().state == CaseState.OPEN


def test_taking_back_the_permission(client: Client, private: str) -> None:
    assert act(client, private, "withdraw").status_code == 303
    response = Response.objects.get()
    assert response.contact_wish == "none"
    assert response.contact is not None and response.contact.permissions.get().withdrawn_at is not None
    page = client.get(private).content.decode()
    assert 'value="withdraw"' not in page
    assert 'id="more"' not in client.get(private.replace("/c/", "/t/")).content.decode()


def test_deleting_asks_first_and_leaves_the_score(client: Client, private: str) -> None:
    assert client.get(f"{private}delete/").status_code == 200
    assert Response.objects.get().erased_at is None
    nonce = hidden(client.get(f"{private}delete/"), "form")
    assert client.post(private, {"form": nonce, "do": "erase"}).status_code == 303
    response = Response.objects.get()
    assert response.erased_at is not None and response.answers == {} and response.score == 2
    assert response.verbatims.get().text == "" and not Contact.objects.exclude(value="").exists()
    page = client.get(private).content.decode()
    assert "are deleted" in page and "Nobody came" not in page and "…\u2060567" not in page


def test_deleted_words_do_not_come_back_with_the_old_form(client: Client, address: str, answer: Any) -> None:
    nonce = hidden(client.get(address), "form")
    answer(form=nonce, score="2", reason="Secret")
    actions.erase(Response.objects.get().pk)
    assert answer(form=nonce, score="2", reason="Secret again").status_code == 303
    assert Response.objects.get().answers == {} and Response.objects.get().verbatims.get().text == ""


def test_of_a_long_conversation_the_latest_stand_open(client: Client, private: str) -> None:
    for number in range(11):
        actions.shopper_reply(Response.objects.get().pk, text=f"Word {number}.", form_id=new_form_id())
    html = client.get(private).content.decode()
    folded = html[html.index("Earlier messages") :].split("</details>")[0]
    assert "Word 2." in folded and "Word 3." not in folded and "Word 3." in html and "Word 10." in html


def test_whoever_types_my_number_does_not_read_my_conversation(
    client: Client, chain: Chain, private: str, answer: Any
) -> None:
    actions.answer_shopper(Case.objects.get().pk, actor=chain.manager, text="Private answer", form_id=new_form_id())
    sent = answer(score="1", reason="Copycat", contact="call", phone="067 123 45 67")
    assert Case.objects.count() == 1
    copy = sent["Location"].replace("/t/", "/c/")
    page = client.get(copy).content.decode()
    assert "Private answer" not in page and "Nobody came" not in page and 'value="reply"' not in page
    resolve(chain)
    assert act(client, copy, "confirm", contacted="yes", solved="yes").status_code == 422
    assert Case.objects.get().state == CaseState.RESOLVED


def test_unknown_links_get_the_same_page(client: Client, surveys: Any) -> None:
    pages = [client.get(f"/{kind}/{'a' * 26}/") for kind in "tcr"] + [client.get(f"/c/{'a' * 26}/delete/")]
    assert {page.status_code for page in pages} == {404} and len({page.content for page in pages}) == 1
    assert b"This link does not work any more" in pages[0].content


def test_the_page_keeps_the_language_of_the_answer(client: Client, answer: Any) -> None:
    thanks = answer(score="9", lang="uk")["Location"]
    assert b'<html lang="uk"' in client.get(thanks, HTTP_ACCEPT_LANGUAGE="en").content
    assert b'<html lang="de"' in client.get(f"{thanks}?lang=de").content


def test_an_hour_that_passed_is_admitted(client: Client, private: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert "are late" in client.get(private).content.decode()


def test_an_address_given_afterwards_makes_the_promise(client: Client, chain: Chain, answer: Any) -> None:
    ensure_defaults()
    with time_machine.travel("2026-05-05T09:00:00Z", tick=False):
        thanks = answer(score="1", reason="Cold")["Location"]
        assert Case.objects.get().fix_only
        nonce = hidden(client.get(thanks), "form")
        client.post(thanks, {"form": nonce, "contact": "email", "email": "ann@example.com"})
        assert not Case.objects.get().fix_only
        assert "will write you an e-mail by 12:30" in client.get(thanks).content.decode()


def test_choosing_no_way_says_so(client: Client, answer: Any) -> None:
    thanks = answer(score="1")["Location"]
    sent = client.post(thanks, {"form": hidden(client.get(thanks), "form")})
    assert sent.status_code == 422 and b"Please choose how we may contact you." in sent.content


def test_a_language_that_was_chosen_stays_chosen(client: Client, private: str) -> None:
    page = client.get(f"{private}?lang=uk")
    assert f"{private}delete/?lang=uk" in page.content.decode()
    sent = client.post(f"{private}?lang=uk", {"form": hidden(page, "form"), "do": "withdraw"})
    assert sent["Location"] == f"{private}?lang=uk"
