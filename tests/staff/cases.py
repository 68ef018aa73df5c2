"""Cases as the staff's pages meet them."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import time_machine
from django.db import transaction
from django.utils import timezone

from alerts.models import Case
from alerts.policy import ensure_defaults
from alerts.queries import case_for_response
from customers.models import Contact, ContactKind
from stores.models import Touchpoint
from surveys.choices import ContactWish
from surveys.models import Response
from surveys.signals import response_saved
from tests.factories import make_response

# Each shopper has an address of their own: the same one would be added to the case it opened before.
_KINDS = {
    ContactWish.CALL: (ContactKind.PHONE, "+38050{:07d}"),
    ContactWish.TEXT: (ContactKind.PHONE, "+38067{:07d}"),
    ContactWish.EMAIL: (ContactKind.EMAIL, "shopper-{}@example.org"),
}
_shoppers = count(1)


def make_case(
    touchpoint: Touchpoint,
    *,
    words: str = "Nobody helped me.",
    score: int = 2,
    wish: ContactWish = ContactWish.CALL,
    minutes_ago: float = 0,
    still_here: bool = False,
    value: str = "",
    **more: Any,
) -> Case:
    """A shopper's response that opened a case so many minutes ago."""
    ensure_defaults()
    at: datetime = timezone.now() - timedelta(minutes=minutes_ago)
    with time_machine.travel(at, tick=True), transaction.atomic():
        response = make_response(touchpoint=touchpoint, score=score, words=words, submitted_at=at, **more)
        if wish in _KINDS:
            kind, known = _KINDS[wish]
            response.contact = Contact.create(kind, value or known.format(next(_shoppers)), language="en")
            response.contact_wish = wish
        response.still_here = still_here
        response.save()
        response_saved.send(sender=Response, response=response, corrected=False)
    case = case_for_response(response.pk)
    assert case is not None
    return case


HTMX = {"HX-Request": "true"}
