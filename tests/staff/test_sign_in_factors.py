"""The second step: enrolling, signing in with it, recovery codes, and what the account's owner hears of it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import LazySettings
from django.contrib.auth.password_validation import validate_password
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.test import Client

from core.fields import decrypt
from stores import checks
from stores.choices import SecurityEventKind
from stores.models import SecurityEvent, User
from stores.security import forget_factors
from tests.factories import PASSWORD, Chain

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def two_factors(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MFA_REQUIRED = True
    # A test's own transaction never ends, and allauth tells of new factors when it does.
    monkeypatch.setattr("django.db.transaction.on_commit", lambda told, **_: told())


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def code_at(user: User, moment: datetime) -> str:
    """What the person's app shows at a moment."""
    row = Authenticator.objects.get(user=user, type="totp")
    return str(format_hotp_value(hotp_value(decrypt(row.data["secret"]), int(moment.timestamp()) // 30)))


def password_step(client: Client, user: User, **more: str) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD, **more})


def enrol(client: Client, user: User) -> list[str]:
    """Walk a new person through enrolment, as the pages lead them. Returns the recovery codes."""
    assert password_step(client, user, next="/inbox/?tab=closed")["Location"] == "/inbox/?tab=closed"
    led = client.get("/inbox/?tab=closed")["Location"]
    assert led.startswith("/accounts/security/begin/") and "authenticator app" in client.get(led).content.decode()
    page = client.get("/accounts/security/app/add/").content.decode()
    assert "<svg" in page and "<script>" not in page and "style=" not in page
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert secret is not None
    now = int(datetime.now(UTC).timestamp()) // 30
    code = format_hotp_value(hotp_value(secret.group(1).replace(" ", ""), now))
    wrong = client.post("/accounts/security/app/add/", {"code": "000000" if code != "000000" else "111111"})
    assert "was not accepted" in wrong.content.decode()
    answer = client.post("/accounts/security/app/add/", {"code": code})
    assert answer["Location"] == "/accounts/security/recovery-codes/"
    codes = re.findall(r"<li>(\d{5} \d{5})</li>", client.get(answer["Location"]).content.decode())
    assert len(codes) == 10
    return codes


def test_a_new_person_is_led_through_enrolment_and_on_to_where_they_wanted(chain: Chain, client: Client) -> None:
    codes = enrol(client, chain.manager)
    file = client.get("/accounts/security/recovery-codes/file/")
    assert "attachment" in file["Content-Disposition"] and codes[0] in file.content.decode()
    kept = client.post("/accounts/security/recovery-codes/")
    assert kept["Location"] == "/inbox/?tab=closed" and client.get("/inbox/").status_code == 200
    # Shown once.
    page = client.get("/accounts/security/recovery-codes/").content.decode()
    assert codes[0] not in page and "10 codes are left" in page
    assert client.get("/accounts/security/recovery-codes/file/").status_code == 404
    [notice] = mail.outbox
    assert notice.to == [chain.manager.email] and "authenticator app was added" in notice.subject
    # What the database keeps opens nothing.
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert not any(code.replace(" ", "") in stored for code in codes)


@pytest.mark.parametrize("address", ["/inbox/", "/stores/", "/accounts/security/", "/accounts/password/change/", "/"])
def test_one_factor_opens_no_staff_page(chain: Chain, client: Client, address: str) -> None:
    password_step(client, chain.manager)
    assert client.get(address)["Location"].startswith("/accounts/security/begin/?next=")
    assert client.post(address)["Location"].startswith("/accounts/security/begin/?next=")


def test_a_session_from_before_confirms_once(chain: Chain, client: Client) -> None:
    enrol(Client(), chain.manager)
    client.force_login(chain.manager)
    answer = client.get("/inbox/?tab=closed")
    assert answer["Location"].startswith("/accounts/security/confirm/")
    page = client.get(answer["Location"])
    assert page.status_code == 200 and unquote("/inbox/?tab=closed") in page.content.decode()
    later = datetime.now(UTC) + timedelta(minutes=1)
    with time_machine.travel(later, tick=False):
        form = {"code": code_at(chain.manager, later), "next": "/inbox/?tab=closed"}
        assert client.post("/accounts/security/confirm/", form)["Location"] == "/inbox/?tab=closed"
        assert client.get("/inbox/").status_code == 200


def test_a_session_from_before_adds_no_factor_of_its_own(chain: Chain, client: Client) -> None:
    password_step(client, chain.manager)
    enrol(Client(), chain.manager)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    for address in ("passkeys/add/", "app/add/", "recovery-codes/new/", "begin/"):
        for answer in (client.get(f"/accounts/security/{address}"), client.post(f"/accounts/security/{address}")):
            assert answer["Location"].startswith("/accounts/security/confirm/"), address


def test_a_code_opens_once_and_no_older_one_after_it(chain: Chain, clock: Any) -> None:
    enrol(Client(), chain.manager)
    step = "/accounts/security/code/"
    # The code that enrolled the app signs nobody in.
    first = Client()
    assert password_step(first, chain.manager)["Location"] == step
    assert first.get("/inbox/").status_code == 302
    assert "was not accepted" in first.post(step, {"code": code_at(chain.manager, NOON)}).content.decode()
    clock.move_to(NOON + timedelta(seconds=60))
    code = code_at(chain.manager, NOON + timedelta(seconds=60))
    assert first.post(step, {"code": code}).status_code == 302 and first.get("/inbox/").status_code == 200
    second = Client()
    password_step(second, chain.manager)
    assert "was not accepted" in second.post(step, {"code": code}).content.decode()
    # Within the tolerance, but before the one that was used.
    older = code_at(chain.manager, NOON + timedelta(seconds=30))
    assert "was not accepted" in second.post(step, {"code": older}).content.decode()
    assert second.get("/inbox/").status_code == 302
    newer = code_at(chain.manager, NOON + timedelta(seconds=90))
    assert second.post(step, {"code": f"{newer[:3]} {newer[3:]}"}).status_code == 302


def test_a_recovery_code_opens_once_and_is_counted(chain: Chain) -> None:
    codes = enrol(Client(), chain.manager)
    first, second = Client(), Client()
    for client in (first, second):
        password_step(client, chain.manager)
    assert first.post("/accounts/security/code/", {"code": codes[3]}).status_code == 302
    assert first.get("/inbox/").status_code == 200
    assert second.post("/accounts/security/code/", {"code": codes[3]}).status_code == 200
    assert second.get("/inbox/").status_code == 302
    assert "9 codes are left" in first.get("/accounts/security/").content.decode()
    assert SecurityEvent.objects.filter(kind=SecurityEventKind.RECOVERY_CODE_USED, user=chain.manager).count() == 1


def test_making_new_recovery_codes_ends_the_old_ones(chain: Chain, client: Client) -> None:
    old = enrol(client, chain.manager)
    answer = client.post("/accounts/security/recovery-codes/new/")
    page = client.get(answer["Location"]).content.decode()
    new = re.findall(r"<li>(\d{5} \d{5})</li>", page)
    assert len(new) == 10 and not set(old) & set(new)
    other = Client()
    password_step(other, chain.manager)
    assert other.post("/accounts/security/code/", {"code": old[0]}).status_code == 200
    assert other.post("/accounts/security/code/", {"code": new[0]}).status_code == 302


def test_changing_factors_asks_again_after_a_while(chain: Chain, client: Client, clock: Any) -> None:
    enrol(client, chain.manager)
    clock.move_to(NOON + timedelta(minutes=6))
    for address in ("recovery-codes/new/", "app/remove/", "passkeys/add/"):
        answer = client.get(f"/accounts/security/{address}")
        assert answer["Location"].startswith("/accounts/reauthenticate/"), address
    asked = "/accounts/reauthenticate/?next=/accounts/security/recovery-codes/new/"
    wrong = client.post(asked, {"password": "not mine at all", "next": "/accounts/security/recovery-codes/new/"})
    assert wrong.status_code == 200 and "not your password" in wrong.content.decode()
    right = client.post(asked, {"password": PASSWORD, "next": "/accounts/security/recovery-codes/new/"})
    assert right["Location"] == "/accounts/security/recovery-codes/new/"
    assert client.get(right["Location"]).status_code == 200


def test_the_last_factor_stays_while_one_is_required(chain: Chain, client: Client, settings: LazySettings) -> None:
    enrol(client, chain.manager)
    page = client.post("/accounts/security/app/remove/").content.decode()
    assert "only second factor" in page and Authenticator.objects.filter(user=chain.manager, type="totp").exists()
    settings.MFA_REQUIRED = False
    client.post("/accounts/security/app/remove/")
    assert not Authenticator.objects.filter(user=chain.manager).exists()
    assert "removed from your account" in mail.outbox[-1].subject


def test_somebody_who_lost_everything_enrols_anew(chain: Chain, client: Client, rf: Any) -> None:
    enrol(client, chain.manager)
    forget_factors(rf.post("/"), chain.manager, actor=chain.head_office)
    assert client.get("/accounts/security/")["Location"].startswith("/accounts/login/")
    password_step(client, chain.manager)
    assert client.get("/inbox/")["Location"].startswith("/accounts/security/begin/")
    event = SecurityEvent.objects.filter(kind=SecurityEventKind.FACTOR_REMOVED).get()
    assert (event.user, event.actor) == (chain.manager, chain.head_office)


def test_who_runs_the_installation_can_help_too(chain: Chain, client: Client) -> None:
    enrol(client, chain.manager)
    call_command("forget_factors", chain.manager.email.upper())
    assert not Authenticator.objects.filter(user=chain.manager).exists() and not chain.manager.sessions.exists()
    with pytest.raises(CommandError):
        call_command("forget_factors", "nobody@x.example")


def test_the_checks_for_deployment(settings: LazySettings) -> None:
    settings.MFA_REQUIRED, settings.OIDC_ISSUER = False, "https://login.example"
    assert [one.id for one in (*checks.second_factor(), *checks.single_sign_on())] == ["stores.W001", "stores.E001"]
    settings.MFA_REQUIRED, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = True, "halfhour", "secret"
    assert not [*checks.second_factor(), *checks.single_sign_on()]


def test_without_the_requirement_nobody_is_asked(chain: Chain, client: Client, settings: LazySettings) -> None:
    settings.MFA_REQUIRED = False
    password_step(client, chain.manager)
    assert client.get("/inbox/").status_code == 200
    assert "no second step yet" in client.get("/accounts/security/").content.decode()


def test_public_pages_ask_for_nothing(chain: Chain, client: Client) -> None:
    password_step(client, chain.manager)
    assert client.get(f"/q/{chain.touchpoint.code}/").status_code == 200
    assert client.get("/accounts/password/reset/").status_code in {200, 302}


@pytest.mark.parametrize(
    ("password", "accepted"),
    [
        ("passwordpassword", False),
        ("qwertyuiopasdfghjkl", False),
        ("1234567890123456", False),
        ("manager manager manager", False),
        ("lantern quiet orbit", True),
        ("три зелені їжаки йдуть", True),
        ("x9" + "ä long one, with spaces. " * 8, True),
    ],
)
def test_a_password_is_weighed_not_dressed(chain: Chain, password: str, accepted: bool) -> None:
    try:
        validate_password(password, chain.manager)
    except ValidationError:
        assert not accepted
    else:
        assert accepted


def test_the_log_says_who_and_what_and_never_what_was_typed(chain: Chain, capfd: Any) -> None:
    client = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    for address in ("hunter2-is-my-password@example.org", chain.manager.email):
        client.post("/accounts/login/", {"login": address, "password": "my other secret"}, REMOTE_ADDR="203.0.113.77")
    enrol(client, chain.manager)
    kinds = list(SecurityEvent.objects.order_by("id").values_list("kind", "user__email", "browser"))
    on = "Firefox, Linux"
    assert kinds[:3] == [
        ("wrong_password", None, on),
        ("wrong_password", chain.manager.email, on),
        ("signed_in", chain.manager.email, on),
    ]
    assert {"factor_added", "recovery_codes_made"} <= {kind for kind, _user, _on in kinds}
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM stores_securityevent")
        written = str(cursor.fetchall())
    lines = capfd.readouterr().out
    for secret in ("hunter2", "my other secret", "203.0.113.77", chain.manager.email):
        assert secret not in written and secret not in lines
    assert '"kind": "wrong_password"' in lines


def test_the_log_cannot_be_changed(chain: Chain, client: Client) -> None:
    client.force_login(chain.manager)
    for change in (
        lambda: SecurityEvent.objects.update(kind="signed_out"),
        lambda: SecurityEvent.objects.update(user=chain.deputy),
        lambda: SecurityEvent.objects.all().delete(),
    ):
        with pytest.raises(Error, match="only written to"), transaction.atomic():
            change()
    # What privacy asks for: a blanked address, an erased person, an old line.
    assert SecurityEvent.objects.update(address_hash="", user=None) == 1


def test_head_office_reads_the_log_of_its_own_people(chain: Chain, settings: LazySettings) -> None:
    settings.MFA_REQUIRED = False
    for person in (chain.manager, chain.foreign_manager, chain.nobody):
        Client().force_login(person)
    reader = Client()
    reader.force_login(chain.head_office)
    page = reader.get("/accounts/events/").content.decode()
    assert all(str(person) in page for person in (chain.manager, chain.foreign_manager, chain.nobody))
    assert reader.get("/accounts/events/?kind=wrong_code").content.decode().count("Nothing of the kind") == 1
    chain.head_office.roles.update(node=chain.area)
    page = reader.get("/accounts/events/").content.decode()
    table = page[page.index("<table") :]
    assert str(chain.manager) in table
    assert str(chain.foreign_manager) not in table and str(chain.nobody) not in table
