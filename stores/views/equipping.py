"""Touchpoints for the stores that are ticked or found in the list."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.models import Job
from stores.access import Part, StaffRequest, roles_required, stores_editable_by
from stores.choices import Role, TouchpointKind
from stores.equipping import start_equipping
from stores.listing import Selection
from stores.models import Touchpoint

# Who may make touchpoints of any store, see stores.access.
_ROLES = (Role.HEAD_OFFICE, Role.OPERATOR, Role.AREA_MANAGER)
_MOST_OF_A_KIND = 20
_LONGEST_ADDRESS = Job._meta.get_field("back_url").max_length or 0


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


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*_ROLES)
def equip(request: StaffRequest) -> HttpResponse:
    """How many touchpoints of which kind each of these stores shall have; POST starts the long job."""
    selection = Selection.of(request.POST if request.method == "POST" else request.GET)
    stores = selection.stores(stores_editable_by(request.user, Part.TOUCHPOINTS)).filter(retired_at=None)
    form = EquipForm(request.POST if request.method == "POST" else None, initial={TouchpointKind.TILL: 1})
    count = stores.count()
    if count and form.is_valid():
        back = reverse("stores") + selection.filter.query(missing="")
        job = start_equipping(
            stores,
            form.cleaned_data["wanted"],
            owner=request.user,
            back_url=back if len(back) <= _LONGEST_ADDRESS else reverse("stores"),
        )
        return redirect("job", pk=job.pk)
    equipped = Touchpoint.objects.filter(store__in=stores.order_by(), retired_at=None)
    context = {
        "form": form,
        "selection": selection,
        "stores": count,
        "bare": count - equipped.values("store").distinct().count(),
    }
    return render(request, "stores/equip.html", context, status=422 if request.method == "POST" else 200)
