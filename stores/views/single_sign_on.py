"""The way to the chain's identity provider and back."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_safe

from stores import security_oidc
from stores.choices import SecurityEventKind
from stores.security import Way, record, sign_in
from stores.security_limits import OPENINGS_FROM_ADDRESS, network_of, remember_browser, take, too_many
from stores.security_log import note

_WANTED = "oidc_next"


@login_not_required
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """To the provider. A link, not a form: browsers stop forms that lead to another origin."""
    if not security_oidc.is_offered():
        raise Http404
    if not take(OPENINGS_FROM_ADDRESS, network_of(request)):
        return too_many(request)
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    try:
        response = security_oidc.start(request)
    except security_oidc.Refused as refused:
        return _refuse(request, refused)
    request.session[_WANTED] = wanted if get_adapter().is_safe_url(wanted) else ""
    return response


@login_not_required
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Back from the provider: into the session, or to our own second step."""
    if not security_oidc.is_offered():
        raise Http404
    wanted = request.session.pop(_WANTED, "") or None
    try:
        known = security_oidc.finish(request)
    except security_oidc.Refused as refused:
        return _refuse(request, refused)
    if known.strong:
        sign_in(request, known.user, Way.SINGLE_SIGN_ON, mfa=True)
        response: HttpResponse = redirect(wanted or resolve_url(settings.LOGIN_REDIRECT_URL))
        remember_browser(request, response, known.user)
        return response
    record(request, known.user, Way.SINGLE_SIGN_ON)
    second: HttpResponse = perform_login(request, Login(user=known.user, redirect_url=wanted))
    return second


def _refuse(request: HttpRequest, refused: security_oidc.Refused) -> HttpResponse:
    note(request, SecurityEventKind.SINGLE_SIGN_ON_REFUSED, refused.user, detail=refused.reason)
    return render(request, "account/single_sign_on_refused.html", {"reason": refused.reason}, status=403)
