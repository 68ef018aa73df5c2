"""What the tests of the shopper's side start from."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from surveys.defaults import ensure_surveys
from surveys.models import SurveyVersion
from tests.factories import Chain


@pytest.fixture
def surveys(chain: Chain) -> dict[str, SurveyVersion]:
    """The default surveys, chosen for every channel."""
    return ensure_surveys()


@pytest.fixture
def address(chain: Chain, surveys: dict[str, SurveyVersion]) -> str:
    """The page of a till in the chain's store."""
    return f"/q/{chain.touchpoint.code}/"


def hidden(response: Any, name: str) -> str:
    """A hidden value of a page's form."""
    found = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    assert found, f"no hidden {name}"
    return found[1]


@pytest.fixture
def answer(client: Client, address: str) -> Callable[..., Any]:
    """Opens the page and sends the given fields, as a browser without JavaScript would."""

    def send(to: str = address, *, lang: str = "en", **fields: Any) -> Any:
        opened = client.get(to, {"lang": lang})
        nonce = fields.pop("form", None) or hidden(opened, "form")
        sent = {"form": nonce, "lang": lang, "contact": "none"} | fields
        return client.post(to, {k: v for k, v in sent.items() if v is not None})

    return send
