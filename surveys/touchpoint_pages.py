"""A store's touchpoints as staff see them: what each asks, its code, what scans become, and what looks unusual."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from stores import qr
from stores import touchpoints as actions
from stores.access import (
    STAFF_ROLES,
    Part,
    StaffRequest,
    editable_store_or_404,
    get_store_or_404,
    may_edit,
    page_of_ours,
    roles_required,
    stores_editable_by,
)
from stores.choices import TouchpointKind
from stores.history import entries
from stores.models import Store, Touchpoint
from stores.queries import stores_visible_to
from surveys import scan_rules
from surveys.funnel import Cell, funnel_of, totals_of
from surveys.models import ScanFlag
from surveys.touchpoint_forms import DismissForm, RetireForm, RotateForm, TouchpointForm
from surveys.touchpoints import choose_survey, own_survey, surveys_of

FLAGS_PER_PAGE = 30
_NEWEST_CHANGES = 20
_FLAGS_SHOWN = 10
_RULES = {
    "margin_hours": int(scan_rules.CLOSED_MARGIN.total_seconds() // 3600),
    "closed_least": scan_rules.CLOSED_LEAST,
    "burst_least": scan_rules.BURST_LEAST,
    "burst_times": scan_rules.BURST_TIMES,
    "known_hours": scan_rules.KNOWN_HOURS,
    "assumed_usual": int(scan_rules.ASSUMED_USUAL),
}


@require_safe
@roles_required(*STAFF_ROLES)
def touchpoint_list(request: StaffRequest, code: str) -> HttpResponse:
    """All touchpoints of a store: in use with what they brought, and those that are retired."""
    store = get_store_or_404(request.user, code)
    every = list(store.touchpoints.select_related("replaced_by").order_by("kind", "name", "pk"))
    living = [one for one in every if one.retired_at is None]
    surveys, totals = surveys_of(living), totals_of(_with_store(living, store))
    flags = dict(
        ScanFlag.objects.filter(touchpoint__in=living, dismissed_at=None)
        .values_list("touchpoint")
        .annotate(n=Count("pk"))
        .order_by()
    )
    context = {
        "store": store,
        "living": [(one, surveys.get(one.pk), totals[one.pk], flags.get(one.pk, 0)) for one in living],
        "retired": [one for one in every if one.retired_at is not None],
        "host": urlsplit(settings.PUBLIC_URL).netloc,
        "may": may_edit(request.user, store, Part.TOUCHPOINTS),
    }
    return render(request, "touchpoints/list.html", context)


def _with_store(touchpoints: list[Touchpoint], store: Store) -> list[Touchpoint]:
    """The same, each knowing its store without asking for it again."""
    for one in touchpoints:
        one.store = store
    return touchpoints


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*STAFF_ROLES)
def touchpoint_new(request: StaffRequest, code: str) -> HttpResponse:
    """Make another touchpoint."""
    store = editable_store_or_404(request.user, code, Part.TOUCHPOINTS)
    form = TouchpointForm(request.POST or None, initial={"kind": TouchpointKind.TILL})
    if form.is_valid():
        kind = TouchpointKind(form.cleaned_data["kind"])
        made = actions.create_touchpoint(store, kind=kind, name=form.cleaned_data["name"], actor=request.user)
        choose_survey(made, form.cleaned_data["survey"], actor=request.user)
        messages.success(request, _("Made. Print its poster next."))
        return redirect("touchpoint_page", store.code, made.pk)
    context = {"store": store, "form": form, "title": _("New touchpoint"), "button": _("Make it"), "back": None}
    return render(request, "touchpoints/form.html", context, status=422 if form.errors else 200)


def _touchpoint_or_404(store: Store, pk: int) -> Touchpoint:
    return get_object_or_404(store.touchpoints.select_related("store", "replaced_by"), pk=pk)


@require_safe
@roles_required(*STAFF_ROLES)
def touchpoint_page(request: StaffRequest, code: str, pk: int) -> HttpResponse:
    """One touchpoint with its code, what it asks, thirteen weeks from scan to answer, and its history."""
    store = get_store_or_404(request.user, code)
    spot = _touchpoint_or_404(store, pk)
    funnel = funnel_of(spot)
    context = {
        "store": store,
        "spot": spot,
        "url": qr.touchpoint_url(spot.code),
        "host": urlsplit(settings.PUBLIC_URL).netloc,
        "survey": surveys_of([spot]).get(spot.pk),
        "own": own_survey(spot) is not None,
        "funnel": funnel,
        "grid": _drawn(funnel.grid),
        "most": max((week.scans for week in funnel.weeks), default=0),
        "flags": spot.scan_flags.select_related("dismissed_by").order_by("dismissed_at", "-began_at")[:_FLAGS_SHOWN],
        "rules": _RULES,
        "former": [(one, one.leads()) for one in spot.former_codes.order_by("-ended_at")],
        "changes": entries(actions.history_of(spot)[:_NEWEST_CHANGES]),
        "may": may_edit(request.user, store, Part.TOUCHPOINTS),
        "dismiss": DismissForm(auto_id=False),
    }
    return render(request, "touchpoints/page.html", context)


# The drawing of the hours of the week: a cell's width and height, and where the names of the days end.
_CELL, _ROW, _NAMES = 25, 24, 40


def _drawn(grid: list[list[Cell]]) -> list[dict[str, Any]]:
    """Rows of the drawing with the places of their cells."""
    return [
        {
            "name": str(WEEKDAYS_ABBR[day]),
            "y": day * _ROW,
            "cells": [(_NAMES + cell.hour * _CELL, cell) for cell in row],
        }
        for day, row in enumerate(grid)
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*STAFF_ROLES)
def touchpoint_change(request: StaffRequest, code: str, pk: int, action: str) -> HttpResponse:
    """Edit, rotate, retire or restore a touchpoint: what it means first, then, by POST, done."""
    if action not in _CHANGES:
        raise Http404
    store = editable_store_or_404(request.user, code, Part.TOUCHPOINTS)
    spot = _touchpoint_or_404(store, pk)
    if (action == "restore") != (spot.retired_at is not None):
        return redirect("touchpoint_page", store.code, spot.pk)
    return _CHANGES[action](request, store, spot)


def _changed(request: StaffRequest, store: Store, spot: Touchpoint, message: str) -> HttpResponse:
    messages.success(request, message)
    return redirect("touchpoint_page", store.code, spot.pk)


def _form_page(request: StaffRequest, store: Store, spot: Touchpoint, form: Any, **context: Any) -> HttpResponse:
    context |= {
        "store": store,
        "spot": spot,
        "form": form,
        "back": reverse("touchpoint_page", args=[store.code, spot.pk]),
    }
    return render(request, "touchpoints/form.html", context, status=422 if form.errors else 200)


def _edit(request: StaffRequest, store: Store, spot: Touchpoint) -> HttpResponse:
    own = own_survey(spot)
    form = TouchpointForm(
        request.POST or None, initial={"kind": spot.kind, "name": spot.name, "survey": own.slug if own else ""}
    )
    if form.is_valid():
        data = form.cleaned_data
        actions.change_touchpoint(spot, actor=request.user, kind=TouchpointKind(data["kind"]), name=data["name"])
        choose_survey(spot, data["survey"], actor=request.user)
        return _changed(request, store, spot, _("Saved. The code stays the same."))
    return _form_page(request, store, spot, form, title=_("Change the touchpoint"), button=_("Save"))


def _rotate(request: StaffRequest, store: Store, spot: Touchpoint) -> HttpResponse:
    form = RotateForm(request.POST or None)
    if form.is_valid():
        actions.rotate_code(spot, actor=request.user, leads_for=form.cleaned_data["old"])
        return _changed(request, store, spot, _("It has a new code. Print and hang a new poster."))
    return _form_page(
        request,
        store,
        spot,
        form,
        title=_("A new code"),
        button=_("Give it a new code"),
        note=_("Figures and history stay with the touchpoint. Its posters must be printed again."),
    )


def _retire(request: StaffRequest, store: Store, spot: Touchpoint) -> HttpResponse:
    living = store.touchpoints.filter(retired_at=None).exclude(pk=spot.pk).order_by("kind", "name", "pk")
    form = RetireForm(request.POST if request.method == "POST" else None, others=list(living))
    if form.is_valid():
        actions.retire_touchpoint(spot, actor=request.user, replaced_by=form.cleaned_data["instead"])
        return _changed(request, store, spot, _("It asks no more. Its answers and figures are kept."))
    return _form_page(
        request,
        store,
        spot,
        form,
        title=_("Retire the touchpoint"),
        button=_("Retire it"),
        note=_("Nobody is asked there any more. It can be taken back into use later, under the same code."),
    )


def _restore(request: StaffRequest, store: Store, spot: Touchpoint) -> HttpResponse:
    if request.method == "POST":
        actions.restore_touchpoint(spot, actor=request.user)
        return _changed(request, store, spot, _("It asks again, under the code it had."))
    return redirect("touchpoint_page", store.code, spot.pk)


_CHANGES = {"edit": _edit, "rotate": _rotate, "retire": _retire, "restore": _restore}


# --- what looks unusual -------------------------------------------------------------------------------------------
def _flags_visible_to(request: StaffRequest) -> QuerySet[ScanFlag]:
    stores = stores_visible_to(request.user, roles=STAFF_ROLES)
    found = ScanFlag.objects.filter(touchpoint__store__in=stores)
    return found.select_related("touchpoint__store", "dismissed_by")


@require_safe
@roles_required(*STAFF_ROLES)
def scan_flags(request: StaffRequest) -> HttpResponse:
    """Unusual scans at all stores one may see: those that nobody has looked at, or with `?all` all of them."""
    every = "all" in request.GET
    found = _flags_visible_to(request).order_by("-began_at", "-pk")
    page = Paginator(found if every else found.filter(dismissed_at=None), FLAGS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    mine = stores_editable_by(request.user, Part.TOUCHPOINTS)
    shown = Q(pk__in={flag.touchpoint.store_id for flag in page})
    editable = set(mine.filter(shown).values_list("pk", flat=True))
    context = {
        "page": page,
        "every": every,
        "query": "all&" if every else "",
        "rows": [(flag, flag.touchpoint.store_id in editable) for flag in page],
        "rules": _RULES,
        "dismiss": DismissForm(auto_id=False),
    }
    return render(request, "touchpoints/flags.html", context)


@require_POST
@roles_required(*STAFF_ROLES)
def dismiss_scan_flag(request: StaffRequest, pk: int) -> HttpResponse:
    """Say why unusual scans need no attention."""
    flag = get_object_or_404(_flags_visible_to(request), pk=pk)
    if not may_edit(request.user, flag.touchpoint.store, Part.TOUCHPOINTS):
        raise PermissionDenied
    form = DismissForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Please say why it needs no attention."))
    elif scan_rules.dismiss(flag, actor=request.user, reason=form.cleaned_data["reason"]):
        messages.success(request, _("Dismissed. Answers of that time count as ordinary again."))
    return redirect(page_of_ours(request.POST.get("next", ""), reverse("scan_flags")))
