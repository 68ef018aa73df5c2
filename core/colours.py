"""Shades of the chain's accent that can be read."""

from dataclasses import dataclass
from functools import lru_cache

_WHITE, _INK, _DARK_PAPER = (255, 255, 255), (22, 25, 29), (20, 23, 27)
# WCAG 2.2, success criterion 1.4.3.
_READABLE = 4.5

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Accent:
    """`light` is readable on white and `dark` on the dark page; `on_light` and `on_dark` are readable on them."""

    light: str
    on_light: str
    dark: str
    on_dark: str


def _rgb(colour: str) -> Rgb:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(d * 2 for d in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _luminance(rgb: Rgb) -> float:
    channels = [c / 255 for c in rgb]
    r, g, b = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of WCAG 2.2: 1 for equal colours, 21 for black on white."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _towards(rgb: Rgb, goal: Rgb, on: Rgb) -> Rgb:
    """The colour nearest to `rgb` on the way to `goal` that is readable on `on`."""
    for step in range(21):
        r, g, b = (round(c + (g - c) * step / 20) for c, g in zip(rgb, goal, strict=True))
        if contrast((r, g, b), on) >= _READABLE:
            return r, g, b
    return goal


def _hex(rgb: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


@lru_cache
def accent(colour: str) -> Accent:
    """Readable shades of `colour` (`#rgb` or `#rrggbb`). Raises ValueError for anything else."""
    base = _rgb(colour)
    light, dark = _towards(base, (0, 0, 0), _WHITE), _towards(base, _WHITE, _DARK_PAPER)
    return Accent(
        light=_hex(light),
        on_light="#ffffff",
        dark=_hex(dark),
        on_dark=_hex(_INK if contrast(dark, _INK) >= _READABLE else _WHITE),
    )
