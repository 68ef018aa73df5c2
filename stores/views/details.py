"""What a person is called and where they are written to: changed here, and a new address confirmed here."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from stores import addresses, people
from stores.access import STAFF_ROLES, StaffRequest, roles_required
from stores.choices import SecurityEventKind
from stores.models import User
from stores.people_forms import PersonForm
from stores.security_log import note
from stores.standing import Standing, get_person_or_404
from stores.views.editing import REFUSED


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*STAFF_ROLES)
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    """Name, number and language, by oneself or a superior; the address by whoever may close the account."""
    person = get_person_or_404(request.user, pk)
    standing = Standing(request.user)
    if person.left_at or not (person == request.user or standing.is_superior_of(person)):
        raise PermissionDenied
    with_address = standing.may_close(person)
    if request.method == "POST" and "withdraw" in request.POST:
        return _withdraw(request, person)
    form = PersonForm(person, request.POST if request.method == "POST" else None, with_address=with_address)
    if form.is_valid():
        try:
            return _save(request, person, form)
        except people.AlreadyHere as known:
            form.add_error("email", str(known))
        except people.PeopleActionRefused as refused:
            form.add_error(None, str(refused))
    context = {
        "person": person,
        "form": form,
        "is_self": person == request.user,
        "waiting": addresses.open_change(person),
        "with_address": with_address,
    }
    return render(request, "people/edit.html", context, status=REFUSED if form.is_bound else 200)


def _save(request: StaffRequest, person: User, form: PersonForm) -> HttpResponse:
    """The address first: when it is refused, nothing is changed."""
    data = form.cleaned_data
    change = addresses.enter_address(person, data["email"], actor=request.user) if "email" in data else None
    people.change_details(person, name=data["name"], language=data["language"], phone=data["phone"], actor=request.user)
    if change is None:
        messages.success(request, _("Saved."))
    else:
        said = _("Saved. %(email)s gets a mail; until it is confirmed, the old address holds.")
        messages.success(request, said % {"email": change.new})
    return redirect("person", person.pk)


def _withdraw(request: StaffRequest, person: User) -> HttpResponse:
    try:
        addresses.withdraw_address(person, actor=request.user)
    except people.PeopleActionRefused as refused:
        raise PermissionDenied from refused
    messages.success(request, _("The old address stays."))
    return redirect("person_edit", person.pk)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link that a new address is sent. Looking at it changes nothing: mail scanners look too."""
    try:
        if request.method != "POST":
            return render(request, "people/address.html", {"change": addresses.change_behind(token)})
        person = addresses.confirm_address(token)
    except (addresses.AddressLinkGone, people.AlreadyHere):
        return render(request, "people/gone.html", {"of_address": True}, status=404)
    note(request, SecurityEventKind.ADDRESS_CHANGED, person)
    if request.user == person:
        logout(request)
    messages.success(request, _("Confirmed. Please sign in with your new address."))
    return redirect("account_login")
