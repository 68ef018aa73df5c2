"""What the chain's stores still lack, for whoever sets it up."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from stores.access import STAFF_ROLES, Part, StaffRequest, parts_by_role, roles_required
from stores.checklist import all_gaps, count_gaps
from stores.queries import stores_visible_to
from stores.standing import Standing


@require_safe
@roles_required(*STAFF_ROLES)
def checklist(request: StaffRequest) -> HttpResponse:
    """How many of this person's stores lack what, with the list behind each, and what mends many at once."""
    visible = stores_visible_to(request.user, roles=STAFF_ROLES).filter(retired_at=None)
    counts = count_gaps(visible)
    parts = parts_by_role(request.user)
    # What is nobody's part is about people.
    theirs = {*parts, None} if Standing(request.user).invites else parts
    context = {
        "gaps": [(gap, counts.lacking[gap.key], gap.at_once if gap.part in theirs else None) for gap in all_gaps()],
        "counts": counts,
        "may_place": Part.PLACE in parts,
    }
    return render(request, "stores/checklist.html", context)
