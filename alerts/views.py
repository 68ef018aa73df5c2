"""The inbox and the page of a case: parse, fetch, act, render."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from alerts import actions, settling
from alerts.cards import cards_of, reach_of, words_of
from alerts.choices import REOPENINGS, TO_DO, CaseState, EventKind, Severity
from alerts.earlier import earlier_cases_seen_by, purchase_of
from alerts.forms import FORMS, CaseForm
from alerts.history import Folded, Moment, conversation_of, history_of, shared_entries
from alerts.inbox import MOST_KEPT, Tab, cases_in, page_of, praise, waiting_for, with_everything
from alerts.keeping import keeper_of
from alerts.kudos_views import KudosCard, card_of
from alerts.models import Case, CaseResponse, Kudos
from alerts.queries import cases_visible_to, is_reachable
from alerts.replies import Reply, replies_for
from alerts.reviews import count_to_review
from alerts.settling import last_step_of
from alerts.times import times_of
from sentiment.similar import Similar, similar_to
from stores.access import StaffRequest, opens_on_devices, roles_required
from stores.choices import CASE_ROLES, STORE_ROLES
from stores.models import User
from stores.queries import stores_visible_to
from surveys.choices import ContactWish
from surveys.models import Response

# What can still be done once a case is closed.
_AFTER_CLOSING = {"answer", "note", "agree", "bring_back", "undo"}
# Of a long conversation and of its history the latest are in sight.
_SHOWN_TURNS, _SHOWN_MOMENTS = 6, 10
# Who looks at what stores left out of their shares.
_ABOVE_STORES = CASE_ROLES - STORE_ROLES


_OF_THOSE_ABOVE = {"agree", "bring_back"}


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
        "keeps": keeper_of(request),
    }
    if tab == Tab.TO_DO and not waiting.count:
        context["praise"] = [
            (response, words_of(response), _kudos_card(response, request.user)) for response in praise(request.user)
        ]
    template = "alerts/inbox.html#list" if request.htmx else "alerts/inbox.html"
    return _kept(request, _with_time(render(request, template, context)))


def _kudos_card(response: Response, reader: User) -> KudosCard | None:
    kudos: Kudos | None = getattr(response, "kudos", None)
    return card_of(kudos, reader) if kudos else None


def _kept(request: StaffRequest, response: HttpResponse) -> HttpResponse:
    """Lets the device keep the page, for this person and nobody else, see `worker.js`."""
    if keeper := keeper_of(request):
        response["X-Keep-For"] = keeper
    return response


@require_safe
@opens_on_devices
@roles_required(*CASE_ROLES)
def kept(request: StaffRequest) -> HttpResponse:
    """`/inbox/kept/`: every open case on one page to read without a connection, what burns first."""
    if not keeper_of(request):
        raise Http404
    cases = with_everything(cases_in(request.user, Tab.TO_DO)).prefetch_related("entries__author")
    found = list(cases[:MOST_KEPT])
    cards = [(card, reach_of(card.case), shared_entries(card.case)) for card in cards_of(found)]
    context = {"cards": cards, "now_ms": _now_ms(), "left_off": cases.count() - len(found), "keeps": keeper_of(request)}
    return _kept(request, _with_time(render(request, "alerts/kept.html", context)))


def get_case_or_404(user: User, case_id: UUID) -> Case:
    """The case, if the user's roles reach its store; strangers cannot tell it from one that is not there."""
    more = Prefetch(
        "further_responses",
        CaseResponse.objects.select_related("response").prefetch_related("response__verbatims__analysis"),
    )
    about = "response__invitation"
    cases = with_everything(cases_visible_to(user)).select_related(
        f"{about}__receipt__store", f"{about}__call__store", f"{about}__contact"
    )
    return get_object_or_404(cases.prefetch_related(more), pk=case_id)


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
    return _kept(request, _with_time(render(request, "alerts/case.html", _context(request, found))))


def _act(request: StaffRequest, found: Case) -> HttpResponse:
    """Do what the form asks. Refused or invalid, the page comes back with all that was typed."""
    name = request.POST.get("action", "")
    if name not in FORMS:
        return HttpResponse(status=400)
    form = FORMS[name](found, request.POST)
    if name in _OF_THOSE_ABOVE and not _stands_above(request.user, found):
        raise PermissionDenied
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


