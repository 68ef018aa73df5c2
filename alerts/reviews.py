"""Words that open no case by themselves but that a person should read: the queue, and who may see it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import models
from django.db.models import QuerySet
from django.utils import timezone

from alerts.choices import ReviewReason, ReviewState
from alerts.models import Case, Review, ReviewEvent, Rule
from alerts.rules import Facts, first_that_holds
from stores.models import User
from stores.queries import stores_visible_to
from surveys.models import Response, Verbatim

# Words that nobody has read by then are old news; that nobody did stays to be seen for as long again.
EXPIRES_AFTER = timedelta(days=7)
_MOST_PRESSING = models.Case(
    *(models.When(reason=reason, then=place) for place, reason in enumerate(ReviewReason)),
    output_field=models.SmallIntegerField(),
)


def reason_to_read(rules: Iterable[Rule], facts: Facts) -> ReviewReason | None:
    """Why words that opened no case should be read by a person; None when they need not.

    `rules` are those of the words. Raises ValidationError for a rule that cannot be read, as they do.
    """
    if facts.urgency:
        return ReviewReason.URGENT
    if not facts.feeling_proven and first_that_holds(rules, replace(facts, proven=True, by_service=False)):
        return ReviewReason.UNPROVEN
    # Negative, if at all, below what four in five alarms need; maybe not meant so; or unreadable without a score.
    doubtful = facts.sentiment == "negative" if facts.confident else facts.readable or facts.score is None
    return ReviewReason.UNSURE if doubtful else None


def ask_person(response: Response, verbatim: Verbatim, reason: ReviewReason) -> None:
    """Put words into the queue; those that a person has judged come back only once they were corrected.

    The caller holds the response's row.
    """
    now = timezone.now()
    fresh = {
        "reason": reason,
        "state": ReviewState.PENDING,
        "revision": response.revision,
        "run_at": now + EXPIRES_AFTER,
    }
    review = Review.objects.filter(verbatim=verbatim).first()
    if review is None:
        review = Review(verbatim=verbatim, response=response, store=response.store, created_at=now, **fresh)
        review.save(force_insert=True)
    elif review.state == ReviewState.PENDING:
        review.reason, review.revision = reason, response.revision
        review.save(update_fields=["reason", "revision"])
        return
    elif review.revision < response.revision:
        again = {"created_at": now, "decided_at": None, "decided_by": None, "dismissal": "", "case": None}
        Review.objects.filter(pk=review.pk).update(**fresh, **again)
    else:
        return
    record(review, ReviewState.PENDING, at=now, reason=reason)


def settle_by_case(case: Case, response: Response) -> None:
    """Take a response out of the queue whose case was opened by another way."""
    now = timezone.now()
    for review in Review.objects.select_for_update().filter(response=response, state=ReviewState.PENDING):
        leave_queue(review, ReviewState.OPENED, at=now, case=case)


def leave_queue(
    review: Review,
    state: ReviewState,
    *,
    at: datetime,
    actor: User | None = None,
    case: Case | None = None,
    dismissal: str = "",
) -> None:
    """Give a review that the caller has locked its outcome, and write that down."""
    review.state, review.run_at = state, None
    review.decided_at, review.decided_by, review.case, review.dismissal = at, actor, case, dismissal
    review.save(update_fields=["state", "run_at", "decided_at", "decided_by", "case", "dismissal"])
    detail = {"case": str(case.pk) if case else "", "dismissal": dismissal}
    record(review, state, at=at, actor=actor, **{key: value for key, value in detail.items() if value})


def record(review: Review, state: ReviewState, *, at: datetime, actor: User | None = None, **detail: str) -> None:
    """Write down what happened to a review."""
    ReviewEvent.objects.create(review=review, state=state, at=at, actor=actor, detail=detail)


# --- reads ----------------------------------------------------------------------------------------------------
def reviews_visible_to(user: User) -> QuerySet[Review]:
    """The reviews of the stores that the user's roles reach."""
    return Review.objects.filter(store__in=stores_visible_to(user))


@dataclass(frozen=True)
class Queue:
    """What waits to be read, what pressed first, and what expired lately although it had waited."""

    pending: QuerySet[Review]
    expired: QuerySet[Review]


def queue_of(user: User) -> Queue:
    """The user's queue, with all that its page shows. What has no words any more is left out."""
    found = _with_words(user).select_related("store", "response__touchpoint", "verbatim__analysis")
    lately = timezone.now() - EXPIRES_AFTER
    return Queue(
        pending=found.filter(state=ReviewState.PENDING).order_by(_MOST_PRESSING, "created_at", "pk"),
        expired=found.filter(state=ReviewState.EXPIRED, decided_at__gte=lately).order_by("-decided_at", "pk"),
    )


def count_to_review(user: User) -> int:
    """How many words wait for this person or their colleagues to read them."""
    return _with_words(user).filter(state=ReviewState.PENDING).count()


def _with_words(user: User) -> QuerySet[Review]:
    return reviews_visible_to(user).exclude(verbatim__text="")
