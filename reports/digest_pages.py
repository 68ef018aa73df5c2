"""Which figures one gets by e-mail."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from reports.digests import WEEKS_OF, reading_of, subscribe, zone_of
from reports.filters import find_node, find_store, node_options, scope_of
from reports.models import Digest, Rhythm
from reports.periods import Week
from stores.access import StaffRequest

# More stores than this are chosen by region.
_LONGEST_LIST = 300
_MOST = 20


@require_http_methods(["GET", "HEAD", "POST"])
def digests(request: StaffRequest) -> HttpResponse:
    """`/reports/digests/`: what comes, when it comes next, and how to have it or be rid of it."""
    scope = scope_of(request.user)
    if request.method == "POST":
        return _end(request) if "end" in request.POST else _begin(request)
    own = Digest.objects.filter(user=request.user).select_related("user", "node", "store").order_by("rhythm", "pk")
    few = scope.stores.count() <= _LONGEST_LIST
    context = {
        "digests": [
            (
                one,
                where.name if (where := one.store or one.node) else gettext("Everything I may see"),
                zone_of(one),
                reading_of(one, Week(one.monday)) is not None,
            )
            for one in own
        ],
        "rhythms": [(rhythm.value, rhythm.label, WEEKS_OF[rhythm]) for rhythm in Rhythm],
        "node_choices": node_options(scope),
        "store_choices": list(scope.stores.order_by("sort_key")) if few else [],
        "chosen_node": request.GET.get("node", ""),
        "chosen_store": request.GET.get("store", ""),
        "email": request.user.email,
    }
    return render(request, "reports/digests.html", context)


def _begin(request: StaffRequest) -> HttpResponse:
    """Raises Http404 for a place outside what the reader may see."""
    scope, sent = scope_of(request.user), request.POST
    if sent.get("rhythm") not in Rhythm.values:
        raise Http404
    kind, _, chosen = sent.get("place", "").partition(":")
    node = find_node(scope.nodes, chosen) if kind == "node" else None
    store = find_store(scope.stores, chosen) if kind == "store" else None
    if kind and not node and not store:
        raise Http404
    if request.user.digests.count() >= _MOST:
        messages.error(request, gettext("You get twenty digests already. End one of them first."))
    else:
        subscribe(request.user, Rhythm(sent["rhythm"]), node=node, store=store)
        messages.success(request, gettext("It will come by e-mail."))
    return redirect("digests")


def _end(request: StaffRequest) -> HttpResponse:
    number = request.POST["end"]
    if number.isdecimal() and len(number) < 19:
        request.user.digests.filter(pk=number).delete()
        messages.success(request, gettext("It comes no more."))
    return redirect("digests")
