"""Sessions that are over, and sessions that have proved too little."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from stores.security import has_second_factor, may_work, still_runs

Handler = Callable[[HttpRequest], HttpResponse]

# What somebody with one factor needs to get the second one, or to leave.
_ON_THE_WAY = {
    "account_logout",
    "account_reauthenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "set_language",
}
# Only for who has none yet: otherwise whoever knows the password alone could add one of their own.
_TO_ENROL = {"mfa_activate_totp", "mfa_add_webauthn", "second_step"}


def sessions_end(get_response: Handler) -> Handler:
    """Sign out whoever was away too long, is signed in for too long, was signed out elsewhere or closed."""

    def handle(request: HttpRequest) -> HttpResponse:
        # Pages of shoppers never touch the session, and get here without its cookie.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            only_looks = bool(request.headers.get("HX-Request")) and "version" in request.GET
            if not request.user.is_authenticated or not still_runs(request, only_looks=only_looks):
                logout(request)
        return get_response(request)

    return handle


class SecondFactorMiddleware:
    """Staff pages open to sessions that proved two factors. Others are led to the second step and back."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not getattr(view, "login_required", True) or not request.user.is_authenticated or may_work(request):
            return None
        enrolled = has_second_factor(request.user)
        if request.resolver_match and request.resolver_match.url_name in _ON_THE_WAY | (
            set() if enrolled else _TO_ENROL
        ):
            return None
        step = "mfa_reauthenticate" if enrolled else "second_step"
        back = request.get_full_path() if request.method == "GET" else reverse("home")
        return redirect(f"{reverse(step)}?{urlencode({'next': back})}")