def _stands_above(user: User, found: Case) -> bool:
    """Whether they answer for the case's store from above; one may lead an area and a store of another."""
    return stores_visible_to(user, roles=_ABOVE_STORES).filter(pk=found.store_id).exists()


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
    replies = replies_for(found, request.user, request.LANGUAGE_CODE or "en") if not found.response.erased_at else []
    chosen = _chosen(replies, request.GET.get("reply", ""))
    if chosen is not None and bound is None:
        forms["answer"].initial.update(text=chosen.text, template=chosen.template.pk)
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
        "history": Folded.of(moments, shown=_SHOWN_MOMENTS),
        "conversation": Folded.of(conversation_of(moments), shown=_SHOWN_TURNS),
        "to_do": to_do,
        "waits_for_notice": found.state == CaseState.OPEN,
        "may_resolve": to_do and bool(tried),
        "severe": found.severity == Severity.SEVERE,
        "keeps": keeper_of(request),
        "replies": replies,
        "chosen": chosen,
        "last_step": last_step_of(found, request.user, now),
        "may_sample": found.state == CaseState.DISMISSED and _stands_above(request.user, found),
        "sampled": any(moment.kind == EventKind.SAMPLED and not moment.undone for moment in moments),
        "took": times_of(found),
        "purchase": purchase_of(found.response),
        "earlier": earlier_cases_seen_by(request.user, found.response),
        # An enrolled device opens cases, and no pages of other comments.
        "similar": [] if getattr(request, "device", None) else _similar(found, request.user),
        "verification": found.verifications.order_by("-round").first() if not to_do else None,
        "was_asked": _was_asked(moments),
        "now_ms": _now_ms(),
    }


def _chosen(replies: list[Reply], wanted: str) -> Reply | None:
    """The prepared reply that the address asks for: how one is chosen without JavaScript."""
    return next((reply for reply in replies if str(reply.template.pk) == wanted), None)


def _similar(found: Case, reader: User) -> list[Similar]:
    """Comments like the case's first words, of the stores that the reader's roles reach."""
    read = [verbatim for verbatim in found.response.verbatims.all() if verbatim.text]
    return similar_to(read[0], stores_visible_to(reader)) if read else []


def _was_asked(moments: list[Moment]) -> bool:
    """Whether the question of the present round went out; where no message can, it only waits."""
    turns = [moment.kind for moment in moments if moment.kind in {EventKind.ASKED, *REOPENINGS}]
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
    actions.answer_shopper(case_id, actor=user, text=data["text"], template=data["template"], form_id=data["form_id"])
    waiting = Case.objects.filter(pk=case_id, state=CaseState.ACKNOWLEDGED, response__contact_wish=ContactWish.CALL)
    if waiting.exists():
        return _("Sent. The shopper asked for a call: the clock runs on until they write back or you reach them.")
    return _("Answered. The shopper can read it on their own page.")


def _fix(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    actions.record_action(case_id, actor=user, text=data["text"], form_id=data["form_id"])
    return _("Noted what was done.")


def _note(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    actions.add_note(case_id, actor=user, text=data["text"], form_id=data["form_id"])
    return _("Note added.")


def _resolve(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    actions.resolve(
        case_id,
        actor=user,
        root_cause_id=data["root_cause"].pk,
        outcome=data["outcome"],
        text=data["text"],
        form_id=data["form_id"],
    )
    if is_reachable(Case.objects.select_related("response__contact").get(pk=case_id).response):
        return _("Resolved. The shopper will be asked whether it is.")
    return _("Resolved. No message can go out; the question waits on the shopper's private page.")


def _start(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    channel = cast(actions.ContactChannel, data["channel"])
    actions.start_contact(case_id, actor=user, channel=channel, form_id=data["form_id"])
    return _("You are on it. Did you reach the shopper?")


def _hand_over(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    actions.hand_over(case_id, actor=user, to=data["to"], note=data["note"], form_id=data["form_id"])
    return _("Handed over. Your colleague is told; the clock runs on.")


def _leave_out(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    settling.leave_out(case_id, actor=user, exemption=data["exemption"], reason=data["why"], form_id=data["form_id"])
    return _("Closed, and left out of the store's shares. It is shown beside them.")


def _agree(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    settling.agree(case_id, actor=user, form_id=data["form_id"])
    return _("Noted: rightly left out.")


def _bring_back(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    settling.bring_back(case_id, actor=user, form_id=data["form_id"])
    return _("The case is open. Its thirty minutes are running.")


def _undo(case_id: UUID, user: User, data: dict[str, Any]) -> str:
    settling.undo(case_id, actor=user, form_id=data["form_id"])
    return _("Taken back.")


_PERFORM: dict[str, Callable[[UUID, User, dict[str, Any]], str]] = {
    "acknowledge": _acknowledge,
    "contact": _contact,
    "answer": _answer,
    "fix": _fix,
    "note": _note,
    "resolve": _resolve,
    "start": _start,
    "hand_over": _hand_over,
    "leave_out": _leave_out,
    "agree": _agree,
    "bring_back": _bring_back,
    "undo": _undo,
}
