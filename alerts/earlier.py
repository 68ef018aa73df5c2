"""What is known of a shopper beside the response: what they were asked about, and their earlier cases.

Only who was invited after a purchase or a call is known for certain. An address typed on a public page never pulls in
a history: anybody can type anybody's.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from alerts.models import Case
from alerts.queries import cases_visible_to
from stores.models import Store, User
from surveys.models import Response

MOST_EARLIER = 5


@dataclass(frozen=True)
class Purchase:
    """The receipt or the call that an invitation was about."""

    label: str
    at: datetime
    store: Store
    detail: str = ""


def purchase_of(response: Response) -> Purchase | None:
    """None for who scanned a code. A receipt's number is kept as a hash only, so nobody can read what was bought."""
    invitation = response.invitation
    if invitation is None:
        return None
    if invitation.receipt is not None:
        return Purchase(_("Receipt"), invitation.receipt.purchased_at, invitation.receipt.store)
    if invitation.call is not None:
        detail = ", ".join(part for part in (invitation.call.queue, invitation.call.agent) if part)
        return Purchase(_("Call"), invitation.call.ended_at, invitation.call.store, detail)
    return None


def earlier_cases_seen_by(user: User, response: Response) -> list[Case]:
    """The latest earlier cases of the same shopper, of the stores that the user's roles reach."""
    contact = response.invitation.contact if response.invitation else None
    if contact is None or not contact.value_hash:
        return []
    same: QuerySet[Case] = cases_visible_to(user).filter(
        response__invitation__contact__value_hash=contact.value_hash, response__submitted_at__lt=response.submitted_at
    )
    others = same.exclude(response=response).select_related("store", "root_cause")
    return list(others.order_by("-opened_at")[:MOST_EARLIER])
