"""How staff accounts behave at sign-in: invited, held to a steady rate, asked again only when it was long ago."""

from typing import Any
from urllib.parse import urlsplit

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from core.fields import decrypt, encrypt
from stores import qr
from stores.choices import SecurityEventKind
from stores.models import User
from stores.security import is_fresh
from stores.security_limits import (
    GUESSES,
    GUESSES_FROM_ADDRESS,
    Rate,
    give_back,
    known_browser,
    network_of,
    remember_browser,
    take,
)
from stores.security_log import browser_of, note

log = structlog.get_logger()


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Staff are invited; nobody signs up."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": _("Too many tries. Wait a minute, then try again; your account is not locked."),
        "email_password_mismatch": _("The e-mail address and the password do not fit together."),
        "incorrect_password": _("That is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The person with this address and password. Only failures use up tries.

        Unknown addresses are counted like known ones, so that nobody learns which is which.
        """
        email = str(credentials.get("email", "")).lower()
        person = User.objects.filter(email=email).first()
        allowances = _allowances(request, email, person)
        for used, (rate, *whose) in enumerate(allowances):
            if not take(rate, *whose):
                _return(allowances[:used])
                note(request, SecurityEventKind.TOO_MANY_TRIES, person, detail="password")
                raise self.validation_error("too_many_login_attempts")
        user: User | None = super().authenticate(request, **credentials)
        if user is None:
            note(request, SecurityEventKind.WRONG_PASSWORD, person)
        else:
            _return(allowances)
        return user

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Never the host that a request claims: the mail goes to somebody else than who asked."""
        return f"{settings.PUBLIC_URL}{urlsplit(super().get_reset_password_from_key_url(key)).path}"

    def format_email_subject(self, subject: str) -> str:
        """Begins with the chain's name; allauth would take the host of the request."""
        return f"[{settings.CHAIN_NAME}] {subject}"

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        note(request, SecurityEventKind.ACCOUNT_CLOSED, user)
        response: HttpResponse = super().respond_user_inactive(request, user)
        return response

    def post_login(self, request: HttpRequest, user: User, **facts: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **facts)
        remember_browser(request, response, user)
        return response

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Not right after signing in: the first thing that new people do is to enrol."""
        return super().is_reauthentication_required(app=app, **more) and not is_fresh(self.request)

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """Tell people what happened to their account. What happened stays so when the mail cannot leave."""
        context = {"chain_name": settings.CHAIN_NAME, "public_url": settings.PUBLIC_URL, "user": user}
        try:
            self.send_mail(template_prefix, user.email, context)
        except OSError:
            log.warning("no notice about an account", user=user.pk, template=template_prefix, exc_info=True)


class StaffMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: their secrets lie in the database as ciphertext."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("That was not accepted. Each code works once and for a short while: take the next one."),
        "cannot_delete_authenticator": _("This is your only second factor. Add another one first."),
    }

    def get_totp_issuer(self) -> str:
        return settings.CHAIN_NAME

    def build_totp_svg(self, url: str) -> str:
        return qr.svg(url, str(_("Code for your authenticator app"))).decode()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """What a new passkey is called until its owner knows better: "Chrome, Android"."""
        return browser_of(self.request) or str(_("Passkey"))

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last second factor may go only where none is asked for."""
        others = Authenticator.objects.filter(user=authenticator.user_id).exclude(
            type=Authenticator.Type.RECOVERY_CODES
        )
        return not settings.MFA_REQUIRED or others.exclude(pk=authenticator.pk).exists()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": settings.CHAIN_NAME}


Allowed = tuple[Rate, *tuple[object, ...]]


def _allowances(request: HttpRequest, email: str, person: User | None) -> list[Allowed]:
    """What a try uses up. A browser in which this person signed in before has tries of its own."""
    browser = known_browser(request, person.pk if person else None)
    if browser:
        return [(GUESSES, email, browser)]
    return [(GUESSES_FROM_ADDRESS, network_of(request)), (GUESSES, email)]


def _return(allowances: list[Allowed]) -> None:
    for rate, *whose in allowances:
        give_back(rate, *whose)
