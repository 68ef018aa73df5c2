"""The inbox and the page of a case: parse, fetch, act, render."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from alerts import actions
from alerts.cards import cards_of, reach_of, words_of
from alerts.choices import TO_DO, CaseState, EventKind, Severity
from alerts.forms import FORMS, CaseForm
from alerts.history import Moment, conversation_of, history_of
from alerts.inbox import Tab, cases_in, page_of, praise, waiting_for, with_everything
from alerts.models import Case, CaseResponse
from alerts.queries import cases_visible_to, is_reachable
from alerts.reviews import count_to_review
from sentiment.similar import Similar, similar_to
from stores.access import StaffRequest, opens_on_devices, roles_required
from stores.choices import CASE_ROLES
from stores.models import User
from stores.queries import stores_visible_to
from surveys.choices import ContactWish

# What can still be done once a case is closed.
_AFTER_CLOSING = {"answer", "note"}


def _with_time(response: HttpResponse) -> HttpResponse:
    """Tells the clocks of the page what time it is."""
    response["X-Server-Now"] = str(_now_ms())
    return response


def _now_ms() -> int:
    return round(timezone.now().timestamp() * 1000)


@require_safe
@opens_on_devices
@roles_required(*CASE_ROLES)
def inbox(request: StaffRequest) -> HttpResponse:
    """What burns first. The page asks again every few seconds with the `version` it shows: 204 when it still holds."""
    wanted = request.GET.get("tab", "")
    tab = Tab(wanted) if wanted in Tab.values else Tab.TO_DO
    waiting = waiting_for(request.user)
    if request.htmx and tab == Tab.TO_DO and request.GET.get("version") == waiting.version:
        return _with_time(HttpResponse(status=204))
    known = waiting.count if tab == Tab.TO_DO else None
    page = page_of(with_everything(cases_in(request.user, tab)), request.GET.get("page"), known=known)
    context: dict[str, Any] = {
        # The tabs are not part of what is asked again.
        "to_review": None if request.htmx else count_to_review(request.user),
        "tab": tab,
        "tabs": list(Tab),
        "page": page,
        "cards": cards_of(list(page)),
        "open_count": waiting.count,
        "version": waiting.version,
        "now_ms": _now_ms(),
        "praise": [],
    }
    if tab == Tab.TO_DO and not waiting.count:
        context["praise"] = [(response, words_of(response)) for response in praise(request.user)]
    template = "alerts/inbox.html#list" if request.htmx else "alerts/inbox.html"
    return _with_time(render(request, template, context))


def get_case_or_404(user: User, case_id: UUID) -> Case:
    """The case, if the user's roles reach its store; strangers cannot tell it from one that is not there."""
    more = Prefetch(
        "further_responses",
        CaseResponse.objects.select_related("response").prefetch_related("response__verbatims__analysis"),
    )
    return get_object_or_404(with_everything(cases_visible_to(user)).prefetch_related(more), pk=case_id)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_on_devices
