"""How a session came about, and what it may therefore open.

A session holds what its owner has proved so far: allauth's records (a password, a second factor, a passkey) and those
of single sign-on, all in one list.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import login, logout
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from stores.choices import DeviceEnd, SecurityEventKind
from stores.devices import revoke_all_of
from stores.models import Identity, StaffSession, User
from stores.security_log import browser_of, note

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class Way:
    """Ways into a session, as its records name them. The first two are allauth's own words.

    Enrolled devices and PINs make no session, see `stores.device_middleware`.
    """

    PASSWORD = "password"  # noqa: S105 - a name
    FACTOR = "mfa"
    SINGLE_SIGN_ON = "oidc"


_SESSION = "staff_session"
_SEEN_EVERY = timedelta(minutes=1)
_FRESH_FOR = timedelta(minutes=5)


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
    if request.user.is_authenticated and request.user != user:
        logout(request)
    record(request, user, way, **facts)
    login(request, user, backend=BACKEND)


def sign_in_of(request: HttpRequest) -> SignIn | None:
    """How the person of this request signed in; None when nobody is, or nobody knows (a session made elsewhere)."""
    return _sign_in_of(request, request.user) if request.user.is_authenticated else None


def _sign_in_of(request: HttpRequest, user: User) -> SignIn | None:
    records = get_authentication_records(request, user)
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
    """Whether this session may open staff pages: it is strong, or the installation asks for no second factor.

    An enrolled device is itself what its person has; it opens the pages only that `stores.access.opens_on_devices`.
    """
    return not settings.MFA_REQUIRED or is_strong(request) or getattr(request, "device", None) is not None


def is_fresh(request: HttpRequest) -> bool:
    """Whether its owner proved everything they have a moment ago, so that asking again would be a nuisance."""
    user, found = request.user, sign_in_of(request)
    if not user.is_authenticated or found is None or timezone.now() - found.at > _FRESH_FOR:
        return False
    return found.strong or not has_second_factor(user)


def has_second_factor(user: User) -> bool:
    """Recovery codes alone are none: they come with one."""
    return bool(Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES).exists())


def begin_session(request: HttpRequest, user: User) -> None:
    """Every way in ends here (Django says `user_logged_in`): the session gets its row and the log its line."""
    found = _sign_in_of(request, user)
    now = timezone.now()
    way = found.way if found else ""
    session_row(request).filter(user=user).delete()
    session = StaffSession.objects.create(
        user=user, created_at=now, last_seen_at=now, way=way, browser=browser_of(request)
    )
    request.session[_SESSION] = str(session.pk)
    note(request, SecurityEventKind.SIGNED_IN, user, detail=(found.factor or way) if found else "")


def current_session(request: HttpRequest) -> UUID | None:
    """The id of this browser's row; None when it has none."""
    kept = request.session.get(_SESSION)
    return UUID(kept) if kept else None


def session_row(request: HttpRequest) -> QuerySet[StaffSession]:
    """This browser's row, if it has one."""
    kept = current_session(request)
    return StaffSession.objects.filter(pk=kept) if kept else StaffSession.objects.none()


def still_runs(request: HttpRequest, *, only_looks: bool) -> bool:
    """Whether the session may go on, which it notes unless the page `only_looks` for news."""
    row = session_row(request).first()
    if row is None or row.user_id != request.user.pk:
        return False
    now = timezone.now()
    if now - row.last_seen_at > settings.SESSION_IDLE or now - row.created_at > settings.SESSION_LIFETIME:
        row.delete()
        return False
    if not only_looks and now - row.last_seen_at > _SEEN_EVERY:
        StaffSession.objects.filter(pk=row.pk).update(last_seen_at=now)
    return True


def end_sessions(user: User, *, keep: UUID | None = None) -> int:
    """Sign the person out everywhere, except in the session `keep`, at their next request. Returns how many."""
    theirs = StaffSession.objects.filter(user=user)
    ended, _rows = (theirs.exclude(pk=keep) if keep else theirs).delete()
    return ended


@transaction.atomic
def forget_factors(request: HttpRequest, user: User, *, actor: User | None) -> None:
    """Take away the person's second factors and their binding to single sign-on, for one who has lost them.

    Their enrolled phones end too: what was lost may be one of them. They enrol anew at the next sign-in. The caller has
    made sure that `actor` may do that; None is who runs the installation.
    """
    Authenticator.objects.filter(user=user).delete()
    Identity.objects.filter(user=user).delete()
    end_sessions(user)
    revoke_all_of(user, DeviceEnd.SUPERIOR)
    note(request, SecurityEventKind.FACTOR_REMOVED, user, actor=actor, detail="by_another")


def _is_second(proof: dict[str, Any]) -> bool:
    if proof["method"] == Way.SINGLE_SIGN_ON:
        return bool(proof.get("mfa"))
    return bool(proof["method"] == Way.FACTOR)
