"""Everything about one's own way in: second factors, recovery codes, sessions; and the log of the door."""

import json
from typing import Any
from uuid import UUID

from allauth.account import views as account
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.decorators import login_not_required
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows, is_reauthentication_required
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    EditWebAuthnView,
    LoginWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from stores import security_codes
from stores.access import StaffRequest, roles_required
from stores.choices import Role, SecurityEventKind
from stores.models import StaffSession, User
from stores.queries import roles_of
from stores.security import current_session, end_sessions, has_second_factor, is_fresh
from stores.security_limits import (
    OPENINGS_FROM_ADDRESS,
    RESETS,
    RESETS_FROM_ADDRESS,
    network_of,
    take,
    too_many,
)
from stores.security_log import events_visible_to, note

LOG_READERS = (Role.HEAD_OFFICE, Role.OPERATOR)
EVENTS_PER_PAGE = 50
NEWEST_OF_ONESELF = 8


def _back(request: StaffRequest) -> str:
    """Where the person wanted to go; only ever a page of ours."""
    wish = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
    return wish if wish and get_account_adapter().is_safe_url(wish) else ""


@require_safe
def overview(request: StaffRequest) -> HttpResponse:
    """One's own second factors, sessions, and what happened lately."""
    mine = Authenticator.objects.filter(user=request.user).order_by("created_at")
    by_type: dict[str, list[Authenticator]] = {}
    for authenticator in mine:
        by_type.setdefault(authenticator.type, []).append(authenticator)
    recovery = by_type.get(Authenticator.Type.RECOVERY_CODES, [])
    context = {
        "app": next(iter(by_type.get(Authenticator.Type.TOTP, [])), None),
        "passkeys": [{"row": one, "name": one.wrap().name} for one in by_type.get(Authenticator.Type.WEBAUTHN, [])],
        "has_recovery_codes": bool(recovery),
        "codes_left": security_codes.codes_left(recovery[0]) if recovery else 0,
        "sessions": request.user.sessions.order_by("-last_seen_at"),
        "this_session": current_session(request),
        "events": request.user.security_events.select_related("actor").order_by("-at", "-id")[:NEWEST_OF_ONESELF],
        "reads_log": not roles_of(request.user).isdisjoint(LOG_READERS),
        "required": settings.MFA_REQUIRED,
    }
    return render(request, "mfa/index.html", context)


@require_safe
def second_step(request: StaffRequest) -> HttpResponse:
    """The first thing that a new member of staff sees: which second factor will it be?"""
    if has_second_factor(request.user):
        return redirect("mfa_index")
    if _back(request):
        request.session["after_second_step"] = _back(request)
    return render(request, "mfa/second_step.html")


def _after(request: StaffRequest) -> str:
    """On to where the person wanted to go before the second step came in between."""
    wanted: str = request.session.pop("after_second_step", "")
    return wanted or reverse("mfa_index")


@require_POST
def end_session(request: StaffRequest) -> HttpResponse:
    """Sign out elsewhere: `session` names one of one's own, "others" all but this."""
    wanted = request.POST.get("session", "")
    if wanted == "others":
        ended = end_sessions(request.user, keep=current_session(request))
    else:
        ended, _rows = StaffSession.objects.filter(user=request.user, pk=_uuid(wanted)).delete()
    if ended:
        note(request, SecurityEventKind.SESSIONS_ENDED, request.user, actor=request.user)
        messages.success(request, _("Signed out there. It takes effect at the next click."))
    return redirect("mfa_index")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


@roles_required(*LOG_READERS)
@require_safe
def events(request: StaffRequest) -> HttpResponse:
    """The log of the door, newest first."""
    kind = request.GET.get("kind", "")
    found = events_visible_to(request.user).select_related("user", "actor").order_by("-at", "-id")
    if kind in SecurityEventKind.values:
        found = found.filter(kind=kind)
    page = Paginator(found, EVENTS_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request, "account/events.html", {"page": page, "kinds": SecurityEventKind.choices, "wanted_kind": kind}
    )


# --- recovery codes


def recovery_codes(request: StaffRequest) -> HttpResponse:
    """The codes, shortly after they were made and until their owner has kept them; later only how many are left."""
    row = Authenticator.objects.filter(user=request.user, type=Authenticator.Type.RECOVERY_CODES).first()
    if row is None:
        return redirect("mfa_index")
    if request.method == "POST":
        security_codes.are_kept(request)
        return redirect(_after(request))
    shown = security_codes.are_shown(request)
    codes = [security_codes.in_groups(code) for code in row.wrap().get_unused_codes()]
    return render(request, "mfa/recovery_codes.html", {"codes": codes if shown else [], "left": len(codes)})


@require_safe
def recovery_codes_file(request: StaffRequest) -> HttpResponse:
    """The codes as a text file, as long as they are shown."""
    row = Authenticator.objects.filter(user=request.user, type=Authenticator.Type.RECOVERY_CODES).first()
    if row is None or not security_codes.are_shown(request):
        raise Http404
    lines = [f"{settings.CHAIN_NAME} {settings.PUBLIC_URL}", request.user.email, ""]
    lines += [security_codes.in_groups(code) for code in row.wrap().get_unused_codes()]
    response = HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    return response


# --- allauth's views, with our pages, our rates and our way back


def ask_again(request: StaffRequest) -> HttpResponse | None:
    """Before a way in is changed: where its owner proves once more who they are. None: they did so a moment ago.

    They come back by GET: what was sent is not kept, for it may be a secret.
    """
    if anew := _sign_in_anew(request):
        return anew
    if not is_reauthentication_required(request, app="stores"):
        return None
    way = get_account_adapter().get_reauthentication_methods(request.user)[0]["url"]
    return redirect(f"{way}?{urlencode({REDIRECT_FIELD_NAME: request.path})}")


