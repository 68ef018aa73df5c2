"""Changing one store: its master data, hours, exceptions and closure, its place, and making a new one."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from stores import actions
from stores.access import STAFF_ROLES, Part, StaffRequest, editable_store_or_404, nodes_editable_by, roles_required
from stores.forms import ClosureForm, ExceptionForm, HoursForm, NewStoreForm, PlaceForm, StoreForm
from stores.hours import coming_exceptions, is_closed_on
from stores.models import HoursException, Store
from stores.moving import plan_stores
from stores.public_holidays import country_name, public_holidays, subdivisions
from stores.zones import time_zones, zones_of

_READ_AND_WRITE = ["GET", "HEAD", "POST"]
_WEEKDAYS = range(1, 5)
_HOLIDAYS_AHEAD = timedelta(days=365)
# What a refused form answers with; see components/_htmx_config.json.
REFUSED = 422


def _answer(request: StaffRequest, template: str, context: dict[str, Any], *, refused: bool) -> HttpResponse:
    return render(request, template, context, status=REFUSED if refused else 200)


def _saved(request: StaffRequest, store: Store) -> HttpResponse:
    messages.success(request, _("Saved."))
    return redirect("store", store.code)


@require_http_methods(_READ_AND_WRITE)
@roles_required(*STAFF_ROLES)
def new_store(request: StaffRequest) -> HttpResponse:
    """A store that is not there yet."""
    nodes = nodes_editable_by(request.user)
    if not nodes.exists():
        raise PermissionDenied
    initial = {"node": request.GET.get("node", "")}
    form = NewStoreForm(nodes, request.POST or None, initial=initial)
    if form.is_valid():
        try:
            made = actions.create_store(actor=request.user, **form.cleaned_data)
        except actions.PlaceInUse:
            form.add_error("node", _("This place is retired."))
        except actions.CodeTaken:
            form.refuse_code()
        else:
            messages.success(request, _("The store is made. What it still needs is listed here."))
            return redirect("store", made.code)
    context = {"form": form, "zones": time_zones(), "subdivisions": ()}
    return _answer(request, "stores/edit.html", context, refused=form.is_bound)


@require_http_methods(_READ_AND_WRITE)
@roles_required(*STAFF_ROLES)
def store_edit(request: StaffRequest, code: str) -> HttpResponse:
    """The master data of a store."""
    store = editable_store_or_404(request.user, code, Part.MASTER)
    # A copy, so that what was refused does not stand in the title.
    form = StoreForm(request.POST or None, instance=Store.objects.get(pk=store.pk))
    if form.is_valid():
        try:
            return _saved(request, actions.change_store(store, actor=request.user, **form.cleaned_data))
        except actions.CodeTaken:
            form.refuse_code()
    context = {
        "store": store,
        "form": form,
        "zones": [*zones_of(store.country), *time_zones()],
        "subdivisions": subdivisions(store.country),
    }
    return _answer(request, "stores/edit.html", context, refused=form.is_bound)


@require_http_methods(_READ_AND_WRITE)
@roles_required(*STAFF_ROLES)
def store_hours(request: StaffRequest, code: str) -> HttpResponse:
    """The weekly hours; `copy` writes Monday's to the other working days first, without saving."""
    store = editable_store_or_404(request.user, code, Part.HOURS)
    if "copy" in request.POST:
        monday = request.POST.get("day_0", "")
        given = {name: value for name, value in request.POST.items() if name.startswith("day_")}
        copied = {f"day_{day}": monday for day in _WEEKDAYS}
        form = HoursForm(initial=given | copied | {"shown": request.POST.get("shown", "")})
    else:
        form = HoursForm(request.POST or None, initial=HoursForm.initial_of(store))
    if form.is_bound and form.is_valid():
        actions.set_hours(store, form.cleaned_data["week"], actor=request.user)
        return _saved(request, store)
    return _answer(request, "stores/hours.html", {"store": store, "form": form}, refused=form.is_bound)


