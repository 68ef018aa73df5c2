"""Columns that keep what identifies a person as ciphertext."""

from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


@lru_cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    def derived(key: str) -> Fernet:
        raw = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"halfhour field").derive(key.encode())
        return Fernet(urlsafe_b64encode(raw))

    return MultiFernet([derived(key) for key in keys])


def encrypt(text: str) -> str:
    """Fernet ciphertext under the first of FIELD_KEYS."""
    return _cipher(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()


def decrypt(ciphertext: str) -> str:
    """What `encrypt` was given, under whichever of FIELD_KEYS."""
    return _cipher(tuple(settings.FIELD_KEYS)).decrypt(ciphertext.encode()).decode()


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that lies in the database as Fernet ciphertext under FIELD_KEYS (the first writes, all read).

    It cannot be searched: keep a `core.tokens.keyed_hash` beside it. Empty text stays empty, so that an erased
    value is recognisable.
    """

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return value
        return encrypt(str(value))

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        if not value:
            return value
        return decrypt(value)
