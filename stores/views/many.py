"""What is entered once for all stores that are ticked or found in the list, and then done as a long job."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.models import Job
from stores.access import STAFF_ROLES, Part, StaffRequest, roles_required, stores_editable_by
from stores.choices import Role, TouchpointKind
from stores.equipping import start_equipping
from stores.excepting import start_excepting
from stores.forms import ExceptionForm
from stores.listing import Selection
from stores.models import Store, Touchpoint

# Who may make touchpoints of any store, see stores.access.
_EQUIPPING = (Role.HEAD_OFFICE, Role.OPERATOR, Role.AREA_MANAGER)
_MOST_OF_A_KIND = 20
_LONGEST_ADDRESS = Job._meta.get_field("back_url").max_length or 0
_READ_AND_WRITE = ["GET", "HEAD", "POST"]


def _selected(request: StaffRequest, part: Part) -> tuple[Selection, QuerySet[Store]]:
    """What was ticked or found, and the stores in use among it of which this person may change that part."""
    selection = Selection.of(request.POST if request.method == "POST" else request.GET)
    return selection, selection.stores(stores_editable_by(request.user, part)).filter(retired_at=None)


def _list_of(selection: Selection) -> str:
    """The list as it was, but for what may be missing no more."""
    back = reverse("stores") + selection.filter.query(missing="")
    return back if len(back) <= _LONGEST_ADDRESS else reverse("stores")


class EquipForm(forms.Form):
    """How many touchpoints of each kind a store shall have. Cleans to `wanted`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in TouchpointKind:
            self.fields[kind.value] = forms.IntegerField(
                label=kind.label, min_value=0, max_value=_MOST_OF_A_KIND, required=False, initial=0
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        wanted = {kind: cleaned[kind.value] for kind in TouchpointKind if cleaned.get(kind.value)}
        if not wanted and not self.errors:
            raise ValidationError(_("Say of at least one kind how many."))
        return {"wanted": wanted}


@require_http_methods(_READ_AND_WRITE)
@roles_required(*_EQUIPPING)
def equip(request: StaffRequest) -> HttpResponse:
    """How many touchpoints of which kind each of these stores shall have."""
    selection, stores = _selected(request, Part.TOUCHPOINTS)
    form = EquipForm(request.POST if request.method == "POST" else None, initial={TouchpointKind.TILL: 1})
    count = stores.count()
    if count and form.is_valid():
        wanted = form.cleaned_data["wanted"]
        return redirect("job", pk=start_equipping(stores, wanted, owner=request.user, back_url=_list_of(selection)).pk)
    equipped = Touchpoint.objects.filter(store__in=stores.order_by(), retired_at=None)
    bare = count - equipped.values("store").distinct().count()
    context = {"form": form, "selection": selection, "stores": count, "bare": bare}
    return render(request, "stores/equip.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(_READ_AND_WRITE)
@roles_required(*STAFF_ROLES)
def other_hours(request: StaffRequest) -> HttpResponse:
    """How all of these stores are open on a date."""
    selection, stores = _selected(request, Part.EXCEPTIONS)
    form = ExceptionForm(None, request.POST if request.method == "POST" else None)
    count = stores.count()
    if count and form.is_valid():
        fields = {name: request.POST.get(name, "") for name in form.fields}
        return redirect("job", pk=start_excepting(stores, fields, owner=request.user, back_url=_list_of(selection)).pk)
    context = {"form": form, "selection": selection, "stores": count}
    return render(request, "stores/other_hours.html", context, status=422 if request.method == "POST" else 200)
