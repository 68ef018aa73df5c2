"""Cases in these tests come from their makers alone."""

import pytest

from alerts.models import Rule


@pytest.fixture(autouse=True)
def no_rules(request):
    """No rule opens a case by itself."""
    if {"chain", "db"} & set(request.fixturenames):
        request.getfixturevalue("db")
        Rule.objects.update(active=False)
