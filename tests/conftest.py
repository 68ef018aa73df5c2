"""What every test may use."""

import math

import pytest
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from core import look
from core.catalogues import compile_language, languages
from tests.factories import Chain

# What decides decides alike each time, however slow the machine is: examples are drawn from the code of their test.
hypothesis.register_profile(
    "suite", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def translations() -> None:
    """The compiled catalogues, as any installation has them."""
    for language in languages():
        compile_language(language)


@pytest.fixture(autouse=True)
def settings_hold() -> None:
    """Nobody chose a look or a language; what a test before this one chose is forgotten, and no test asks for it."""
    look.assume_nothing_chosen()
    translation.deactivate()


@pytest.fixture(autouse=True)
def words_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers of a chain's own words for some seconds is another chain's in the next test."""
    monkeypatch.setattr("sentiment.chain._asked_at", -math.inf)


@pytest.fixture
def chain(db: None) -> Chain:
    """The fixed cast, in the database."""
    return Chain()
