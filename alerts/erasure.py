"""What erasing a response does to its case: the words go, what happened and when stays."""

from uuid import UUID

from django.utils import timezone

from alerts.choices import ReviewState
from alerts.models import Case, CaseEntry, CaseEvent, Review
from alerts.reviews import leave_queue
from core.personal import on_erase


@on_erase
def blank_entries(response_id: UUID) -> None:
    """Blank every word of the case that this response opened: any of them may speak of the shopper.

    A response that joined another's case takes only its own words with it, what its shopper texted among them. Anybody
    can type anybody's address, and must not be able to wipe out a stranger's conversation.
    """
    CaseEntry.objects.filter(case__response=response_id).update(text="")
    joined = CaseEvent.objects.filter(case__further_responses__response=response_id, new__writer=str(response_id))
    CaseEntry.objects.filter(pk__in=list(joined.values_list("new__entry", flat=True))).update(text="")
    Case.objects.filter(response=response_id).update(shopper_name="")
    for review in Review.objects.select_for_update().filter(response=response_id, state=ReviewState.PENDING):
        leave_queue(review, ReviewState.ERASED, at=timezone.now())