@roles_required(*CASE_ROLES)
def case(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """One case: everything to know and to do about it."""
    found = get_case_or_404(request.user, case_id)
    if request.method == "POST":
        return _act(request, found)
    if request.htmx:
        # The page asks whether somebody else changed the case; what is being typed is never replaced.
        if request.GET.get("version") == str(found.version):
            return _with_time(HttpResponse(status=204))
        return _with_time(render(request, "alerts/case.html#changed", {"case": found}))
    return _with_time(render(request, "alerts/case.html", _context(request, found)))


def _act(request: StaffRequest, found: Case) -> HttpResponse:
    """Do what the form asks. Refused or invalid, the page comes back with all that was typed."""
    name = request.POST.get("action", "")
    if name not in FORMS:
        return HttpResponse(status=400)
    form = FORMS[name](found, request.POST)
    if form.is_valid():
        try:
            said = _PERFORM[name](found.pk, request.user, form.cleaned_data)
        except actions.ActionRefused as refused:
            form.add_error(None, str(refused))
        else:
            if not request.htmx:
                messages.success(request, said)
                response = redirect("case", case_id=found.pk)
                response.status_code = 303
                return response
            fresh = get_case_or_404(request.user, found.pk)
            return _with_time(render(request, "alerts/case.html#case", _context(request, fresh) | {"said": said}))
    template = "alerts/case.html#case" if request.htmx else "alerts/case.html"
    fresh = get_case_or_404(request.user, found.pk)
    return _with_time(render(request, template, _context(request, fresh, bound=form), status=422))


def _context(request: StaffRequest, found: Case, bound: CaseForm | None = None) -> dict[str, Any]:
    now = timezone.now()
    [card] = cards_of([found], now)
    moments = history_of(found)
    reach = reach_of(found)
    to_do = found.state in TO_DO
    forms = {name: form(found) for name, form in FORMS.items()}
    if bound is not None:
        forms[bound.action] = bound
    tried = found.attempted_at or found.contacted_at or found.fixed_at
    return {
        "case": found,
        "card": card,
        "forms": forms,
        "refused": bound.action if bound is not None else "",
        # Somebody else closed the case meanwhile: the form is gone, what it was refused for and what it said are not.
        "homeless": bound if bound is not None and not to_do and bound.action not in _AFTER_CLOSING else None,
        "typed": (bound.data.get("text") or bound.data.get("note")) if bound is not None else "",
        "contact": reach.contact if reach else None,
        "wish": reach.contact_wish if reach else ContactWish.NONE,
        "further": [(more, words_of(more.response)) for more in found.further_responses.all()],
        "history": moments,
        "conversation": conversation_of(moments),
        "to_do": to_do,
        "waits_for_notice": found.state == CaseState.OPEN,
        "may_resolve": to_do and bool(tried),
        "severe": found.severity == Severity.SEVERE,
        # An enrolled device opens cases, and no pages of other comments.
        "similar": [] if getattr(request, "device", None) else _similar(found, request.user),
        "verification": found.verifications.order_by("-round").first() if not to_do else None,
        "was_asked": _was_asked(moments),
        "now_ms": _now_ms(),
    }


def _similar(found: Case, reader: User) -> list[Similar]:
    """Comments like the case's first words, of the stores that the reader's roles reach."""
    read = [verbatim for verbatim in found.response.verbatims.all() if verbatim.text]
    return similar_to(read[0], stores_visible_to(reader)) if read else []


def _was_asked(moments: list[Moment]) -> bool:
    """Whether the question of the present round went out; where no message can, it only waits."""
    turns = [moment.kind for moment in moments if moment.kind in {EventKind.ASKED, EventKind.REOPENED}]
    return turns[-1:] == [EventKind.ASKED]


def _acknowledge(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    actions.acknowledge(case_id, actor=user)
    return _("You are on it. Your colleagues can see that.")


def _contact(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    actions.record_contact(
        case_id,
        actor=user,
        channel=cast(actions.ContactChannel, data["channel"]),
        reached=data["reached"],
        note=data["note"],
        form_id=data["form_id"],
    )
    return _("Noted: the shopper was reached.") if data["reached"] else _("Noted: you tried. The clock runs on.")


def _answer(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    actions.answer_shopper(case_id, actor=user, text=data["text"], form_id=data["form_id"])
    return _("Answered. The shopper can read it on their own page.")


def _fix(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    actions.record_action(case_id, actor=user, text=data["text"], form_id=data["form_id"])
    return _("Noted what was done.")


def _note(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    actions.add_note(case_id, actor=user, text=data["text"], form_id=data["form_id"])
    return _("Note added.")


def _resolve(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    actions.resolve(
        case_id, actor=user, root_cause_id=data["root_cause"].pk, text=data["text"], form_id=data["form_id"]
    )
    if is_reachable(Case.objects.select_related("response__contact").get(pk=case_id).response):
        return _("Resolved. The shopper will be asked whether it is.")
    return _("Resolved. No message can go out; the question waits on the shopper's private page.")


_PERFORM: dict[str, Callable[[UUID, User, dict[str, Any]], str]] = {
    "acknowledge": _acknowledge,
    "contact": _contact,
    "answer": _answer,
    "fix": _fix,
    "note": _note,
    "resolve": _resolve,
}
