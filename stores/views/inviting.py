"""Links for everybody who was let in and has none."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from stores.access import StaffRequest, roles_required
from stores.choices import PersonState
from stores.inviting import invited, start_inviting, waiting
from stores.standing import INVITING_ROLES


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*INVITING_ROLES)
def invitations(request: StaffRequest) -> HttpResponse:
    """How many have not joined and what holds them up; POST starts the long job that sends them links."""
    without_link = waiting(request.user)
    if request.method == "POST" and (people := list(without_link.values_list("pk", flat=True))):
        back = f"{reverse('people')}?state={PersonState.INVITED}"
        return redirect("job", pk=start_inviting(people, owner=request.user, back_url=back).pk)
    never = without_link.filter(invitations=None).count()
    total, lacking = invited(request.user).count(), without_link.count()
    context = {"total": total, "never": never, "ended": lacking - never, "open": total - lacking, "lacking": lacking}
    return render(request, "people/invitations.html", context)
