"""From Send to the thank-you page: kept once, corrected for a while, and nothing lost."""

import html
import re
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from core import nonces
from customers.models import Contact, Permission
from surveys.actions import submit
from surveys.choices import ContactWish
from surveys.defaults import ensure_surveys
from surveys.forms import Answers
from surveys.models import Response, ResponseRevision, Verbatim
from surveys.queries import asking_at
from surveys.signals import response_saved
from tests.factories import Chain, make_touchpoint
from tests.surveys.conftest import hidden

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


def test_the_day_is_the_stores_own(client: Client, chain: Chain, answer: Any) -> None:
    with time_machine.travel("2026-03-31T22:30:00Z", tick=False):
        answer(score="9")
    assert Response.objects.get().local_day.isoformat() == "2026-04-01"


def test_back_and_send_again_shows_the_same_page(client: Client, address: str, answer: Any) -> None:
    nonce = hidden(client.get(address), "form")
    first, second = (answer(form=nonce, score="2", reason="Slow") for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Response.objects.get().revision == 1 and Verbatim.objects.count() == 1


def test_changed_answers_correct_and_the_old_ones_are_kept(client: Client, address: str, answer: Any) -> None:
    nonce = hidden(client.get(address), "form")
    answer(form=nonce, score="2", reason="Slow", contact="call", phone="067 123 45 67")
    first = Response.objects.get()
    heard: list[bool] = []

    def hear(corrected: bool, **_: Any) -> None:
        heard.append(corrected)

    response_saved.connect(hear)
    try:
        answer(form=nonce, score="8", reason="Slow, then kind", contact="email", email="Ann@Example.com")
    finally:
        response_saved.disconnect(hear)
    response = Response.objects.get()
    assert heard == [True]
    assert (response.score, response.revision, response.contact_wish) == (8, 2, ContactWish.EMAIL)
    assert response.submitted_at == first.submitted_at
    assert Verbatim.objects.get().text == "Slow, then kind"
    kept = ResponseRevision.objects.get()
    assert (kept.number, kept.score, kept.answers["reason"]) == (1, 2, "Slow")
    assert response.contact is not None and response.contact.value == "ann@example.com"
    # The address that was replaced is forgotten, its permission ended.
    old = Contact.objects.get(kind="phone")
    assert (old.value, old.value_hash) == ("", "") and old.permissions.get().withdrawn_at is not None


def test_half_an_hour_later_it_shows_what_is_recorded(client: Client, address: str, answer: Any) -> None:
    nonce = hidden(client.get(address), "form")
    first = answer(form=nonce, score="2", reason="Slow")
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        late = answer(form=nonce, score="10", reason="")
    response = Response.objects.get()
    assert late.status_code == 303 and late["Location"] == first["Location"]
    assert (response.score, response.revision) == (2, 1) and Verbatim.objects.get().text == "Slow"


@pytest.mark.parametrize("hours", [2, 24, 6 * 24])
def test_an_old_form_still_submits(client: Client, address: str, answer: Any, hours: int) -> None:
    nonce = hidden(client.get(address), "form")
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        assert answer(form=nonce, score="7").status_code == 303
    assert Response.objects.count() == 1


def _other_page(chain: Chain) -> str:
    return nonces.mint(f"touchpoint {make_touchpoint(store=chain.store).pk}")


@pytest.mark.parametrize(
    "forge",
    [
        lambda chain, own: "",
        lambda chain, own: "é" * 30,
        lambda chain, own: own[:-1] + ("a" if own[-1] != "a" else "b"),
        lambda chain, own: uuid.uuid4().hex + own[32:],
        lambda chain, own: _other_page(chain),
    ],
    ids=["missing", "not ascii", "signature", "other id", "other page"],
)
def test_a_form_that_is_not_ours_stores_nothing_and_keeps_the_words(
    client: Client, chain: Chain, address: str, forge: Any
) -> None:
    forged = forge(chain, hidden(client.get(address), "form"))
    sent = {"form": forged, "lang": "en", "score": "4", "reason": "Long story", "contact": "none"}
    answered = client.post(address, sent)
    page = answered.content.decode()
    assert answered.status_code == 422 and 'role="alert"' in page and "Long story" in page
    assert not Response.objects.exists()
    # Pressing Send on the page that came back works.
    again = client.post(address, sent | {"form": hidden(answered, "form")})
    assert again.status_code == 303 and Response.objects.get().score == 4


def test_a_form_older_than_a_week_comes_back_fresh(client: Client, address: str, answer: Any) -> None:
    nonce = hidden(client.get(address), "form")
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert answer(form=nonce, score="7", reason="Kept").status_code == 422
        assert not Response.objects.exists()


def test_a_form_under_the_previous_key_still_submits(client: Client, address: str, answer: Any, settings: Any) -> None:
    nonce = hidden(client.get(address), "form")
    settings.LINK_KEYS = ["a new key", *settings.LINK_KEYS]
    assert answer(form=nonce, score="7").status_code == 303


def test_a_failing_receiver_undoes_its_own_work_only_by_its_own_choice(chain: Chain, surveys: Any) -> None:
    """What surveys promises to receivers: an error that leaves one reaches the transaction."""
    asking = asking_at(chain.touchpoint)
    assert asking is not None

    def fail(**_: Any) -> None:
        raise RuntimeError("broken")

    response_saved.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            submit(asking, Answers(3), form_id=uuid.uuid4(), language="en")
    finally:
        response_saved.disconnect(fail)
    assert not Response.objects.exists()


def test_staff_who_scan_their_own_code_are_flagged(client: Client, chain: Chain, answer: Any) -> None:
    client.force_login(chain.manager)
    assert answer(score="10").status_code == 303
    assert Response.objects.get().flags == ["staff"]


def _gone(*_: Any) -> None:
    raise OperationalError("the server closed the connection")


def test_without_a_database_the_page_keeps_what_was_sent(client: Client, address: str) -> None:
    sent = {"form": hidden(client.get(address), "form"), "lang": "de", "score": "2", "contact": "none"}
    sent |= {"reason": 'Drei\nZeilen, "so" & <so>'}
    with connection.execute_wrapper(_gone):
        kept = client.post(address, sent)
    assert kept.status_code == 503 and int(kept["Retry-After"]) > 0 and not kept.cookies
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', kept.content.decode())
    again = {name: html.unescape(value) for name, value in fields}
    assert again == sent and '<html lang="de"' in kept.content.decode()
    # It was in doubt whether the first one arrived: the same id makes it one.
    for _ in range(2):
        assert client.post(address, again).status_code == 303
    assert Response.objects.get().answers["reason"] == sent["reason"] and Response.objects.get().revision == 1


def test_without_a_database_a_link_can_be_tried_again(client: Client, address: str, answer: Any) -> None:
    thanks = answer(score="2", reason="Slow")["Location"]
    with connection.execute_wrapper(_gone):
        pages = [client.get(link) for link in (address, thanks, thanks.replace("/t/", "/c/"), "/r/none/")]
    assert [page.status_code for page in pages] == [503] * 4
    assert all("Try again" in page.content.decode() for page in pages)


def test_words_alone_are_an_answer(answer: Any) -> None:
    assert answer(reason="Nice people").status_code == 303
    assert Response.objects.get().score is None


@pytest.mark.django_db(transaction=True)
def test_twenty_identical_posts_at_once_are_one_response() -> None:
    chain = Chain()
    ensure_surveys()
    address = f"/q/{chain.touchpoint.code}/"
    nonce = hidden(Client().get(address), "form")
    sent = {"form": nonce, "lang": "en", "score": "1", "reason": "Race", "contact": "email", "email": "a@b.example"}
    start, landed = threading.Barrier(20), []

    def post() -> None:
        start.wait()
        try:
            answered = Client().post(address, sent)
            landed.append((answered.status_code, answered["Location"]))
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    response = Response.objects.get()
    assert landed == [(303, f"/t/{response.token}/")] * 20
    assert Verbatim.objects.count() == Contact.objects.count() == Permission.objects.count() == 1
    assert response.revision == 1


@pytest.mark.django_db(transaction=True)
def test_two_corrections_at_once_are_two_revisions() -> None:
    chain = Chain()
    ensure_surveys()
    asking = asking_at(chain.touchpoint)
    assert asking is not None
    form_id = uuid.uuid4()
    submit(asking, Answers(1, {"reason": "first"}), form_id=form_id, language="en")
    start = threading.Barrier(8)

    def correct(score: int) -> None:
        start.wait()
        try:
            submit(asking, Answers(score, {"reason": f"now {score}"}), form_id=form_id, language="en")
        finally:
            connection.close()

    threads = [threading.Thread(target=correct, args=(score,)) for score in range(2, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    response = Response.objects.get()
    assert response.revision == 9
    assert sorted(ResponseRevision.objects.values_list("number", flat=True)) == list(range(1, 9))
    assert Verbatim.objects.get().text == f"now {response.score}" == response.answers["reason"]


def test_an_address_added_later_is_a_correction(chain: Chain, surveys: Any, client: Client, answer: Any) -> None:
    thanks = answer(score="1", reason="Bad")["Location"]
    page = client.get(thanks)
    assert b'id="more"' in page.content
    nonce = hidden(page, "form")
    bad = client.post(thanks, {"form": nonce, "contact": "call", "phone": "12"})
    assert bad.status_code == 422 and b"12" in bad.content and Contact.objects.count() == 0
    good = client.post(thanks, {"form": hidden(bad, "form"), "contact": "text", "phone": "+380 67 123 45 67"})
    assert good.status_code == 303
    response = Response.objects.get()
    assert response.contact is not None
    assert (response.contact_wish, response.contact.value, response.revision) == ("text", "+380671234567", 2)
    assert b'id="more"' not in client.get(thanks).content
