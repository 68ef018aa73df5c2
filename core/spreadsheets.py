"""Files that people open in a spreadsheet: nothing that came from outside becomes a formula there."""

import csv
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
# Nearly all cells begin with none of these, and there are millions.
_SUSPECT = frozenset([*FORMULA_STARTS, *_LEADING])


def harmless(cell: str) -> str:
    """The same text as no formula."""
    return f"'{cell}" if cell[:1] in _SUSPECT and _is_formula(cell) else cell


def as_typed(cell: str) -> str:
    """Without the apostrophe that made it harmless."""
    return cell[1:] if cell[:1] == "'" and _is_formula(cell[1:]) else cell


def _is_formula(cell: str) -> bool:
    return cell.lstrip(_LEADING).startswith(FORMULA_STARTS)


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[Iterable[Value]]) -> Iterator[str]:
    """Each row as a line of CSV; text is harmless, numbers stay numbers, None is empty."""
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow([cell if isinstance(cell, _NUMBERS) else harmless(str(cell)) for cell in row])


def workbook_options() -> dict[str, Any]:
    """How xlsxwriter is to write: row by row to disk, and text as nothing but text."""
    return {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
