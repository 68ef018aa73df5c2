"""QR codes of touchpoints, drawn from the modules that `qrcode` computes.

Dark on light always, whatever the page's colours: many scanners cannot read an inverted code.
"""

import struct
import zlib

from django.conf import settings
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

# ISO/IEC 18004, 9.1: four modules of quiet zone on each side.
QUIET_ZONE = 4
PIXELS_PER_MODULE = 24


def touchpoint_url(code: str) -> str:
    """What the QR of a touchpoint says, and what is printed beside it."""
    return f"{settings.PUBLIC_URL}/q/{code}/"


def modules(text: str) -> list[list[bool]]:
    """The rows of the code with its quiet zone; True is dark. Error correction M: a scratched poster still reads."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(text)
    code.make(fit=True)
    rows: list[list[bool]] = code.get_matrix()
    return rows


def svg(text: str, title: str) -> bytes:
    """The code as one path of horizontal runs, without units, so that it prints sharp at any size."""
    rows = modules(text)
    runs: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            if not row[x]:
                x += 1
                continue
            start = x
            while x < len(row) and row[x]:
                x += 1
            runs.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
    side = len(rows)
    escaped = title.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img" shape-rendering="crispEdges">'
        f'<title>{escaped}</title><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{"".join(runs)}"/></svg>'
    ).encode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(text: str) -> bytes:
    """The code as a one-bit greyscale PNG (W3C PNG, 11.2.2): smaller than an imaging library would make it."""
    lines: list[bytes] = []
    for row in modules(text):
        bits = "".join(("0" if dark else "1") * PIXELS_PER_MODULE for dark in row)
        bits += "0" * (-len(bits) % 8)
        # Each line begins with its filter type: none.
        line = b"\x00" + int(bits, 2).to_bytes(len(bits) // 8, "big")
        lines.append(line * PIXELS_PER_MODULE)
    side = len(lines) * PIXELS_PER_MODULE
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    body = zlib.compress(b"".join(lines), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
