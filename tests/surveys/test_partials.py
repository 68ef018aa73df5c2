"""What was entered and not sent: kept apart, and made an answer of its own kind, once, when its shopper has left."""

import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from alerts.actions import erase
from alerts.models import Case, Evaluation
from alerts.policy import ensure_defaults
from core.database import process_environment
from core.personal import erase_response
from core.quick import ask
from core.work import drain
from customers.models import Contact
from reports.models import StoreDay
from surveys import partials
from surveys.defaults import ensure_surveys
from surveys.inviting import receipt_link
from surveys.models import Invitation, PartialAnswer, Response, Verbatim
from surveys.partials import count_overdue, settle_left
from tests.factories import Chain
from tests.surveys.conftest import hidden
from tests.threads import PATIENCE_SECS, Beside

pytestmark = pytest.mark.django_db
NUMBER = "+380671234567"


def _step(client: Client, address: str, nonce: str, step: int, **fields: str) -> Any:
    return client.post(f"{address}?step", {"form": nonce, "lang": "de", "step": str(step)} | fields)


def later(**time: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(**time))


@pytest.fixture
def rules(chain: Chain) -> None:
    ensure_defaults()


def test_what_is_tapped_is_kept_apart_and_never_an_answer(client: Client, address: str) -> None:
    nonce = hidden(client.get(address), "form")
    assert _step(client, address, nonce, 2, score="3", reason="not sent", phone=NUMBER).status_code == 204
    assert _step(client, address, nonce, 1, score="9").status_code == 204
    kept = PartialAnswer.objects.get()
    assert (kept.answers, kept.step, kept.language) == ({"recommend": 3}, 2, "de")
    assert settle_left() == 0 and not Response.objects.exists()
    # The page was shown again, in another language say, and counts anew.
    with later(seconds=20):
        _step(client, address, nonce, 1, score="8")
    assert PartialAnswer.objects.get().answers == {"recommend": 8}


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


def test_who_leaves_without_send_alerts_nobody_and_is_in_no_figure(
    client: Client, address: str, answer: Any, rules: None
) -> None:
    answer(score="10")
    _step(client, address, hidden(client.get(address), "form"), 1, score="0", still_here="1")
    with later(minutes=31):
        assert settle_left() == 1 and settle_left() == 0
        drain(["alerts", "facts"])
    left = Response.objects.get(score=0)
    assert left.flags == ["unsent"] and left.still_here and left.answers == {"recommend": 0, "still_here": True}
    assert not PartialAnswer.objects.exists() and not Case.objects.exists()
    [cell] = StoreDay.objects.all()
    assert (cell.responses, cell.promoters, cell.detractors) == (1, 1, 0)


def test_who_comes_back_after_all_has_answered_now(client: Client, address: str, answer: Any, rules: None) -> None:
    nonce = hidden(client.get(address), "form")
    _step(client, address, nonce, 1, score="9")
    with later(minutes=31):
        settle_left()
    assert Response.objects.get().flags == ["unsent"]
    with later(hours=2):
        sent = answer(form=nonce, score="1", reason="Nobody came", contact="email", email="a@b.example")
        assert sent.status_code == 303 and client.get(sent["Location"]).status_code == 200
        response = Response.objects.get()
        assert response.submitted_at > timezone.now() - timedelta(minutes=1)
    assert (response.pk.hex, response.score, response.flags, response.revision) == (nonce[:32], 1, [], 1)
    assert Verbatim.objects.get().text == "Nobody came" and Case.objects.get().response == response
    assert not Case.objects.get().fix_only
    # Sent twice is still once.
    with later(hours=2):
        assert answer(form=nonce, score="1", reason="Nobody came", contact="email", email="a@b.example")[
            "Location"
        ].endswith(f"/t/{response.token}/")
    assert Case.objects.count() == Contact.objects.count() == 1


def test_a_tap_does_not_use_up_an_invitation(client: Client, chain: Chain, surveys: Any, answer: Any) -> None:
    receipt_link(chain.store, "1", timezone.now())
    invitation = Invitation.objects.get()
    link = f"/r/{invitation.token}/"
    for _opened in range(2):
        _step(client, link, hidden(client.get(link), "form"), 1, score="2")
    with later(minutes=31):
        assert settle_left() == 2
    assert Response.objects.get().invitation == invitation and Response.objects.get().flags == ["unsent"]
    assert client.get(link).status_code == 200
    assert answer(link, score="8").status_code == 303
    response = Response.objects.get()
    assert (response.score, response.flags, response.sample_kind) == (8, [], "verified")


