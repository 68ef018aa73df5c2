"""What people decide about readings: parse, fetch, act, render."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sentiment.actions import CorrectionRefused, correct, is_known
from sentiment.models import CorrectedField
from sentiment.queries import readings_visible_to
from stores.access import StaffRequest, roles_required
from stores.choices import CASE_ROLES


@require_POST
@roles_required(*CASE_ROLES)
def correct_reading(request: StaffRequest, pk: int) -> HttpResponse:
    """One judgement of a person: `say` is field/key/value, or undo/field/key. Back to where the reading is shown."""
    found = get_object_or_404(readings_visible_to(request.user), pk=pk)
    judgement = _judgement(request.POST.get("say", ""))
    if judgement is None:
        return HttpResponse(status=400)
    field, key, value = judgement
    try:
        corrected = correct(found.pk, request.user, field=field, key=key, value=value)
    except CorrectionRefused as refused:
        said, status, reading = str(refused), 422, found
    else:
        said, status, reading = _("Thank you. It counts everywhere from now on."), 200, corrected.analysis
    if request.htmx:
        context = {"reading": reading, "said": said, "open": field != CorrectedField.SENTIMENT, "next": _back(request)}
        answer = render(request, "sentiment/_reading.html", context, status=status)
        # Whatever else of the page tells of it looks again.
        answer["HX-Trigger"] = f"corrected-{found.pk}"
        return answer
    messages.info(request, said)
    response = redirect(_back(request))
    response.status_code = 303
    return response


def _judgement(say: str) -> tuple[str, str, str | None] | None:
    """Field, key and value (None: taken back); None for what nobody can say."""
    parts = say.split("/")
    if len(parts) != 3:
        return None
    field, key, value = (parts[1], parts[2], None) if parts[0] == "undo" else parts
    return (field, key, value) if is_known(field, key, value) else None


def _back(request: StaffRequest) -> str:
    """The page that showed the reading, if it is one of ours."""
    back = request.POST.get("next", "")
    ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return back if ours else reverse("home")
