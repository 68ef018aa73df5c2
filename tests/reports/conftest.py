"""Cases in these tests come from their makers alone, and head office is at hand."""

import pytest
from django.test import Client

from alerts.models import Rule
from tests.factories import Chain


@pytest.fixture(autouse=True)
def no_rules(request):
    """No rule opens a case by itself."""
    if {"chain", "db"} & set(request.fixturenames):
        request.getfixturevalue("db")
        Rule.objects.update(active=False)


@pytest.fixture
def head(client: Client, chain: Chain) -> Client:
    """The browser of head office."""
    client.force_login(chain.head_office)
    return client
