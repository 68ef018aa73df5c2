"""What is read from an import file, whatever its kind: rows by the names of their columns, and what is wrong."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from django.utils.translation import gettext as _

from core.spreadsheets import as_typed
from stores.importing.columns import SHEET_LABELS, SHEETS, WEEKDAY_COLUMNS, columns_named, fold, label_of

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 100_000
_LONGEST_CELL = 2000
_MOST_COLUMNS = 500
# Titles, notes and a logo may stand above the names of the columns.
_HIGHEST_HEADER = 20
# What a workbook's reader writes in place of a cell whose value is not there; nobody types these.
NO_RESULT, ERROR = "\ue000no result", "\ue000error"
# From the first white space on, so that a run of it is looked through once rather than from each of its signs.
_LINES = re.compile(r"(?<!\s)\s*[\r\n\v\f\x85\u2028\u2029]\s*")
_INVISIBLE = re.compile("[\ufeff\u200b\u2060]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}.*)?")


class FileUnreadable(Exception):
    """Nothing of the file can be read; the message says what to do."""


@dataclass(frozen=True)
class Problem:
    """Something wrong in the file: where, and what to do about it. Rows are numbered as the spreadsheet shows them."""

    sheet: str
    row: int
    column: str
    message: str


@dataclass(frozen=True)
class Row:
    """One line: `cells` by column, of the columns that the file has."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """One sheet: its rows, what is wrong with its shape, and what it and its columns are called in the file."""

    title: str
    rows: list[Row]
    problems: list[Problem]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    """What was read: the sheets that are there, and what is wrong with their shape."""

    tables: dict[str, Table]
    problems: list[Problem]

    def rows(self, sheet: str) -> list[Row]:
        return self.tables[sheet].rows if sheet in self.tables else []

    def as_written(self, problem: Problem) -> Problem:
        """The same, naming sheet and column as the file does, or else as its reader's language does."""
        table = self.tables.get(problem.sheet)
        label = str(SHEET_LABELS.get(problem.sheet, problem.sheet))
        headers = table.headers if table else {}
        column = headers.get(problem.column) or label_of(problem.sheet, problem.column)
        return replace(problem, sheet=(table.title if table else "") or label, column=column)


def refuse_wide(columns: int) -> None:
    """Raises FileUnreadable for more columns than any table of ours could have."""
    if columns > _MOST_COLUMNS:
        raise FileUnreadable(_("There are %(n)d columns: delete those that are empty.") % {"n": columns})


def read_table(sheet: str, lines: Iterable[Sequence[str]], *, title: str = "") -> Table:
    """The rows of a sheet. Its header is the first row that names all columns which must be there."""
    numbered = enumerate(lines, start=1)
    top = list(islice(numbered, _HIGHEST_HEADER))
    at = _header_at(sheet, top)
    number, cells = top[at] if top else (1, [])
    table = Table(title, [], [])
    names = _read_header(sheet, number, cells, table)
    if table.problems:
        return table
    for number, cells in chain(top[at + 1 :], numbered):
        if not any(cell.strip() for cell in cells):
            continue
        if len(table.rows) == MOST_ROWS:
            table.problems.append(Problem(sheet, number, "", _("More than %(n)d rows.") % {"n": MOST_ROWS}))
            break
        row = Row(number, {})
        for name, cell in zip(names, [*cells, *[""] * len(names)], strict=False):
            if name:
                table.problems.extend(_keep(row, sheet, name, cell))
        if any(cell.strip() for cell in cells[len(names) :]):
            said = _("There are more cells than columns. Text with a separator in it needs quotation marks around it.")
            table.problems.append(Problem(sheet, number, "", said))
        table.rows.append(row)
    return table


def names_required(sheet: str, cells: Sequence[str]) -> bool:
    """Whether a row names every column of the sheet that must be there."""
    known = columns_named(sheet)
    named = {known.get(fold(cell)) for cell in cells}
    return all(column.name in named for column in SHEETS[sheet] if column.required)


def _header_at(sheet: str, top: list[tuple[int, Sequence[str]]]) -> int:
    for at, (_number, cells) in enumerate(top):
        if names_required(sheet, cells):
            return at
    return next((at for at, (_number, cells) in enumerate(top) if any(cell.strip() for cell in cells)), 0)


def _read_header(sheet: str, number: int, cells: Sequence[str], table: Table) -> list[str]:
    """The column of each cell, "" for empty ones; keeps in `table` how they are written, and what is wrong."""
    known = columns_named(sheet)
    names = [known.get(fold(cell), cell.strip()) for cell in cells]
    table.headers.update({name: cell.strip() for name, cell in zip(names, cells, strict=True) if name})
    wanted = ", ".join(str(column.label) for column in SHEETS[sheet])
    if not any(name in known.values() for name in names):
        said = _("This row has to name the columns. They are: %(names)s.") % {"names": wanted}
        table.problems.append(Problem(sheet, number, "", said))
        return names
    for name in dict.fromkeys(filter(None, names)):
        if name not in known.values():
            said = _("There is no such column: delete it, or call it one of: %(names)s.") % {"names": wanted}
            table.problems.append(Problem(sheet, number, name, said))
        elif names.count(name) > 1:
            table.problems.append(Problem(sheet, number, name, _("This column is there twice.")))
    table.problems.extend(
        Problem(sheet, number, column.name, _("This column is missing."))
        for column in SHEETS[sheet]
        if column.name not in names and (column.required or column.name in WEEKDAY_COLUMNS)
    )
    return names


def _keep(row: Row, sheet: str, name: str, cell: str) -> Iterator[Problem]:
    text = cell.strip()
    # What is too long is not looked through: it could be all white space.
    if len(text) <= _LONGEST_CELL:
        text = _LINES.sub(", ", _INVISIBLE.sub("", text).strip())
    text = as_typed(text)
    wrong = _wrong_with(text, sheet, name)
    row.cells[name] = "" if wrong else text
    if wrong:
        yield Problem(sheet, row.number, name, wrong)


def _wrong_with(text: str, sheet: str, name: str) -> str:
    if text == NO_RESULT:
        return _(
            "There is a formula here whose result is not in the file: open it in the spreadsheet and save it, or "
            "write the value."
        )
    if text == ERROR:
        return _("The spreadsheet shows an error here: write the value.")
    if len(text) > _LONGEST_CELL:
        return _("This is longer than %(n)d characters.") % {"n": _LONGEST_CELL}
    if any(unicodedata.category(sign) == "Cc" for sign in text if sign != "\t"):
        return _("This is not text.")
    if sheet == "hours" and name in WEEKDAY_COLUMNS and _DATE.fullmatch(text):
        return _("The spreadsheet has made a date of this. Format the cells as text, then write it like 09:00–18:00.")
    return ""
