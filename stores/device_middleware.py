"""An enrolled device stands in for the sign-in, on the pages that say so and on no others."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from stores.devices import device_of, person_at, set_cookie, touch
from stores.models import Device, User

Handler = Callable[[HttpRequest], HttpResponse]
_TOUCHED = "shared_device_touched_at"


class DeviceMiddleware:
    """Puts `request.device` on pages that open on devices: the enrolled device by which somebody is let in, else None.

    `request.shared_device` is the store's own device, on every page that it shows, also to who signed in fully.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.device = request.shared_device = None  # type: ignore[attr-defined]
        request.shown_device = None  # type: ignore[attr-defined]
        response = self.get_response(request)
        shown = request.shown_device  # type: ignore[attr-defined]
        if shown and shown.cookie and settings.DEVICE_COOKIE_NAME not in response.cookies:
            set_cookie(response, shown.device, shown.cookie)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if settings.DEVICE_COOKIE_NAME not in request.COOKIES:
            return None
        signed_in = request.user.is_authenticated
        if not signed_in and not getattr(view, "opens_on_devices", False):
            return None
        shown = device_of(request)
        if shown is None:
            return None
        request.shown_device = shown  # type: ignore[attr-defined]
        device = shown.device
        if device.is_shared:
            request.shared_device = device  # type: ignore[attr-defined]
        if signed_in:
            return _sign_out_when_idle(request) if device.is_shared else None
        person = _at_shared(request, device) if device.is_shared else device.user
        if person is None:
            return redirect(f"{reverse('tablet')}?{urlencode({'next': _way_back(request)})}")
        request.user, request.device = person, device  # type: ignore[attr-defined]
        _speak_language_of(request, person)
        return None


def only_looks(request: HttpRequest) -> bool:
    """Whether the page asks for news by itself, with nobody touching anything."""
    return bool(request.headers.get("HX-Request")) and request.method == "GET"


def _at_shared(request: HttpRequest, device: Device) -> User | None:
    person = person_at(device)
    if person is not None and not only_looks(request):
        touch(device)
    return person


def _sign_out_when_idle(request: HttpRequest) -> HttpResponse | None:
    """Who signs in fully at a store's own device is forgotten as soon as those who came by PIN."""
    now = timezone.now()
    kept = request.session.get(_TOUCHED)
    if kept and now - datetime.fromtimestamp(kept, UTC) > settings.SHARED_DEVICE_IDLE:
        logout(request)
        return redirect(f"{reverse('tablet')}?{urlencode({'next': _way_back(request)})}")
    if not only_looks(request):
        request.session[_TOUCHED] = now.timestamp()
    return None


def _way_back(request: HttpRequest) -> str:
    return request.get_full_path() if request.method == "GET" else request.path


def _speak_language_of(request: HttpRequest, person: User) -> None:
    """The middleware that chooses the language has seen nobody signed in."""
    if person.language in dict(settings.STAFF_LANGUAGES) and "lang" not in request.GET:
        translation.activate(person.language)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
