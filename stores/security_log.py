"""What happens at the door, noted twice: as a row that head office reads, and as a line that machines watch."""

import re

import structlog
from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.tokens import keyed_hash
from stores.choices import Role, SecurityEventKind
from stores.models import RoleAssignment, SecurityEvent, User

log = structlog.get_logger()

_ALARMING = {
    SecurityEventKind.WRONG_PASSWORD,
    SecurityEventKind.WRONG_CODE,
    SecurityEventKind.TOO_MANY_TRIES,
    SecurityEventKind.ACCOUNT_CLOSED,
    SecurityEventKind.SINGLE_SIGN_ON_REFUSED,
}
# In the order in which they betray themselves: most browsers also claim to be Chrome, and Chrome to be Safari.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def note(
    request: HttpRequest,
    kind: SecurityEventKind,
    user: User | None = None,
    *,
    actor: User | None = None,
    detail: str = "",
) -> None:
    """Write `kind` down. `detail` is a word of ours, never what somebody typed: people type passwords anywhere."""
    assert re.fullmatch(r"[a-z_]{0,40}", detail), detail
    SecurityEvent.objects.create(
        at=timezone.now(),
        kind=kind,
        user=user,
        actor=actor,
        detail=detail,
        browser=browser_of(request),
        address_hash=address_hash(request),
    )
    write = log.warning if kind in _ALARMING else log.info
    write("security", kind=kind.value, user=user and user.pk, actor=actor and actor.pk, detail=detail)


def note_file(user: User, *, scope: str, rows: int) -> None:
    """Write down that a file with `rows` answers, with the names and contacts of shoppers, was made for `user`. `scope`
    says in words of ours what it is of. Belongs into the transaction that finishes the file."""
    SecurityEvent.objects.create(
        at=timezone.now(), kind=SecurityEventKind.PERSONAL_FILE, user=user, scope=scope, rows=rows
    )
    log.info("security", kind=SecurityEventKind.PERSONAL_FILE.value, user=user.pk, rows=rows)


def events_visible_to(user: User) -> QuerySet[SecurityEvent]:
    """What head office or an operator may read: of the people who work under their nodes.

    Whose node is the root also reads what concerns people without a role and addresses that no account has.
    """
    nodes = [
        assignment.node
        for assignment in user.roles.filter(role__in=[Role.HEAD_OFFICE, Role.OPERATOR]).select_related("node")
        if assignment.node
    ]
    if any(node.parent_id is None for node in nodes):
        return SecurityEvent.objects.all()
    reach = Q(pk__in=[])
    for node in nodes:
        reach |= Q(node__path__startswith=node.path) | Q(store__node__path__startswith=node.path)
    return SecurityEvent.objects.filter(user__in=RoleAssignment.objects.filter(reach).values("user"))


def browser_of(request: HttpRequest) -> str:
    """ "Firefox, Windows": enough for its owner to recognise it. Empty when the browser does not say."""
    claimed = request.META.get("HTTP_USER_AGENT", "")
    parts = [next((name for mark, name in names.items() if mark in claimed), "") for names in (_BROWSERS, _SYSTEMS)]
    return ", ".join(part for part in parts if part)


def address_of(request: HttpRequest) -> str:
    """The client's address behind the proxies that we trust; empty where there is none (a test, a socket)."""
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:
        return ""


def address_hash(request: HttpRequest) -> str:
    """Equal for equal addresses on one day only, so that nobody can be followed by it."""
    address = address_of(request)
    return keyed_hash("address of a day", f"{timezone.now().date()} {address}") if address else ""
