"""What erasing a response does to its case: the words go, what happened and when stays."""

from uuid import UUID

from django.db.models import Q

from alerts.models import CaseEntry
from core.personal import on_erase


@on_erase
def blank_entries(response_id: UUID) -> None:
    """Blank every word of the cases that this response opened or joined: any of them may speak of the shopper."""
    CaseEntry.objects.filter(Q(case__response=response_id) | Q(case__further_responses__response=response_id)).update(
        text=""
    )
