"""`/reports/actions/`: what is done about causes of bad visits, by whom and until when, and what came of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alerts.models import Case, RootCause
from alerts.queries import cases_visible_to
from reports.action_forms import DoneForm, DropForm, NoteForm, PlanForm
from reports.action_reads import (
    actions_visible_to,
    ended_on,
    is_late,
    may_change,
    may_decide,
    places_for,
    time_zone_of,
    time_zones_of,
)
from reports.actions import amend, begin, end, note, take_up
from reports.effect import effect_of
from reports.filters import Scope, find_node, find_store, scope_of
from reports.models import Action, ActionEntry, ActionState, EntryOfAction
from reports.pages import tabs_of
from reports.periods import Week
from sentiment.labels import TOPIC_LABELS, topic_label
from stores.access import StaffRequest
from stores.choices import StoreKind
from stores.models import Node, Store, User

PER_PAGE = 30


@require_safe
def actions(request: StaffRequest) -> HttpResponse:
    """All actions of the places that the reader sees whole: those under way by date, those ended the latest first."""
    scope = scope_of(request.user)
    state = request.GET.get("state", ActionState.OPEN)
    if state not in ActionState.values:
        state = ActionState.OPEN
    mine = request.GET.get("mine") == "1"
    found = actions_visible_to(scope)
    if mine:
        found = found.filter(owner=request.user)
    counts = {value: found.filter(state=value).count() for value in ActionState.values}
    order = ["due_on", "pk"] if state == ActionState.OPEN else [F("ended_at").desc(), "-pk"]
    page = Paginator(found.filter(state=state).order_by(*order), PER_PAGE).get_page(request.GET.get("page"))
    zones = time_zones_of(one.place for one in page)
    context = {
        "page": page,
        "tabs": tabs_of("actions", has_calls=scope.stores.filter(kind=StoreKind.CALL_CENTRE).exists()),
        "states": [(value, label, counts[value], value == state) for value, label in ActionState.choices],
        "state": state,
        "mine": mine,
        "query": f"state={state}&{'mine=1&' if mine else ''}",
        "rows": [(one, is_late(one, zones[one.place]), ended_on(one, zones[one.place])) for one in page],
    }
    return render(request, "reports/actions.html", context)


@require_POST
def begin_action(request: StaffRequest) -> HttpResponse:
    """One tap from a case, a topic or a root cause; from there to its page, where it is given a date and an owner."""
    scope = scope_of(request.user)
    place, against = _wish(request, scope)
    if not may_decide(request.user, place):
        raise PermissionDenied
    begun = begin(place, by=request.user, **against)
    said = _("Begun. It is yours until you give it to somebody.") if begun.fresh else _("This is under way already.")
    messages.success(request, said)
    return redirect("action", begun.action.pk)


def _wish(request: StaffRequest, scope: Scope) -> tuple[Node | Store, dict[str, Any]]:
    """What the tap was about. Raises Http404 for anything that this person may not see."""
    wish = request.POST
    if key := wish.get("case", ""):
        case = _case(request.user, key)
        topic = "" if case.root_cause_id else _topic_of(case)
        return case.store, {"cause": case.root_cause, "topic": topic, "case": case}
    place = _place(scope, wish.get("store", ""), wish.get("node", ""))
    if (topic := wish.get("topic", "")) in TOPIC_LABELS:
        return place, {"topic": topic}
    number = wish.get("cause", "")
    if not number.isascii() or not number.isdecimal() or len(number) > 18:
        raise Http404
    return place, {"cause": get_object_or_404(RootCause, pk=number)}


def _case(user: User, key: str) -> Case:
    try:
        case_id = UUID(key)
    except ValueError:
        raise Http404 from None
    return get_object_or_404(cases_visible_to(user).select_related("store__node", "root_cause"), pk=case_id)


def _topic_of(case: Case) -> str:
    """What the shopper spoke badly of, first of all; empty where the words were not about anything known."""
    for verbatim in case.response.verbatims.select_related("analysis"):
        analysis = getattr(verbatim, "analysis", None)
        for hit in analysis.topics if analysis is not None else ():
            if hit["sentiment"] == "negative":
                return str(hit["topic"])
    return ""


def _place(scope: Scope, code: str, number: str) -> Node | Store:
    """What was named, or all that the reader sees where that is one place."""
    if code:
        found: Node | Store | None = find_store(scope.stores, code)
    elif number:
        found = find_node(scope.nodes, number)
    elif len(scope.tops) == 1:
        (top,) = scope.tops
        found = (scope.nodes if top.kind == "node" else scope.stores.select_related("node")).filter(pk=top.pk).first()  # type: ignore[attr-defined]
    else:
        found = None
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def action(request: StaffRequest, pk: int) -> HttpResponse:
    """One action: what is planned, what was noted, and what came of it. `do` says which form was sent."""
    scope = scope_of(request.user)
    found = get_object_or_404(actions_visible_to(scope).select_related("case__store__node"), pk=pk)
    forms: dict[str, Any] = {}
    if request.method == "POST":
        doing = _VERBS.get(request.POST.get("do", ""))
        if doing is None:
            return HttpResponse(status=400)
        verb, anybody = doing
        if not anybody and not may_change(request.user, found):
            raise PermissionDenied
        forms = verb(request, found, scope)
        if not forms:
            return redirect("action", found.pk)
    changes, zone = may_change(request.user, found), time_zone_of(found.place)
    context = {
        "action": found,
        "topic": topic_label(found.topic) if found.topic else "",
        "may_change": changes,
        "late": is_late(found, zone),
        "ended_on": ended_on(found, zone),
        "zone": zone,
        "effect": effect_of(found, scope, Week.of(timezone.now().astimezone(zone).date())),
        "entries": _history(found),
        "case_shown": found.case if found.case and _may_open(request.user, found.case) else None,
        "plan": PlanForm(found, places_for(found, request.user, scope)) if changes else None,
        "note": NoteForm(),
        "done": DoneForm(),
        "drop": DropForm(),
    }
    return render(request, "reports/action.html", context | forms, status=422 if forms else 200)


def _may_open(user: User, case: Case) -> bool:
    return cases_visible_to(user).filter(pk=case.pk).exists()


# Each returns the form that was refused, by its name in the template; nothing when all is well.
def _plan(request: StaffRequest, action: Action, scope: Scope) -> dict[str, Any]:
    form = PlanForm(action, places_for(action, request.user, scope), request.POST)
    if not form.is_valid():
        return {"plan": form}
    amend(action.pk, form.plan, by=request.user)
    messages.success(request, _("Saved."))
    return {}


def _note(request: StaffRequest, action: Action, _scope: Scope) -> dict[str, Any]:
    form = NoteForm(request.POST)
    if not form.is_valid():
        return {"note": form}
    note(action.pk, form.cleaned_data["text"], by=request.user, form_id=form.cleaned_data["form_id"])
    return {}


def _done(request: StaffRequest, action: Action, _scope: Scope) -> dict[str, Any]:
    form = DoneForm(request.POST)
    if not form.is_valid():
        return {"done": form}
    ended = end(action.pk, ActionState.DONE, by=request.user, text=form.cleaned_data["text"])
    if ended.state == ActionState.DONE:  # somebody may have dropped it meanwhile
        messages.success(request, _("Done. It hangs on the walls of this week."))
    return {}


def _drop(request: StaffRequest, action: Action, _scope: Scope) -> dict[str, Any]:
    form = DropForm(request.POST)
    if not form.is_valid():
        return {"drop": form}
    end(action.pk, ActionState.DROPPED, by=request.user, text=form.cleaned_data["text"])
    return {}


def _reopen(request: StaffRequest, action: Action, _scope: Scope) -> dict[str, Any]:
    take_up(action.pk, by=request.user)
    return {}


Verb = Callable[[StaffRequest, Action, Scope], dict[str, Any]]
# What each form does, and whether anybody who sees the action may send it.
_VERBS: dict[str, tuple[Verb, bool]] = {
    "plan": (_plan, False),
    "note": (_note, True),
    "done": (_done, False),
    "drop": (_drop, False),
    "reopen": (_reopen, False),
}


def _history(action: Action) -> list[tuple[ActionEntry, str]]:
    """What happened, the newest first, each with what changed in words."""
    entries = list(action.entries.select_related("by").order_by("-pk"))
    keys = {key for one in entries for key in (one.old, one.new) if one.kind == EntryOfAction.PLACE}
    people = {key for one in entries for key in (one.old, one.new) if one.kind == EntryOfAction.OWNER}
    names = {str(user.pk): user.name for user in User.objects.filter(pk__in=people)} if people else {}
    for kind, model in (("store", Store), ("node", Node)):
        pks = [key.partition(":")[2] for key in keys if key.startswith(kind)]
        found: QuerySet[Any] = model._default_manager.filter(pk__in=pks)
        names |= {f"{kind}:{one.pk}": one.name for one in found} if pks else {}

    def written(entry: ActionEntry, key: str) -> str:
        if entry.kind == EntryOfAction.DUE and (day := parse_date(key)):
            return date_format(day, "SHORT_DATE_FORMAT")
        return names.get(key, "")

    return [(one, f"{written(one, one.old)} → {written(one, one.new)}" if one.old else "") for one in entries]
