"""Which figures one gets by e-mail."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from reports.digest_rules import begin_rule
from reports.digests import WEEKS_OF, end, reading_of, subscribe, zone_of
from reports.filters import find_node, find_store, node_options, scope_of
from reports.models import Digest, DigestRule, Rhythm
from reports.periods import Week
from stores.access import StaffRequest
from stores.choices import REPORT_ROLES, Role
from stores.queries import roles_of

# More stores than this are chosen by region.
_LONGEST_LIST = 300
_MOST = 20


@require_http_methods(["GET", "HEAD", "POST"])
def digests(request: StaffRequest) -> HttpResponse:
    """`/reports/digests/`: what comes, when it comes next, and how to have it or be rid of it."""
    scope = scope_of(request.user)
    if request.method == "POST":
        return _changed(request)
    # What they had asked for themselves and have ended is gone for them.
    own = Digest.objects.filter(user=request.user).exclude(rule=None, run_at=None)
    own = own.select_related("user", "node", "store").order_by("rhythm", "pk")
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
        **_rules(request),
    }
    return render(request, "reports/digests.html", context)


def _changed(request: StaffRequest) -> HttpResponse:
    if {"rule", "end_rule"} & request.POST.keys():
        return _change_rules(request)
    return _end(request) if "end" in request.POST else _begin(request)


def _rules(request: StaffRequest) -> dict[str, Any]:
    """What head office is shown of what others are sent."""
    if Role.HEAD_OFFICE not in roles_of(request.user):
        return {}
    nodes = scope_of(request.user).nodes
    sent = DigestRule.objects.filter(node__in=nodes).select_related("node").order_by("node__path", "role", "rhythm")
    counts = sent.annotate(
        people=Count("digests", filter=Q(digests__run_at__isnull=False)),
        ended=Count("digests", filter=Q(digests__run_at=None)),
    )
    return {"rules": counts, "role_choices": [(role.value, role.label) for role in Role if role in REPORT_ROLES]}


def _change_rules(request: StaffRequest) -> HttpResponse:
    """Raises Http404 for who is not of head office, and for a node outside what they may see."""
    sent, nodes = request.POST, scope_of(request.user).nodes
    if Role.HEAD_OFFICE not in roles_of(request.user):
        raise Http404
    if "end_rule" in sent:
        number = sent["end_rule"]
        if number.isdecimal() and len(number) < 19:
            DigestRule.objects.filter(pk=number, node__in=nodes).delete()
            messages.success(request, gettext("It is sent to them no more."))
        return redirect("digests")
    node = find_node(nodes, sent.get("node", ""))
    if node is None or sent["rule"] not in REPORT_ROLES or sent.get("rhythm") not in Rhythm.values:
        raise Http404
    begin_rule(sent["rule"], node, Rhythm(sent["rhythm"]), by=request.user)
    messages.success(request, gettext("They get it by e-mail, each in their own language."))
    return redirect("digests")


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
    if request.user.digests.filter(run_at__isnull=False).count() >= _MOST:
        messages.error(request, gettext("You get twenty digests already. End one of them first."))
    else:
        subscribe(request.user, Rhythm(sent["rhythm"]), node=node, store=store)
        messages.success(request, gettext("It will come by e-mail."))
    return redirect("digests")


def _end(request: StaffRequest) -> HttpResponse:
    number = request.POST["end"]
    if number.isdecimal() and len(number) < 19:
        end(request.user.digests.filter(pk=number))
        messages.success(request, gettext("It comes no more."))
    return redirect("digests")