@require_http_methods(_READ_AND_WRITE)
@roles_required(*STAFF_ROLES)
def store_exceptions(request: StaffRequest, code: str) -> HttpResponse:
    """The dates on which the weekly hours do not hold."""
    store = editable_store_or_404(request.user, code, Part.EXCEPTIONS)
    if (day := _day(request.POST.get("remove", ""))) is not None:
        actions.remove_exception(store, day, actor=request.user)
        messages.success(request, _("The usual hours hold again on that date."))
        return redirect("store_exceptions", store.code)
    form = ExceptionForm(store, request.POST or None, initial={"first": request.GET.get("date", "")})
    if form.is_valid():
        data = form.cleaned_data
        actions.set_exception(
            store, data["first"], data["last"], data["hours"], reason=data["reason"], actor=request.user
        )
        messages.success(request, _("Saved."))
        return redirect("store_exceptions", store.code)
    today = timezone.now().astimezone(ZoneInfo(store.time_zone)).date()
    taken: dict[date, list[HoursException]] = {}
    for one in coming_exceptions(store, today):
        taken.setdefault(one.date, []).append(one)
    context = {
        "store": store,
        "form": form,
        "taken": list(taken.items()),
        "holidays": [
            (day, name)
            for day, name in public_holidays(
                store.subdivision or store.country, today, today.replace(year=today.year + 1, day=1)
            )
            if day not in taken
        ],
        "place": store.subdivision or country_name(store.country),
    }
    return _answer(request, "stores/exceptions.html", context, refused=form.is_bound)


@require_http_methods(_READ_AND_WRITE)
@roles_required(*STAFF_ROLES)
def store_closure(request: StaffRequest, code: str) -> HttpResponse:
    """Closed for a time, and open again."""
    store = editable_store_or_404(request.user, code, Part.CLOSURE)
    if "open" in request.POST:
        return _saved(request, actions.close_for_a_time(store, None, actor=request.user))
    today = timezone.now().astimezone(ZoneInfo(store.time_zone)).date()
    form = ClosureForm(request.POST or None, instance=Store.objects.get(pk=store.pk), initial=_from_today(store, today))
    if form.is_valid():
        data = form.cleaned_data
        actions.close_for_a_time(
            store, data["closed_from"], data["closed_until"], reason=data["closed_reason"], actor=request.user
        )
        return _saved(request, store)
    context = {"store": store, "form": form, "is_closed": is_closed_on(store, today)}
    return _answer(request, "stores/closure.html", context, refused=form.is_bound)


def _from_today(store: Store, today: date) -> dict[str, Any]:
    """What the form begins with; a closure that is over is no draft of the next one."""
    return {} if store.has_closure else {"closed_from": today, "closed_until": None, "closed_reason": ""}


def _day(typed: str) -> date | None:
    try:
        return parse_date(typed)
    except ValueError:  # 30 February
        return None


@require_http_methods(_READ_AND_WRITE)
@roles_required(*STAFF_ROLES)
def store_move(request: StaffRequest, code: str) -> HttpResponse:
    """Where a store lies in the tree: chosen by `?to=`, shown with everything that it changes, then confirmed."""
    store = editable_store_or_404(request.user, code, Part.PLACE)
    form = PlaceForm(nodes_editable_by(request.user).exclude(pk=store.node_id), request.POST or request.GET)
    this = Store.objects.filter(pk=store.pk)
    if request.method == "POST" and form.is_valid():
        try:
            actions.move_stores(this, to=form.cleaned_data["to"], actor=request.user)
        except actions.PlaceInUse:
            form.add_error("to", _("This place is retired."))
        else:
            messages.success(request, _("The store is moved."))
            return redirect("store", store.code)
    plan = plan_stores(this, form.cleaned_data["to"]) if form.is_bound and form.is_valid() else None
    context = {"store": store, "form": form, "plan": plan}
    return _answer(request, "stores/move.html", context, refused=form.is_bound and plan is None)


@require_POST
@roles_required(*STAFF_ROLES)
def store_retire(request: StaffRequest, code: str) -> HttpResponse:
    """Close a store for good, or take it back."""
    store = editable_store_or_404(request.user, code, Part.PLACE)
    this = Store.objects.filter(pk=store.pk)
    try:
        if "restore" in request.POST:
            actions.restore_stores(this, actor=request.user)
        else:
            actions.retire_stores(this, actor=request.user)
    except actions.PlaceInUse:
        messages.error(request, _("The place above it is retired: take that back first."))
        return redirect("store", store.code)
    return _saved(request, store)
