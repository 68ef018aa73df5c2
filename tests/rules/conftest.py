"""A signed-in head office, and rules to change."""

import pytest
from django.test import Client

from alerts.policy import ensure_defaults
from tests.factories import Chain


@pytest.fixture(autouse=True)
def defaults(db: None) -> None:
    ensure_defaults()


@pytest.fixture
def office(client: Client, chain: Chain) -> Client:
    """The browser of head office."""
    client.force_login(chain.head_office)
    return client
