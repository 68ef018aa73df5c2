"""Pages that say the same to everybody but for a few secrets: rendered once, compressed once, filled in each time.

A template writes a secret as `place("name")`; `fill` puts the value there. The compressed page is put together from
parts that were compressed when it was first rendered, with each secret as it is in a block of its own (RFC 1951,
3.2.4), so that a page costs its reader's browser little and the server next to nothing.
"""

import re
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

_PLACE = re.compile(r"@the-(\w+)-goes-here@")
_MOST = 2000
# RFC 1952: deflate, no name, no time, unknown system; and an empty last block.
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_LAST_BLOCK = b"\x01\0\0\xff\xff"


def place(name: str) -> str:
    """What stands in a rendered page where a secret belongs."""
    return f"@the-{name}-goes-here@"


@dataclass(frozen=True)
class KeptPage:
    """A page in pieces: text, the name of a place, text, and so on."""

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, html: str) -> "KeptPage":
        return cls(tuple(_PLACE.split(html)))

    @cached_property
    def _texts(self) -> list[bytes]:
        return [piece.encode() for piece in self.pieces]

    @cached_property
    def _compressed(self) -> list[bytes]:
        return [_deflated(text) for text in self._texts]

    def fill(self, secrets: Mapping[str, str]) -> bytes:
        """The page."""
        return b"".join(
            secrets[self.pieces[number]].encode() if number % 2 else text for number, text in enumerate(self._texts)
        )

    def fill_gzip(self, secrets: Mapping[str, str]) -> bytes:
        """The page, compressed."""
        whole = self.fill(secrets)
        parts = [
            _stored(secrets[self.pieces[number]].encode()) if number % 2 else part
            for number, part in enumerate(self._compressed)
        ]
        return b"".join([_GZIP_HEAD, *parts, _LAST_BLOCK, struct.pack("<LL", zlib.crc32(whole), len(whole))])


def _deflated(text: bytes) -> bytes:
    """Raw deflate that ends at a byte and refers to nothing before it."""
    pressing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return pressing.compress(text) + pressing.flush(zlib.Z_SYNC_FLUSH)


def _stored(text: bytes) -> bytes:
    return b"\0" + struct.pack("<HH", len(text), 0xFFFF - len(text)) + text


_kept: dict[tuple[object, ...], KeptPage] = {}


def kept(key: tuple[object, ...], render: Callable[[], str]) -> KeptPage:
    """The page of a key, which holds everything that it depends on: nothing is ever thrown away for being old."""
    page = _kept.get(key)
    if page is None:
        if len(_kept) >= _MOST:
            _kept.clear()
        page = _kept[key] = KeptPage.of(render())
    return page
