"""The demo chain, made once for a module and rolled back at its end."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from demo.data import keep_a_clock_running, make_demo


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[datetime]:
    """The moment that the demo's present is."""
    with django_db_blocker.unblock(), transaction.atomic():
        now = timezone.now()
        make_demo(now=now)
        keep_a_clock_running()
        yield now
        transaction.set_rollback(True)
