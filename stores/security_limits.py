"""How often somebody may try. Tries slow down to a steady rate, and nobody is ever shut out.

The rows are shared by all processes. Who signed in here before carries a cookie that says so and has an allowance of
their own: whoever guesses at an account from elsewhere cannot use up its owner's tries (OWASP, "Slow Down Online
Guessing Attacks with Device Cookies").
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from secrets import token_urlsafe
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import connection
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from core.tokens import keyed_hash
from stores.models import Allowance, User
from stores.security_log import address_of

_SALT = "stores.known-browser"
_KNOWN_FOR = timedelta(days=180)
_MOST_KNOWN = 20


@dataclass(frozen=True)
class Rate:
    """`burst` tries at once, then one every `each`."""

    name: str
    burst: int
    each: timedelta


GUESSES = Rate("password", 10, timedelta(seconds=30))
GUESSES_FROM_ADDRESS = Rate("password from", 30, timedelta(seconds=5))
CODES = Rate("code", 6, timedelta(minutes=1))
RESETS = Rate("reset", 3, timedelta(minutes=10))
RESETS_FROM_ADDRESS = Rate("reset from", 10, timedelta(minutes=1))
OPENINGS_FROM_ADDRESS = Rate("opening from", 30, timedelta(seconds=2))

# The generic cell rate algorithm in one statement: a row says until when its owner is ahead of the steady rate, and
# is moved on only when that stays within the burst.
_TAKE = """
INSERT INTO stores_allowance AS a (key, full_at) VALUES (%(key)s, %(now)s::timestamptz + %(each)s)
ON CONFLICT (key) DO UPDATE SET full_at = greatest(a.full_at, %(now)s) + %(each)s
WHERE greatest(a.full_at, %(now)s) + %(each)s <= %(now)s::timestamptz + %(span)s
"""


def take(rate: Rate, *whose: object) -> bool:
    """Use up one try of `rate`, counted for `whose`. False when there is none left now; nothing is used up then."""
    now = timezone.now()
    values: dict[str, Any] = {"key": _key(rate, whose), "now": now, "each": rate.each, "span": rate.burst * rate.each}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        return bool(cursor.rowcount)


def give_back(rate: Rate, *whose: object) -> None:
    """The try was a good one and does not count."""
    Allowance.objects.filter(key=_key(rate, whose)).update(full_at=F("full_at") - rate.each)


def forget(rate: Rate, *whose: object) -> None:
    """All tries are there again."""
    Allowance.objects.filter(key=_key(rate, whose)).delete()


def network_of(request: HttpRequest) -> str:
    """The client's address; of IPv6 the /64, since anybody has one of those to themselves."""
    address = address_of(request)
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network(f"{address}/64", strict=False)) if isinstance(parsed, IPv6Address) else address


def too_many(request: HttpRequest) -> HttpResponse:
    """The page that says so."""
    response = render(request, "429.html", status=429)
    response["Retry-After"] = "60"
    return response


def known_browser(request: HttpRequest, user_id: int | None) -> str:
    """The id of this browser if `user_id` signed in with it before, else empty."""
    return _known(request).get(str(user_id), "")


def remember_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Have the browser say next time that `user` signed in with it."""
    known = _known(request)
    newest = {str(user.pk): known.pop(str(user.pk), "") or token_urlsafe(12)}
    kept = dict(list((newest | known).items())[:_MOST_KNOWN])
    response.set_cookie(
        _cookie(),
        signing.dumps(kept, salt=_SALT),
        max_age=_KNOWN_FOR,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )


def _known(request: HttpRequest) -> dict[str, str]:
    try:
        found = signing.loads(request.COOKIES.get(_cookie(), ""), salt=_SALT, max_age=_KNOWN_FOR)
    except signing.BadSignature:
        return {}
    return found if isinstance(found, dict) else {}


def _cookie() -> str:
    return "__Host-known" if settings.SECURE else "known"


def _key(rate: Rate, whose: tuple[object, ...]) -> str:
    return keyed_hash("allowance", "\x1f".join([rate.name, *map(str, whose)]))
