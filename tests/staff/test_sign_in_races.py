"""A typed code opens one session, also when it arrives twice at the same moment."""

import threading
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db import connection

from core.fields import encrypt
from stores import security_codes
from stores.models import User
from tests.factories import make_user

TOGETHER = 6
SECRET = "JBSWY3DPEHPK3PXP"


def app_and_code(user: User) -> tuple[Authenticator, str]:
    row = Authenticator.objects.create(user=user, type="totp", data={"secret": encrypt(SECRET)})
    return row, str(format_hotp_value(hotp_value(SECRET, int(time.time()) // 30)))


def recovery_and_code(user: User) -> tuple[Authenticator, str]:
    made = RecoveryCodes.activate(user)
    return made.instance, made.get_unused_codes()[0]


def use_recovery_code(row: Authenticator, code: str) -> bool:
    return bool(row.wrap().validate_code(code))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("prepare", "use"), [(app_and_code, security_codes.use), (recovery_and_code, use_recovery_code)]
)
def test_a_code_that_arrives_often_at_once_opens_once(
    prepare: Callable[[User], tuple[Authenticator, str]], use: Callable[[Authenticator, str], bool]
) -> None:
    row, code = prepare(make_user(email="races@chain.example"))
    accepted: list[bool] = []
    start = threading.Barrier(TOGETHER)

    def try_it() -> None:
        mine = Authenticator.objects.get(pk=row.pk)
        start.wait(60)
        try:
            accepted.append(use(mine, code))
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it) for _ in range(TOGETHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(accepted) == [False] * (TOGETHER - 1) + [True]
