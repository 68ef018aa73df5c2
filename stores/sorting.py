"""Names in an order that people expect, computed once because the database sorts by code point."""

import unicodedata


def folded(text: str) -> str:
    """Without case and accents, so that "munchen" finds München and "київ" Київ."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def sort_key(name: str) -> bytes:
    """Bytes that sort as a reader would: case and accents aside first (Ä beside A), then the name itself."""
    return folded(name).encode() + b"\x00" + name.encode()
