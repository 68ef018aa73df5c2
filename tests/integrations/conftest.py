"""Calling the API as a system of the chain would."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from integrations.choices import Scope
from integrations.models import ApiKey
from tests.factories import Chain


class Caller:
    """A client with a key; `post` sends a fresh Idempotency-Key unless one is given, None sends none."""

    def __init__(self, text: str | None) -> None:
        self.headers = {"Authorization": f"Bearer {text}"} if text else {}
        self.client = Client()

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query, headers=self.headers)

    def post(self, path: str, body: Any, *, key: str | None = "new") -> Any:
        return self.send("post", path, body, key=key)

    def send(self, method: str, path: str, body: Any, *, key: str | None = "new") -> Any:
        headers = self.headers | ({"Idempotency-Key": str(uuid.uuid4()) if key == "new" else key} if key else {})
        text = body if isinstance(body, str) else json.dumps(body)
        return self.client.generic(method.upper(), path, text, content_type="application/json", headers=headers)


@pytest.fixture
def caller(chain: Chain) -> Caller:
    """May do everything at every store."""
    return Caller(ApiKey.create("all", list(Scope.values))[1])


@pytest.fixture
def make_caller(chain: Chain) -> Callable[..., Caller]:
    def make(*scopes: str, **reach: Any) -> Caller:
        return Caller(ApiKey.create("some", list(scopes), **reach)[1])

    return make
