"""Names in an order that people expect, computed once because the database sorts by code point."""

import unicodedata


def sort_key(name: str) -> bytes:
    """Bytes that sort as a reader would: case and accents aside first (Ä beside A), then the name itself."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return plain.encode() + b"\x00" + name.encode()
