"""A signed-in manager, and the chain's rules."""

import pytest
from django.test import Client

from alerts.policy import ensure_defaults
from tests.factories import Chain


@pytest.fixture(autouse=True)
def defaults(db: None) -> None:
    ensure_defaults()


@pytest.fixture
def manager(client: Client, chain: Chain) -> Client:
    """The browser of the manager of `chain.store`."""
    client.force_login(chain.manager)
    return client
