"""Words that open no case by themselves wait for a person, who makes a case of them or says why not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from alerts.choices import Dismissal, EventKind, ReviewReason, ReviewState, Severity
from alerts.models import Case, Evaluation, Review, ReviewEvent, Rule
from alerts.policy import ensure_defaults
from alerts.reviewing import AlreadyReviewed, dismiss, open_reviewed
from alerts.reviews import EXPIRES_AFTER, count_to_review, queue_of
from alerts.rules import Conditions, Facts
from alerts.work import expire_reviews, run_evaluations
from core.leases import from_now
from core.personal import erase_response
from core.work import drain
from sentiment.models import Analysis
from surveys.actions import add_words, change_score
from surveys.models import Response
from tests.alerts.conftest import give_contact, open_case, submit
from tests.alerts.test_opening import read
from tests.factories import Chain, make_response

ANGRY: dict[str, Any] = {"p_negative": 0.9, "sentiment": "negative", "alarming": True}
URGENT_IN_TWO = [
    ("Gas leak!", "en"),
    ("Racist guard", "en"),
    ("Gasgeruch!", "de"),
    ("Вкрали гаманець", "uk"),
    ("Vendeur raciste", "fr"),
    ("Personal racista", "es"),
    ("Kradzież!", "pl"),
    ("Gaslek!", "nl"),
    ("تسرب غاز!", "ar"),
]
WORDS = "Nikt nam nie pomógł, wstyd."


def judged(chain: Chain, words: str = WORDS, *, score: int | None = 9, **reading: Any) -> Response:
    """A response whose words were read so and judged."""
    response = make_response(touchpoint=chain.touchpoint, score=score, words=words)
    submit(response)
    read(response, **reading)
    run_evaluations()
    return response


def review_of(response: Response) -> Review:
    return Review.objects.get(response=response)


def states(review: Review) -> list[str]:
    return [event.state for event in review.events.all()]


def test_angry_words_in_an_unproven_language_ask_a_person(chain: Chain) -> None:
    response = judged(chain, **ANGRY, proven=False)
    assert not Case.objects.exists()
    review = review_of(response)
    assert (review.reason, review.state) == (ReviewReason.UNPROVEN, ReviewState.PENDING)
    assert review.run_at and review.run_at - review.created_at == EXPIRES_AFTER
    assert states(review) == [ReviewState.PENDING]


def test_the_same_words_in_a_proven_language_open_a_case(chain: Chain) -> None:
    judged(chain, **ANGRY)
    assert Case.objects.get().rule_name == "Angry words"
    assert not Review.objects.exists()


def test_a_rule_with_a_threshold_of_its_own_asks_a_person_too(chain: Chain) -> None:
    Rule.objects.filter(name="Angry words").update(conditions={"sentiment": {"negative": 0.8}})
    review = review_of(judged(chain, **ANGRY, proven=False))
    assert review.reason == ReviewReason.UNPROVEN
    assert not Case.objects.exists()


STAFF: dict[str, Any] = {"topics": [{"topic": "staff", "sentiment": "negative"}]}


@pytest.mark.parametrize(
    ("asked", "reading", "reason"),
    [
        ({"topics_negative": True}, {}, None),
        ({"topics_negative": True}, {"proven": False}, ReviewReason.UNPROVEN),
        ({"topics_negative": True}, {"confident": False, "embedding": b"like"}, ReviewReason.UNSURE),
        ({"topics_negative": True, "scores": {"nps": [0, 10]}}, {"proven": False}, ReviewReason.UNPROVEN),
        ({}, {}, None),
        ({}, {"proven": False}, ReviewReason.UNPROVEN),
        ({"urgency": []}, {"proven": False, "urgency": ["fraud"]}, None),
    ],
)
def test_a_topic_by_itself_opens_no_case_where_the_model_is_not_proven(
    chain: Chain, asked: dict[str, Any], reading: dict[str, Any], reason: ReviewReason | None
) -> None:
    Rule.objects.filter(name="Angry words").update(conditions={"topics": ["staff"]} | asked)
    judged(chain, **STAFF, **reading)
    assert [review.reason for review in Review.objects.all()] == ([reason] if reason else [])
    assert Case.objects.exists() == (reason is None)


def test_beside_an_unhappy_score_a_topic_counts_in_any_language() -> None:
    facts = Facts("nps", 6, "qr", False, topics=(("staff", "negative"),))
    assert Conditions(topics=("staff",)).hold(facts)
    assert not Conditions(topics=("staff",)).hold(replace(facts, score=7))
    assert not Conditions(topics=("staff",), topics_negative=True).hold(facts)


def test_a_corrected_score_has_read_words_judged_again(chain: Chain) -> None:
    Rule.objects.filter(trigger="score").delete()
    Rule.objects.filter(name="Angry words").update(conditions={"topics": ["staff"]})
    response = judged(chain, **STAFF, proven=False, score=None)
    assert not Case.objects.exists()
    version = response.version
    change_score(response.pk, 9, at=timezone.now(), version=version)
    run_evaluations()
    assert not Case.objects.exists()
    # Words that are to be read again are judged then, not before.
    Analysis.objects.update(run_at=timezone.now())
    change_score(response.pk, 5, at=timezone.now(), version=version)
    run_evaluations()
    assert not Case.objects.exists()
    Analysis.objects.update(run_at=None)
    for score in (4, 5):
        change_score(response.pk, score, at=timezone.now(), version=version)
        run_evaluations()
    assert Case.objects.get().trigger == "text"
    assert review_of(response).state == ReviewState.OPENED
    add_words(response.pk, "other", "More of it was said", at=timezone.now())
    assert not Evaluation.objects.filter(trigger="text", done_at=None).exists()


def test_urgency_for_sure_opens_in_any_language(chain: Chain) -> None:
    judged(chain, urgency=["safety"], urgency_certain=True, proven=False)
    assert Case.objects.get().severity == Severity.SEVERE
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    ("reading", "score", "reason"),
    [
        ({"urgency": ["fraud"]}, 9, ReviewReason.URGENT),
        ({"sentiment": "negative", "p_negative": 0.45}, 9, ReviewReason.UNSURE),
        ({"confident": False, "sentiment": "neutral"}, None, ReviewReason.UNSURE),
        ({"confident": False, "sentiment": "neutral"}, 9, None),
        ({"confident": False, "sentiment": "neutral", "embedding": b"like"}, 9, ReviewReason.UNSURE),
        ({"sentiment": "positive", "proven": False}, 9, None),
        ({"sentiment": "neutral"}, 8, None),
    ],
)
def test_what_is_worth_a_persons_look(
    chain: Chain, reading: dict[str, Any], score: int | None, reason: str | None
) -> None:
    judged(chain, score=score, **reading)
    assert not Case.objects.exists()
    assert [review.reason for review in Review.objects.all()] == ([reason] if reason else [])


@pytest.mark.parametrize("words", ["Never again!", "Жах.", "👎", "Scandale !"])
def test_fewer_than_three_words_open_nothing_whatever_was_read_into_them(chain: Chain, words: str) -> None:
    judged(chain, words, **ANGRY)
    assert not Case.objects.exists()
    assert not Review.objects.exists()


def test_fewer_than_three_words_that_may_be_urgent_ask_a_person(chain: Chain) -> None:
    review = review_of(judged(chain, "Gas leak!", urgency=["safety"], urgency_certain=True))
    assert (review.reason, review.state) == (ReviewReason.URGENT, ReviewState.PENDING)
    assert count_to_review(chain.manager) == 1
    # With an unhappy score there is a case already, and people who read the words.
    judged(chain, "Gas leak!", score=1, urgency=["safety"], urgency_certain=True)
    assert Case.objects.count() == 1
    assert Review.objects.count() == 1


@pytest.mark.parametrize(("words", "language"), URGENT_IN_TWO)
def test_the_real_model_sees_what_is_urgent_in_two_words(chain: Chain, words: str, language: str) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=9, words=words, language=language)
    submit(response)
    drain(["analysis", "alerts"])
    assert not Case.objects.exists()
    assert review_of(response).reason == ReviewReason.URGENT


@pytest.mark.parametrize("words", ["Never again!", "Жахливо, ганьба!"])
def test_the_real_model_agrees(chain: Chain, words: str) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=9, words=words)
    submit(response)
    drain(["analysis", "alerts"])
    assert Analysis.objects.get(verbatim__response=response).analysed_at
    assert not Case.objects.exists() and not Review.objects.exists()


def test_polish_anger_and_german_anger_by_the_real_model(chain: Chain) -> None:
    polish, german = (
        make_response(touchpoint=chain.touchpoint, score=9, words=words, language=language)
        for words, language in (
            ("Bardzo zła obsługa, sprzedawczyni była niemiła i nas zignorowała, nie polecam.", "pl"),
            ("Unfreundliche Bedienung und ewig gewartet, ich komme nicht wieder.", "de"),
        )
    )
    for response in (polish, german):
        submit(response)
    drain(["analysis", "alerts"])
    if not Analysis.objects.get(verbatim__response=polish).proven:
        assert review_of(polish).reason == ReviewReason.UNPROVEN
        assert Case.objects.get().response == german


def test_irony_by_the_real_model(chain: Chain) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=9, words="Wonderful and perfect service, thank you 🙄")
    submit(response)
    drain(["analysis", "alerts"])
    assert not Case.objects.exists()
    assert review_of(response).reason == ReviewReason.UNSURE


def test_one_tap_opens_a_case_in_the_name_of_who_read_it(chain: Chain) -> None:
    response = judged(chain, urgency=["safety"])
    review = review_of(response)
    case = open_reviewed(review.pk, actor=chain.deputy)
    assert (case.rule_name, case.severity, case.owner) == ("Read by a person", Severity.SEVERE, chain.manager)
    opened = case.events.get(kind=EventKind.OPENED)
    assert opened.actor == chain.deputy
    review.refresh_from_db()
    assert (review.state, review.case, review.decided_by) == (ReviewState.OPENED, case, chain.deputy)
    assert states(review) == [ReviewState.PENDING, ReviewState.OPENED]
    assert open_reviewed(review.pk, actor=chain.manager) == case
    assert Case.objects.count() == 1


def test_the_case_of_the_same_shopper_is_joined(chain: Chain) -> None:
    case = open_case(chain)
    response = give_contact(make_response(touchpoint=chain.touchpoint, score=9, words=WORDS))
    submit(response)
    read(response, **ANGRY, proven=False)
    run_evaluations()
    assert open_reviewed(review_of(response).pk, actor=chain.manager) == case


def test_not_a_complaint_needs_its_reason_and_is_asked_once(chain: Chain) -> None:
    response = judged(chain, **ANGRY, proven=False)
    review = review_of(response)
    dismiss(review.pk, actor=chain.manager, why=Dismissal.CONTENT)
    dismiss(review.pk, actor=chain.manager, why=Dismissal.CONTENT)
    with pytest.raises(AlreadyReviewed):
        dismiss(review.pk, actor=chain.deputy, why=Dismissal.NOT_OURS)
    with pytest.raises(AlreadyReviewed):
        open_reviewed(review.pk, actor=chain.deputy)
    read(response, **ANGRY, proven=False)
    run_evaluations()
    review.refresh_from_db()
    assert (review.state, review.dismissal) == (ReviewState.DISMISSED, Dismissal.CONTENT)
    assert states(review) == [ReviewState.PENDING, ReviewState.DISMISSED]

    Response.objects.filter(pk=response.pk).update(revision=2)
    read(response, **ANGRY, proven=False)
    run_evaluations()
    review.refresh_from_db()
    assert (review.state, review.dismissal, review.decided_by) == (ReviewState.PENDING, "", None)


def test_what_nobody_reads_expires_where_it_is_seen(chain: Chain) -> None:
    review = review_of(judged(chain, **ANGRY, proven=False))
    assert expire_reviews() == 0
    Review.objects.update(run_at=from_now(-timedelta(seconds=1)))
    assert expire_reviews() == 1
    review.refresh_from_db()
    assert (review.state, review.run_at, review.decided_by) == (ReviewState.EXPIRED, None, None)
    assert states(review) == [ReviewState.PENDING, ReviewState.EXPIRED]
    queue = queue_of(chain.manager)
    assert (list(queue.pending), list(queue.expired)) == ([], [review])
    assert open_reviewed(review.pk, actor=chain.manager).response_id == review.response_id
    Review.objects.update(state=ReviewState.EXPIRED, decided_at=timezone.now() - timedelta(days=8))
    assert not queue_of(chain.manager).expired


def test_a_case_that_comes_by_another_way_settles_it(chain: Chain) -> None:
    response = judged(chain, **ANGRY, proven=False)
    read(response, urgency=["legal"], urgency_certain=True)
    run_evaluations()
    review = review_of(response)
    assert (review.state, review.case, review.decided_by) == (ReviewState.OPENED, Case.objects.get(), None)


def test_erased_words_wait_for_nobody(chain: Chain) -> None:
    response = judged(chain, **ANGRY, proven=False)
    with transaction.atomic():
        erase_response(response.pk)
    review = review_of(response)
    assert (review.state, review.run_at) == (ReviewState.ERASED, None)
    with pytest.raises(AlreadyReviewed):
        open_reviewed(review.pk, actor=chain.manager)


def test_everybody_sees_their_own_queue(chain: Chain) -> None:
    judged(chain, **ANGRY, proven=False)
    seen = (chain.manager, chain.deputy, chain.area_manager, chain.head_office)
    assert [count_to_review(user) for user in seen] == [1, 1, 1, 1]
    strangers = (chain.foreign_manager, chain.foreign_area_manager, chain.operator, chain.nobody)
    assert [count_to_review(user) for user in strangers] == [0, 0, 0, 0]


def test_what_happened_to_a_review_stays(chain: Chain) -> None:
    judged(chain, **ANGRY, proven=False)
    for change in ("UPDATE alerts_reviewevent SET state = 'opened'", "DELETE FROM alerts_reviewevent"):
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(change)
    assert ReviewEvent.objects.count() == 1


def test_the_first_rules_ask_the_model(chain: Chain) -> None:
    Rule.objects.all().delete()
    ensure_defaults()
    assert Rule.objects.get(name="Angry words").conditions == {"alarming": True}
