"""Codes that are typed: of an authenticator app, each once, and the recovery codes, which are shown once."""

import time
from datetime import timedelta

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from core.fields import decrypt

_SHOWN_UNTIL = "recovery_codes_shown_until"
_SHOWN_FOR = timedelta(minutes=15)


def counter_of(secret: str, code: str) -> int | None:
    """The period whose code this is, of those that a clock a little off may show; None when it is wrong."""
    typed = code.replace(" ", "")
    found = None
    for counter in yield_hotp_counters_from_time():
        if constant_time_compare(typed, format_hotp_value(hotp_value(secret, counter))):
            found = counter
    return found


@transaction.atomic
def use(authenticator: Authenticator, code: str) -> bool:
    """Whether `code` is right, which it then never is again: no period is accepted twice, nor one before it.

    RFC 6238, 5.2. Two requests with the same code queue up at the row.
    """
    row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    counter = counter_of(decrypt(row.data["secret"]), code)
    if counter is None or counter <= row.data.get("last_counter", 0):
        return False
    row.data["last_counter"] = counter
    row.save(update_fields=["data"])
    return True


def codes_left(authenticator: Authenticator | None) -> int:
    return len(authenticator.wrap().get_unused_codes()) if authenticator else 0


def show_for_a_while(request: HttpRequest) -> None:
    """New recovery codes may be read and downloaded in this session, until their owner says that they are kept."""
    request.session[_SHOWN_UNTIL] = time.time() + _SHOWN_FOR.total_seconds()


def are_shown(request: HttpRequest) -> bool:
    return bool(time.time() < request.session.get(_SHOWN_UNTIL, 0))


def are_kept(request: HttpRequest) -> None:
    """Nobody reads them any more."""
    request.session.pop(_SHOWN_UNTIL, None)


def in_groups(code: str) -> str:
    """12345 67890."""
    half = app_settings.RECOVERY_CODE_DIGITS // 2
    return f"{code[:half]} {code[half:]}"
