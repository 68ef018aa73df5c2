"""Links of receipts and calls: opened, tapped, and looked at by programs; none of it is an answer."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from surveys import link_traffic
from surveys.inviting import receipt_link
from surveys.models import Invitation, LinkHour, Response
from tests.factories import Chain

pytestmark = pytest.mark.django_db
PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"}


@pytest.fixture
def link(chain: Chain, surveys: Any) -> str:
    link_traffic.forget()
    receipt_link(chain.store, "1", timezone.now())
    return f"/r/{Invitation.objects.get().token}/"


def counted() -> tuple[int, int, int]:
    """Of both hours, where one ends meanwhile."""
    link_traffic.flush()
    rows = LinkHour.objects.all()
    return sum(row.opens for row in rows), sum(row.taps for row in rows), sum(row.scanners for row in rows)


def test_opens_and_taps_are_counted_apart_and_are_no_answers(client: Client, link: str) -> None:
    client.get(link, headers=PHONE)
    client.get(link, {"score": "9"}, headers=PHONE)
    client.get(link, {"score": "9"}, headers=PHONE)
    assert counted() == (3, 2, 0) and not Response.objects.exists()
    assert {str(row.channel) for row in LinkHour.objects.all()} == {"receipt"}


def test_programs_that_say_so_are_none(client: Client, link: str) -> None:
    client.get(link, {"score": "9"}, headers={"user-agent": "Mozilla/5.0 (compatible; SafeLinks)"})
    client.head(link, headers=PHONE)
    client.get(link)
    assert counted() == (0, 0, 3)


def test_whoever_opens_every_answer_at_once_is_a_program_from_the_first(
    client: Client, link: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(link_traffic, "AT_ONCE_SECS", 1000)
    for score in range(11):
        client.get(link, {"score": str(score)}, headers=PHONE)
        if score == 0:
            assert counted() == (1, 1, 0)
    assert counted() == (0, 0, 11)


def test_a_program_that_looks_twice_is_none_either(client: Client, link: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(link_traffic, "AT_ONCE_SECS", 1000)
    for score in range(3):
        for _time in range(2):
            client.get(link, {"score": str(score)}, headers=PHONE)
    assert counted() == (0, 0, 6)


def test_a_second_thought_is_no_program(client: Client, link: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(link_traffic, "AT_ONCE_SECS", 0)
    client.get(link, {"score": "2"}, headers=PHONE)
    client.get(link, {"score": "3"}, headers=PHONE)
    assert counted() == (2, 2, 0)
