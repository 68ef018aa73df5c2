"""A case offers what its shopper asked for: the way, the time by the store's clock, and the language."""

from typing import Any

import pytest
import time_machine
from django.test import Client

from alerts.models import Case
from surveys.choices import ContactWish
from surveys.contact_times import ContactTime
from tests.alerts.conftest import open_case
from tests.factories import Chain

NUMBER = "+380671234567"


def wishing(chain: Chain, way: str, **more: Any) -> Case:
    case = open_case(chain, contact=NUMBER if way != "email" else "a@example.org")
    for name, value in {"contact_wish": way, **more}.items():
        setattr(case.response, name, value)
    case.response.save()
    return case


def page_of(chain: Chain, case: Case) -> str:
    client = Client()
    client.force_login(chain.manager)
    return client.get(f"/cases/{case.pk}/").content.decode()


@pytest.mark.parametrize(
    ("way", "there", "not_there"),
    [
        ("call", ["tel:"], ["sms:", "mailto:", "Write an answer"]),
        ("text", ["sms:", "Write an answer"], ["tel:", "mailto:"]),
        ("email", ["mailto:", "Send answer"], ["sms:", "tel:"]),
    ],
)
def test_only_the_way_that_was_asked_for(chain: Chain, way: str, there: list[str], not_there: list[str]) -> None:
    shown = page_of(chain, wishing(chain, way))
    assert all(one in shown for one in there) and not any(one in shown for one in not_there)


def test_a_call_that_failed_may_be_written_about(chain: Chain) -> None:
    case = wishing(chain, "call")
    client = Client()
    client.force_login(chain.manager)
    form_id = "7f7c2f3e-3b1c-4f44-9c53-3ef9f9b9a001"
    sent = {"action": "contact", "form_id": form_id, "channel": "call", "reached": "no"}
    client.post(f"/cases/{case.pk}/", sent)
    assert "Write an answer" in page_of(chain, case)


def test_when_and_in_which_language(chain: Chain) -> None:
    with time_machine.travel("2026-11-19T09:30:00Z", tick=False):  # half past eleven in Kyiv
        case = wishing(chain, ContactWish.CALL, contact_when=ContactTime.EVENING, contact_language="uk")
        shown = page_of(chain, case)
        assert "In the evening, 17:00–21:00" in shown and "It is 11:30 in the store now." in shown
        assert "Ukrainian" in shown or "Українська" in shown
    with time_machine.travel("2026-11-19T16:30:00Z", tick=False):
        shown = page_of(chain, case)
        assert "In the evening" in shown and "in the store now" not in shown


def test_what_was_wished_is_chosen_when_it_is_changed(chain: Chain, client: Client) -> None:
    case = wishing(chain, ContactWish.CALL, contact_when=ContactTime.EVENING, contact_language="uk")
    version = case.response.version
    questions = [*version.document["questions"], {"key": "w", "kind": "contact", "text": {}, "asks_when": True}]
    document = version.document | {"questions": questions, "languages": ["en", "uk"]}
    asking = type(version).objects.create(
        survey=version.survey, number=99, headline_kind=version.headline_kind, document=document
    )
    case.response.version = asking
    case.response.save()
    shown = client.get(f"/c/{case.response.token}/").content.decode()
    assert '<option value="evening" selected>' in shown
