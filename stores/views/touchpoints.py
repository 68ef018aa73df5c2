"""A store's codes."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from core.tokens import clean_typed_code
from stores import qr
from stores.access import STAFF_ROLES, StaffRequest, get_store_or_404, roles_required


@require_safe
@roles_required(*STAFF_ROLES)
def touchpoint_qr(request: StaffRequest, code: str, touchpoint: str, kind: str) -> HttpResponse:
    """The QR code of one touchpoint; `?download` hands it over as a file."""
    found = get_store_or_404(request.user, code)
    spot = get_object_or_404(found.touchpoints, code=clean_typed_code(touchpoint))
    text = qr.touchpoint_url(spot.code)
    if kind == "svg":
        response = HttpResponse(qr.svg(text, str(spot)), content_type="image/svg+xml")
    elif kind == "png":
        response = HttpResponse(qr.png(text), content_type="image/png")
    else:
        raise Http404
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{found.code}-{spot.kind}-{spot.code}.{kind}"'
    response["Cache-Control"] = "private, max-age=3600"
    return response
