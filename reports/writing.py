"""How figures and words are written."""

from django.utils import formats

from core.writing import direction_of as direction_of
from core.writing import percent as percent
from core.writing import printable as printable


def points(value: float | None) -> str:
    """NPS points without decimals, with a real minus sign; a dash for None."""
    if value is None:
        return "–"
    whole = round(value)
    return f"−{-whole}" if whole < 0 else str(whole)


def change(value: float) -> str:
    """Points with their sign always written."""
    return points(value) if round(value) <= 0 else f"+{points(value)}"


def tenths(value: float, *, signed: bool = False) -> str:
    """Points with one decimal in the reader's language, a real minus sign, and a plus if wanted."""
    near = round(value, 1)
    sign = "−" if near < 0 else "+" if signed and near > 0 else ""
    return f"{sign}{formats.number_format(abs(near), 1)}"


def hundred(value: float | None) -> str:
    """A share of one as a length out of 100, for drawings."""
    return f"{100 * (value or 0):.1f}"
