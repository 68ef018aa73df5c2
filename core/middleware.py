"""What every request passes through."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import cast

from csp.utils import build_policy
from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, URLPattern, get_resolver
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

Handler = Callable[[HttpRequest], HttpResponse]


def shoppers_way(get_response: Handler) -> Handler:
    """Past everything that staff pages need, for pages that know no session: to the view, and the headers on the way
    back. The rest of the chain costs a shopper's page more than the page itself.

    A view says that it is such a page by `for_shoppers`. Whoever has a cookie of ours takes the long way, and so does
    an address that leads nowhere or must be mended first.
    """
    serve = convert_exception_to_response(_serve_shopper)

    def handle(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(settings.SHOPPER_PATHS) or _is_known(request):
            return get_response(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return get_response(request)
        request.resolver_match = _shoppers_page(request.path_info)
        if request.resolver_match is None:
            return get_response(request)
        response = cast(HttpResponse, serve(request))
        for name, value in _headers(secure=request.is_secure()).items():
            response.headers.setdefault(name, value)
        if not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    return handle


def _shoppers_page(path: str) -> ResolverMatch | None:
    """Which shoppers' page an address is, looked for among these alone."""
    matches = (pattern.resolve(path.removeprefix("/")) for pattern in _shoppers_pages(settings.ROOT_URLCONF))
    return next((match for match in matches if match), None)


@lru_cache(maxsize=4)
def _shoppers_pages(urlconf: str) -> list[URLPattern]:
    """The pages of all rooms; a room is included without a prefix of its own."""
    found: list[URLPattern] = []
    resolvers = [get_resolver(urlconf)]
    for resolver in resolvers:
        for one in resolver.url_patterns:
            if isinstance(one, URLPattern):
                found += [one] if getattr(one.callback, "for_shoppers", False) else []
            elif not str(one.pattern):
                resolvers.append(one)
    return found


def _is_known(request: HttpRequest) -> bool:
    """Whether the browser has signed in here or is an enrolled device."""
    ours = (settings.SESSION_COOKIE_NAME, settings.DEVICE_COOKIE_NAME)
    return "HTTP_COOKIE" in request.META and any(name in request.COOKIES for name in ours)


def _serve_shopper(request: HttpRequest) -> HttpResponse:
    request.get_host()  # raises for a host that is not ours
    _turn_to_reader(request)  # also the refusal is read
    _refuse_null_characters(request)
    match = request.resolver_match
    assert match is not None
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
    return response


@lru_cache(maxsize=2)
def _headers(*, secure: bool) -> Mapping[str, str]:
    """What the middleware that is passed by would have set."""
    headers = {
        "Content-Security-Policy": build_policy(),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
        "Permissions-Policy": settings.PERMISSIONS_POLICY,
        "Cache-Control": "no-store",
    }
    if secure and settings.SECURE_HSTS_SECONDS:
        below = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
        headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}{below}"
    return headers


def security_headers(get_response: Handler) -> Handler:
    """Headers that Django does not set itself. Pages are never cached unless their view says otherwise."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return handle


def no_null_characters(get_response: Handler) -> Handler:
    """An address with a null character is nobody's: PostgreSQL cannot even look for one. Nor can a person type one into
    a form; those of shoppers drop it, for no answer is refused."""

    def handle(request: HttpRequest) -> HttpResponse:
        _refuse_null_characters(request)
        if request.method == "POST" and not request.path_info.startswith(settings.SHOPPER_PATHS):
            sent = (value for pair in request.POST.lists() for value in (pair[0], *pair[1]))
            if any("\0" in str(value) for value in sent):
                raise BadRequest("null character")
        return get_response(request)

    return handle


def _refuse_null_characters(request: HttpRequest) -> None:
    if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        raise BadRequest("null character")


def reader_language(get_response: Handler) -> Handler:
    """The language of the page: `?lang=`, else the signed-in person's own, else the browser's wish.

    Shoppers' pages speak more languages than those of the staff. No cookie keeps it: they carry it along in their
    links and forms.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        _turn_to_reader(request)
        response = get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response

    return handle


def _turn_to_reader(request: HttpRequest) -> None:
    for_shoppers = request.path_info.startswith(settings.SHOPPER_PATHS)
    known = dict(settings.LANGUAGES if for_shoppers else settings.STAFF_LANGUAGES)
    wish = (
        request.GET.get("lang") or request.POST.get("lang", "")
        if request.method == "POST"
        else request.GET.get("lang", "")
    )
    if wish not in known:
        wish = _browsers_wish(request, known)
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            wish = request.user.language if request.user.language in known else wish
    translation.activate(wish)
    request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE


def _browsers_wish(request: HttpRequest, known: Mapping[str, str]) -> str:
    """The first of the browser's languages that is known, by itself or as what it is a kind of."""
    for wish, _weight in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "").lower()):
        if wish in known:
            return wish
        if (parent := wish.split("-")[0]) in known:
            return parent
    return settings.LANGUAGE_CODE
