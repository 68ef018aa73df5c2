"""Secrets in links and the hashes by which we find what they belong to.

A link's token is never stored. It is an HMAC over the purpose and the row's id, so it can be written again into a
later message, while the database holds only its hash.
"""

import hashlib
import hmac
import secrets
from base64 import b32encode, urlsafe_b64encode
from uuid import UUID

from django.conf import settings

# Crockford's alphabet: no I, L, O or U, which are mistyped or misread.
_TYPED = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TYPED_CODE_LENGTH = 12
LINK_TOKEN_LENGTH = 26


def _mac(purpose: str, value: str, key: str) -> bytes:
    return hmac.new(key.encode(), f"{purpose}\x1f{value}".encode(), hashlib.sha256).digest()


def link_token(purpose: str, row_id: UUID, *, known_hash: str = "") -> str:
    """The 26-character token (130 bits) that opens the row `row_id` for `purpose`, in letters and digits only.

    It is made with the newest link key, or with whichever fits `known_hash`: links that are out in the world outlive
    a new key.
    """
    tokens = [
        b32encode(_mac(f"link {purpose}", row_id.hex, key)).decode().lower()[:LINK_TOKEN_LENGTH]
        for key in settings.LINK_KEYS
    ]
    return next((token for token in tokens if token_hash(token) == known_hash), tokens[0])


def token_hash(token: str) -> str:
    """What the database keeps of a token: find by it, compare nothing else."""
    return hashlib.sha256(token.lower().encode()).hexdigest()


def keyed_hash(purpose: str, value: str) -> str:
    """A lookup key for a personal value (a phone number, a receipt number): equal values, equal hashes.

    Uses the oldest link key, so that adding a new key in front does not lose what was stored.
    """
    return urlsafe_b64encode(_mac(f"find {purpose}", value, settings.LINK_KEYS[-1])).decode().rstrip("=")


def typed_code() -> str:
    """A new unguessable code of 12 characters that a person can type from a poster (60 bits)."""
    return "".join(secrets.choice(_TYPED) for _ in range(TYPED_CODE_LENGTH))


def clean_typed_code(typed: str) -> str:
    """The code as stored, from what a person typed: case, spaces, hyphens and look-alike letters are forgiven."""
    return typed.upper().replace("-", "").replace(" ", "").translate(str.maketrans("OIL", "011"))


def receipt_key() -> tuple[str, str]:
    """The public name (6 characters) and the secret (256 bits) of a new key by which a till signs its links."""
    return "".join(secrets.choice("0123456789abcdefghjkmnpqrstvwxyz") for _ in range(6)), secrets.token_hex(32)


def same_length_secret() -> str:
    """Stands in for the secret of a key that there is none of, so that looking for it takes the same time."""
    return "0" * 64


def api_key() -> str:
    """A new API key: `hh_`, an 8-character prefix that may be shown, a dot, and the secret."""
    return f"hh_{secrets.token_hex(4)}.{secrets.token_urlsafe(32)}"
