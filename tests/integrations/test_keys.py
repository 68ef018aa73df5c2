"""Who may call the API, and for which stores."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from integrations.choices import Scope
from integrations.models import ApiKey
from tests.factories import Chain
from tests.integrations.conftest import Caller

pytestmark = pytest.mark.django_db
SCOPES = {
    ("post", "/api/v1/receipts/"): Scope.RECEIPTS_WRITE,
    ("post", "/api/v1/calls/"): Scope.CALLS_WRITE,
    ("get", "/api/v1/responses/"): Scope.RESPONSES_READ,
    ("get", "/api/v1/stores/"): Scope.STORES_READ,
    ("put", "/api/v1/traffic/"): Scope.TRAFFIC_WRITE,
}


def call(who: Caller, operation: tuple[str, str]) -> int:
    method, path = operation
    answer = who.get(path) if method == "get" else who.send(method, path, {})
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        assert answer.json()["detail"]
    return int(answer.status_code)


def test_every_operation_of_the_document_is_in_the_table() -> None:
    document = Caller(None).get("/api/v1/openapi.json").json()
    assert {(m, path) for path, methods in document["paths"].items() for m in methods} == set(SCOPES)
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


@pytest.mark.parametrize("operation", SCOPES)
def test_nobody_without_a_key(chain: Chain, operation: tuple[str, str]) -> None:
    assert call(Caller(None), operation) == 401


@pytest.mark.parametrize("operation", SCOPES)
@pytest.mark.parametrize("scope", Scope.values)
def test_a_scope_opens_its_own_operation_only(
    make_caller: Callable[..., Caller], operation: tuple[str, str], scope: str
) -> None:
    status = call(make_caller(scope), operation)
    # An empty request is refused for its fields once the scope fits.
    assert status == ((200 if operation[0] == "get" else 400) if SCOPES[operation] == scope else 403)


@pytest.mark.parametrize("text", ["", "hh_00000000", "hh_00000000.x", "nonsense", "hh_\x00.x", "€.€", "."])
def test_made_up_keys(chain: Chain, text: str) -> None:
    answer = Caller(text).client.get("/api/v1/stores/", headers={"Authorization": f"Bearer {text}"})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_the_secret_must_fit_its_prefix(chain: Chain) -> None:
    one, two = ApiKey.create("one", [Scope.STORES_READ])[1], ApiKey.create("two", [Scope.STORES_READ])[1]
    mixed = f"{one.split('.')[0]}.{two.split('.')[1]}"
    assert Caller(one).get("/api/v1/stores/").status_code == 200
    assert Caller(mixed).get("/api/v1/stores/").status_code == 401


def test_a_revoked_key_is_over(chain: Chain) -> None:
    key, text = ApiKey.create("old", [Scope.STORES_READ])
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    assert Caller(text).get("/api/v1/stores/").status_code == 401


def test_the_database_holds_no_secret(chain: Chain) -> None:
    key, text = ApiKey.create("one", [Scope.STORES_READ])
    row = ApiKey.objects.filter(pk=key.pk).values().get()
    assert text.split(".")[1] not in str(row)


def test_use_is_noted_once_a_minute(chain: Chain) -> None:
    key, text = ApiKey.create("one", [Scope.STORES_READ])
    Caller(text).get("/api/v1/stores/")
    key.refresh_from_db()
    first = key.last_used_at
    assert first is not None
    Caller(text).get("/api/v1/stores/")
    key.refresh_from_db()
    assert key.last_used_at == first
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=first - timedelta(minutes=2))
    Caller(text).get("/api/v1/stores/")
    key.refresh_from_db()
    assert key.last_used_at is not None and key.last_used_at >= first


def test_a_key_reaches_its_stores_only(chain: Chain, make_caller: Callable[..., Caller]) -> None:
    def codes(**reach: object) -> list[str]:
        return [s["code"] for s in make_caller(Scope.STORES_READ, **reach).get("/api/v1/stores/").json()["results"]]

    assert codes() == ["CALL", "KY1", "KY2", "LV1"]
    assert codes(node=chain.area) == ["KY1", "KY2"]
    assert codes(store=chain.foreign) == ["LV1"]


def test_other_addresses_are_answered_in_the_same_form(chain: Chain) -> None:
    for method in ("get", "post", "delete"):
        answer = getattr(Caller(None).client, method)("/api/v1/nothing/here/")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_wrong_method_and_wrong_type(caller: Caller) -> None:
    assert caller.get("/api/v1/receipts/").status_code == 405
    headers = caller.headers | {"Idempotency-Key": "x"}
    answer = caller.client.post("/api/v1/receipts/", "a=b", content_type="text/plain", headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (415, "application/problem+json")
    assert caller.post("/api/v1/receipts/", "{not json").status_code == 400
    assert caller.post("/api/v1/receipts/", "[1, 2]").status_code == 400


def test_docs_use_own_files_only() -> None:
    client = Caller(None).client
    page = client.get(reverse("api_docs"))
    html = page.content.decode()
    assert page.status_code == 200
    assert "http" not in html and "<style" not in html and "style=" not in html
    assert "<script>" not in html
    script = client.get(reverse("api_docs"), {"script": ""})
    assert script["Content-Type"].startswith("application/javascript")
    assert "openapi.json" in script.content.decode()


def test_the_command_prints_a_key_that_works(chain: Chain) -> None:
    out, err = StringIO(), StringIO()
    call_command("create_api_key", "till", "--scope", "stores:read", "--store", "KY1", stdout=out, stderr=err)
    found = Caller(out.getvalue().strip()).get("/api/v1/stores/").json()["results"]
    assert [store["code"] for store in found] == ["KY1"]
    with pytest.raises(CommandError, match="No store"):
        call_command("create_api_key", "till", "--scope", "stores:read", "--store", "nope", stdout=out, stderr=err)
