"""The list of stores, and what can be done to many of them at once."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from stores import actions
from stores.access import (
    STAFF_ROLES,
    Part,
    StaffRequest,
    nodes_editable_by,
    parts_by_role,
    roles_required,
    stores_editable_by,
)
from stores.checklist import all_gaps, gaps_of
from stores.choices import HolidayRule, StoreKind
from stores.forms import Choices, PlaceForm, node_choices
from stores.listing import Selection, StoreFilter
from stores.models import Store
from stores.moving import plan_stores
from stores.public_holidays import country_name
from stores.queries import places_of, stores_visible_to

STORES_PER_PAGE = 50
# How many are named before something is done to them.
_NAMED = 8
# What has a page of its own.
_PAGES = {"posters": "posters", "touchpoints": "stores_equip", "exceptions": "stores_other_hours"}


@require_safe
@roles_required(*STAFF_ROLES)
def store_list(request: StaffRequest) -> HttpResponse:
    """The stores this person may see: searched, filtered, sorted, a page at a time."""
    wanted = StoreFilter.of(request.GET)
    visible = stores_visible_to(request.user, roles=STAFF_ROLES)
    # What is missing is costly to ask: once for all ids, rather than for their number and again for a page of them.
    page = Paginator(list(wanted.apply(visible).values_list("pk", flat=True)), STORES_PER_PAGE).get_page(
        request.GET.get("page")
    )
    known = Store.objects.select_related("node").in_bulk(page.object_list)
    stores = [known[pk] for pk in page if pk in known]
    gaps = gaps_of(stores)
    context = {
        "page": page,
        "rows": [(store, gaps[store.pk]) for store in stores],
        "wanted": wanted,
        "query": wanted.query().removeprefix("?") + ("&" if wanted.said else ""),
        "sorts": _sorts(wanted),
        "may": {part.value: True for part in parts_by_role(request.user)},
    }
    if request.htmx:
        return render(request, "stores/list.html#found", context)
    return render(request, "stores/list.html", context | _choices(visible))


def _sorts(wanted: StoreFilter) -> list[tuple[str, str, str, str]]:
    """Name, label, address and direction of each column that can be sorted by."""
    labels = {"name": _("Name"), "code": _("Code"), "city": _("City"), "country": _("Country"), "node": _("Place")}
    found = []
    for name, label in labels.items():
        direction = {name: "ascending", f"-{name}": "descending"}.get(wanted.sort, "")
        found.append((name, label, wanted.query(sort=f"-{name}" if direction == "ascending" else name), direction))
    return found


def _choices(visible: QuerySet[Store]) -> dict[str, Choices]:
    """What the filters offer: only places, kinds and countries in which this person has stores."""
    countries = visible.order_by().values_list("country", flat=True).distinct()
    return {
        "nodes": node_choices(places_of(visible)),
        "countries": sorted(((code, country_name(code)) for code in countries), key=lambda one: one[1]),
        "kinds": [(value, str(label)) for value, label in StoreKind.choices],
        "states": [
            ("", _("In use")),
            ("closed", _("Closed for a time")),
            ("incomplete", _("Something missing")),
            ("retired", _("Retired")),
            ("all", _("All")),
        ],
        "gaps": [(gap.key, str(gap.label)) for gap in all_gaps()],
    }


# --- many at once -----------------------------------------------------------------------------------------------
@require_POST
@roles_required(*STAFF_ROLES)
def bulk(request: StaffRequest) -> HttpResponse:
    """What is to be done to the ticked stores: first what it changes, and once `confirmed`, done."""
    selection = Selection.of(request.POST)
    action = request.POST.get("action", "")
    if action in _PAGES:
        return redirect(f"{reverse(_PAGES[action])}?{urlencode(selection.fields)}")
    if action not in _BULK:
        raise PermissionDenied  # no button of ours sends it
    stores = selection.stores(stores_editable_by(request.user, Part.PLACE))
    count = stores.count()
    back = reverse("stores") + selection.filter.query()
    if not count:
        messages.success(request, _("No store was ticked that you may change."))
        return redirect(back)
    nodes = nodes_editable_by(request.user)
    form = PlaceForm(nodes, request.POST)
    ready = action != "move" or form.is_valid()
    if request.POST.get("confirmed") and ready:
        messages.success(request, _BULK[action](stores, request, form))
        return redirect(back)
    context = {
        "action": action,
        "selection": selection,
        "count": count,
        "named": list(stores.select_related("node")[:_NAMED]),
        "more": max(0, count - _NAMED),
        "form": form,
        "plan": plan_stores(stores, form.cleaned_data["to"]) if action == "move" and ready else None,
        "back": back,
    }
    return render(request, "stores/bulk.html", context)


def _move(stores: QuerySet[Store], request: StaffRequest, form: PlaceForm) -> str:
    place = form.cleaned_data["to"]
    try:
        moved = actions.move_stores(stores, to=place, actor=request.user)
    except actions.PlaceInUse:
        return _("%(place)s is retired: nothing was moved.") % {"place": place}
    said = {"n": moved, "place": place.name}
    return ngettext("%(n)d store moved to %(place)s.", "%(n)d stores moved to %(place)s.", moved) % said


def _set_rule(rule: HolidayRule) -> Callable[[QuerySet[Store], StaffRequest, PlaceForm], str]:
    def change(stores: QuerySet[Store], request: StaffRequest, form: PlaceForm) -> str:
        return _changed(actions.set_holiday_rule(stores, rule, actor=request.user))

    return change


def _retire(stores: QuerySet[Store], request: StaffRequest, form: PlaceForm) -> str:
    return _changed(actions.retire_stores(stores, actor=request.user))


def _restore(stores: QuerySet[Store], request: StaffRequest, form: PlaceForm) -> str:
    try:
        return _changed(actions.restore_stores(stores, actor=request.user))
    except actions.PlaceInUse:
        return _("One of them lies below a retired place: take that back first. Nothing was changed.")


def _changed(number: int) -> str:
    return ngettext("%(n)d store changed.", "%(n)d stores changed.", number) % {"n": number}


_BULK: dict[str, Callable[[QuerySet[Store], StaffRequest, PlaceForm], str]] = {
    "move": _move,
    "holidays_closed": _set_rule(HolidayRule.CLOSED),
    "holidays_open": _set_rule(HolidayRule.OPEN),
    "retire": _retire,
    "restore": _restore,
}
