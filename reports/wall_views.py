"""The wall's pages: for who looks through it, for the printer, and for a screen in the back office."""

from dataclasses import replace

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alerts.models import Case
from core.look import look
from core.tokens import token_hash
from reports.filters import find_node, find_store, node_options, scope_of
from reports.models import Action, HideReason, WallCare, WallScreen
from reports.pdf import PAPERS, wall_pdf
from reports.periods import Week, latest_day
from reports.wall import Done, Voice, Wall, build_wall, things_waiting
from reports.wall_actions import (
    approve_wall,
    begin_care,
    end_care,
    find_deed,
    hide_deed,
    hide_words,
    make_screen,
    screen_address,
    show_deed,
    show_words,
)
from reports.wall_rounds import readers_of
from stores.access import StaffRequest, nodes_reached_by, roles_required
from stores.choices import Role
from stores.models import Store
from surveys.models import Verbatim

_A4 = "a4"


@require_safe
def wall(request: StaffRequest, code: str, week: str) -> HttpResponse:
    """`/wall/<store code>/<ISO week>/`: a week's words for the store's own people."""
    found = _wall(request, code, week)
    screen = WallScreen.objects.filter(store=found.store).first()
    context = {
        "wall": found,
        "reasons": HideReason.choices,
        "has_readers": bool(readers_of(found.store)),
        "screen": screen,
        "screen_address": screen_address(screen) if screen else "",
    }
    return render(request, "reports/wall.html", context)


@require_safe
def wall_as_pdf(request: StaffRequest, code: str, week: str) -> HttpResponse:
    """The same on paper; `?paper=a3` for a large one."""
    found = build_wall(*_place(request, code, week), as_hung=True)
    paper = request.GET.get("paper", _A4)
    response = HttpResponse(wall_pdf(found, paper=paper if paper in PAPERS else _A4), content_type="application/pdf")
    name = f"wall-{found.store.code}-{found.week}.pdf"
    response["Content-Disposition"] = content_disposition_header(as_attachment=False, filename=name) or "inline"
    return response


@require_POST
def approve(request: StaffRequest, code: str, week: str) -> HttpResponse:
    """Somebody has looked through it."""
    found = _wall(request, code, week)
    if request.POST.get("seen") == found.fingerprint:
        approve_wall(found, by=request.user)
        messages.success(request, gettext("Thank you. The wall hangs as you see it."))
    else:
        messages.error(request, gettext("Meanwhile something else hangs here. Please look through it once more."))
    return redirect("wall", found.store.code, str(found.week))


@require_POST
def hide(request: StaffRequest, code: str, week: str, verbatim_id: int) -> HttpResponse:
    """Words that must not hang, with a reason; others take their place."""
    store, of_week = _place(request, code, week)
    verbatim = get_object_or_404(Verbatim, pk=verbatim_id, response__store=store)
    if reason := _reason(request):
        hide_words(verbatim, reason=reason, by=request.user)
    return redirect("wall", store.code, str(of_week))


def _reason(request: StaffRequest) -> HideReason | None:
    """Why something shall not hang, and word of what becomes of it; None where no reason was chosen."""
    chosen = request.POST.get("reason", "")
    if chosen not in HideReason.values:
        messages.error(request, gettext("Please choose why these words should not hang."))
        return None
    messages.success(request, gettext("Taken off the wall. You find it at the end of the page."))
    return HideReason(chosen)


@require_POST
def show_again(request: StaffRequest, code: str, week: str, verbatim_id: int) -> HttpResponse:
    """Words that may hang after all."""
    store, of_week = _place(request, code, week)
    show_words(get_object_or_404(Verbatim, pk=verbatim_id, response__store=store), by=request.user)
    waiting = things_waiting(store, of_week)
    _tell_shown(request, waits=any(isinstance(one, Voice) and one.verbatim == verbatim_id for one in waiting))
    return redirect("wall", store.code, str(of_week))


@require_POST
def hide_done(request: StaffRequest, code: str, week: str, deed: str) -> HttpResponse:
    """What was done and must not hang, with a reason; `deed` as the wall calls it."""
    store, of_week = _place(request, code, week)
    found = _deed(store, deed)
    if reason := _reason(request):
        hide_deed(store, found, reason=reason, by=request.user)
    return redirect("wall", store.code, str(of_week))


