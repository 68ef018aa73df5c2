"""The page of what is known about the purchases behind the answers."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from reports.traffic import COLUMNS, MOST_ROWS, FileRefused, coverage, read_file, record_traffic
from stores.access import StaffRequest, roles_required
from stores.choices import Role
from stores.models import Store
from stores.queries import stores_visible_to
from surveys.choices import ResponseChannel

_ROLES = (Role.HEAD_OFFICE, Role.OPERATOR)
_MOST_BYTES = 8 * 1024**2
_SHOWN = 50


@roles_required(*_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def traffic(request: StaffRequest) -> HttpResponse:
    """Which stores are told of and which are not; a file of counts is taken whole or not at all."""
    stores = stores_visible_to(request.user, roles=_ROLES).filter(retired_at=None)
    problems = _take(request, stores) if request.method == "POST" else []
    if request.method == "POST" and not problems:
        return redirect("traffic")
    known = coverage(stores)
    context = {
        "known": known,
        "missing": known.missing[:_SHOWN],
        "more": max(0, known.stores - known.told - _SHOWN),
        "problems": problems,
        "columns": COLUMNS,
        "channels": ResponseChannel.choices,
        "most_rows": MOST_ROWS,
    }
    return render(request, "reports/traffic.html", context, status=422 if problems else 200)


def _take(request: StaffRequest, stores: QuerySet[Store]) -> list[str]:
    """Keep what was sent; returns what is wrong with it."""
    sent = request.FILES.get("file")
    if sent is None:
        return [_("Choose a file first.")]
    if (sent.size or 0) > _MOST_BYTES:
        return [_("The file is larger than %(n)d MB.") % {"n": _MOST_BYTES // 1024**2}]
    try:
        kept = record_traffic(read_file(sent.read(), stores))
    except FileRefused as refused:
        return refused.problems
    messages.success(request, ngettext("%(n)d count kept.", "%(n)d counts kept.", kept) % {"n": kept})
    return []
