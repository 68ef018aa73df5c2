"""The posters' pages: those of one touchpoint to look at and print, and many at once."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import Count, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from core.models import Job
from core.tokens import clean_typed_code
from stores.access import STAFF_ROLES, StaffRequest, get_store_or_404, roles_required
from stores.choices import TouchpointKind
from stores.listing import Selection
from stores.models import Store, Touchpoint
from stores.posters.formats import FORMATS, MM_PER_INCH, USUAL, Format
from stores.posters.jobs import EACH_ITS_OWN, SHEETS_PER_FILE, start_posters
from stores.posters.sheets import poster_pdf, poster_png
from stores.queries import stores_visible_to
from stores.touchpoints import note_posters

# A picture about as wide as this is enough to judge a sheet by, also on a screen with two dots a pixel.
_PREVIEW_PIXELS = 640
_LONGEST_ADDRESS = Job._meta.get_field("back_url").max_length or 0


# --- one touchpoint -----------------------------------------------------------------------------------------------
def _spot_or_404(request: StaffRequest, code: str, touchpoint: str) -> tuple[Store, Touchpoint]:
    store = get_store_or_404(request.user, code)
    living = store.touchpoints.select_related("store").filter(retired_at=None)
    return store, get_object_or_404(living, code=clean_typed_code(touchpoint))


def _format_or_404(key: str) -> Format:
    if key not in FORMATS:
        raise Http404
    return FORMATS[key]


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*STAFF_ROLES)
def touchpoint_posters(request: StaffRequest, code: str, touchpoint: str) -> HttpResponse:
    """All formats of one touchpoint to look at; POST hands over the PDF of one and notes that it was made."""
    store, spot = _spot_or_404(request, code, touchpoint)
    if request.method == "POST":
        format = _format_or_404(request.POST.get("format", ""))
        pdf = poster_pdf(format, [spot], marks="marks" in request.POST)
        note_posters([spot.code])
        name = f"{store.code}-{format.key}-{spot.code}.pdf"
        return HttpResponse(
            pdf,
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    usual = USUAL[TouchpointKind(spot.kind)]
    formats = sorted(FORMATS.values(), key=lambda one: one.key != usual)
    return render(
        request,
        "posters/touchpoint.html",
        {"store": store, "spot": spot, "formats": formats, "usual": usual},
    )


@require_safe
@roles_required(*STAFF_ROLES)
def poster_preview(request: StaffRequest, code: str, touchpoint: str, format: str) -> HttpResponse:
    """One sheet as a picture."""
    _store, spot = _spot_or_404(request, code, touchpoint)
    wanted = _format_or_404(format)
    dpi = _PREVIEW_PIXELS / wanted.width * MM_PER_INCH
    response = HttpResponse(poster_png(wanted, spot, dpi=dpi), content_type="image/png")
    response["Cache-Control"] = "private, max-age=300"
    return response


# --- many at once -------------------------------------------------------------------------------------------------
def _format_choices() -> list[tuple[str, str | Promise]]:
    return [(EACH_ITS_OWN, _("What is usual where it hangs")), *((one.key, one.label) for one in FORMATS.values())]


class PostersForm(forms.Form):
    """Which touchpoints of the chosen stores, and how they are printed."""

    kinds = forms.MultipleChoiceField(label=_("Touchpoints"), widget=forms.CheckboxSelectMultiple)
    format = forms.ChoiceField(label=_("Format"), choices=_format_choices, widget=forms.RadioSelect)
    marks = forms.BooleanField(
        label=_("With bleed and crop marks, for a printer’s shop (not on receipts)"), required=False
    )
    bundle = forms.ChoiceField(
        label=_("Files"),
        choices=[("one", _("One PDF")), ("stores", _("A ZIP with one PDF for each store"))],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, spots: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = dict(TouchpointKind.choices)
        self.fields["kinds"].choices = [  # type: ignore[attr-defined]
            (kind, f"{labels[kind]} ({number})") for kind, number in spots.items()
        ]


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*STAFF_ROLES)
def posters(request: StaffRequest) -> HttpResponse:
    """Posters for the stores ticked or found in the list, or for all one may see; POST starts the long job."""
    sent = request.POST if request.method == "POST" else request.GET
    selection = Selection.of(sent)
    visible = stores_visible_to(request.user, roles=STAFF_ROLES).filter(retired_at=None)
    if len(selection.codes) != len(set(selection.codes)):
        raise BadRequest("twice the same store")
    # Nothing ticked is everything found: whoever comes by the menu has ticked nothing.
    stores = selection.stores(visible) if selection.codes or selection.everything else selection.filter.apply(visible)
    living = Touchpoint.objects.filter(store__in=stores.order_by(), retired_at=None)
    counts = dict(living.values_list("kind").annotate(n=Count("pk")).order_by())
    spots = {kind: counts[kind] for kind in TouchpointKind.values if kind in counts}
    form = PostersForm(
        request.POST if request.method == "POST" else None,
        spots=spots,
        initial={
            "kinds": [kind for kind in spots if kind != TouchpointKind.CALL],
            "format": EACH_ITS_OWN,
            "bundle": "one",
        },
    )
    if form.is_valid():
        return redirect("job", pk=_start(request, selection, living, form.cleaned_data).pk)
    context = {
        "form": form,
        "selection": selection,
        "stores": stores.count(),
        "touchpoints": sum(spots.values()),
        "example": _example(living),
        "formats": list(FORMATS.values()),
        "sheets_per_file": SHEETS_PER_FILE,
    }
    return render(request, "posters/many.html", context, status=422 if request.method == "POST" else 200)


def _start(request: StaffRequest, selection: Selection, living: QuerySet[Touchpoint], wanted: dict[str, Any]) -> Job:
    again = f"{request.path}?{urlencode(selection.fields)}"
    return start_posters(
        living.filter(kind__in=wanted["kinds"]),
        owner=request.user,
        format=wanted["format"],
        marks=wanted["marks"],
        per_store=wanted["bundle"] == "stores",
        # Of very many ticked stores an address cannot tell.
        back_url=again if len(again) <= _LONGEST_ADDRESS else request.path,
    )


def _example(living: QuerySet[Touchpoint]) -> Touchpoint | None:
    return living.select_related("store").order_by("store__sort_key", "pk").first()
