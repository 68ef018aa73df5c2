"""Single sign-on against a real OpenID provider on loopback: who it opens to, and every lie it is told."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client

from stores.choices import SecurityEventKind
from stores.models import Identity, SecurityEvent, StaffSession, User
from tests.factories import Chain
from tests.staff.identity_provider import Provider, running_provider

CALLBACK = "/accounts/oidc/callback/"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        with running_provider() as provider:
            yield provider


@pytest.fixture
def provider(running: Provider, settings: LazySettings, chain: Chain) -> Provider:
    """The provider, honest again, and an installation that offers it."""
    running.alter, running.signed_by_another, running.signed_with_secret, running.unsigned = None, False, "", False
    running.token_requests.clear()
    running.add("manager", email="Manager@Chain.example", email_verified=True, name="M")
    settings.OIDC_ISSUER = running.url
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = "halfhour", "a client secret of thirty-two bytes"
    settings.PUBLIC_URL = "http://testserver"
    return running


def back_from(provider: Provider, client: Client, sub: str, **query: str) -> Any:
    """Go there, sign in as `sub`, and come back."""
    there = client.get("/accounts/oidc/", query)["Location"]
    assert there.startswith(f"{provider.url}/oauth2/authorize?")
    back = provider.consent(there, sub)
    assert back.startswith(f"http://testserver{CALLBACK}?")
    return client.get(back.removeprefix("http://testserver"))


def is_in(client: Client) -> bool:
    return client.get("/inbox/").status_code == 200


def refused(answer: Any, client: Client, reason: str) -> bool:
    event = SecurityEvent.objects.order_by("id").last()
    assert event is not None
    page = answer.content.decode()
    assert "You are not signed in" in page and "Traceback" not in page
    return (answer.status_code, event.kind, event.detail) == (403, "sso_refused", reason) and not is_in(client)


def test_an_invited_person_comes_in_and_where_they_wanted(provider: Provider, chain: Chain, client: Client) -> None:
    page = client.get("/accounts/login/?next=/stores/").content.decode()
    assert 'href="/accounts/oidc/?next=/stores/"' in page and "Sign in with your company account" in page
    answer = back_from(provider, client, "manager", next="/inbox/?tab=closed")
    assert answer["Location"] == "/inbox/?tab=closed" and is_in(client)
    assert StaffSession.objects.get().way == "oidc"
    assert list(SecurityEvent.objects.order_by("id").values_list("kind", flat=True)) == ["identity_bound", "signed_in"]
    # Nothing of what the provider told is kept but a keyed hash.
    assert "manager" not in Identity.objects.get().subject_hash
    assert User.objects.filter(email__icontains="manager").count() == 1


def test_the_request_carries_state_nonce_and_a_proof_key(provider: Provider, client: Client) -> None:
    there = client.get("/accounts/oidc/")["Location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    assert len(query["state"]) >= 20 and len(query["nonce"]) >= 20 and query["code_challenge_method"] == "S256"
    client.get(provider.consent(there, "manager").removeprefix("http://testserver"))
    [sent] = provider.token_requests
    challenge = urlsafe_b64encode(sha256(sent["code_verifier"].encode()).digest()).decode().rstrip("=")
    assert challenge == query["code_challenge"]


def test_strangers_and_closed_accounts_are_refused(provider: Provider, chain: Chain, client: Client) -> None:
    provider.add("stranger", email="stranger@chain.example", email_verified=True)
    assert refused(back_from(provider, client, "stranger"), client, "not_invited")
    assert not User.objects.filter(email="stranger@chain.example").exists()
    provider.add("unverified", email=chain.manager.email, email_verified=False)
    assert refused(back_from(provider, client, "unverified"), client, "unverified_address")
    provider.add("silent", email=chain.manager.email)
    assert refused(back_from(provider, client, "silent"), client, "unverified_address")
    provider.add("texted", email=chain.manager.email, email_verified="true")
    assert refused(back_from(provider, client, "texted"), client, "unverified_address")
    provider.add("nameless")
    assert refused(back_from(provider, client, "nameless"), client, "no_address")
    User.objects.filter(pk=chain.manager.pk).update(is_active=False)
    assert refused(back_from(provider, client, "manager"), client, "account_closed")


def test_an_address_given_to_somebody_else_opens_nothing(provider: Provider, chain: Chain, client: Client) -> None:
    back_from(provider, Client(), "manager")
    provider.add("successor", email=chain.manager.email, email_verified=True)
    assert refused(back_from(provider, client, "successor"), client, "other_identity")
    # Nor does one identity open two accounts.
    provider.add("manager", email=chain.deputy.email, email_verified=True)
    assert refused(back_from(provider, client, "manager"), client, "other_identity")


def test_only_the_chains_own_domains(provider: Provider, chain: Chain, client: Client, settings: LazySettings) -> None:
    settings.OIDC_DOMAINS = ["head.example"]
    assert refused(back_from(provider, client, "manager"), client, "foreign_domain")
    settings.OIDC_DOMAINS = ["head.example", "chain.example"]
    back_from(provider, client, "manager")
    assert is_in(client)


@pytest.mark.parametrize(
    "lie",
    [
        {"alter": lambda claims: claims.update(nonce="another")},
        {"alter": lambda claims: claims.pop("nonce")},
        {"alter": lambda claims: claims.update(aud="another client")},
        {"alter": lambda claims: claims.update(aud=["halfhour", "another"], azp="another")},
        {"alter": lambda claims: claims.update(iss="https://another.example")},
        {"alter": lambda claims: claims.update(exp=claims["iat"] - 600)},
        {"alter": lambda claims: claims.pop("exp")},
        {"alter": lambda claims: claims.pop("sub")},
        {"signed_by_another": True},
        {"signed_with_secret": "a client secret of thirty-two bytes"},
        {"unsigned": True},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_token_that_proves_nothing_is_refused(provider: Provider, client: Client, lie: dict[str, Any]) -> None:
    for name, value in lie.items():
        setattr(provider, name, value)
    assert refused(back_from(provider, client, "manager"), client, "not_proved")


def test_an_answer_that_nobody_asked_for_is_refused(provider: Provider, chain: Chain) -> None:
    mine, victim = Client(), Client()
    there = mine.get("/accounts/oidc/")["Location"]
    back = provider.consent(there, "manager").removeprefix("http://testserver")
    # Somebody else's answer, put before the victim.
    assert refused(victim.get(back), victim, "not_proved")
    assert mine.get(back).status_code == 302 and is_in(mine)
    again = Client()
    again.cookies = mine.cookies
    assert "You are not signed in" in again.get(back).content.decode()
    assert refused(victim.get(CALLBACK), victim, "not_proved")
    assert refused(victim.get(CALLBACK, {"error": "access_denied"}), victim, "cancelled")
    assert refused(victim.get(CALLBACK, {"error": "server_error"}), victim, "provider_said_no")


def test_a_provider_that_is_away_or_somebody_else(provider: Provider, client: Client, settings: LazySettings) -> None:
    settings.OIDC_ISSUER = f"{provider.url}/"  # not what it calls itself
    assert refused(client.get("/accounts/oidc/"), client, "provider_unreachable")
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    assert refused(client.get("/accounts/oidc/"), client, "provider_unreachable")


def test_the_second_step_after_the_company(
    provider: Provider, chain: Chain, client: Client, settings: LazySettings
) -> None:
    settings.MFA_REQUIRED = True

    def signs(**claims: Any) -> Client:
        provider.alter = lambda known: known.update(claims)
        client = Client()
        back_from(provider, client, "manager")
        return client

    # The company's word for two factors is not believed unless the installation says so.
    assert signs(amr=["mfa"]).get("/inbox/")["Location"].startswith("/accounts/security/begin/")
    settings.OIDC_TRUSTS_MFA = True
    assert is_in(signs(amr=["pwd", "mfa"])) and is_in(signs(amr=["pwd", "otp"]))
    for claims in ({}, {"amr": ["pwd"]}, {"amr": ["otp"]}, {"acr": "urn:gold"}):
        assert signs(**claims).get("/inbox/")["Location"].startswith("/accounts/security/begin/"), claims
    settings.OIDC_MFA_ACR = ["urn:gold"]
    assert is_in(signs(acr="urn:gold"))
    kinds = SecurityEvent.objects.filter(kind=SecurityEventKind.SIGNED_IN).values_list("detail", flat=True)
    assert set(kinds) == {"oidc"}