@require_POST
def show_done(request: StaffRequest, code: str, week: str, deed: str) -> HttpResponse:
    """What was done and may hang after all."""
    store, of_week = _place(request, code, week)
    show_deed(store, _deed(store, deed), by=request.user)
    waiting = things_waiting(store, of_week)
    _tell_shown(request, waits=any(isinstance(one, Done) and one.deed == deed for one in waiting))
    return redirect("wall", store.code, str(of_week))


def _tell_shown(request: StaffRequest, *, waits: bool) -> None:
    """Word of what may hang after all: at once, or once somebody has looked through it."""
    if waits:
        messages.success(request, gettext("These words may hang again, once you let the wall hang as you see it."))
    else:
        messages.success(request, gettext("These words may hang again."))


def _deed(store: Store, deed: str) -> Case | Action:
    """Raises Http404 for what is not done at this store or above it."""
    found = find_deed(store, deed)
    if found is None:
        raise Http404
    return found


@require_POST
def screen_link(request: StaffRequest, code: str) -> HttpResponse:
    """A link for the screen in the back office; whatever link there was stops working. `end` makes no new one."""
    store = _store(request, code)
    if "end" in request.POST:
        WallScreen.objects.filter(store=store).delete()
        messages.success(request, gettext("The screen's link has ended."))
    else:
        make_screen(store, by=request.user)
        messages.success(request, gettext("Open this link once on the screen; it needs no sign-in."))
    return redirect("wall", store.code, str(Week.of(latest_day([store.time_zone])) + -1))


@roles_required(Role.HEAD_OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def care(request: StaffRequest) -> HttpResponse:
    """`/setup/walls/`: at which places words hang only once somebody has looked through them.

    Raises Http404 for a node that the reader does not lead.
    """
    led = nodes_reached_by(request.user, {Role.HEAD_OFFICE})
    if request.method == "POST":
        node = find_node(led, request.POST.get("node", ""))
        if node is None:
            raise Http404
        if "end" in request.POST:
            end_care(node, by=request.user)
        else:
            begin_care(node, by=request.user)
        if not WallCare.objects.filter(node__in=node.above).exists():
            messages.success(request, gettext("Words hang there at once from now on."))
            if WallCare.objects.filter(node__path__startswith=node.path).exists():
                messages.info(request, gettext("At places below that ask for it themselves they go on waiting."))
        elif "end" in request.POST:
            messages.success(request, gettext("Words go on waiting there: a place above asks for it."))
        else:
            messages.success(request, gettext("Words hang there only once somebody has looked through them."))
        return redirect("walls")
    reached = {node.pk for node in led}
    about = reached.union(*(node.above for node in led))
    careful = WallCare.objects.filter(node__in=about).select_related("node", "made_by").order_by("node__path")
    context = {
        "careful": [(one, one.node_id in reached) for one in careful],
        "node_choices": node_options(replace(scope_of(request.user), nodes=led)),
    }
    return render(request, "reports/walls.html", context)


@never_cache
@login_not_required
@require_safe
def screen(request: HttpRequest, token: str) -> HttpResponse:
    """`/screen/<token>/`: the wall of the week that ended, card by card, in the store's language."""
    screens = WallScreen.objects.select_related("store__node").filter(store__retired_at=None)
    found = screens.filter(token_hash=token_hash(token)).first()
    if found is None:
        return render(request, "reports/screen_ended.html", status=404)
    store = found.store
    language = next((one for one in store.languages if translation.check_for_language(one)), "en")
    with translation.override(language):
        hung = build_wall(store, Week.of(latest_day([store.time_zone])) + -1, as_hung=True)
        context = {
            "wall": hung,
            "text_direction": "rtl" if _is_rtl(language) else "ltr",
            "logo": look().page_logo,
            "second": look().second,
        }
        return HttpResponse(render(request, "reports/screen.html", context).content)


def _is_rtl(language: str) -> bool:
    with translation.override(language):
        return translation.get_language_bidi()


def _wall(request: StaffRequest, code: str, written: str) -> Wall:
    return build_wall(*_place(request, code, written))


def _place(request: StaffRequest, code: str, written: str) -> tuple[Store, Week]:
    """Raises Http404 for a week that does not exist and for a store that its reader may not see."""
    try:
        week = Week.parse(written)
    except ValueError:
        raise Http404 from None
    return _store(request, code), week


def _store(request: StaffRequest, code: str) -> Store:
    store = find_store(scope_of(request.user).stores, code)
    if store is None:
        raise Http404
    return store
