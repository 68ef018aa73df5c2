"""People: the list, one person, and the way in for a new one."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from stores import people
from stores.access import STAFF_ROLES, StaffRequest, roles_required
from stores.addresses import open_change
from stores.choices import CASE_ROLES, DeviceEnd, PersonState, Role
from stores.devices import end_device, phones_of
from stores.models import Absence, RoleAssignment, Store, User
from stores.people_forms import MOST_ROLES_AT_ONCE, AbsenceForm, InviteForm, JoinForm, RoleForm, roles_formset
from stores.queries import stores_visible_to, who_answers
from stores.security import Way, forget_factors, has_second_factor, sign_in
from stores.sorting import folded
from stores.standing import (
    INVITING_ROLES,
    LEADING_ROLES,
    Standing,
    get_person_or_404,
    people_visible_to,
    roles_held,
)

PEOPLE_PER_PAGE = 50
_EVENTS_SHOWN = 30
_STORES_OFFERED = 20
# Beside the states of an account: who is not there today.
AWAY = "away"


# --- the list -------------------------------------------------------------------------------------------------
@require_safe
@roles_required(*LEADING_ROLES)
def people_list(request: StaffRequest) -> HttpResponse:
    """Everybody in what this person leads, found by name or address, by role and by state."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()
    role, state = request.GET.get("role", ""), request.GET.get("state", "")
    found = _found(request.user, wanted, role, state)
    page = Paginator(found, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    rows = [(person, _last_day_away(person)) for person in page]
    chosen = {name: value for name, value in (("q", wanted), ("role", role), ("state", state)) if value}
    context = {
        "page": page,
        "rows": rows,
        "wanted": wanted,
        "role": role,
        "state": state,
        "roles": Role.choices,
        "states": [
            ("", _("Everybody here")),
            (AWAY, _("Away now")),
            (PersonState.INVITED, PersonState.INVITED.label),
            (PersonState.LEFT, PersonState.LEFT.label),
        ],
        "query": f"{urlencode(chosen)}&" if chosen else "",
        "invites": Standing(request.user).invites,
    }
    return render(request, "people/list.html#found" if request.htmx else "people/list.html", context)


def _last_day_away(person: Any) -> date | None:
    """Of somebody who is away: their last day, in the time of the first of their stores."""
    if not person.away_now:
        return None
    zone = next((held.store.time_zone for held in person.held if held.store), settings.TIME_ZONE)
    last: datetime = person.away_now[0].ends_at - timedelta(seconds=1)
    return last.astimezone(ZoneInfo(zone)).date()


def _absent(at: datetime) -> QuerySet[Absence]:
    return Absence.objects.filter(starts_at__lte=at, ends_at__gt=at, cancelled_at=None)


def _found(viewer: User, wanted: str, role: str, state: str) -> QuerySet[User]:
    now = timezone.now()
    found = people_visible_to(viewer).order_by("sort_key", "pk")
    for word in folded(wanted).split():
        found = found.filter(search_text__contains=word)
    if role in Role.values:
        found = found.filter(Exists(RoleAssignment.objects.filter(user=OuterRef("pk"), role=role)))
    if state == PersonState.LEFT:
        found = found.filter(left_at__isnull=False)
    elif state == PersonState.INVITED:
        found = found.filter(left_at=None, is_active=False)
    elif state == AWAY:
        found = found.filter(is_active=True).filter(Exists(_absent(now).filter(user=OuterRef("pk"))))
    elif not wanted:
        found = found.filter(left_at=None)
    return found.prefetch_related(
        Prefetch("roles", RoleAssignment.objects.select_related("store", "node").order_by("pk"), to_attr="held"),
        Prefetch("absences", _absent(now).select_related("stand_in"), to_attr="away_now"),
    )


# --- letting in -----------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*INVITING_ROLES)
def invite(request: StaffRequest) -> HttpResponse:
    """Let somebody in, for the `role` and `store` of the address. Asked by htmx it offers stores to a field in which a
    code is typed."""
    standing = Standing(request.user)
    if request.htmx and request.method == "GET":
        return _offer_stores(request, standing)
    if request.method != "POST":
        form = InviteForm(initial={"language": get_language()})
        first = [{name: request.GET.get(name, "") for name in ("role", "store")}] if "store" in request.GET else []
        return _invite_page(request, form, roles_formset(1 - len(first))(standing, prefix="roles", initial=first))
    if "more" in request.POST:
        return _one_row_more(request, standing)
    form, formset = InviteForm(request.POST), roles_formset(0)(standing, request.POST, prefix="roles")
    if form.is_valid() and formset.is_valid():
        roles = formset.roles()
        if not roles:
            form.add_error(None, _("Please choose at least one role."))
        else:
            try:
                person = people.invite_person(form.invitee(roles), actor=request.user)
            except people.AlreadyHere as known:
                form.add_error("email", str(known))
            except people.PeopleActionRefused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, _("%(name)s gets a mail with a link.") % {"name": person.name})
                return redirect("person", pk=person.pk)
    return _invite_page(request, form, formset, status=422)


