"""Reads printed sheets again: drawn by the engine that browsers show PDFs with, read by a scanner's decoder."""

from dataclasses import dataclass
from typing import Any

import numpy
import pypdfium2
import zxingcpp

from stores.posters.formats import MM_PER_INCH


@dataclass(frozen=True)
class Seen:
    """A QR code on a drawn page: what it says, its width in millimetres, and whether its quiet zone is clean."""

    text: str
    width_mm: float
    clean: bool


def page_images(pdf: bytes, dpi: float) -> list[Any]:
    """Each page as grey pixels at a printer's resolution."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=dpi / 72, grayscale=True).to_numpy().copy() for page in document]
    finally:
        document.close()


def codes_on(image: Any, dpi: float) -> list[Seen]:
    """Every code on a page, from above."""
    found = []
    for one in zxingcpp.read_barcodes(image):
        p = one.position
        xs = [p.top_left.x, p.top_right.x, p.bottom_left.x, p.bottom_right.x]
        ys = [p.top_left.y, p.top_right.y, p.bottom_left.y, p.bottom_right.y]
        found.append((min(ys), Seen(one.text, (max(xs) - min(xs)) / dpi * MM_PER_INCH, _is_clean(image, xs, ys))))
    return [seen for _top, seen in sorted(found, key=lambda pair: pair[0])]


def _is_clean(image: Any, xs: list[int], ys: list[int]) -> bool:
    """Whether there is nothing but white within four modules of the code."""
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    # The finder pattern's upper edge is seven modules long; the corners are known to a pixel or two.
    row = image[top + 4, left : right + 1] < 128
    start = int(numpy.argmax(row))
    module = int(numpy.argmin(row[start:])) / 7
    zone, slack = round(4 * module) - 2, 2
    box = image[max(0, top - zone) : bottom + zone, max(0, left - zone) : right + zone].copy()
    inner_top, inner_left = top - max(0, top - zone), left - max(0, left - zone)
    box[
        inner_top - slack : inner_top + bottom - top + slack, inner_left - slack : inner_left + right - left + slack
    ] = 255
    roomy = top >= zone and left >= zone and bottom + zone <= image.shape[0] and right + zone <= image.shape[1]
    return roomy and bool((box > 250).all())
