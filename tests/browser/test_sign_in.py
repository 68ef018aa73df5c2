"""Passkeys in a real Chromium with a virtual authenticator, the second step without JavaScript, single sign-on."""

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from alerts.policy import ensure_defaults
from stores.models import SecurityEvent
from tests.browser.conftest import NARROWEST, PHONE, Stack, Visitor
from tests.factories import PASSWORD, Chain
from tests.staff.identity_provider import running_provider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(stack: Stack, settings: Any) -> Chain:
    settings.MFA_REQUIRED = True
    ensure_defaults()
    return Chain()


def virtual_authenticator(page: Page) -> Any:
    """A phone's own authenticator, whose finger is always the right one."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return lambda verified: session.send(
        "WebAuthn.setUserVerified", {"authenticatorId": made["authenticatorId"], "isUserVerified": verified}
    )


def password_step(visitor: Visitor, email: str) -> None:
    visitor.page.get_by_label("E-mail").fill(email)
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_passkey_is_enrolled_and_then_opens_everything_alone(people: Chain, visit: Callable[..., Visitor]) -> None:
    visitor = visit(viewport=PHONE)
    page = visitor.page
    finger = virtual_authenticator(page)
    visitor.go("/inbox/")
    visitor.check("sign-in")
    password_step(visitor, people.manager.email)
    expect(page.get_by_role("heading", name="A second step for your account")).to_be_visible()
    visitor.check("second-step")
    page.get_by_role("link", name="A passkey").click()
    visitor.check("passkey-add")
    page.get_by_label("A name").fill("Till phone")
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    visitor.check("recovery-codes")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    assert len(re.findall(r"^\d{5} \d{5}$", download.value.path().read_text(), re.M)) == 10
    page.get_by_role("button", name="I have kept them").click()
    expect(page).to_have_url(re.compile("/inbox/$"))

    visitor.go("/accounts/security/")
    expect(page.get_by_text("Till phone")).to_be_visible()
    visitor.check("security")
    page.get_by_role("group").first.locator("summary").click()
    page.locator(".menu__sheet").get_by_role("button", name="Sign out").click()
    # A finger that is not read opens nothing and says so.
    finger(False)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("That did not work, or was stopped")).to_be_visible()
    finger(True)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/inbox/$"))
    ways = people.manager.sessions.values_list("way", flat=True)
    assert list(ways) == ["passkey"]

    # As the second step after a password too.
    page.context.clear_cookies()
    visitor.go("/inbox/")
    password_step(visitor, people.manager.email)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    visitor.check("second-step-code")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/inbox/$"))

    # And before something that matters, some time after the sign-in.
    page.set_viewport_size({"width": NARROWEST["width"], "height": NARROWEST["height"]})
    visitor.go("/accounts/security/passkeys/confirm/?next=/accounts/security/recovery-codes/new/")
    visitor.check("confirm")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="New recovery codes")).to_be_visible()
    assert SecurityEvent.objects.filter(kind="confirmed", detail="webauthn").exists()


def test_an_app_is_enrolled_without_javascript(people: Chain, visit: Callable[..., Visitor]) -> None:
    visitor = visit(viewport=PHONE, javascript=False)
    visitor.go("/inbox/")
    password_step(visitor, people.manager.email)
    page = visitor.page
    # What needs JavaScript is not offered.
    expect(page.get_by_role("link", name="A passkey")).to_have_count(0)
    page.get_by_role("link", name="An authenticator app").click()
    expect(page.locator(".qr svg")).to_be_visible()
    visitor.check("app-add")


def test_by_the_company_and_back(
    people: Chain, stack: Stack, browser: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with running_provider() as provider:
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = provider.url, "halfhour", "secret"
        settings.OIDC_TRUSTS_MFA = True
        provider.add("m", email=people.manager.email, email_verified=True)
        provider.alter = lambda claims: claims.update(amr=["pwd", "mfa"])
        context = browser.new_context(viewport=PHONE, locale="en-GB")
        page = context.new_page()
        page.goto(f"{stack.url}/inbox/")
        page.get_by_role("link", name="Sign in with your company account").click()
        page.locator("input[name=sub]").first.fill("m")
        page.locator("input[name=sub]").first.press("Enter")
        expect(page).to_have_url(f"{stack.url}/inbox/")
        if os.environ.get("SCREENSHOTS"):
            page.goto(f"{stack.url}/accounts/oidc/callback/")
            page.screenshot(path=f"{os.environ['SCREENSHOTS']}/sso-refused-390.png")
        context.close()
