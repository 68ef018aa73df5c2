"""What a person makes of words that waited to be read: a case, or no complaint."""

from django.db import transaction
from django.utils import timezone

from alerts.choices import Dismissal, ReviewReason, ReviewState, Severity
from alerts.models import Case, Review
from alerts.opening import open_by_person
from alerts.reviews import leave_queue
from stores.models import User
from surveys.models import Response

# What may still become a case: what waits, and what nobody has read in time.
_OPENABLE = (ReviewState.PENDING, ReviewState.EXPIRED)


class AlreadyReviewed(Exception):
    """A colleague was faster, or the shopper has deleted the words; the review's row says which."""


@transaction.atomic
def open_reviewed(review_id: int, *, actor: User) -> Case:
    """Open a case about the words. Opened twice it is the same case. Raises AlreadyReviewed."""
    review, response = _locked(review_id)
    if review.state == ReviewState.OPENED and review.case is not None:
        return review.case
    if review.state not in _OPENABLE or response.erased_at:
        raise AlreadyReviewed
    severity = Severity.SEVERE if review.reason == ReviewReason.URGENT else Severity.NORMAL
    case = open_by_person(response, severity, actor=actor)
    leave_queue(review, ReviewState.OPENED, at=timezone.now(), actor=actor, case=case)
    return case


@transaction.atomic
def dismiss(review_id: int, *, actor: User, why: Dismissal) -> None:
    """Write down that the words are no complaint, and why. Raises AlreadyReviewed."""
    review, _response = _locked(review_id)
    if review.state == ReviewState.DISMISSED and review.decided_by_id == actor.pk:
        return
    if review.state != ReviewState.PENDING:
        raise AlreadyReviewed
    leave_queue(review, ReviewState.DISMISSED, at=timezone.now(), actor=actor, dismissal=why)


def _locked(review_id: int) -> tuple[Review, Response]:
    """Both rows, the response's first, as whoever judges it takes them."""
    of = Review.objects.values_list("response_id", flat=True).get(pk=review_id)
    response = (
        Response.objects.select_for_update(of=("self",), no_key=True)
        .select_related("store__node", "contact")
        .get(pk=of)
    )
    return Review.objects.select_for_update(of=("self",)).select_related("case").get(pk=review_id), response
