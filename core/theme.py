"""The chain's one colour, as custom properties that are readable on every surface."""

import colorsys
from functools import lru_cache

Rgb = tuple[float, float, float]

# The surfaces that accent-coloured text stands on, as static/css/tokens.css has them.
LIGHT_SURFACE, DARK_SURFACE = "#f3f5f4", "#22272f"
INK, WHITE = "#16191d", "#ffffff"
# WCAG 2.2, success criterion 1.4.3.
READABLE = 4.5


def _rgb(colour: str) -> Rgb:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]


def _hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in rgb)


def _luminance(rgb: Rgb) -> float:
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable_on(surface: str, colour: str) -> str:
    """`colour`, made lighter or darker in small steps until it can be read as text on `surface`."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_rgb(colour))
    step = 0.02 if _luminance(_rgb(surface)) < 0.18 else -0.02
    found = colour
    while contrast(found, surface) < READABLE and 0 < lightness + step < 1:
        lightness += step
        found = _hex(colorsys.hls_to_rgb(hue, lightness, saturation))
    return found


def readable_ink(fill: str) -> str:
    """White, our ink or black: the first that can be read on `fill`. Where white fails, black does not."""
    return next((ink for ink in (WHITE, INK) if contrast(ink, fill) >= READABLE), "#000000")


@lru_cache
def stylesheet(accent: str, second: str = "") -> str:
    """The accent (a fill), the text upon it, and the accent as text, for light and for dark pages; and the chain's
    second colour (a fill), which is the accent where it has none."""

    def rules(fill: str, other: str, surface: str) -> str:
        ink, text = readable_ink(fill), readable_on(surface, accent)
        return f"--accent:{fill};--on-accent:{ink};--accent-text:{text};--second:{other}"

    second = second or accent
    light = rules(accent, second, LIGHT_SURFACE)
    dark = rules(readable_on(DARK_SURFACE, accent), readable_on(DARK_SURFACE, second), DARK_SURFACE)
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
