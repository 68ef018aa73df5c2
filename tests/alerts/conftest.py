"""What the tests of acting share: a shopper's response goes in, a case comes out."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from alerts.models import Case, RootCause
from alerts.policy import ensure_defaults
from alerts.queries import case_for_response
from customers.models import Contact, ContactKind
from surveys.choices import ContactWish
from surveys.models import Response
from surveys.signals import response_saved
from tests.factories import Chain, make_response

EMAIL = "shopper@example.org"


def give_contact(response: Response, value: str = EMAIL) -> Response:
    """The shopper leaves an address and wishes to hear from us."""
    kind = ContactKind.EMAIL if "@" in value else ContactKind.PHONE
    response.contact = Contact.create(kind, value, language="en")
    response.contact_wish = ContactWish.EMAIL if kind == ContactKind.EMAIL else ContactWish.CALL
    response.save()
    return response


def submit(response: Response, *, corrected: bool = False) -> Case | None:
    """What `surveys.actions.submit` does once the rows are there."""
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=corrected)
    return case_for_response(response.pk)


def open_case(chain: Chain, *, contact: str | None = EMAIL, score: int = 2, words: str = "Rude.", **more: Any) -> Case:
    response = make_response(touchpoint=chain.touchpoint, score=score, words=words, **more)
    if contact:
        give_contact(response, contact)
    case = submit(response)
    assert case is not None
    return case


@pytest.fixture(autouse=True)
def defaults(db: None) -> None:
    """Transactional tests empty the tables behind them."""
    ensure_defaults()


@pytest.fixture
def root_cause(defaults: None) -> RootCause:
    return RootCause.objects.order_by("order")[0]


@pytest.fixture
def form_id() -> Callable[[], str]:
    return lambda: str(uuid4())
