"""The chain's logo: an SVG or PNG file that head office brings or the installation names. It is drawn, never executed.

An SVG is a program as much as a picture; ours may hold shapes, colours and gradients, and refer to nothing outside of
itself. Sheets that are printed bear it as it is (`sheet_logo`); a shopper's page, which weighs ten kilobytes with
everything, bears it small (`page_logo`).
"""

import gzip
import io
import re
import struct
import tempfile
from base64 import b64encode
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast
from urllib.parse import quote
from xml.etree import ElementTree

import typst
from django.utils.translation import gettext as _
from PIL import Image

from core.theme import WHITE, contrast

MOST_BYTES = 500_000
# What a page has to spare for it, compressed, so that a long survey still fits beside it.
MOST_PAGE_BYTES = 2_600
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")
_PNG = b"\x89PNG\r\n\x1a\n"
_PLAIN = {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "title", "desc"}
_GROUPS = {"svg", "g", "defs", "symbol", "use", "clipPath", "mask", "linearGradient", "radialGradient", "stop"}
_SVG = "{http://www.w3.org/2000/svg}"
_MOST_PIXELS = 4000
# In pixels of the page; pictures are kept in three dots to the pixel, as phones have them.
_HEIGHT, _WIDTH, _DOTS = 28, 160, 3
# A dot is seen on white from this contrast on (WCAG 2.2, success criterion 1.4.11), and so much of a logo must be.
_SEEN, _ENOUGH_SEEN = 3.0, 0.2


class BadLogo(ValueError):
    """The file is no logo that we draw; the message says why, for whoever brought it."""


@dataclass(frozen=True)
class PageLogo:
    """A logo as a page bears it: its `data:` address, and how large it is drawn, in pixels of the page."""

    address: str
    width: int
    height: int


def chain_logo(path: str) -> str:
    """The logo of a file as SVG, read again when the file changes; "" where none is named. Raises BadLogo."""
    if not path:
        return ""
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError as error:
        raise BadLogo(f"{path} cannot be read: {error.strerror}.") from None
    return _read(path, changed)


@lru_cache(maxsize=4)
def _read(path: str, changed: int) -> str:
    return sheet_logo(Path(path).read_bytes())


