"""Sets many sheets in a process of its own: `python -m stores.posters.press` reads one piece of work and ends.

Typst remembers all that it has ever set, some hundred megabytes for a thousand sheets; a process that ends gives them
back, and two of them use two cores. This module needs neither Django nor the database.
"""

import json
import re
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import typst
import zxingcpp

from core.typefaces import typefaces

_FOLDER = Path(__file__).parent
# Several times what a piece takes on a busy machine; shorter than a job's lease.
_TIMEOUT_SECS = 90
_LENGTH = struct.Struct(">Q")
_DARK = re.compile(rb"\x00+")
# What the sheets of one form have in common, and their `rows`.
Section = dict[str, Any]
# What one PDF holds, in the order of printing: the name of a form, and the rows printed in it.
Rows = list[tuple[str, list[dict[str, Any]]]]


class PressFailed(RuntimeError):
    """A piece of work came to nothing; the message is typst's own."""


def draw_code(text: str) -> tuple[str, int]:
    """The QR code without its quiet zone, as an SVG of horizontal runs, and its width in modules.

    Error correction M, as on the pages (`stores.qr`): indoors a code is rather read from too far away than scratched,
    and each step up makes the modules a tenth smaller. Nothing is laid over it that would use the correction up.
    """
    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(
        scale=1, add_quiet_zones=False
    )
    rows = [bytes(row) for row in numpy.asarray(symbol)]
    runs = [
        f"M{found.start()} {y}h{len(found[0])}v1h-{len(found[0])}z"
        for y, row in enumerate(rows)
        for found in _DARK.finditer(row)
    ]
    side = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path d="{"".join(runs)}"/></svg>',
        side,
    )


def set_sheets(sections: Sequence[Section], **options: Any) -> bytes:
    """One PDF with a sheet for each row of each section, or with `format="png"` the picture of one; here, in this
    process. Each sheet is as large as the form of its section.

    A row's `url` is what its code says.
    """
    drawn = [section | {"rows": [_with_code(row) for row in section["rows"]]} for section in sections]
    # Tags tell a screen reader the order of what is read; nobody reads a stack of posters with one.
    wanted: dict[str, Any] = {"format": "pdf", "pdf_tags": False} | options
    found = typst.compile(
        _FOLDER / "poster.typ",
        root=_FOLDER,
        font_paths=typefaces(),
        ignore_system_fonts=True,
        sys_inputs={"sections": json.dumps(drawn)},
        **wanted,
    )
    assert isinstance(found, bytes)
    return found


def _with_code(row: dict[str, Any]) -> dict[str, Any]:
    code, side = draw_code(row["url"])
    return row | {"qr": code, "modules": side}


def set_elsewhere(forms: dict[str, dict[str, Any]], documents: Sequence[Rows]) -> list[bytes]:
    """A PDF for each of `documents`, set by a process that ends with the work. Raises PressFailed.

    `forms` says what the sheets of each form have in common, once for all documents.
    """
    work = json.dumps({"forms": forms, "documents": documents}).encode()
    done = subprocess.run(
        [sys.executable, "-m", "stores.posters.press"],
        input=work,
        capture_output=True,
        cwd=_FOLDER.parents[1],
        timeout=_TIMEOUT_SECS,
        check=False,
    )
    if done.returncode:
        raise PressFailed(done.stderr.decode(errors="replace")[-500:])
    found, at = [], 0
    while at < len(done.stdout):
        (length,) = _LENGTH.unpack_from(done.stdout, at)
        at += _LENGTH.size
        found.append(done.stdout[at : at + length])
        at += length
    return found


def main() -> None:
    work = json.load(sys.stdin.buffer)
    for document in work["documents"]:
        pdf = set_sheets([work["forms"][form] | {"rows": rows} for form, rows in document])
        sys.stdout.buffer.write(_LENGTH.pack(len(pdf)) + pdf)


if __name__ == "__main__":
    main()
