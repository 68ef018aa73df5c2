"""Connects this room to the signals above it."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import structlog
from django.db import connection, transaction
from django.dispatch import receiver

from alerts.book import Book, current
from alerts.choices import ReviewReason, Trigger
from alerts.handover import hand_over_from
from alerts.kudos import rejoice
from alerts.models import Evaluation
from alerts.opening import is_stale, judge, opens_nothing
from alerts.queries import case_for_response
from alerts.reviews import ask_person
from core.leases import ClockNow
from core.quick import insert_soon, together
from sentiment.models import Analysis, CorrectedField, Correction
from sentiment.signals import reading_corrected, verbatim_analysed
from stores.models import User
from stores.signals import reach_lost
from surveys.models import Response
from surveys.signals import answer_comes, response_saved

log = structlog.get_logger()
_DUE_AGAIN: dict[str, Any] = {
    "done_at": None, "attempts": 0, "lease_token": None, "lease_until": None, "last_error": "",
}  # fmt: skip


@receiver(answer_comes)
def fetch_rules(sender: object, **_: Any) -> Book | None:
    """Outside of the transaction, or of its own where the caller has begun one: what is wrong here is found again, in
    the savepoint, and costs no answer."""
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return current()
    except Exception:
        log.exception("rules cannot be read")
        return None


@receiver(response_saved)
def judge_score(
    sender: object, response: Response, corrected: bool = False, ahead: Mapping[Any, Any] | None = None, **_: Any
) -> None:
    """Run the score rules in a savepoint of the submission and leave word of the outcome.

    When they fail the response is kept all the same, with an evaluation that the lane tries again. Most answers need no
    savepoint: the rules as they were read before, and the score, say that nothing happens.
    """
    evaluation = Evaluation(response=response, trigger=Trigger.SCORE, revision=response.revision)
    book: Book | None = (ahead or {}).get(fetch_rules)
    try:
        if corrected or book is None or not opens_nothing(response, book):
            with transaction.atomic(), together() if not corrected else nullcontext():
                if corrected:
                    Response.objects.select_for_update(no_key=True).only("pk").get(pk=response.pk)
                judge(evaluation, response, fresh=not corrected, book=None if corrected else book)
    except Exception as error:  # whatever is wrong with the rules, the shopper's words are kept
        log.exception("score rules failed", response=str(response.pk))
        evaluation.run_at = ClockNow()
        evaluation.last_error = type(error).__name__
    else:
        evaluation.done_at = ClockNow()
    insert_soon([evaluation], ignore_conflicts=True)


@receiver(response_saved)
def judge_words_again(sender: object, response: Response, corrected: bool = False, **_: Any) -> None:
    """Another score may make a case of words that were judged beside the old one. What is still to be read, or read
    again, is judged then."""
    if not corrected:
        return
    before = response.revisions.order_by("-number").first()
    if before is None or before.score == response.score:
        return
    judged = Evaluation.objects.filter(response=response, trigger=Trigger.TEXT, done_at__isnull=False)
    read = judged.filter(verbatim__analysis__analysed_at__isnull=False, verbatim__analysis__run_at=None)
    read.update(run_at=ClockNow(), **_DUE_AGAIN)


@receiver(verbatim_analysed)
def queue_text_rules(sender: object, analysis: Analysis, **_: Any) -> None:
    """Leave a due evaluation; words that are read again are judged again."""
    Evaluation.objects.bulk_create(
        [
            Evaluation(
                response_id=analysis.verbatim.response_id,
                trigger=Trigger.TEXT,
                revision=0,
                verbatim_id=analysis.pk,
                run_at=ClockNow(),
            )
        ],
        update_conflicts=True,
        unique_fields=["response", "trigger", "revision", "verbatim"],
        update_fields=["run_at", *_DUE_AGAIN],
    )


@receiver(verbatim_analysed)
def tell_of_praise(sender: object, analysis: Analysis, **_: Any) -> None:
    """Very happy words reach the store's team at once. Whatever goes wrong there, the reading is kept."""
    try:
        rejoice(analysis)
    except Exception:
        log.exception("kudos failed", verbatim=analysis.pk)


@receiver(reading_corrected)
def offer_case(sender: object, analysis: Analysis, correction: Correction, raised: bool, **_: Any) -> None:
    """Put fresh words that a person calls negative or urgent into the queue; the caller holds the response."""
    response = analysis.verbatim.response
    if raised and not is_stale(analysis.verbatim) and not response.erased_at and case_for_response(response.pk) is None:
        urgent = correction.field == CorrectedField.URGENCY
        ask_person(response, analysis.verbatim, ReviewReason.URGENT if urgent else ReviewReason.CORRECTED)


@receiver(reach_lost)
def hand_over(sender: object, person: User, actor: User | None, **_: Any) -> None:
    """Nobody's case is left with somebody who has gone."""
    hand_over_from(person, actor=actor)