def sheet_logo(data: bytes) -> str:
    """The logo in a file as SVG, for print. Raises BadLogo."""
    if len(data) > MOST_BYTES:
        raise BadLogo(_("The file is larger than %(most)d kB.") % {"most": MOST_BYTES // 1000})
    return _wrapped_png(data) if data.startswith(_PNG) else _checked_svg(data)


@lru_cache(maxsize=4)
def page_logo(svg: str) -> PageLogo:
    """What `sheet_logo` gave, for a page: the SVG itself where it is small enough, else a small picture of it.

    Raises BadLogo when it cannot be seen, or is too heavy even then.
    """
    picture = _without_margins(_drawn(svg))
    if not _is_seen(picture):
        raise BadLogo(_("On white one hardly sees this logo. Please bring the one for bright backgrounds."))
    plain = "data:image/svg+xml," + quote(re.sub(r">\s+<", "><", svg).strip(), safe=" =/:;,()!*@$?+~'")
    if _weight(plain) <= MOST_PAGE_BYTES:
        return _sized(plain, *(_shape(svg) or picture.size))
    return _sized(_small_png(picture), *picture.size)


def _drawn(svg: str) -> Image.Image:
    """The SVG in dots, in the middle of as much room as a logo has: whatever its shape, it takes no more memory."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.typ")
        Path(folder, "logo.svg").write_text(svg)
        page.write_text(
            "#set page(width: auto, height: auto, margin: 0pt, fill: none)\n"
            f'#image("logo.svg", width: {_WIDTH * _DOTS}pt, height: {_HEIGHT * _DOTS}pt, fit: "contain")\n'
        )
        try:
            png = typst.compile(page, root=Path(folder), format="png", ppi=72, ignore_system_fonts=True)
        except BaseException as error:
            # Some shapes make the compiler panic, which is no Exception: it would end the thread that serves the page.
            if isinstance(error, RuntimeError) or type(error).__name__ == "PanicException":
                raise BadLogo(_("The logo cannot be drawn.")) from None
            raise
    assert isinstance(png, bytes)
    return Image.open(io.BytesIO(png)).convert("RGBA")


def _without_margins(picture: Image.Image) -> Image.Image:
    box = picture.getchannel("A").getbbox()
    if box is None:
        raise BadLogo(_("There is nothing to see in this logo."))
    picture = picture.crop(box)
    picture.thumbnail((_WIDTH * _DOTS, _HEIGHT * _DOTS), Image.Resampling.LANCZOS)
    return picture


def _is_seen(picture: Image.Image) -> bool:
    """Whether it shows on paper, or on a plate as bright: a logo that was drawn for the dark does not."""
    opaque, seen = 0, 0
    for number, colour in picture.getcolors(picture.width * picture.height) or []:
        red, green, blue, alpha = cast(tuple[int, int, int, int], colour)
        if alpha > 127:
            opaque += number
            seen += number * (contrast(f"#{red:02x}{green:02x}{blue:02x}", WHITE) >= _SEEN)
    return seen >= _ENOUGH_SEEN * max(opaque, 1)


def _small_png(picture: Image.Image) -> str:
    for colours in (128, 64, 32, 16):
        file = io.BytesIO()
        picture.quantize(colours).save(file, "PNG", optimize=True)
        address = f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
        if _weight(address) <= MOST_PAGE_BYTES:
            return address
    raise BadLogo(
        _(
            "Even small, this logo is heavier than the %(most)s kB that a shopper’s page has for it. Please bring a "
            "plainer one: no photograph, and no fine shading."
        )
        % {"most": f"{MOST_PAGE_BYTES / 1000:.1f}"}
    )


def _weight(address: str) -> int:
    """What it adds to a page, compressed, in bytes."""
    return len(gzip.compress(address.encode(), 9))


def _shape(svg: str) -> tuple[float, float] | None:
    """The width and height that an SVG says it has, in whatever unit; None when it does not."""
    root = ElementTree.fromstring(svg)  # noqa: S314  (checked when it was brought)
    named = root.get("viewBox", "").replace(",", " ").split()[2:] or [root.get("width", ""), root.get("height", "")]
    found = [float(one.removesuffix("px")) if _NUMBER.fullmatch(one.removesuffix("px")) else 0.0 for one in named]
    return (found[0], found[1]) if len(found) == 2 and all(0 < one < 1e6 for one in found) else None


def _sized(address: str, width: float, height: float) -> PageLogo:
    scale = min(_HEIGHT / height, _WIDTH / width)
    return PageLogo(address, max(1, round(width * scale)), max(1, round(height * scale)))


def _wrapped_png(data: bytes) -> str:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise BadLogo(_("The PNG file is broken."))
    width, height = struct.unpack(">II", data[16:24])
    if not (0 < width <= _MOST_PIXELS and 0 < height <= _MOST_PIXELS):
        raise BadLogo(_("The PNG file must be at most %(most)d pixels wide and tall.") % {"most": _MOST_PIXELS})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{b64encode(data).decode()}"/></svg>'
    )


def _checked_svg(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise BadLogo(_("The logo is neither a PNG nor an SVG file.")) from None
    if re.search(r"<!DOCTYPE|<!ENTITY|<\?xml-stylesheet", text, re.IGNORECASE):
        raise BadLogo(_("The SVG file must not declare a document type, entities or style sheets."))
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  (no entities, see above)
    except ElementTree.ParseError as error:
        raise BadLogo(_("The SVG file is broken: %(error)s.") % {"error": error}) from None
    if root.tag != f"{_SVG}svg":
        raise BadLogo(_("The logo is neither a PNG nor an SVG file."))
    for element in root.iter():
        name = element.tag.removeprefix(_SVG) if isinstance(element.tag, str) else ""
        if name not in _PLAIN | _GROUPS:
            raise BadLogo(
                _("The SVG file holds <%(name)s>; shapes, colours and gradients only. A PNG will do as well.")
                % {"name": name.rpartition("}")[2]}
            )
        for key, value in element.attrib.items():
            _check_attribute(key.rpartition("}")[2].lower(), value)
    _check_tangle(root)
    return text


def _check_tangle(root: ElementTree.Element) -> None:
    """What is used again must not itself use something again: a few lines of it would be drawn a billion times."""
    shades = {"linearGradient", "radialGradient"}
    # Of several elements with one name, each reader draws another: all of them count.
    by_id: dict[str | None, list[ElementTree.Element]] = defaultdict(list)
    for element in root.iter():
        by_id[element.get("id")].append(element)
    leaves = {name for name, named in by_id.items() if all(one.tag.removeprefix(_SVG) in shades for one in named)}
    for name in {one for element in root.iter() for one in _references(element)} - leaves:
        inner = {one for used in by_id.get(name, ()) for element in used.iter() for one in _references(element)}
        if inner - leaves:
            raise BadLogo(_("The SVG file uses its parts within each other. A PNG will do as well."))


def _references(element: ElementTree.Element) -> list[str]:
    return [one for value in element.attrib.values() for one in re.findall(r"(?:^|url\([\s\"']*)#([^\s\"')]+)", value)]


def _check_attribute(name: str, value: str) -> None:
    outside = name == "href" and not value.startswith("#")
    if name.startswith("on") or outside or re.search(r"url\(\s*[\"']?[^#\"']|javascript:", value, re.IGNORECASE):
        raise BadLogo(
            _("The SVG file refers to something outside of itself, or runs something: %(name)s.") % {"name": name}
        )
