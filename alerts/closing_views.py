"""`/inbox/closing/`: how cases ended; `/inbox/sample/`: what stores left out, for those above them."""

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from alerts.cards import cards_of
from alerts.choices import TO_DO
from alerts.closing import closing_of, sample_for
from alerts.inbox import Tab, with_everything
from alerts.models import Case
from alerts.queries import cases_visible_to
from alerts.reviews import count_to_review
from stores.access import StaffRequest, roles_required
from stores.choices import CASE_ROLES, STORE_ROLES
from stores.models import Store
from stores.queries import roles_of, stores_visible_to

ABOVE_STORES = CASE_ROLES - STORE_ROLES


@require_safe
@roles_required(*CASE_ROLES)
def closing(request: StaffRequest) -> HttpResponse:
    """Figures by store for everybody within their reach; by person only of the stores that one leads from above: one
    may lead an area and work in a store of another."""
    above = bool(roles_of(request.user) & ABOVE_STORES)
    led = _led_by(request) if above else None
    context = {
        "closing": closing_of(stores_visible_to(request.user), led=led),
        "by_person": above,
        "to_sample": len(sample_for(led)) if led is not None else 0,
        "tabs": list(Tab),
        "tab": "",
        "open_count": cases_visible_to(request.user).filter(state__in=TO_DO).count(),
        "to_review": count_to_review(request.user),
    }
    return render(request, "alerts/closing.html", context)


def _led_by(request: StaffRequest) -> QuerySet[Store]:
    """The stores that this person answers for from above."""
    return stores_visible_to(request.user, roles=ABOVE_STORES)


@require_safe
@roles_required(*CASE_ROLES)
def sample(request: StaffRequest) -> HttpResponse:
    """Some of the cases that stores left out of their shares; each is judged on its own page."""
    if not roles_of(request.user) & ABOVE_STORES:
        raise PermissionDenied
    chosen = with_everything(Case.objects.filter(pk__in=sample_for(_led_by(request)))).order_by("-closed_at")
    return render(request, "alerts/sample.html", {"cards": cards_of(list(chosen))})
