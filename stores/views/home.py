"""The way in, and the language that a person reads."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from stores.access import StaffRequest, opens_on_devices, page_of_ours
from stores.choices import CASE_ROLES
from stores.queries import roles_of


@require_safe
@opens_on_devices
def home(request: StaffRequest) -> HttpResponse:
    """Where this person's day begins."""
    held = roles_of(request.user)
    if held & CASE_ROLES:
        return redirect("inbox")
    if held:
        return redirect("stores")
    return render(request, "stores/no_role.html", status=403)


@require_POST
@opens_on_devices
def set_language(request: StaffRequest) -> HttpResponse:
    """Keep the language that a member of staff wants to read."""
    wish = request.POST.get("language", "")
    if wish in dict(settings.STAFF_LANGUAGES):
        user = request.user
        user.language = wish
        user.save(update_fields=["language"])
    return redirect(page_of_ours(request.POST.get("next", ""), reverse("home")))
