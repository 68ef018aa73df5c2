"""How a session came about, and what it may therefore open.

A session holds what its owner has proved so far: allauth's records (a password, a second factor, a passkey) and those
of our own ways in (an enrolled phone, the PIN at a shared device, single sign-on), all in one list.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest

from stores.models import User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class Way:
    """Ways into a session, as its records name them. The first two are allauth's own words."""

    PASSWORD = "password"  # noqa: S105 - a name
    FACTOR = "mfa"
    SINGLE_SIGN_ON = "oidc"
    # A phone that was enrolled from a strong session, by the secret it keeps.
    DEVICE = "device"
    # A store's shared device, which was enrolled too, and the PIN of the person in front of it.
    PIN = "pin"


# Two factors by themselves: possession was proved when the device was enrolled.
_TWO_FACTORS = {Way.DEVICE, Way.PIN}


@dataclass(frozen=True)
class SignIn:
    """How somebody signed in: `way` is the first proof (a `Way`), `factor` the second one's type or empty.

    `at` is when the last proof was given. `strong` says that two factors were proved.
    """

    way: str
    factor: str
    at: datetime
    strong: bool


def record(request: HttpRequest, user: User, way: str, **facts: Any) -> None:
    """Note a proof that `user` has just given in this session."""
    record_authentication(request, user, way, **facts)


def sign_in(request: HttpRequest, user: User, way: str, **facts: Any) -> None:
    """Begin a session for a person who came by one of our own ways; the caller has checked the proof."""
    assert user.is_active, "closed accounts are refused before this"
    login(request, user, backend=BACKEND)
    record(request, user, way, **facts)


def sign_in_of(request: HttpRequest) -> SignIn | None:
    """How the person of this request signed in; None when nobody is, or nobody knows (a session made elsewhere)."""
    user = request.user
    records = get_authentication_records(request, user) if user.is_authenticated else []
    if not records:
        return None
    first, last = records[0], records[-1]
    factor = next((str(one.get("type", "")) for one in reversed(records) if one["method"] == Way.FACTOR), "")
    way = "passkey" if first["method"] == Way.FACTOR else str(first["method"])
    return SignIn(way, factor, datetime.fromtimestamp(last["at"], UTC), any(_is_second(one) for one in records))


def is_strong(request: HttpRequest) -> bool:
    """Whether two factors were proved in this session. Everything that asks "may this session …?" asks here."""
    found = sign_in_of(request)
    return found is not None and found.strong


def may_work(request: HttpRequest) -> bool:
    """Whether this session may open staff pages: it is strong, or the installation asks for no second factor."""
    return not settings.MFA_REQUIRED or is_strong(request)


def _is_second(proof: dict[str, Any]) -> bool:
    if proof["method"] == Way.SINGLE_SIGN_ON:
        return bool(proof.get("mfa"))
    return proof["method"] in _TWO_FACTORS | {Way.FACTOR}