def _sign_in_anew(request: StaffRequest) -> HttpResponse | None:
    """Who can only come by single sign-on, and came a while ago, cannot be asked otherwise. None for everybody else."""
    if is_fresh(request) or get_reauthentication_flows(request.user):
        return None
    logout(request)
    messages.info(request, _("Please sign in once more; then you can go on."))
    return redirect(f"{reverse('account_login')}?{urlencode({REDIRECT_FIELD_NAME: request.path})}")


class _AskedAgain:
    """For changes of factors; allauth itself asks those who have something to be asked for."""

    def dispatch(self, request: StaffRequest, *args: Any, **kwargs: Any) -> Any:
        return _sign_in_anew(request) or super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class AddApp(_AskedAgain, ActivateTOTPView):  # type: ignore[misc]
    template_name = "mfa/app_add.html"

    def form_valid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        added = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        # The code that enrolled the app signs nobody in.
        security_codes.use(added, form.cleaned_data["code"])
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        secret = context["form"].secret
        return context | {"secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))}

    def get_success_url(self) -> str:
        return super().get_success_url() if self.did_generate_recovery_codes else _after(self.request)


class RemoveApp(_AskedAgain, DeactivateTOTPView):  # type: ignore[misc]
    template_name = "mfa/app_remove.html"


class NewRecoveryCodes(_AskedAgain, GenerateRecoveryCodesView):  # type: ignore[misc]
    template_name = "mfa/recovery_codes_new.html"


class _Ceremony:
    """Hands the browser's options to our script as an attribute, since pages carry no script of their own."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        (options,) = context["js_data"].values()
        return context | {"options": json.dumps(options)}


class AddPasskey(_AskedAgain, _Ceremony, AddWebAuthnView):  # type: ignore[misc]
    template_name = "mfa/passkey_add.html"

    def get_success_url(self) -> str:
        return super().get_success_url() if self.did_generate_recovery_codes else _after(self.request)


class RemovePasskey(_AskedAgain, RemoveWebAuthnView):  # type: ignore[misc]
    template_name = "mfa/passkey_remove.html"
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Form) -> HttpResponse:
        if not get_adapter().can_delete_authenticator(self.get_object()):
            messages.error(self.request, get_adapter().error_messages["cannot_delete_authenticator"])
            return redirect("mfa_index")
        response: HttpResponse = super().form_valid(form)
        return response


class NamePasskey(_AskedAgain, EditWebAuthnView):  # type: ignore[misc]
    template_name = "mfa/passkey_name.html"
    success_url = reverse_lazy("mfa_index")


class _Typed:
    """Says which of the person's factors there are, so that the page asks for what they have."""

    def _of(self, person: User) -> dict[str, bool]:
        held = set(Authenticator.objects.filter(user=person).values_list("type", flat=True))
        return {"has_app": Authenticator.Type.TOTP in held, "has_passkey": Authenticator.Type.WEBAUTHN in held}


class SecondStep(_Typed, _Ceremony, AuthenticateView):  # type: ignore[misc]
    """The code or passkey after the password."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | self._of(self.stage.login.user)


class Confirm(_Typed, ReauthenticateView):  # type: ignore[misc]
    """The code before something that matters."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | self._of(self.request.user)


class ConfirmByPasskey(_Ceremony, ReauthenticateWebAuthnView):  # type: ignore[misc]
    template_name = "mfa/passkey_confirm.html"

    def form_invalid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super(ReauthenticateWebAuthnView, self).form_invalid(form)
        return response


class SignInByPasskey(LoginWebAuthnView):  # type: ignore[misc]
    """Both factors at once: the passkey, and the finger, face or PIN that opens it."""

    def dispatch(self, request: StaffRequest, *args: Any, **kwargs: Any) -> Any:
        if not take(OPENINGS_FROM_ADDRESS, network_of(request)):
            return too_many(request)
        return super().dispatch(request, *args, **kwargs)

    def form_invalid(self, form: Form) -> HttpResponse:
        note(self.request, SecurityEventKind.WRONG_CODE, detail="passkey")
        response: HttpResponse = super().form_invalid(form)
        return response


class ForgottenPassword(account.PasswordResetView):  # type: ignore[misc]
    """A link by e-mail; whether an account has the address is not told, nor by how often one may ask."""

    def form_valid(self, form: Form) -> HttpResponse:
        if not take(RESETS_FROM_ADDRESS, network_of(self.request)):
            return too_many(self.request)
        if not take(RESETS, form.cleaned_data["email"].lower()):
            return redirect(self.get_success_url())
        response: HttpResponse = super().form_valid(form)
        return response


def change_password(request: StaffRequest) -> HttpResponse:
    """Another password. Who came by single sign-on and never had one gets the first by a link in a mail."""
    if not request.user.has_usable_password():
        return redirect("account_reset_password")
    response: HttpResponse = account.password_change(request)
    return response


add_app = AddApp.as_view()
remove_app = RemoveApp.as_view()
new_recovery_codes = NewRecoveryCodes.as_view()
add_passkey = AddPasskey.as_view()
remove_passkey = RemovePasskey.as_view()
name_passkey = NamePasskey.as_view()
authenticate = login_not_required(SecondStep.as_view())
confirm = Confirm.as_view()
confirm_by_passkey = ConfirmByPasskey.as_view()
sign_in_by_passkey = login_not_required(SignInByPasskey.as_view())
forgotten_password = login_not_required(ForgottenPassword.as_view())
