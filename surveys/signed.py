"""Survey links that a till signs by itself, without a call to us: docs/receipt-links.md describes them for its makers.

A link is `/r/1-KEY-RECEIPT-MINUTES-DAYS-SIGNATURE/`. The key names the store. GET writes nothing; the receipt and its
invitation are made when an answer is sent.
"""

import hashlib
import hmac
import re
from base64 import b32encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.utils import timezone

from core.tokens import keyed_hash, same_length_secret
from stores.models import Store
from surveys.models import Invitation, ReceiptKey

PURPOSE = "receipt survey"
SIGNATURE_LENGTH = 26
LONGEST_RECEIPT = 40
LONGEST_DAYS = 90
# A till's clock may run ahead.
_SKEW = timedelta(hours=26)
_LINK = re.compile(
    rf"1-([0-9a-z]{{6}})-([0-9a-z]{{1,{LONGEST_RECEIPT}}})-([0-9]{{1,9}})-([0-9]{{1,4}})-([a-z2-7]{{{SIGNATURE_LENGTH}}})"
)


@dataclass(frozen=True)
class SignedReceipt:
    """What a valid link says. `number` is the receipt's, in capitals, without what is no letter or digit."""

    store: Store
    number: str
    purchased_at: datetime
    expires_at: datetime

    @property
    def number_hash(self) -> str:
        return receipt_hash(self.store, self.number)


def receipt_hash(store: Store, number: str) -> str:
    """By what a receipt is found again; its number is kept nowhere."""
    return keyed_hash("receipt", f"{store.code} {''.join(number.split()).upper()}")


def plain_number(number: str) -> str:
    """A receipt's number as it is signed: lower-case letters and digits only."""
    return re.sub("[^0-9a-z]", "", number.lower())


def sign(*, secret: str, key: str, store: str, number: str, purchased_at: datetime, days: int) -> str:
    """The token of a link, as a till makes it. `store` is the store's code. Raises ValueError for what cannot be."""
    plain, minutes = plain_number(number), int(purchased_at.timestamp()) // 60
    if not 1 <= len(plain) <= LONGEST_RECEIPT or not 1 <= days <= LONGEST_DAYS:
        raise ValueError("a receipt number of 1 to 40 letters and digits, and 1 to 90 days")
    return f"1-{key}-{plain}-{minutes}-{days}-{_signature(secret, key, store, plain, minutes, days)}"


def _said(key: str, store: str, number: str, minutes: int, days: int) -> str:
    """What is signed."""
    return "|".join(["1", key, PURPOSE, store, number, str(minutes), str(days)])


def _span(minutes: int, days: int) -> tuple[datetime, datetime]:
    """When it was bought, and when its link is over: whatever it says, not later than LONGEST_DAYS."""
    purchased_at = datetime.fromtimestamp(minutes * 60, UTC)
    return purchased_at, purchased_at + timedelta(days=min(days, LONGEST_DAYS))


def _signature(secret: str, key: str, store: str, number: str, minutes: int, days: int) -> str:
    said = _said(key, store, number, minutes, days)
    mac = hmac.new(secret.encode(), said.encode(), hashlib.sha256).digest()
    return b32encode(mac).decode().lower()[:SIGNATURE_LENGTH]


def is_signed(token: str) -> bool:
    """Whether a token has the form of a signed one at all."""
    return "-" in token


def read(token: str, *, now: datetime | None = None, late: timedelta = timedelta(0)) -> SignedReceipt | None:
    """What a link says; None when it is forged, of a key that was taken back, not for us, or over since longer ago
    than `late`.

    All of them take the same steps, so that nobody learns from the time which it was.
    """
    now = now or timezone.now()
    match = _LINK.fullmatch(token.lower())
    key_id, number, minutes, days, signature = match.groups() if match else ("000000", "x", "0", "1", "a" * 26)
    key = ReceiptKey.objects.select_related("store").filter(key_id=key_id).first()
    secret, code = (key.secret, key.store.code) if key else (same_length_secret(), "")
    genuine = hmac.compare_digest(_signature(secret, key_id, code, number, int(minutes), int(days)), signature)
    purchased_at, expires_at = _span(int(minutes), int(days))
    in_time = purchased_at - _SKEW < now < expires_at + late
    if key is None or match is None or not genuine or not in_time or key.store.retired_at:
        return None
    if key.revoked_at or not _in_use(key, purchased_at):
        return None
    return SignedReceipt(key.store, number.upper(), purchased_at, expires_at)


class Fault(StrEnum):
    """Why a link is worth nothing: for whoever sets up a till, never for whoever opens the link."""

    FORM = "form"
    KEY = "key"
    REVOKED = "revoked"
    ENDED = "ended"
    SIGNATURE = "signature"
    FUTURE = "future"
    OVER = "over"


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a link of a store's tills (None: it is good), what must be signed, and what it says."""

    fault: Fault | None
    said: str = ""
    number: str = ""
    purchased_at: datetime | None = None
    expires_at: datetime | None = None


def diagnose(token: str, store: Store, *, now: datetime | None = None) -> Diagnosis:
    """Look at a link as whoever makes the tills of `store` needs it explained."""
    now = now or timezone.now()
    match = _LINK.fullmatch(token.lower())
    if match is None:
        return Diagnosis(Fault.FORM)
    key_id, number, minutes, days = match[1], match[2], int(match[3]), int(match[4])
    purchased_at, expires_at = _span(minutes, days)
    said = _said(key_id, store.code, number, minutes, days)
    key = ReceiptKey.objects.filter(key_id=key_id, store=store).first()
    fault = None
    if key is None:
        fault = Fault.KEY
    elif not hmac.compare_digest(_signature(key.secret, key_id, store.code, number, minutes, days), match[5]):
        fault = Fault.SIGNATURE
    elif key.revoked_at:
        fault = Fault.REVOKED
    elif not _in_use(key, purchased_at):
        fault = Fault.ENDED
    elif purchased_at - _SKEW >= now:
        fault = Fault.FUTURE
    elif now >= expires_at:
        fault = Fault.OVER
    return Diagnosis(fault, said, number, purchased_at, expires_at)


def _in_use(key: ReceiptKey, purchased_at: datetime) -> bool:
    """Whether a key was still a till's when it signed: an ended one proves only the receipts of before."""
    return key.ended_at is None or purchased_at <= key.ended_at


def invitation_of(signed: SignedReceipt) -> Invitation | None:
    """The invitation of the receipt, if it has one already: of an earlier answer, or of an e-receipt."""
    found = Invitation.objects.select_related("store", "contact", "receipt", "response")
    return found.filter(receipt__store=signed.store, receipt__number_hash=signed.number_hash).first()
