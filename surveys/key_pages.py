"""Head office's pages of the keys by which tills sign survey links, see docs/receipt-links.md."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F, Max, Q
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from stores.access import StaffRequest, roles_required
from stores.choices import Role
from stores.models import Store
from stores.queries import stores_visible_to
from stores.sorting import folded
from surveys import signed
from surveys.models import ReceiptKey
from surveys.receipt_keys import AlreadyMade, end_key, make_key, newest_key, revoke_key

page = roles_required(Role.HEAD_OFFICE)
PER_PAGE = 40
_LONGEST_LINK = 300
_ONLY_HEAD_OFFICE = {Role.HEAD_OFFICE}
# What makers of tills are given.
_PAPERS = {
    "receipt-links.md": "text/markdown; charset=utf-8",
    "receipt-links.json": "application/json",
}


@require_safe
@page
def till_keys(request: StaffRequest) -> HttpResponse:
    """Every store and whether its tills have a key; the first are those that have."""
    query = request.GET.get("q", "").strip()[:100]
    stores = stores_visible_to(request.user, roles=_ONLY_HEAD_OFFICE).filter(retired_at=None)
    for word in folded(query).split():
        stores = stores.filter(search_text__contains=word)
    used = Q(receipt_keys__ended_at=None, receipt_keys__revoked_at=None)
    stores = stores.annotate(
        keys=Count("receipt_keys"), newest_at=Max("receipt_keys__created_at", filter=used)
    ).order_by(F("newest_at").desc(nulls_last=True), "sort_key", "pk")
    context = {
        "page": Paginator(stores, PER_PAGE).get_page(request.GET.get("page")),
        "q": query,
        "paging_query": f"{urlencode({'q': query})}&" if query else "",
    }
    return render(request, "surveys/till_keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def till_keys_of(request: StaffRequest, code: str) -> HttpResponse:
    """The keys of one store: a new one, whose secret is shown only now; and what becomes of the others."""
    store = get_object_or_404(stores_visible_to(request.user, roles=_ONLY_HEAD_OFFICE), code=code)
    made: dict[str, Any] = {}
    if request.method == "POST":
        if "make" not in request.POST:
            return _changed(request, store)
        if store.retired_at:
            raise Http404
        try:
            key, secret = make_key(store, request.user, seen=request.POST.get("seen", ""))
            made = {"key": key.key_id, "secret": secret, "example": _example(store, key.key_id, secret)}
        except AlreadyMade:
            messages.warning(request, _("A key was made for this store since the page was opened. It is in the list."))
            return _see(store)
    keys = list(store.receipt_keys.defer("secret").order_by("-pk"))
    context = {
        "store": store,
        "keys": keys,
        "made": made,
        "seen": newest_key(store),
        "checked": _checked(request, store),
        "link": request.GET.get("link", "")[:_LONGEST_LINK],
    }
    response = render(request, "surveys/till_keys_of.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _changed(request: StaffRequest, store: Store) -> HttpResponse:
    """End a key, or take one back."""
    key = get_object_or_404(ReceiptKey.objects.select_related("store"), store=store, key_id=request.POST.get("key", ""))
    do = request.POST.get("do")
    if do == "end" and end_key(key, request.user):
        messages.success(request, _("Ended. Receipts of before stay good."))
    elif do == "revoke" and revoke_key(key, request.user):
        messages.success(request, _("Taken back. No link that was signed with it leads to the survey any more."))
    return _see(store)


def _see(store: Store) -> HttpResponse:
    response = redirect("till_keys_of", store.code)
    response.status_code = 303
    return response


def _example(store: Store, key: str, secret: str) -> str:
    """A link as the till should make it for a receipt TEST-1 bought now, to compare with."""
    now = timezone.now()
    token = signed.sign(secret=secret, key=key, store=store.code, number="TEST-1", purchased_at=now, days=1)
    return f"{settings.PUBLIC_URL}/r/{token}/"


def _checked(request: StaffRequest, store: Store) -> signed.Diagnosis | None:
    """What is to be said of a link of this store's tills that was typed in; None where none was."""
    link = request.GET.get("link", "").strip()[:_LONGEST_LINK]
    if not link:
        return None
    return signed.diagnose(link.partition("?")[0].rstrip("/").rpartition("/")[2], store)


@require_safe
@page
def till_paper(request: StaffRequest, name: str) -> HttpResponseBase:
    """The description for makers of tills, and its examples."""
    if name not in _PAPERS:
        raise Http404
    return FileResponse(
        (settings.BASE_DIR / "docs" / name).open("rb"), content_type=_PAPERS[name], filename=name, as_attachment=True
    )