def test_a_send_that_was_refused_is_not_lost(client: Client, address: str, rules: None) -> None:
    nonce = hidden(client.get(address), "form")
    fields = {"form": nonce, "lang": "en", "score": "1", "reason": "Nobody helped me", "contact": "call"}
    refused = client.post(address, fields | {"phone": "12"})
    assert refused.status_code == 422 and "gets it as it is, without an address" in refused.content.decode()
    # What is tapped afterwards takes nothing back.
    with later(seconds=20):
        _step(client, address, nonce, 1, score="0")
        assert settle_left() == 0
    with later(minutes=6):
        assert settle_left() == 1 and settle_left() == 0
    response = Response.objects.get()
    assert (response.score, response.flags, response.contact) == (0, ["unfinished"], None)
    assert Verbatim.objects.get().text == "Nobody helped me"
    case = Case.objects.get()
    assert case.fix_only and "12" not in str(response.answers)
    # She mends the number after all.
    with later(minutes=12):
        sent = client.post(address, fields | {"score": "0", "phone": NUMBER})
    assert sent.status_code == 303
    response.refresh_from_db()
    case.refresh_from_db()
    assert response.flags == [] and response.contact and response.contact.value == NUMBER
    assert response.revision == 2 and Case.objects.count() == 1 and not case.fix_only
    # However late, for it was never said to be complete.
    Response.objects.update(flags=["unfinished"])
    with later(hours=3):
        client.post(address, fields | {"score": "0", "phone": NUMBER})
    assert Response.objects.get().flags == []


@pytest.mark.parametrize(("length", "promised"), [(8000, True), (12_001, False)])
def test_a_text_that_is_refused_as_too_long_is_not_cut(
    client: Client, address: str, length: int, promised: bool
) -> None:
    fields = {"form": hidden(client.get(address), "form"), "lang": "en", "score": "1", "reason": "ї" * length}
    refused = client.post(address, fields).content.decode()
    assert f"Characters: {length} of 4000 at most." in refused and fields["reason"] in refused
    assert ("gets it as it is" in refused) == promised
    with later(minutes=6):
        assert settle_left() == 1
    assert Verbatim.objects.get().text == "ї" * min(length, 12_000)


def test_what_was_missing_comes_late_by_a_link_too(client: Client, chain: Chain, surveys: Any, rules: None) -> None:
    receipt_link(chain.store, "1", timezone.now())
    link = f"/r/{Invitation.objects.get().token}/"
    fields = {"form": hidden(client.get(link), "form"), "lang": "en", "score": "1", "contact": "call"}
    assert client.post(link, fields | {"phone": "12", "website": "a program's"}).status_code == 422
    with later(minutes=6):
        assert settle_left() == 1
    assert Response.objects.get().flags == ["unfinished", "trap"]
    with later(hours=2):
        # Whoever finds the link learns nothing, and what is refused once more says nothing that is not true.
        assert client.get(link).status_code == 404
        assert client.post(link, fields | {"form": "forged", "phone": NUMBER}).status_code == 404
        assert client.post(f"{link}?seen", {"form": fields["form"]}).status_code == 303
        again = client.post(link, fields | {"phone": "13"})
        assert again.status_code == 422 and "gets it as it is" not in again.content.decode()
        assert client.post(link, fields | {"phone": NUMBER}).status_code == 303
    response = Response.objects.get()
    assert response.contact and response.contact.value == NUMBER and response.flags == ["trap"]


def test_a_correction_in_another_tab_that_is_refused_is_not_said_to_be_kept(
    client: Client, chain: Chain, surveys: Any, answer: Any
) -> None:
    receipt_link(chain.store, "1", timezone.now())
    link = f"/r/{Invitation.objects.get().token}/"
    first, second = (hidden(client.get(link), "form") for _tab in range(2))
    fields = {"lang": "en", "score": "1", "contact": "call", "phone": "12"}
    assert "gets it as it is" in client.post(link, fields | {"form": second}).content.decode()
    PartialAnswer.objects.all().delete()
    answer(link, form=first, score="9")
    refused = client.post(link, fields | {"form": second})
    assert refused.status_code == 422 and "gets it as it is" not in refused.content.decode()
    _step(client, link, second, 1, score="2")
    assert not PartialAnswer.objects.exists() and Response.objects.get().score == 9


def test_what_is_said_after_deleting_is_new(client: Client, address: str, answer: Any) -> None:
    nonce = hidden(client.get(address), "form")
    _step(client, address, nonce, 1, score="3")
    with later(minutes=31):
        settle_left()
    erase_response(Response.objects.get().pk)
    answer(form=nonce, score="4")
    response = Response.objects.get()
    assert (response.score, response.flags, response.erased_at) == (4, [], None)


