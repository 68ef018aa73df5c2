"""What the demo's people made of words that opened no case by themselves."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.choices import Dismissal, ReviewReason, ReviewState
from alerts.models import Review, ReviewEvent
from alerts.reviews import EXPIRES_AFTER
from stores.choices import Role
from stores.models import RoleAssignment
from surveys.models import Verbatim

_READ_SHARE = 0.9
# Some of today's and yesterday's still wait.
_FRESH = timedelta(days=2)
_WHY = (Dismissal.CONTENT, Dismissal.CONTENT, Dismissal.SETTLED, Dismissal.NOT_OURS, Dismissal.NO_WORDS)


@dataclass(frozen=True)
class Asked:
    """Words that were put before a person at `at`."""

    verbatim: Verbatim
    reason: ReviewReason
    at: datetime


def save_reviews(asked: Iterable[Asked], rng: random.Random, now: datetime) -> None:
    """Reviews and what happened to them. What has no manager expires, and so does a tenth of the rest."""
    held = RoleAssignment.objects.filter(role__in=[Role.STORE_MANAGER, Role.CALL_CENTRE_LEAD])
    managers = {role.store_id: role.user for role in held.select_related("user")}
    made, events = [], []
    for one in asked:
        response = one.verbatim.response
        review = Review(
            verbatim=one.verbatim, response=response, store=response.store, reason=one.reason, created_at=one.at
        )
        events.append(ReviewEvent(review=review, state=ReviewState.PENDING, at=one.at, detail={"reason": one.reason}))
        manager = managers.get(response.store_id)
        read_at = one.at + timedelta(minutes=rng.randint(5, 2000))
        if one.at > now - _FRESH or (read_at >= now and one.at + EXPIRES_AFTER > now):
            review.run_at = one.at + EXPIRES_AFTER
        elif manager and rng.random() < _READ_SHARE:
            review.state, review.decided_at, review.decided_by = ReviewState.DISMISSED, read_at, manager
            review.dismissal = rng.choice(_WHY)
        elif one.at + EXPIRES_AFTER <= now:
            review.state, review.decided_at = ReviewState.EXPIRED, one.at + EXPIRES_AFTER
        else:
            review.run_at = one.at + EXPIRES_AFTER
        if review.decided_at:
            events.append(
                ReviewEvent(
                    review=review,
                    state=review.state,
                    at=review.decided_at,
                    actor=review.decided_by,
                    detail={"dismissal": review.dismissal} if review.dismissal else {},
                )
            )
        made.append(review)
    Review.objects.bulk_create(made, batch_size=1000)
    ReviewEvent.objects.bulk_create(events, batch_size=1000)
