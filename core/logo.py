"""The chain's logo: an SVG or PNG file that the installation names. It is drawn, never executed.

An SVG is a program as much as a picture; ours may hold shapes, colours and gradients, and refer to nothing outside of
itself.
"""

import re
import struct
from base64 import b64encode
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

MOST_BYTES = 500_000
_PLAIN = {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "title", "desc"}
_GROUPS = {"svg", "g", "defs", "symbol", "use", "clipPath", "mask", "linearGradient", "radialGradient", "stop"}
_SVG = "{http://www.w3.org/2000/svg}"
_MOST_PIXELS = 4000


class BadLogo(ValueError):
    """The file is no logo that we draw; the message says why."""


def chain_logo(path: str) -> str:
    """The logo as SVG, read again when the file changes; "" where none is set. Raises BadLogo."""
    if not path:
        return ""
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError as error:
        raise BadLogo(f"{path} cannot be read: {error.strerror}.") from None
    return _read(path, changed)


@lru_cache(maxsize=4)
def _read(path: str, changed: int) -> str:
    data = Path(path).read_bytes()
    if len(data) > MOST_BYTES:
        raise BadLogo(f"{path} is larger than {MOST_BYTES // 1000} kB.")
    return _wrapped_png(data) if data.startswith(b"\x89PNG\r\n\x1a\n") else _checked_svg(data)


def _wrapped_png(data: bytes) -> str:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise BadLogo("The PNG file is broken.")
    width, height = struct.unpack(">II", data[16:24])
    if not (0 < width <= _MOST_PIXELS and 0 < height <= _MOST_PIXELS):
        raise BadLogo(f"The PNG file must be at most {_MOST_PIXELS} pixels wide and tall.")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{b64encode(data).decode()}"/></svg>'
    )


def _checked_svg(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise BadLogo("The logo is neither a PNG nor an SVG file.") from None
    if re.search(r"<!DOCTYPE|<!ENTITY|<\?xml-stylesheet", text, re.IGNORECASE):
        raise BadLogo("The SVG file must not declare a document type, entities or style sheets.")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  (no entities, see above)
    except ElementTree.ParseError as error:
        raise BadLogo(f"The SVG file is broken: {error}.") from None
    if root.tag != f"{_SVG}svg":
        raise BadLogo("The logo is neither a PNG nor an SVG file.")
    for element in root.iter():
        name = element.tag.removeprefix(_SVG) if isinstance(element.tag, str) else ""
        if name not in _PLAIN | _GROUPS:
            raise BadLogo(f"The SVG file holds <{name}>; shapes, colours and gradients only.")
        for key, value in element.attrib.items():
            _check_attribute(key.rpartition("}")[2].lower(), value)
    return text


def _check_attribute(name: str, value: str) -> None:
    outside = name == "href" and not value.startswith("#")
    if name.startswith("on") or outside or re.search(r"url\(\s*[\"']?[^#\"']|javascript:", value, re.IGNORECASE):
        raise BadLogo(f"The SVG file refers to something outside of itself, or runs something: {name}.")