def _offer_stores(request: StaffRequest, standing: Standing) -> HttpResponse:
    typed = next((str(value) for key, value in request.GET.items() if key.endswith("store")), "").strip()
    stores = Store.objects.none()
    if typed:
        starts = Q(code__istartswith=typed) | Q(search_text__contains=folded(typed))
        stores = standing.stores().filter(starts).order_by("code")[:_STORES_OFFERED]
    return render(request, "people/_stores.html", {"stores": stores})


def _one_row_more(request: StaffRequest, standing: Standing) -> HttpResponse:
    """The form with what was typed so far and another row; nothing is refused yet."""
    rows = min(_number(request.POST.get("roles-TOTAL_FORMS")), MOST_ROLES_AT_ONCE - 1)
    form = InviteForm(initial={name: request.POST.get(name, "") for name in InviteForm.base_fields})
    initial = [
        {name: request.POST.get(f"roles-{row}-{name}", "") for name in ("role", "store", "node")} for row in range(rows)
    ]
    formset = roles_formset(1)(standing, prefix="roles", initial=initial)
    return _invite_page(request, form, formset)


def _invite_page(request: StaffRequest, form: Form, formset: Any, *, status: int = 200) -> HttpResponse:
    return render(request, "people/invite.html", {"form": form, "formset": formset}, status=status)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link of an invitation. Looking at it uses nothing up: mail scanners look too."""
    try:
        invitation = people.open_invitation(token)
        form = JoinForm(invitation.user, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            user = people.accept_invitation(token, password=form.cleaned_data["password"])
            sign_in(request, user, Way.PASSWORD)
            return redirect("home")
    except people.InvitationGone:
        return render(request, "people/gone.html", status=404)
    roles = roles_held(invitation.user)
    context = {"form": form, "person": invitation.user, "roles": roles, "until": invitation.expires_at}
    return render(request, "people/join.html", context, status=422 if form.errors else 200)


# --- one person -----------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*STAFF_ROLES)
def person(request: StaffRequest, pk: int) -> HttpResponse:
    """One person: roles, absences, devices, cases, and all that happened. Everybody may look at themselves."""
    found = get_person_or_404(request.user, pk)
    if request.method == "POST":
        return _act(request, found)
    return render(request, "people/person.html", _context(request, found))


def _act(request: StaffRequest, found: User) -> HttpResponse:
    """Do what the form asks. Refused or invalid, the page comes back with what was typed."""
    name = request.POST.get("action", "")
    if name not in _DO:
        return HttpResponse(status=400)
    form: Form | None = None
    if name == "give_role":
        form = RoleForm(Standing(request.user), request.POST, prefix="give")
    elif name == "enter_absence":
        form = AbsenceForm(found, request.POST, prefix="away")
    refused = ""
    if form is None or form.is_valid():
        try:
            said = _DO[name](request, found, form)
        except people.PeopleActionRefused as reason:
            refused = str(reason)
        else:
            messages.success(request, said)
            # Whoever takes a role may thereby lose sight of the person.
            still_seen = people_visible_to(request.user).filter(pk=found.pk).exists()
            response = redirect("person", pk=found.pk) if still_seen else redirect("people")
            response.status_code = 303
            return response
    fresh = get_person_or_404(request.user, found.pk)
    return render(
        request, "people/person.html", _context(request, fresh, bound=form, refused=refused, action=name), status=422
    )


def _context(
    request: StaffRequest, found: User, *, bound: Form | None = None, refused: str = "", action: str = ""
) -> dict[str, Any]:
    standing = Standing(request.user)
    is_self = found == request.user
    superior = standing.is_superior_of(found)
    may_close = standing.may_close(found)
    now = timezone.now()
    roles = roles_held(found)
    invitation = found.invitations.filter(accepted_at=None, revoked_at=None).first()
    absences = list(
        found.absences.filter(cancelled_at=None, ends_at__gt=now).select_related("stand_in").order_by("starts_at")
    )
    devices = list(phones_of(found)) if is_self or superior else []
    return {
        "person": found,
        "is_self": is_self,
        "may_plan": (is_self or superior) and not found.left_at,
        "may_give": standing.invites and not found.left_at,
        "may_close": may_close,
        "may_end_devices": is_self or superior,
        "leads": standing.leads,
        "roles": [(held, standing.may_take(held) and not found.left_at) for held in roles],
        "answering": _answering(found, roles, request.user),
        "absences": absences,
        "away_now": next((absence for absence in absences if absence.starts_at <= now), None),
        "devices": devices,
        "invitation": invitation,
        "waiting": open_change(found) if is_self or superior else None,
        "invitation_open": invitation is not None and invitation.is_open(now),
        "second_factor": has_second_factor(found),
        "events": found.events.select_related("actor")[:_EVENTS_SHOWN],
        "role_form": bound if isinstance(bound, RoleForm) else RoleForm(standing, prefix="give"),
        "absence_form": bound if isinstance(bound, AbsenceForm) else AbsenceForm(found, prefix="away"),
        "refused": refused,
        "failed": action if refused or bound is not None else "",
        "zone": str(people.zone_of(found)),
        "works_cases": any(held.role in CASE_ROLES for held in roles),
    }


def _answering(found: User, roles: list[RoleAssignment], viewer: User) -> list[tuple[Store, list[User]]]:
    """Who answers now at each of the person's own stores that the viewer may see."""
    own = [held.store_id for held in roles if held.store_id]
    stores = stores_visible_to(viewer).filter(pk__in=own).select_related("node").order_by("sort_key", "pk")
    return [(store, who_answers(store)) for store in stores[:10]]


