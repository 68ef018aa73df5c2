"""Reads of cases."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from alerts.choices import TO_DO, CaseState
from alerts.models import Case, CaseEvent, CaseResponse, Verification
from core.quick import Compiled
from stores.models import User
from stores.queries import stores_visible_to
from surveys.choices import ContactWish
from surveys.models import Response


def cases_visible_to(user: User) -> QuerySet[Case]:
    """The cases of the stores that the user's roles reach, escalated ones too."""
    return Case.objects.filter(store__in=stores_visible_to(user))


def case_for_response(response_id: UUID) -> Case | None:
    """The case that this response opened or was appended to."""
    return next(iter(_of_response(response_id)), None)


_of_response = Compiled(
    lambda response_id: Case.objects.filter(
        Q(response=response_id) | Q(pk__in=CaseResponse.objects.filter(response=response_id).values("case"))
    ).select_related("store", "response__contact", "owner"),
    UUID(int=1),
)


def events_that_stand(events: QuerySet[CaseEvent]) -> QuerySet[CaseEvent]:
    """Without what was taken back."""
    return events.filter(undone_by=None)


def said_no(to_case: str = "") -> Exists:
    """Whether the shopper ever said that it is not solved; `to_case` leads to the case, like `opened_case__`."""
    return Exists(Verification.objects.filter(case=OuterRef(f"{to_case}pk"), solved=False))


def count_outcomes(cases: QuerySet[Case]) -> dict[str, int]:
    """What shoppers said of these cases: `reopened` if they ever said no, else `confirmed`, or `unconfirmed` where the
    time passed without a word.

    Each case once, of those whose shopper could be asked; one that still waits for an answer is in none of them.
    """
    could_be_asked = cases.filter(fix_only=False).annotate(no=said_no())
    return could_be_asked.aggregate(
        reopened=Count("pk", filter=Q(no=True)),
        confirmed=Count("pk", filter=Q(no=False, state=CaseState.CONFIRMED)),
        unconfirmed=Count("pk", filter=Q(no=False, state=CaseState.UNCONFIRMED)),
    )


def is_reachable(response: Response) -> bool:
    """Whether the shopper gave an address and wishes to hear from us."""
    return bool(
        response.contact_wish != ContactWish.NONE
        and response.erased_at is None
        and response.contact is not None
        and response.contact.value
    )


def earlier_cases(response: Response) -> list[float]:
    """How many days before it each case of the same verified shopper was opened, within a year.

    Verified is who was invited after a purchase or a call; an address typed on a public page never pulls in a history.
    """
    contact = response.invitation.contact if response.invitation else None
    if contact is None or not contact.value_hash:
        return []
    found = Case.objects.filter(
        response__invitation__contact__value_hash=contact.value_hash,
        opened_at__gt=response.submitted_at - timedelta(days=365),
        opened_at__lt=response.submitted_at,
    ).exclude(response=response)
    return [(response.submitted_at - at) / timedelta(days=1) for at in found.values_list("opened_at", flat=True)]


def open_case_of_contact(store_id: int, value_hash: str) -> Case | None:
    """The store's case that waits for somebody, opened by the same address and still reachable there, oldest first."""
    if not value_hash:
        return None
    found = Case.objects.filter(store_id=store_id, state__in=TO_DO, response__contact__value_hash=value_hash)
    wished = found.exclude(response__contact_wish=ContactWish.NONE)
    return wished.order_by("opened_at").select_related("owner").first()
