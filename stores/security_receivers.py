"""What Django and allauth say about sign-ins, put into the log and into the sessions."""

from typing import Any

from allauth.account.signals import authentication_step_completed, password_changed, password_reset
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
    authenticator_used,
)
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from stores import security_codes
from stores.choices import SecurityEventKind
from stores.models import User
from stores.security import Way, begin_session, current_session, end_sessions, record, session_row
from stores.security_log import note


@receiver(user_logged_in)
def _begin(request: HttpRequest, user: User, **_: Any) -> None:
    begin_session(request, user)


@receiver(user_logged_out)
def _end(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        ended, _rows = session_row(request).delete()
        if ended:
            note(request, SecurityEventKind.SIGNED_OUT, user)


@receiver(authentication_step_completed)
def _confirmed(request: HttpRequest, user: User, method: str, reauthenticated: bool = False, **more: Any) -> None:
    if reauthenticated:
        note(request, SecurityEventKind.CONFIRMED, user, detail=str(more.get("type", method)))


@receiver(authenticator_used)
def _used(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        note(request, SecurityEventKind.RECOVERY_CODE_USED, user)


@receiver(authentication_failed)
def _failed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    note(request, SecurityEventKind.WRONG_CODE, user, detail=authenticator.type)


@receiver(authenticator_added)
def _added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        security_codes.show_for_a_while(request)
        note(request, SecurityEventKind.RECOVERY_CODES_MADE, user)
        return
    # Setting it up was using it.
    record(request, user, Way.FACTOR, type=authenticator.type)
    note(request, SecurityEventKind.FACTOR_ADDED, user, detail=authenticator.type)


@receiver(authenticator_removed)
def _removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    note(request, SecurityEventKind.FACTOR_REMOVED, user, detail=authenticator.type)


@receiver(authenticator_reset)
def _reset(request: HttpRequest, user: User, **_: Any) -> None:
    security_codes.show_for_a_while(request)
    note(request, SecurityEventKind.RECOVERY_CODES_MADE, user)


@receiver(password_changed)
def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    end_sessions(user, keep=current_session(request))
    note(request, SecurityEventKind.PASSWORD_CHANGED, user)


@receiver(password_reset)
def _password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    end_sessions(user)
    note(request, SecurityEventKind.PASSWORD_RESET, user)
