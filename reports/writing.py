"""How figures and words are written."""

import re
import unicodedata

from django.utils.translation import gettext


def points(value: float | None) -> str:
    """NPS points without decimals, with a real minus sign; a dash for None."""
    if value is None:
        return "–"
    whole = round(value)
    return f"−{-whole}" if whole < 0 else str(whole)


def change(value: float) -> str:
    """Points with their sign always written."""
    return points(value) if round(value) <= 0 else f"+{points(value)}"


def percent(value: float | None) -> str:
    """A share of one as the reader's language writes per cent; a dash for None."""
    if value is None:
        return "–"
    return gettext("%(number)s%%") % {"number": round(100 * value)}


def hundred(value: float | None) -> str:
    """A share of one as a length out of 100, for drawings."""
    return f"{100 * (value or 0):.1f}"


_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi"})


def direction_of(text: str, language: str = "") -> str:
    """Either "rtl" or "ltr": by the language when it is known to run right to left, else by the first letter."""
    if language in _RIGHT_TO_LEFT:
        return "rtl"
    strong = (kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL"))
    return "rtl" if next(strong, "L") in ("R", "AL") else "ltr"


def printable(text: str) -> str:
    """What a typeface of letters can show: no emoji, no control signs, no signs that turn the direction around."""
    kept = (c for c in text if c in "\n\u200c\u200d" or unicodedata.category(c) not in _UNPRINTABLE)
    return re.sub(r" {2,}", " ", "".join(kept)).strip()


_UNPRINTABLE = frozenset({"So", "Sk", "Cc", "Cf", "Cs", "Co", "Cn", "Me"})
