"""Nobody is asked too often, and marks never cost a shopper the answer."""

import threading
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from core.personal import erase_response
from core.retention import purge
from messaging.models import Message
from stores.choices import TouchpointKind
from stores.models import Touchpoint
from surveys import fairness
from surveys.defaults import ensure_surveys
from surveys.fairness import browser_of, in_sample
from surveys.inviting import call_ended, receipt_link
from surveys.models import AnswerCount, DaySalt, Invitation, NotAsked, Response
from tests.factories import Chain, make_store, make_touchpoint
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


def test_one_person_is_the_same_by_each_of_their_addresses(chain: Chain, resting: None) -> None:
    long_ago = timezone.now() - timedelta(days=60)
    with time_machine.travel(long_ago):
        call_ended("call-1", chain.call_centre, NUMBER, customer="C-17", ended_at=long_ago)
    assert receipt_link(chain.store, "1", timezone.now(), email="ann@example.com", customer="C-17").invited
    # A call that comes without a name: the number is hers all the same.
    assert call_ended("call-2", chain.call_centre, NUMBER).not_asked == "resting"


@pytest.mark.django_db(transaction=True)
def test_two_systems_at_once_ask_one_person_once(settings: Any) -> None:
    chain = Chain()
    ensure_surveys()
    settings.CONTACT_REST_DAYS = 30
    start, asked = threading.Barrier(6), []

    def tell(number: int) -> None:
        start.wait()
        try:
            asked.append(call_ended(f"call-{number}", chain.call_centre, NUMBER).not_asked)
        finally:
            connection.close()

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, asked)) == ["None", *["resting"] * 5] and Message.objects.count() == 1


def test_a_page_opened_inside_a_closed_store_is_marked(client: Client, chain: Chain, surveys: Any, answer: Any) -> None:
    shop = make_store(node=chain.area, code="SHOP", hours=(time(9), time(20)), time_zone="Europe/Kyiv")
    till, way_out = make_touchpoint(store=shop), make_touchpoint(store=shop, kind=TouchpointKind.EXIT)

    def marks(spot: Touchpoint, opened: str, sent: str) -> list[str]:
        with time_machine.travel(opened):
            nonce = hidden(client.get(f"/q/{spot.code}/"), "form")
        with time_machine.travel(sent):
            answer(f"/q/{spot.code}/", form=nonce, score="10")
        return Response.objects.get(pk=nonce[:32]).flags

    # Kyiv is two hours ahead in winter.
    assert marks(till, "2026-11-19T05:30Z", "2026-11-19T05:31Z") == ["closed"]
    assert marks(till, "2026-11-19T06:10Z", "2026-11-19T06:11Z") == []
    # Scanned at the till, sent at home in the evening.
    assert marks(till, "2026-11-19T17:30Z", "2026-11-19T20:30Z") == []
    assert marks(way_out, "2026-11-19T23:30Z", "2026-11-19T23:31Z") == []
    assert marks(chain.touchpoint, "2026-11-19T23:30Z", "2026-11-19T23:31Z") == []


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
    with time_machine.travel("2026-03-02T10:10:00Z"):
        for score in range(5):
            assert answer(score=str(score)).status_code == 303
    assert [one.flags for one in Response.objects.order_by("score")] == [[], [], [], ["many"], ["many"]]
    [counted] = AnswerCount.objects.all()
    assert counted.number == 5 and "127.0.0.1" not in counted.who
    with time_machine.travel("2026-03-02T11:10:00Z"):
        answer(score="9")
    assert Response.objects.get(score=9).flags == []


def test_browsers_are_told_apart_behind_our_proxy_and_nobody_can_tell_afterwards(
    chain: Chain, settings: Any, rf: Any
) -> None:
    def seen(
        forwarded: str = "", *, store: Any = chain.store, at: str = "2026-03-02T10:10:00+00:00", **meta: str
    ) -> str:
        headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
        request = rf.post("/", REMOTE_ADDR="10.0.0.1", HTTP_USER_AGENT="Phone", **headers | meta)
        return browser_of(request, store, datetime.fromisoformat(at)).who

    # Without a proxy of ours whoever claims another address is the same.
    assert seen("203.0.113.1") == seen("203.0.113.2") == seen()
    settings.TRUSTED_PROXY_HOPS = 1
    assert seen("203.0.113.1") != seen("203.0.113.2")
    assert seen("1.1.1.1, 203.0.113.1") == seen("8.8.8.8, 203.0.113.1") == seen("203.0.113.1")
    assert seen("2001:db8::1") == seen("2001:db8::2") != seen("2001:db8:1::1")
    settings.TRUSTED_PROXY_HOPS = 2
    assert seen("203.0.113.1, 10.0.0.9") == seen("7.7.7.7, 203.0.113.1, 10.0.0.9")
    assert seen("forged") == seen()
    # Another store, hour or day is another; and without its day's salt nobody can find out who it was.
    known = seen()
    assert len({known, seen(store=chain.neighbour), seen(at="2026-03-02T11:10:00+00:00")}) == 3
    DaySalt.objects.all().delete()
    fairness._salts.clear()
    assert seen() != known


def test_a_thread_that_forgets_a_salt_takes_no_answer_along(chain: Chain, rf: Any, monkeypatch: Any) -> None:
    class Forgotten(dict[Any, str]):
        """As when another thread begins its day between two looks of this one."""

        def __setitem__(self, day: Any, salt: str) -> None:
            pass

    monkeypatch.setattr(fairness, "_salts", Forgotten())
    assert browser_of(rf.post("/"), chain.store).who


def test_counts_of_browsers_and_their_salts_are_gone_the_day_after(chain: Chain, answer: Any) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=27)):
        answer(score="5")
    AnswerCount.objects.update(hour=timezone.now() - timedelta(hours=27))
    DaySalt.objects.update(made_at=timezone.now() - timedelta(hours=27))
    purge()
    assert not AnswerCount.objects.exists() and not DaySalt.objects.exists() and Response.objects.exists()


def test_the_trap_is_nothing_for_people(client: Client, address: str) -> None:
    page = client.get(address).content.decode()
    assert '<div class="vh" aria-hidden="true"><input name="website" tabindex="-1" autocomplete="off">' in page
