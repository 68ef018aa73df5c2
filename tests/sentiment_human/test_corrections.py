"""What a person says of a reading holds: at once, everywhere, whatever a model reads later, and until it is undone."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from alerts.choices import ReviewReason
from alerts.models import Case, Evaluation, Review
from alerts.policy import ensure_defaults
from core.leases import ClockNow
from core.work import drain
from reports.models import StoreDay
from sentiment import holding, work
from sentiment.actions import CorrectionRefused, correct
from sentiment.models import Analysis, Correction
from sentiment.panels import panel_of
from sentiment.signals import reading_corrected
from surveys.models import Response
from surveys.signals import response_saved
from tests.factories import Chain
from tests.sentiment_human.conftest import Read, submit
from tests.staff.cases import HTMX, make_case
from tests.threads import PATIENCE_SECS

BAD = "The staff were rude and ignored us for half an hour. Never again."


def again(analysis: Analysis) -> Analysis:
    return Analysis.objects.select_related("verbatim__response").get(pk=analysis.pk)


def read_again(analysis: Analysis) -> Analysis:
    """Have a worker read the same words once more, as after a change of the model."""
    Analysis.objects.filter(pk=analysis.pk).update(run_at=ClockNow(), attempts=0)
    assert drain(["analysis"]) == 1
    return again(analysis)


def test_a_refusal_is_shown_with_javascript_too(client: Client, chain: Chain, read: Read) -> None:
    analysis = read(BAD)
    Analysis.objects.filter(pk=analysis.pk).update(analysed_at=None)
    client.force_login(chain.manager)
    answer = client.post(f"/readings/{analysis.pk}/correct/", {"say": "sentiment//neutral"}, headers=HTMX)
    assert answer.status_code == 422  # what the pages' htmx swaps in
    assert "have not been read yet" in answer.content.decode()


def test_a_persons_word_holds_over_a_later_reading_and_the_models_is_kept(chain: Chain, read: Read) -> None:
    first = read(BAD)
    assert first.sentiment == "negative"
    p_negative = first.p_negative
    untouched = {hit["topic"] for hit in first.topics} - {"staff", "price"}
    correct(first.pk, chain.manager, field="sentiment", value="neutral")
    correct(first.pk, chain.manager, field="topic", key="staff", value="")
    correct(first.pk, chain.deputy, field="topic", key="price", value="positive")
    correct(first.pk, chain.deputy, field="urgency", key="legal", value="certain")
    for found in (again(first), read_again(first)):
        assert (found.sentiment, found.p_neutral, found.p_negative) == ("neutral", 1, 0)
        assert found.confident
        assert not found.alarming
        topics = {hit["topic"]: hit["sentiment"] for hit in found.topics}
        assert "staff" not in topics
        assert topics["price"] == "positive"
        assert untouched <= set(topics)  # nobody said anything of them
        assert "legal" in found.urgency
        assert found.urgency_certain
        assert found.model_reading["sentiment"] == "negative"
        assert found.model_reading["p_negative"] == pytest.approx(p_negative)
        assert "staff" in {hit["topic"] for hit in found.model_reading["topics"]}
    rows = list(Correction.objects.order_by("pk").values_list("field", "key", "old", "new", "model_said", "actor"))
    assert rows == [
        ("sentiment", "", "negative", "neutral", "negative", chain.manager.pk),
        ("topic", "staff", "negative", "", "negative", chain.manager.pk),
        ("topic", "price", "", "positive", "", chain.deputy.pk),
        ("urgency", "legal", "", "certain", "", chain.deputy.pk),
    ]


def test_undoing_is_another_row_and_the_models_word_holds_again(chain: Chain, read: Read) -> None:
    first = read(BAD)
    held = (first.sentiment, first.p_negative, first.topics, first.urgency, first.alarming)
    for change in ({"field": "sentiment", "value": "positive"}, {"field": "topic", "key": "staff", "value": ""}):
        correct(first.pk, chain.manager, **change)  # type: ignore[arg-type]
        correct(first.pk, chain.manager, **(change | {"value": None}))  # type: ignore[arg-type]
    found = again(first)
    assert (found.sentiment, found.p_negative, found.topics, found.urgency, found.alarming) == held
    assert (found.corrected, found.people_say, found.model_reading) == (False, {}, {})
    assert Correction.objects.count() == 4
    # Nothing is said of it any more: nothing to undo.
    assert correct(first.pk, chain.manager, field="sentiment", value=None).correction is None


def test_saying_what_the_model_says_confirms_it_against_later_models(chain: Chain, read: Read) -> None:
    first = read(BAD)
    done = correct(first.pk, chain.manager, field="sentiment", value="negative")
    assert done.correction is not None
    assert done.correction.old == done.correction.new == "negative"
    assert again(first).people_say["sentiment"] == "negative"
    assert correct(first.pk, chain.deputy, field="sentiment", value="negative").correction is None


def test_the_panel_holds_what_people_say_against_what_the_model_says_now(chain: Chain, read: Read) -> None:
    first = read(BAD)
    correct(first.pk, chain.manager, field="sentiment", value="negative")
    assert [one.agrees for one in panel_of(again(first)).standing] == [True]
    found = again(first)
    found.model_reading = found.model_reading | {"sentiment": "positive"}
    (standing,) = panel_of(found).standing
    assert not standing.agrees and (standing.says, standing.model_said) == ("negative", "positive")


def test_the_database_refuses_to_change_what_was_said(chain: Chain, read: Read) -> None:
    correct(read(BAD).pk, chain.manager, field="sentiment", value="neutral")
    with pytest.raises(DatabaseError), transaction.atomic():
        Correction.objects.update(new="positive")
    assert Correction.objects.get().new == "neutral"


def test_reports_follow_at_once_and_no_rule_is_judged(chain: Chain, read: Read) -> None:
    heard: list[bool] = []

    def hear(sender: object, raised: bool, **_: Any) -> None:
        heard.append(raised)

    first = read("Lovely shop and very kind people.", score=9)
    drain(["facts", "alerts"])
    judged = Evaluation.objects.filter(done_at__isnull=False).count()
    reading_corrected.connect(hear)
    try:
        correct(first.pk, chain.manager, field="sentiment", value="negative")
        correct(first.pk, chain.manager, field="topic", key="price", value="negative")
        correct(first.pk, chain.manager, field="urgency", key="fraud", value="certain")
        correct(first.pk, chain.manager, field="sentiment", value="neutral")
    finally:
        reading_corrected.disconnect(hear)
    assert heard == [True, False, True, False]
    drain(["facts"])
    cell = StoreDay.objects.get(store=chain.store)
    assert (cell.negative, cell.neutral, cell.positive) == (0, 1, 0)
    assert cell.topics["price"]["n"] == 1
    assert Evaluation.objects.filter(run_at=None).count() == judged
    assert not Evaluation.objects.filter(run_at__isnull=False).exists()


def test_fresh_words_that_a_person_calls_negative_or_urgent_are_offered_as_a_case(chain: Chain, read: Read) -> None:
    ensure_defaults()
    kind, fine, old = (read(f"Lovely shop and very kind people, number {n}.") for n in ("one", "two", "three"))
    with_case = read("Nobody helped me.", score=1)
    drain(["alerts"])
    assert not Review.objects.exists()
    Response.objects.filter(pk=old.verbatim.response_id).update(submitted_at=timezone.now() - timedelta(days=8))
    correct(kind.pk, chain.manager, field="sentiment", value="negative")
    correct(fine.pk, chain.manager, field="urgency", key="fraud", value="certain")
    correct(old.pk, chain.manager, field="sentiment", value="negative")
    correct(with_case.pk, chain.manager, field="urgency", key="legal", value="certain")
    found = dict(Review.objects.values_list("verbatim", "reason"))
    assert found == {kind.pk: ReviewReason.CORRECTED, fine.pk: ReviewReason.URGENT}
    assert not Case.objects.exclude(response=with_case.verbatim.response_id).exists()


def test_other_words_are_nobodys_judgement(chain: Chain, read: Read) -> None:
    first = read(BAD)
    correct(first.pk, chain.manager, field="sentiment", value="neutral")
    response = first.verbatim.response
    response.verbatims.update(text="Lovely shop and very kind people.")
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=True)
    with pytest.raises(CorrectionRefused):
        correct(first.pk, chain.manager, field="sentiment", value="neutral")
    drain(["analysis"])
    found = again(first)
    assert (found.sentiment, found.corrected, found.people_say) == ("positive", False, {})


def _meet(monkeypatch: pytest.MonkeyPatch, analysis: Analysis, actor: Any, *, secs: float) -> None:
    """A person corrects while the worker is about to store another reading of the same words."""
    Analysis.objects.filter(pk=analysis.pk).update(run_at=ClockNow(), attempts=0)
    looked, corrected = threading.Event(), threading.Event()
    real = holding.overruled

    def merge(*args: Any) -> Any:
        merged = real(*args)
        looked.set()
        corrected.wait(secs)
        return merged

    def person() -> None:
        looked.wait(PATIENCE_SECS)
        correct(analysis.pk, actor, field="sentiment", value="neutral")
        corrected.set()
        connection.close()

    monkeypatch.setattr(work, "overruled", merge)
    thread = threading.Thread(target=person)
    thread.start()
    work.read_due()
    thread.join(2 * PATIENCE_SECS)


@pytest.mark.django_db(transaction=True)
def test_correcting_while_a_reading_is_stored_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain()
    response = submit(chain, BAD)
    drain(["analysis"])
    first = Analysis.objects.get(verbatim__response=response)
    # With the lock the person waits for us, and comes afterwards.
    _meet(monkeypatch, first, chain.manager, secs=1)
    found = again(first)
    assert (found.sentiment, found.people_say["sentiment"]) == ("neutral", "neutral")
    assert found.model_reading["sentiment"] == "negative"


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_correction_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain()
    response = submit(chain, BAD)
    drain(["analysis"])
    first = Analysis.objects.get(verbatim__response=response)
    monkeypatch.setattr(work, "_held", lambda pk: Analysis.objects.only("people_say").filter(pk=pk))
    _meet(monkeypatch, first, chain.manager, secs=PATIENCE_SECS)
    assert again(first).sentiment == "negative"


# --- on the page ----------------------------------------------------------------------------------------------
READERS = {
    "manager": 303,
    "deputy": 303,
    "area_manager": 303,
    "head_office": 303,
    "call_centre_lead": 404,
    "foreign_manager": 404,
    "foreign_area_manager": 404,
    "operator": 403,
    "nobody": 403,
    "anonymous": 302,
}


def test_who_may_correct(chain: Chain, read: Read) -> None:
    own = read(BAD)
    for reader, status in READERS.items():
        client = Client()
        if reader != "anonymous":
            client.force_login(getattr(chain, reader))
        known = Correction.objects.count()
        correct(own.pk, chain.manager, field="sentiment", value="positive")
        correct(own.pk, chain.manager, field="sentiment", value=None)
        known += 2
        answer = client.post(f"/readings/{own.pk}/correct/", {"say": "sentiment//neutral", "next": "/inbox/"})
        assert answer.status_code == status, reader
        done = status == 303
        assert Correction.objects.count() == known + done, reader
        assert again(own).sentiment == ("neutral" if done else "negative"), reader
        if done:
            assert answer["Location"] == "/inbox/"
            correct(own.pk, chain.manager, field="sentiment", value=None)


def test_the_case_page_says_what_the_model_thinks_and_one_click_corrects_it(client: Client, chain: Chain) -> None:
    client.force_login(chain.manager)
    case = make_case(chain.touchpoint, words=BAD, score=1)
    drain(["analysis"])
    analysis = Analysis.objects.get(verbatim__response=case.response)
    address = f"/cases/{case.pk}/"
    page = client.get(address).content.decode()
    assert "The model thinks" in page
    assert f"{round(100 * (analysis.p_negative or 0))} %" in page
    assert 'value="sentiment//positive"' in page
    answer = client.post(
        f"/readings/{analysis.pk}/correct/", {"say": "sentiment//positive", "next": address}, follow=True
    )
    page = answer.content.decode()
    assert answer.redirect_chain == [(address, 303)]
    assert "A person says" in page
    assert f"says {chain.manager.name}" in page
    fragment = client.post(
        f"/readings/{analysis.pk}/correct/", {"say": "topic/staff/", "next": address}, headers=HTMX
    ).content.decode()
    assert "<html" not in fragment
    assert f'id="reading-{analysis.pk}"' in fragment
    assert "not about it" in fragment
    client.post(f"/readings/{analysis.pk}/correct/", {"say": "undo/sentiment/", "next": address})
    assert Analysis.objects.get(pk=analysis.pk).sentiment == "negative"


@pytest.mark.parametrize(
    "say", ["", "sentiment//angry", "topic/nonsense/negative", "urgency/legal/maybe", "undo//", "a/b/c/d", "undo/topic"]
)
def test_nonsense_changes_nothing(client: Client, chain: Chain, read: Read, say: str) -> None:
    client.force_login(chain.manager)
    first = read(BAD)
    assert client.post(f"/readings/{first.pk}/correct/", {"say": say}).status_code == 400
    assert not Correction.objects.exists()


def test_the_way_back_stays_on_our_pages(client: Client, chain: Chain, read: Read) -> None:
    client.force_login(chain.manager)
    first = read(BAD)
    for evil in ("//evil.example/", "https://evil.example/", "/\\evil.example", ""):
        answer = client.post(f"/readings/{first.pk}/correct/", {"say": "sentiment//neutral", "next": evil})
        assert answer["Location"] == "/"
