"""What the tests of touchpoints start from."""

from collections.abc import Iterator

import pytest

from surveys import scans
from surveys.defaults import ensure_surveys
from surveys.models import SurveyVersion
from tests.factories import Chain


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    """Other tests open pages too, and their counts are in memory still."""
    scans.forget()
    yield
    scans.forget()


@pytest.fixture
def surveys(chain: Chain) -> dict[str, SurveyVersion]:
    return ensure_surveys()
