"""What every test may use."""

import pytest

from tests.factories import Chain


@pytest.fixture
def chain(db: None) -> Chain:
    """The fixed cast, in the database."""
    return Chain()
