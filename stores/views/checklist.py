"""What the chain's stores still lack, for whoever sets it up."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from stores.access import STAFF_ROLES, StaffRequest, roles_required
from stores.checklist import all_gaps, count_gaps, incomplete
from stores.queries import stores_visible_to


@require_safe
@roles_required(*STAFF_ROLES)
def checklist(request: StaffRequest) -> HttpResponse:
    """How many of this person's stores lack what, with the list behind each."""
    visible = stores_visible_to(request.user, roles=STAFF_ROLES).filter(retired_at=None).order_by()
    counts = count_gaps(visible)
    stores = visible.count()
    context = {
        "gaps": [(gap, counts[gap.key]) for gap in all_gaps()],
        "stores": stores,
        "complete": stores - visible.filter(incomplete()).count(),
    }
    return render(request, "stores/checklist.html", context)
