"""Logs are read by people who may not read what shoppers write."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
import structlog
from django.conf import settings
from django.db import IntegrityError, connection
from django.test import Client

from customers.leaving import leave_url
from customers.models import Contact, ContactKind
from surveys.models import Response
from tests.factories import Chain, make_response

TOKEN = "abcdefghijklmnopqrstuvwxyz"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the handler of our settings writes."""
    written = io.StringIO()
    logging.config.dictConfig(settings.LOGGING)
    [handler] = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    before = handler.stream
    handler.stream = written
    yield written
    handler.stream = before


@pytest.mark.parametrize("kind", ["r", "t", "c", "screen", "people/join"])
def test_a_page_that_fails_is_one_line_without_its_secret(db: None, log: io.StringIO, kind: str) -> None:
    address = f"/{kind}/{TOKEN}/"
    # Broken on purpose, at whatever it first asks the database, by the ORM or past it: no page of ours fails by itself.
    with connection.execute_wrapper(Mock(side_effect=ZeroDivisionError(f"of {address}"))):
        assert Client(raise_request_exception=False).get(address).status_code == 500
    (line,) = lines(log.getvalue())
    assert line["level"] == "error" and f"/{kind}/…" in line["event"] and "ZeroDivisionError" in line["exception"]
    assert TOKEN not in json.dumps(line)


def test_the_link_out_of_our_messages_is_not_written(db: None, log: io.StringIO) -> None:
    contact = Contact.create(ContactKind.EMAIL, "a@b.example")
    logging.getLogger("library").error("refused %s", leave_url(contact))
    (line,) = lines(log.getvalue())
    assert line["event"].endswith("/u/…/") and contact.pk.hex not in log.getvalue()


def test_the_row_that_was_refused_is_not_quoted(
    chain: Chain, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=3, words="Olena was rude\nto me")
    try:
        Response.objects.filter(pk=response.pk).update(score=99)
    except IntegrityError as error:
        assert "Olena" in str(error)
        structlog.get_logger().exception("refused")
        logging.getLogger("library").exception("refused, %s", error)
    both = lines(capsys.readouterr().out) + lines(log.getvalue())
    assert len(both) == 2
    for line in both:
        assert "response_score_in_range" in line["exception"]
        assert "Olena" not in json.dumps(line) and "to me" not in json.dumps(line)
