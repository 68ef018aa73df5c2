"""Browsers of people with full sign-ins."""

from collections.abc import Callable

import pytest
from django.test import Client

from alerts.policy import ensure_defaults
from stores.models import User
from tests.factories import PASSWORD

Browsers = Callable[..., Client]
PHONE = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari"
TABLET = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari"


@pytest.fixture(autouse=True)
def defaults(db: None) -> None:
    ensure_defaults()


@pytest.fixture
def browser() -> Browsers:
    """`browser(user)` is a browser in which they are signed in; without one nobody is."""

    def open_browser(user: User | None = None, agent: str = PHONE) -> Client:
        client = Client(headers={"user-agent": agent})
        if user is not None:
            sign_in(client, user)
        return client

    return open_browser


def sign_in(client: Client, user: User) -> None:
    """By password, as people do: some pages ask when that was."""
    assert client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
