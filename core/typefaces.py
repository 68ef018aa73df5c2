"""The typefaces of all that is printed, and what they lack. Needs neither Django nor the database: a process of its own
sets posters."""

import struct
from functools import cache
from pathlib import Path
from types import ModuleType

import manimgx_fonts
import manimgx_fonts_cjk
import typst

# Of a character map: these subtables hold all of Unicode, the best one first (OpenType, "cmap").
_SUBTABLES = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3))


def _folder(package: ModuleType) -> Path:
    assert package.__file__
    return Path(package.__file__).parent


_FOLDERS = [_folder(manimgx_fonts), _folder(manimgx_fonts_cjk)]


@cache
def typefaces() -> typst.Fonts:
    """Noto Sans for every script of the product and nearly all that shoppers write, and emoji; read once per process.

    The machine's own typefaces would make each printer's paper another.
    """
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=_FOLDERS)


@cache
def printed_characters() -> frozenset[int]:
    """The code points of which one of the typefaces has a sign; of any other, a box would be printed."""
    files = [file for folder in _FOLDERS for file in folder.iterdir() if file.suffix in {".ttf", ".otf", ".ttc"}]
    return frozenset[int]().union(*(_characters(file.read_bytes()) for file in files))


def _characters(font: bytes) -> set[int]:
    """Those of a font file, or of the first of a collection: the others are the same in other shapes."""
    start = struct.unpack_from(">I", font, 12)[0] if font.startswith(b"ttcf") else 0
    (tables,) = struct.unpack_from(">H", font, start + 4)
    places = {
        tag: place
        for tag, _sum, place, _length in (
            struct.unpack_from(">4sIII", font, start + 12 + 16 * i) for i in range(tables)
        )
    }
    cmap = places[b"cmap"]
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    records = [struct.unpack_from(">HHI", font, cmap + 4 + 8 * i) for i in range(count)]
    subtables = {(platform, encoding): cmap + offset for platform, encoding, offset in records}
    return _read_subtable(font, next(subtables[key] for key in _SUBTABLES if key in subtables))


def _read_subtable(font: bytes, at: int) -> set[int]:
    (form,) = struct.unpack_from(">H", font, at)
    found: set[int] = set()
    if form == 12:
        (groups,) = struct.unpack_from(">I", font, at + 12)
        for i in range(groups):
            first, last, _glyph = struct.unpack_from(">III", font, at + 16 + 12 * i)
            found.update(range(first, last + 1))
        return found
    assert form == 4, form
    segments = struct.unpack_from(">H", font, at + 6)[0] // 2
    ends = struct.unpack_from(f">{segments}H", font, at + 14)
    starts = struct.unpack_from(f">{segments}H", font, at + 16 + 2 * segments)
    for first, last in zip(starts, ends, strict=True):
        found.update(range(first, last + 1))
    found.discard(0xFFFF)
    return found
