"""Nobody is asked too often, partial answers stay apart, and marks never cost a shopper the answer."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from core.personal import erase_response
from messaging.models import Message
from surveys import fairness
from surveys.fairness import in_sample
from surveys.inviting import call_ended, receipt_link
from surveys.models import Invitation, NotAsked, PartialAnswer, Response
from tests.factories import Chain
from tests.surveys.conftest import hidden

pytestmark = pytest.mark.django_db
NUMBER = "+380671234567"


@pytest.fixture
def resting(settings: Any, surveys: Any) -> None:
    settings.CONTACT_REST_DAYS = 30


def test_one_person_is_asked_once_in_a_while_over_all_channels(chain: Chain, resting: None) -> None:
    bought = timezone.now()
    mail = receipt_link(chain.store, "1", bought, email="ann@example.com", customer="C-17")
    assert mail.invited and mail.not_asked is None
    again = receipt_link(chain.neighbour, "2", bought, email="ann@example.com")
    call = call_ended("call-1", chain.call_centre, NUMBER, customer="C-17")
    assert (again.not_asked, call.not_asked) == ("resting", "resting") and Message.objects.count() == 1
    # The link on the receipt is hers all the same, and a till that tells twice is counted once.
    assert again.survey_url
    receipt_link(chain.neighbour, "2", bought, email="ann@example.com")
    assert list(NotAsked.objects.order_by("pk").values_list("store__code", "channel", "reason")) == [
        ("KY2", "receipt", "resting"),
        ("CALL", "call", "resting"),
    ]
    other = call_ended("call-2", chain.call_centre, "+380671234568", customer="C-18")
    assert other.invited and Message.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert call_ended("call-3", chain.call_centre, NUMBER, customer="C-17", ended_at=timezone.now()).invited


def test_erased_is_forgotten_here_too(client: Client, chain: Chain, resting: None, answer: Any) -> None:
    call_ended("call-1", chain.call_centre, NUMBER)
    invitation = Invitation.objects.get()
    assert len(invitation.people) == 1 and NUMBER not in invitation.people[0]
    answer(f"/r/{invitation.token}/", score="9")
    erase_response(Response.objects.get().pk)
    assert Invitation.objects.get().people == []


def test_why_nobody_was_asked_is_kept(chain: Chain, surveys: Any, settings: Any) -> None:
    assert call_ended("a", chain.call_centre, NUMBER, consent=False).not_asked == "no_consent"
    # A number of a country that we do not text to, where fraudsters earn by being texted.
    assert call_ended("b", chain.call_centre, "+252 61 2345678").not_asked == "country"
    settings.SAMPLE_PCT = {"call": 0, "receipt": 0}
    assert call_ended("c", chain.call_centre, NUMBER).not_asked == "sampled"
    assert receipt_link(chain.store, "1", timezone.now(), email="a@b.example").not_asked == "sampled"
    assert NotAsked.objects.count() == 4 and not Message.objects.exists()


def test_a_sample_is_as_large_as_it_should_be_and_the_same_at_every_try(settings: Any) -> None:
    settings.SAMPLE_PCT = {"call": 25, "receipt": 100}
    chosen = [in_sample("call", f"call {n}") for n in range(4000)]  # type: ignore[arg-type]
    assert 900 < sum(chosen) < 1100
    assert chosen == [in_sample("call", f"call {n}") for n in range(4000)]  # type: ignore[arg-type]


def test_traps_and_haste_only_mark(client: Client, answer: Any, settings: Any) -> None:
    settings.SHORTEST_ANSWER_SECS = 2
    assert answer(score="3", website="http://buy.example").status_code == 303
    assert Response.objects.get().flags == ["trap", "hasty"]
    nonce = hidden(client.get(f"/q/{Response.objects.get().touchpoint.code}/"), "form")  # type: ignore[union-attr]
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        answer(score="4", form=nonce)
    assert Response.objects.get(score=4).flags == []


def test_many_answers_from_one_browser_are_all_taken(client: Client, answer: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(fairness, "MANY_AN_HOUR", 3)
    fairness._answered.clear()
    for score in range(5):
        assert answer(score=str(score)).status_code == 303
    assert [len(one.flags) for one in Response.objects.order_by("score")] == [0, 0, 0, 1, 1]
    fairness._answered.clear()


def test_the_trap_is_nothing_for_people(client: Client, address: str) -> None:
    page = client.get(address).content.decode()
    assert '<div class="vh" aria-hidden="true"><input name="website" tabindex="-1" autocomplete="off">' in page


def _step(client: Client, address: str, nonce: str, step: int, **fields: str) -> Any:
    return client.post(f"{address}?step", {"form": nonce, "lang": "de", "step": str(step)} | fields)


def test_what_is_tapped_is_kept_apart_and_never_an_answer(client: Client, address: str) -> None:
    nonce = hidden(client.get(address), "form")
    assert _step(client, address, nonce, 2, score="3", reason="not sent", phone=NUMBER).status_code == 204
    assert _step(client, address, nonce, 1, score="9").status_code == 204
    kept = PartialAnswer.objects.get()
    assert (kept.answers, kept.step, kept.language) == ({"recommend": 3}, 2, "de")
    assert not Response.objects.exists()


def test_send_takes_it_away_and_a_late_step_does_not_bring_it_back(client: Client, address: str, answer: Any) -> None:
    nonce = hidden(client.get(address), "form")
    _step(client, address, nonce, 1, score="3")
    answer(form=nonce, score="4", stepped="1")
    response = Response.objects.get()
    _step(client, address, nonce, 2, score="9")
    assert not PartialAnswer.objects.exists()
    response.refresh_from_db()
    assert (response.score, response.pk.hex) == (4, nonce[:32])


@pytest.mark.parametrize("sent", [{"score": "99"}, {"score": "x"}, {}, {"step": "-1", "score": "3"}])
def test_a_step_that_says_nothing_is_not_kept(client: Client, address: str, sent: dict[str, str]) -> None:
    nonce = hidden(client.get(address), "form")
    assert client.post(f"{address}?step", {"form": nonce, "step": "1"} | sent).status_code == 204
    assert client.post(f"{address}?step", {"form": "forged", "step": "1", "score": "3"}).status_code == 204
    assert not PartialAnswer.objects.exists()
