"""The hidden value of a form on a page without cookies: the id its rows will have, minted and signed by us.

It stands in for the CSRF cookie, which in-app browsers drop: only a page of ours can hold a value that fits the
address it is sent to. The id makes a form that is sent twice one and the same.
"""

import hashlib
import hmac
import time
import uuid
from base64 import b32encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings

FORM_LIFETIME = timedelta(days=7)
_SIGNATURE_LENGTH = 26
# A clock that runs ahead on another of our machines must not refuse a shopper.
_SKEW = timedelta(minutes=10)


class BadNonce(Exception):
    """The form was not ours, was meant for another page, or is older than FORM_LIFETIME."""


@dataclass(frozen=True)
class FormTicket:
    """What a nonce says: the id to store under, what the form was about, and when we made it."""

    form_id: UUID
    # The survey version that was asked, or 0 where nothing is asked.
    version_id: int
    minted_at: datetime


def _sign(scope: str, payload: str, key: str) -> str:
    mac = hmac.new(key.encode(), f"form\x1f{scope}\x1f{payload}".encode(), hashlib.sha256).digest()
    return b32encode(mac).decode().lower()[:_SIGNATURE_LENGTH]


def mint(scope: str, *, version_id: int = 0, form_id: UUID | None = None) -> str:
    """A nonce for one form about `scope` (for example "touchpoint 12"), with a new id unless one is given."""
    payload = f"{(form_id or uuid.uuid4()).hex}.{version_id}.{int(time.time())}"
    return f"{payload}.{_sign(scope, payload, settings.LINK_KEYS[0])}"


def read(scope: str, nonce: str) -> FormTicket:
    """The ticket in a nonce minted for the same scope under any of our link keys. Raises BadNonce."""
    payload, _, signature = nonce.rpartition(".")
    if not signature.isascii() or not any(
        hmac.compare_digest(_sign(scope, payload, key), signature) for key in settings.LINK_KEYS
    ):
        raise BadNonce
    form_id, version_id, minted = payload.split(".")
    minted_at = datetime.fromtimestamp(int(minted), UTC)
    if not -_SKEW < datetime.now(UTC) - minted_at < FORM_LIFETIME:
        raise BadNonce
    return FormTicket(UUID(form_id), int(version_id), minted_at)
