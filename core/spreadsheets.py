"""Files that people open in a spreadsheet: nothing that came from outside becomes a formula there."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Value: TypeAlias = str | int | float | None
_NUMBERS = (int, float, type(None))
# A cell that begins like this is a formula to a spreadsheet: files of ours have an apostrophe before it. The wide forms
# count in Japanese versions. https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Programs that read text take white space from its beginning.
_LEADING = " \n\u00a0\u200b\ufeff"
# Where a comma is the decimal sign spreadsheets part cells at semicolons, or at tabs, and then quotation marks within a
# line hold nothing together, a line break neither. A wink is no formula.
_INNER = r"([;\t\r\n][ \u00a0\u200b\ufeff\"]*){}(?=[=+@\uff1d\uff0b\uff20]|[-\uff0d](?!\)))"
_OPEN, _CLOSED = re.compile(_INNER.format("")), re.compile(_INNER.format("'"))
_END = "\r\n"
# Nearly all cells begin with none of these, and there are millions.
_SUSPECT = frozenset([*FORMULA_STARTS, *_LEADING])


def harmless(cell: str) -> str:
    """The same text as no formula."""
    return f"'{cell}" if cell[:1] in _SUSPECT and _is_formula(cell) else cell


def as_typed(cell: str) -> str:
    """Without the apostrophes that made it harmless."""
    cell = _CLOSED.sub(r"\1", cell)
    return cell[1:] if cell[:1] == "'" and _is_formula(cell[1:]) else cell


def _is_formula(cell: str) -> bool:
    return cell.lstrip(_LEADING).startswith(FORMULA_STARTS)


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[Iterable[Value]]) -> Iterator[str]:
    """Each row as a line of CSV; text is harmless, numbers stay numbers, None is empty."""
    writer = csv.writer(_Echo(), lineterminator=_END)
    for row in rows:
        # Millions of cells: those that cannot be formulas go without a call.
        line = writer.writerow(
            [
                cell
                if (cell[:1] not in _SUSPECT if type(cell) is str else isinstance(cell, _NUMBERS))
                else harmless(str(cell))
                for cell in row
            ]
        )
        yield _parted(line[: -len(_END)]) + _END


def _parted(line: str) -> str:
    """The same line as no formula where it is parted otherwise than at commas."""
    return _OPEN.sub(r"\1'", line) if any(sign in line for sign in ";\t\r\n") else line


def workbook_options() -> dict[str, Any]:
    """How xlsxwriter is to write: row by row to disk, and text as nothing but text."""
    return {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
