"""Cases whose owner has left or reaches their store no more go to whoever answers now."""

from django.db import transaction
from django.utils import timezone

from alerts.choices import TO_DO, EventKind
from alerts.models import Case, CaseEvent
from alerts.notices import Written, add_update
from alerts.signals import case_changed
from stores.models import User
from stores.queries import stores_visible_to, who_answers


@transaction.atomic
def hand_over_from(person: User, *, actor: User | None) -> int:
    """Give every case that waits for this person and is out of their reach a new owner, who is told. Returns how many.

    The clock runs on: a shopper does not wait longer because somebody leaves.
    """
    cases = Case.objects.filter(owner=person, state__in=TO_DO)
    if person.is_active:
        cases = cases.exclude(store__in=stores_visible_to(person))
    held = cases.select_for_update(of=("self",)).select_related("store__node").order_by("pk")
    written = Written()
    handed = list(held)
    now = timezone.now()
    for case in handed:
        case.owner = next(iter(who_answers(case.store, case.level, at=now)), None)
        case.version += 1
        written.events.append(
            CaseEvent(
                case=case,
                kind=EventKind.HANDED_OVER,
                at=now,
                actor=actor,
                recipient=case.owner,
                old={"owner": person.pk},
                new={"owner": case.owner_id},
            )
        )
        add_update(written, case, about=f"handed:{case.pk}:{case.version}", at=now)
    Case.objects.bulk_update(handed, ["owner", "version"])
    written.save()
    for case in handed:
        case_changed.send(sender=Case, case=case)
    return len(handed)