def _give_role(request: StaffRequest, found: User, form: Any) -> str:
    people.give_role(found, form.cleaned_data["role_at"], actor=request.user)
    return _("The role is given.")


def _take_role(request: StaffRequest, found: User, form: Any) -> str:
    held = get_object_or_404(
        RoleAssignment.objects.select_related("user", "store__node", "node"),
        user=found,
        pk=_number(request.POST.get("held")),
    )
    people.take_role(held, actor=request.user)
    return _("The role is taken. Their enrolled phones ended with it.")


def _enter_absence(request: StaffRequest, found: User, form: Any) -> str:
    people.enter_absence(
        found,
        starts_at=form.starts_at,
        ends_at=form.ends_at,
        stand_in=form.cleaned_data["stand_in"],
        note=form.cleaned_data["note"],
        actor=request.user,
    )
    return _("Entered. Notices go to whoever answers then.")


def _cancel_absence(request: StaffRequest, found: User, form: Any) -> str:
    absence = get_object_or_404(found.absences.select_related("user"), pk=_number(request.POST.get("absence")))
    people.cancel_absence(absence, actor=request.user)
    return _("Taken back.")


def _send_link(request: StaffRequest, found: User, form: Any) -> str:
    people.send_invitation(found, actor=request.user)
    return _("A new link is on its way; the one before works no more.")


def _revoke_link(request: StaffRequest, found: User, form: Any) -> str:
    people.revoke_invitation(found, actor=request.user)
    return _("The link works no more.")


def _end_device(request: StaffRequest, found: User, form: Any) -> str:
    if found != request.user and not Standing(request.user).is_superior_of(found):
        raise people.PeopleActionRefused(_("This is for their superior to do."))
    for device in phones_of(found):
        if str(device.pk) == request.POST.get("device"):
            end_device(device, DeviceEnd.OWNER if found == request.user else DeviceEnd.SUPERIOR, actor=request.user)
    return _("This phone opens nothing any more.")


def _forget_factors(request: StaffRequest, found: User, form: Any) -> str:
    if not Standing(request.user).may_close(found):
        raise people.PeopleActionRefused(_("This is for their superior to do."))
    forget_factors(request, found, actor=request.user)
    return _("They are signed out, and enrol a second factor anew when they sign in.")


def _let_go(request: StaffRequest, found: User, form: Any) -> str:
    people.let_go(found, actor=request.user)
    return _("%(name)s can sign in no more. Open cases went to whoever answers now.") % {"name": found.name}


def _take_back(request: StaffRequest, found: User, form: Any) -> str:
    people.take_back(found, actor=request.user)
    return _("%(name)s gets a mail with a link.") % {"name": found.name}


def _number(typed: str | None) -> int:
    return int(typed) if typed and typed.isdecimal() and len(typed) < 19 else 0


_DO: dict[str, Callable[[StaffRequest, User, Any], str]] = {
    "give_role": _give_role,
    "take_role": _take_role,
    "enter_absence": _enter_absence,
    "cancel_absence": _cancel_absence,
    "send_link": _send_link,
    "revoke_link": _revoke_link,
    "end_device": _end_device,
    "forget_factors": _forget_factors,
    "let_go": _let_go,
    "take_back": _take_back,
}