def test_an_answer_that_is_there_stays_whatever_was_refused_before(client: Client, address: str, answer: Any) -> None:
    nonce = hidden(client.get(address), "form")
    client.post(address, {"form": nonce, "lang": "en", "score": "1", "contact": "email", "email": "no"})
    assert PartialAnswer.objects.get().refused
    answer(form=nonce, score="6", contact="email", email="a@b.example")
    with later(minutes=6):
        assert settle_left() == 1
    response = Response.objects.get()
    assert (response.score, response.flags, response.revision) == (6, [], 1) and response.contact
    assert not PartialAnswer.objects.exists()


def test_what_cannot_be_made_an_answer_steps_aside(client: Client, address: str, monkeypatch: Any) -> None:
    for score in ("3", "4"):
        _step(client, address, hidden(client.get(address), "form"), 1, score=score)
    first = PartialAnswer.objects.order_by("pk").first()
    assert first
    PartialAnswer.objects.filter(pk=first.pk).update(answers={"recommend": "not a number"})
    with later(minutes=31):
        assert settle_left() == 2 and settle_left() == 0
        assert Response.objects.count() == 1 and PartialAnswer.objects.get() == first
    with later(minutes=62):
        assert count_overdue(0) == 0
    with later(minutes=95):
        assert count_overdue(60) == 1


def test_rules_that_the_database_refuses_cost_a_retry_and_no_answer(
    client: Client, address: str, rules: None, monkeypatch: Any
) -> None:
    sent = {"form": hidden(client.get(address), "form"), "score": "1", "contact": "call", "phone": "1"}
    assert client.post(address, sent).status_code == 422
    monkeypatch.setattr("alerts.book.ask", lambda _sql, values: ask("SELECT nothing", values))
    with later(minutes=6):
        assert settle_left() == 1
    assert Response.objects.get().score == 1 and Evaluation.objects.get().run_at and not PartialAnswer.objects.exists()


def test_deleting_ones_words_deletes_what_was_kept_for_the_same_invitation(
    client: Client, chain: Chain, surveys: Any, answer: Any
) -> None:
    receipt_link(chain.store, "1", timezone.now())
    link = f"/r/{Invitation.objects.get().token}/"
    _step(client, link, hidden(client.get(link), "form"), 1, score="2")
    answer(link, score="8")
    erase_response(Response.objects.get().pk)
    assert not PartialAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_killed_half_way_it_is_made_once_all_the_same(client: Client) -> None:
    chain = Chain()
    ensure_surveys()
    ensure_defaults()
    address = f"/q/{chain.touchpoint.code}/"
    nonce = hidden(client.get(address), "form")
    sent = {"form": nonce, "lang": "en", "score": "1", "reason": "Cold", "contact": "call", "phone": "1"}
    assert client.post(address, sent).status_code == 422
    PartialAnswer.objects.update(run_at=timezone.now())
    environment = process_environment(HALFHOUR_TESTING="1", HALFHOUR_STEP_KILL="answer_made")
    died = subprocess.run(
        [sys.executable, "manage.py", "work", "alerts", "--once"], cwd=settings.BASE_DIR, env=environment, check=False
    )
    assert died.returncode == -signal.SIGKILL and not Response.objects.exists() and not Case.objects.exists()
    # The database may hold what the dead process held a moment longer.
    until = time.monotonic() + PATIENCE_SECS
    while not Response.objects.exists() and time.monotonic() < until:
        assert settle_left() == 1
    assert Response.objects.get().flags == ["unfinished"] and Case.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_deletes_their_words_while_what_they_left_is_settled_waits(client: Client, monkeypatch: Any) -> None:
    """They take both rows in the same order: what was left, then the answer."""
    chain = Chain()
    ensure_surveys()
    ensure_defaults()
    address = f"/q/{chain.touchpoint.code}/"
    nonce = hidden(client.get(address), "form")
    _step(client, address, nonce, 1, score="3")
    PartialAnswer.objects.update(run_at=timezone.now())
    settle_left()
    # They came back, and their Send was refused.
    sent = {"form": nonce, "lang": "en", "score": "1", "reason": "Cold", "contact": "call", "phone": "1"}
    assert client.post(address, sent).status_code == 422
    PartialAnswer.objects.update(run_at=timezone.now())
    response, make = Response.objects.get(), partials._make_answer
    erasing = Beside(lambda: erase(response.pk))

    def meet(*args: Any, **more: Any) -> None:
        erasing.until_held()
        make(*args, **more)

    monkeypatch.setattr(partials, "_make_answer", meet)
    assert settle_left() == 1
    erasing.end()
    response.refresh_from_db()
    assert response.erased_at and not PartialAnswer.objects.exists()
    assert not Verbatim.objects.exclude(text="").exists()
