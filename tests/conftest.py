"""What every test may use."""

import pytest
from django.utils import translation

from core import look
from core.catalogues import compile_language, languages
from tests.factories import Chain


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


@pytest.fixture
def chain(db: None) -> Chain:
    """The fixed cast, in the database."""
    return Chain()
