"""How words of others and figures are written on paper and on pages."""

import re
import unicodedata

from django.utils.translation import get_language_bidi, gettext

_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi"})


def direction_of(text: str, language: str = "") -> str:
    """Either "rtl" or "ltr": by the language when it is known to run right to left, else by the first letter."""
    if language in _RIGHT_TO_LEFT:
        return "rtl"
    strong = (kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL"))
    return "rtl" if next(strong, "L") in ("R", "AL") else "ltr"


def isolated(name: str) -> str:
    """A name that stays in one piece within words that run from the right (by Unicode's isolates)."""
    return f"\u2068{name}\u2069" if name and get_language_bidi() else name


def printable(text: str, *, emoji: bool = False) -> str:
    """What paper can show: no control signs, no signs that turn the direction around; emoji only where asked for, in
    the words of shoppers and never in a name."""
    dropped = _UNPRINTABLE - _PICTURES if emoji else _UNPRINTABLE
    kept = (c for c in _VARIANTS.sub("", text) if c in "\n\u200c\u200d" or unicodedata.category(c) not in dropped)
    return re.sub(r" {2,}", " ", "".join(kept)).strip()


# Each says how the sign before it is drawn, as in colour, and is in itself nothing.
_VARIANTS = re.compile("[\ufe00-\ufe0f]")
_PICTURES = frozenset({"So", "Sk"})
_UNPRINTABLE = _PICTURES | {"Cc", "Cf", "Cs", "Co", "Cn", "Me"}


def percent(value: float | None) -> str:
    """A share of one as the reader's language writes per cent; a dash for None."""
    if value is None:
        return "–"
    return gettext("%(number)s%%") % {"number": round(100 * value)}
