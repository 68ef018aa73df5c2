"""Single sign-on by OpenID Connect: who the chain's identity provider says somebody is.

The code flow with PKCE, state and nonce; the identity token's signature, issuer, audience and times are checked
(OpenID Connect Core 1.0, 3.1.3.7). Nobody gets an account by it: the verified address must be that of an invited
person, and the provider's subject is bound to the account at the first time.
"""

from dataclasses import dataclass
from typing import Any

import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import DjangoOAuth2App, OAuth
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from joserfc.errors import JoseError
from requests import RequestException

from core.tokens import keyed_hash
from stores.choices import SecurityEventKind
from stores.models import Identity, User
from stores.people import join_by_single_sign_on
from stores.security_log import note

log = structlog.get_logger()

_TIMEOUT_SECS = 10
# RFC 8725, 3.1: we say which signatures hold, not the token. None of these works with a shared secret or without key.
_SIGNATURES = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
# RFC 8176: what a provider says when more than one factor was proved.
_SEVERAL_FACTORS = {"mfa", "hwk", "swk", "otp", "fpt", "face", "iris", "vbm", "sms", "tel", "pop"}


class Refused(Exception):
    """The provider, or what it said, does not open a session. `reason` is a word of ours for the log and the page."""

    def __init__(self, reason: str, user: User | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.user = user


@dataclass(frozen=True)
class Known:
    """Somebody the provider vouches for. `strong`: it says so of two factors, and the installation believes it."""

    user: User
    strong: bool


def is_offered() -> bool:
    return bool(settings.OIDC_ISSUER)


def start(request: HttpRequest) -> HttpResponse:
    """The way to the provider. Raises Refused when it cannot be reached."""
    try:
        response: HttpResponse = _client().authorize_redirect(request, _callback_url())
    except (AuthlibBaseError, RequestException, ValueError) as error:
        raise _refused("provider_unreachable", error) from error
    return response


def finish(request: HttpRequest) -> Known:
    """Whom the provider sent back. Raises Refused."""
    if "error" in request.GET:
        raise Refused("cancelled" if request.GET["error"] == "access_denied" else "provider_said_no")
    try:
        client = _client()
        claims = client.authorize_access_token(request, claims_options=_claims(), leeway=60).get("userinfo")
    except (RequestException, ConnectionError) as error:
        raise _refused("provider_unreachable", error) from error
    except (AuthlibBaseError, JoseError, ValueError, KeyError) as error:
        raise _refused("not_proved", error) from error
    if not claims:
        raise Refused("not_proved")
    return Known(_person(request, claims), settings.OIDC_TRUSTS_MFA and _proved_two(claims))


def _claims() -> dict[str, dict[str, Any]]:
    return {
        "iss": {"essential": True, "value": settings.OIDC_ISSUER},
        "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "nonce": {"essential": True},
    }


def _client() -> DjangoOAuth2App:
    """Made anew each time, so that a provider's new keys hold at once."""
    client: DjangoOAuth2App = OAuth().register(
        "chain",
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_CLIENT_SECRET,
        server_metadata_url=f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": _TIMEOUT_SECS,
        },
    )
    metadata = client.load_server_metadata()
    if metadata.get("issuer") != settings.OIDC_ISSUER:
        raise ValueError("the provider calls itself by another name than OIDC_ISSUER")
    offered = set(metadata.get("id_token_signing_alg_values_supported", ["RS256"]))
    metadata["id_token_signing_alg_values_supported"] = sorted(offered & _SIGNATURES)
    return client


def _callback_url() -> str:
    return f"{settings.PUBLIC_URL}{reverse('oidc_callback')}"


def _person(request: HttpRequest, claims: dict[str, Any]) -> User:
    address = str(claims.get("email") or "").strip().lower()
    if not address:
        raise Refused("no_address")
    if claims.get("email_verified") is not True:
        raise Refused("unverified_address")
    if settings.OIDC_DOMAINS and address.rpartition("@")[2] not in settings.OIDC_DOMAINS:
        raise Refused("foreign_domain")
    user = User.objects.filter(email=address).first()
    if user is None:
        raise Refused("not_invited")
    if not user.is_active:
        # The provider's word for somebody who was invited is as good as the link in their mail.
        if not join_by_single_sign_on(user):
            raise Refused("account_closed", user)
        user.refresh_from_db()
    _bind(request, user, keyed_hash("oidc subject", f"{claims['iss']} {claims['sub']}"))
    return user


def _bind(request: HttpRequest, user: User, subject: str) -> None:
    try:
        with transaction.atomic():
            bound, is_new = Identity.objects.get_or_create(user=user, defaults={"subject_hash": subject})
    except IntegrityError:  # the subject is another account's
        raise Refused("other_identity", user) from None
    if bound.subject_hash != subject:
        raise Refused("other_identity", user)
    if is_new:
        note(request, SecurityEventKind.IDENTITY_BOUND, user)


def _proved_two(claims: dict[str, Any]) -> bool:
    methods = claims.get("amr")
    if isinstance(methods, list) and "mfa" in methods:
        return True
    if isinstance(methods, list) and "pwd" in methods and _SEVERAL_FACTORS & set(map(str, methods)):
        return True
    return bool(settings.OIDC_MFA_ACR) and claims.get("acr") in settings.OIDC_MFA_ACR


def _refused(reason: str, error: Exception) -> Refused:
    # What the provider says may hold tokens, so only its kind is logged.
    log.warning("single sign-on", reason=reason, error=type(error).__name__)
    return Refused(reason)
