"""Reads a QR code as a scanner would, from the modules alone (ISO/IEC 18004), for codes up to version 6.

Knows nothing of the library that drew it. It corrects no errors: a code that was just drawn has none.
"""

import re
import struct
import zlib
from collections.abc import Callable

Rows = list[list[bool]]

# Level M by version: how many blocks, and how many data codewords each has (table 9).
_BLOCKS_M = {1: (1, 16), 2: (1, 28), 3: (1, 44), 4: (2, 32), 5: (2, 43), 6: (4, 27)}
_ERROR_CODEWORDS_M = {1: 10, 2: 16, 3: 26, 4: 18, 5: 24, 6: 16}
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda y, x: (y + x) % 2 == 0,
    lambda y, x: y % 2 == 0,
    lambda y, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
)


def quiet_zone(rows: Rows) -> int:
    """How many light modules surround the code on its narrowest side."""
    top = next(y for y, row in enumerate(rows) if any(row))
    bottom = next(y for y, row in enumerate(reversed(rows)) if any(row))
    left = min(row.index(True) for row in rows if any(row))
    right = min(row[::-1].index(True) for row in rows if any(row))
    return min(top, bottom, left, right)


def _is_function(size: int, y: int, x: int) -> bool:
    corners = (y < 9 and x < 9) or (y < 9 and x >= size - 8) or (y >= size - 8 and x < 9)
    alignment = size > 21 and abs(y - (size - 7)) <= 2 and abs(x - (size - 7)) <= 2
    return corners or alignment or y == 6 or x == 6


def decode(rows: Rows) -> str:
    """The text of the code; fails unless its format says error correction M."""
    quiet = quiet_zone(rows)
    code = [row[quiet : len(row) - quiet] for row in rows[quiet : len(rows) - quiet]]
    size = len(code)
    version = (size - 17) // 4
    places = [(8, x) for x in (0, 1, 2, 3, 4, 5, 7, 8)] + [(y, 8) for y in (7, 5, 4, 3, 2, 1, 0)]
    form = int("".join("1" if code[y][x] else "0" for y, x in places), 2) ^ 0b101010000010010
    assert form >> 13 == 0b00, "error correction is not M"
    masked = _MASKS[form >> 10 & 7]
    bits: list[bool] = []
    upwards = True
    right = size - 1
    while right > 0:
        if right == 6:  # the vertical timing pattern
            right -= 1
        for y in range(size - 1, -1, -1) if upwards else range(size):
            for x in (right, right - 1):
                if not _is_function(size, y, x):
                    bits.append(code[y][x] ^ masked(y, x))
        upwards = not upwards
        right -= 2
    words = [int("".join(map(str, map(int, bits[i : i + 8]))), 2) for i in range(0, len(bits) - 7, 8)]
    blocks, each = _BLOCKS_M[version]
    assert len(words) == blocks * (each + _ERROR_CODEWORDS_M[version])
    data = bytes(words[block + blocks * i] for block in range(blocks) for i in range(each))
    return _text("".join(f"{byte:08b}" for byte in data))


def _text(stream: str) -> str:
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int(stream[at - count : at], 2)

    text = ""
    while at + 4 <= len(stream) and (mode := take(4)):
        if mode == 4:
            text += bytes(take(8) for _ in range(take(8))).decode()
        elif mode == 2:
            for left in range(take(9), 0, -2):
                pair = take(11) if left > 1 else take(6)
                text += (_ALPHANUMERIC[pair // 45] if left > 1 else "") + _ALPHANUMERIC[pair % 45]
        elif mode == 1:
            for left in range(take(10), 0, -3):
                digits = min(left, 3)
                text += f"{take((0, 4, 7, 10)[digits]):0{digits}d}"
        else:
            raise AssertionError(f"unknown mode {mode}")
    return text


def rows_of_png(data: bytes) -> Rows:
    """The modules of a one-bit greyscale PNG, one sample from the middle of each."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, width, height, packed = 8, 0, 0, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, depth, colour, *_rest = struct.unpack(">IIBBBBB", body)
            assert (depth, colour) == (1, 0)
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    pixels = zlib.decompress(packed)
    stride = 1 + (width + 7) // 8

    def dark(y: int, x: int) -> bool:
        return not pixels[y * stride + 1 + x // 8] >> (7 - x % 8) & 1

    # The first dark pixel of the diagonal begins the finder pattern, seven modules wide.
    start = next(i for i in range(width) if dark(i, i))
    end = next(x for x in range(start, width) if not dark(start, x))
    module = (end - start) // 7
    return [[dark(y, x) for x in range(module // 2, width, module)] for y in range(module // 2, height, module)]


def rows_of_svg(text: str) -> Rows:
    """The modules of our SVG, whose dark path is made of horizontal runs."""
    size = re.search(r'viewBox="0 0 (\d+) \1"', text)
    assert size
    rows = [[False] * int(size[1]) for _ in range(int(size[1]))]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", text):
        for step in range(int(width)):
            rows[int(y)][int(x) + step] = True
    return rows
