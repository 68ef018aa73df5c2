"""Keys of the tills by head office's own pages: made once, ended, taken back, each on record; and a link explained."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from stores.models import ConfigChange
from surveys import signed
from surveys.models import ReceiptKey
from tests.factories import Chain

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client: Client, chain: Chain, surveys: object) -> Client:
    client.force_login(chain.head_office)
    return client


def test_a_key_is_made_told_once_and_signs_a_link(office: Client, chain: Chain) -> None:
    address = f"/setup/till-keys/{chain.store.code}/"
    assert "No key yet" in office.get(address).content.decode()
    made = office.post(address, {"make": "1", "seen": ""})
    page = made.content.decode()
    key = ReceiptKey.objects.get()
    assert made.status_code == 200 and "no-store" in made["Cache-Control"]
    assert key.key_id in page and key.secret in page
    link = re.search(r"/r/1-[^<]+/", page)
    assert link and office.get(link[0]).status_code == 200
    # A second press of the same button makes nothing, and the secret is never told again.
    again = office.post(address, {"make": "1", "seen": ""})
    assert again.status_code == 303 and ReceiptKey.objects.count() == 1
    assert key.secret not in office.get(address).content.decode()
    office.post(address, {"make": "1", "seen": key.key_id})
    key.refresh_from_db()
    # Both are in use until somebody ends the old one; its receipts of before stay good even then.
    assert key.ended_at is None
    office.post(address, {"do": "end", "key": key.key_id})
    key.refresh_from_db()
    assert key.ended_at and office.get(link[0]).status_code == 200
    assert office.post(address, {"do": "revoke", "key": key.key_id}).status_code == 303
    assert office.get(link[0]).status_code == 404
    newest = ReceiptKey.objects.latest("pk")
    office.post(address, {"do": "end", "key": newest.key_id})
    newest.refresh_from_db()
    assert newest.ended_at and not newest.revoked_at
    kept = ConfigChange.objects.filter(what="till_key", store=chain.store)
    assert kept.count() == 5 and {one.actor for one in kept} == {chain.head_office}
    assert not [one for one in kept if newest.secret in str(one.new)]
    assert office.post(address, {"do": "revoke", "key": "nokey1"}).status_code == 404


def test_a_link_is_explained_to_whoever_sets_up_a_till(
    office: Client, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ReceiptKey.objects.create(store=chain.store, key_id="abc123", secret="5" * 64)
    now = timezone.now()

    def said(token: str) -> str:
        link = f"https://feedback.example/r/{token}/?score=3"
        return office.get(f"/setup/till-keys/{chain.store.code}/", {"link": link}).content.decode()

    def token(**other: object) -> str:
        values = {"secret": key.secret, "key": key.key_id, "store": chain.store.code, "number": "R-77", "days": 30}
        return signed.sign(**(values | {"purchased_at": now} | other))  # type: ignore[arg-type]

    assert "It is good." in said(token()) and f"1|abc123|receipt survey|{chain.store.code}|r77|" in said(token())
    assert "The signature does not fit" in said(token(secret="6" * 64))
    assert "The signature does not fit" in said(token(store=chain.foreign.code))
    assert "no key of that name" in said(token(key="zzz999"))
    assert "Its days are over" in said(token(purchased_at=now - timedelta(days=40)))
    # Whatever a till signs, after ninety days it is over; until then what is said here is what shoppers see.
    monkeypatch.setattr(signed, "LONGEST_DAYS", 9999)
    long = {days: token(purchased_at=now - timedelta(days=days - 10), days=days) for days in (95, 365)}
    monkeypatch.undo()
    assert "It is good." in said(long[95]) and signed.read(long[95])
    assert "Its days are over" in said(long[365]) and signed.read(long[365]) is None
    assert "more than a day from now" in said(token(purchased_at=now + timedelta(days=3)))
    assert "not the form of a link" in said("1-abc-<script>alert(1)</script>")
    ReceiptKey.objects.update(ended_at=now - timedelta(hours=1))
    assert "this till needs the new one" in said(token()) and signed.read(token()) is None
    ReceiptKey.objects.update(revoked_at=now)
    assert "was taken back" in said(token())


def test_stores_with_a_key_come_first_and_are_found(office: Client, chain: Chain) -> None:
    ReceiptKey.objects.create(store=chain.foreign, key_id="abc123", secret="5" * 64)
    page = office.get("/setup/till-keys/").content.decode()
    assert page.index(chain.foreign.name) < page.index(chain.store.name) and "in use since" in page
    found = office.get("/setup/till-keys/", {"q": "lviv"}).content.decode()
    assert chain.foreign.name in found and chain.store.name not in found
    paper = office.get("/setup/till-keys/for-makers/receipt-links.json")
    assert paper.status_code == 200 and "attachment" in paper["Content-Disposition"]
