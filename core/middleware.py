"""What every request passes through."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils import translation

Handler = Callable[[HttpRequest], HttpResponse]


def security_headers(get_response: Handler) -> Handler:
    """Headers that Django does not set itself. Pages are never cached unless their view says otherwise."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return handle


def no_null_characters(get_response: Handler) -> Handler:
    """An address with a null character is nobody's: PostgreSQL cannot even look for one."""

    def handle(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("null character")
        return get_response(request)

    return handle


def reader_language(get_response: Handler) -> Handler:
    """The language of the page: `?lang=`, else the signed-in person's own, else the browser's wish.

    No cookie keeps it: a shopper's pages carry it along in their links and forms.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        known = dict(settings.LANGUAGES)
        wish = (
            request.GET.get("lang") or request.POST.get("lang", "")
            if request.method == "POST"
            else request.GET.get("lang", "")
        )
        if wish not in known:
            wish = translation.get_language_from_request(request)
            if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
                wish = request.user.language or wish
        translation.activate(wish)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        response = get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response

    return handle
