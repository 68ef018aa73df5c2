"""Links that a till signs itself: as documented, once for each receipt, and telling a stranger nothing."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from customers.models import Receipt
from surveys.inviting import receipt_link
from surveys.models import Invitation, ReceiptKey, Response
from surveys.signed import sign
from tests.factories import Chain
from tests.surveys.conftest import hidden

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs"
VECTORS = json.loads((DOCS / "receipt-links.json").read_text())


def new_key(chain: Chain, capsys: Any) -> tuple[str, str]:
    capsys.readouterr()
    call_command("receipt_key", chain.store.code)
    key, secret = capsys.readouterr().out.split()
    return key, secret


@pytest.fixture
def key(chain: Chain, surveys: Any, capsys: Any) -> tuple[str, str]:
    return new_key(chain, capsys)


def signed(key: tuple[str, str], number: str = "A17-4", **changed: Any) -> str:
    values: dict[str, Any] = {"store": "KY1", "purchased_at": timezone.now() - timedelta(hours=2), "days": 30} | changed
    return f"/r/{sign(key=key[0], secret=key[1], number=number, **values)}/"


def forged(key: tuple[str, str]) -> str:
    """A link with another last character, whichever that was."""
    link = signed(key)
    return f"{link[:-2]}{'b' if link.endswith('a/') else 'a'}/"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["receipt"])
def test_the_examples_of_the_description(vector: dict[str, Any]) -> None:
    at = datetime.fromisoformat(vector["purchased_at"])
    own = sign(
        secret=vector["secret"],
        key=vector["key"],
        store=vector["store"],
        number=vector["receipt"],
        purchased_at=at,
        days=vector["days"],
    )
    described: dict[str, Any] = {}
    exec(re.search(r"```python\n(.*?)```", (DOCS / "receipt-links.md").read_text(), re.DOTALL)[1], described)  # type: ignore[index]
    minutes = int(at.timestamp()) // 60
    args = [vector[name] for name in ("key", "secret", "store", "receipt")]
    assert vector["link"] == f"/r/{own}/" == described["link"]("", *args, minutes, vector["days"])


def test_opening_writes_nothing_and_an_answer_is_a_verified_one(
    client: Client, chain: Chain, key: Any, answer: Any
) -> None:
    link = signed(key)
    page = client.get(f"{link}?score=4")
    assert page.status_code == 200 and 'id="f-score4" checked' in page.content.decode() and b"Kyiv One" in page.content
    assert not Receipt.objects.exists() and not Invitation.objects.exists()
    sent = answer(link.upper().replace("/R/", "/r/"), score="3", reason="Rude")
    response = Response.objects.get()
    assert sent["Location"] == f"/t/{response.token}/"
    assert (response.sample_kind, response.channel, response.store) == ("verified", "receipt", chain.store)
    assert "A174" not in Receipt.objects.get().number_hash.upper()


def test_one_answer_for_a_receipt_however_it_is_linked(client: Client, chain: Chain, key: Any, answer: Any) -> None:
    link, page = signed(key), None
    forms = [hidden(client.get(link), "form") for _ in range(2)]
    first = answer(link, form=forms[0], score="3")
    second = answer(link, form=forms[1], score="8")
    assert first["Location"] == second["Location"] == client.get(link)["Location"]
    assert Response.objects.get().score == 8
    url = receipt_link(chain.store, "A174", timezone.now()).survey_url or ""
    page = client.get(url[url.index("/r/") :])
    assert page["Location"] == first["Location"] and Receipt.objects.count() == 1


def test_forged_used_expired_and_unknown_links_get_one_page(
    client: Client, chain: Chain, key: Any, answer: Any
) -> None:
    used, revoked = signed(key, "USED"), ("000000", "0" * 64)
    answer(used, score="3", reason="Only mine")
    ReceiptKey.objects.create(store=chain.store, key_id=revoked[0], secret=revoked[1], revoked_at=timezone.now())
    bad = {
        "forged": forged(key),
        "other store": signed(key, store="KY2"),
        "expired": signed(key, purchased_at=timezone.now() - timedelta(days=31)),
        "not yet": signed(key, purchased_at=timezone.now() + timedelta(days=3)),
        "unknown key": signed(("abcdef", key[1])),
        "revoked": signed(revoked),
        "nonsense": "/r/1-2-3/",
        "unknown invitation": "/r/aaaaaaaaaaaaaaaaaaaaaaaaaa/",
        "used": used,
    }
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        pages = {name: client.get(link) for name, link in bad.items()}
    assert {page.status_code for page in pages.values()} == {404}
    assert len({page.content for page in pages.values()}) == 1
    page = pages["used"].content.decode()
    assert 'action="/q/"' in page and "Only mine" not in page and "Kyiv One" not in page
    for link in bad.values():
        if link != used:
            assert client.post(link, {"form": "x", "score": "1"}).status_code == 404
    assert Response.objects.count() == 1


def test_nobody_learns_from_the_time_which_it_was(client: Client, chain: Chain, key: Any) -> None:
    links = {"forged": forged(key), "expired": signed(key, purchased_at=datetime(2020, 1, 1, tzinfo=UTC))}
    links["unknown"] = signed(("abcdef", key[1]))
    spent: dict[str, list[float]] = {name: [] for name in links}
    for _round in range(30):
        for name, link in links.items():
            began = time.thread_time()
            page = client.get(link)
            spent[name].append(time.thread_time() - began)
            assert page.status_code == 404
    # The quickest of each: whatever else a machine does only ever adds to it.
    quickest = [min(times) for times in spent.values()]
    assert max(quickest) < 2 * min(quickest), quickest


def test_a_new_key_leaves_printed_receipts_good_and_a_revoked_one_does_not(
    client: Client, chain: Chain, key: Any, capsys: Any
) -> None:
    old = signed(key)
    new = new_key(chain, capsys)
    # Both, until every till has the new one.
    assert new != key and ReceiptKey.objects.filter(ended_at=None).count() == 2
    assert client.get(old).status_code == client.get(signed(new)).status_code == 200
    # Purchases after its end are none of a till's.
    ReceiptKey.objects.filter(key_id=key[0]).update(ended_at=timezone.now() - timedelta(hours=3))
    assert client.get(old).status_code == 404
    ReceiptKey.objects.filter(key_id=key[0]).update(ended_at=timezone.now())
    assert client.get(old).status_code == 200
    call_command("receipt_key", chain.store.code, revoke=key[0])
    assert client.get(old).status_code == 404 and client.get(signed(new)).status_code == 200


def test_a_form_of_one_receipt_does_not_fit_another(client: Client, key: Any) -> None:
    nonce = hidden(client.get(signed(key, "1")), "form")
    assert client.post(signed(key, "2"), {"form": nonce, "score": "1"}).status_code == 422
    assert not Response.objects.exists() and not Receipt.objects.exists()


def test_a_form_that_was_open_when_its_links_days_ended_is_an_answer(client: Client, key: Any, answer: Any) -> None:
    link = signed(key, purchased_at=timezone.now() - timedelta(hours=23, minutes=30), days=1)
    nonce = hidden(client.get(link), "form")
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert client.get(link).status_code == 404
        assert client.post(link, {"form": "forged", "score": "1"}).status_code == 404
        assert answer(link, form=nonce, score="7").status_code == 303
    assert Response.objects.get().score == 7
