"""The sheets of an import file, and how they are read from a workbook or a text file."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MOST_BYTES = 20 * 1024 * 1024
# A workbook is a zip file: this is what it may grow to.
_MOST_UNZIPPED = 300 * 1024 * 1024
_MOST_ROWS = 100_000
# The reader makes room for every cell between the first and the last: one stray cell far out would take all memory.
_MOST_CELLS = 50 * _MOST_ROWS
_PLACE = re.compile(rb"""\sr=["']([A-Z]{0,3})([0-9]{1,9})["']""")
_LONGEST_CELL = 2000
# A cell that begins like this is a formula to a spreadsheet: files of ours have an apostrophe before it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
WEEKDAY_COLUMNS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Column:
    """`help` says in a word or two what stands in it."""

    name: str
    help: str | Promise
    required: bool = False


SHEETS: dict[str, tuple[Column, ...]] = {
    "nodes": (
        Column("code", gettext_lazy("Short and unique"), required=True),
        Column("name", gettext_lazy("Country, region or area"), required=True),
        Column("kind", "chain, brand, country, region, area", required=True),
        Column("parent", gettext_lazy("Code of the node above")),
    ),
    "stores": (
        Column("code", gettext_lazy("Short and unique"), required=True),
        Column("name", gettext_lazy("As shoppers know it"), required=True),
        Column("node", gettext_lazy("Code of the node above"), required=True),
        Column("country", gettext_lazy("Two letters, like DE"), required=True),
        Column("time_zone", gettext_lazy("Like Europe/Kyiv; may be empty where the country has one only")),
        Column("kind", "shop, call_centre"),
        Column("address", gettext_lazy("Street and number")),
        Column("postcode", gettext_lazy("Postcode")),
        Column("city", gettext_lazy("City")),
        Column("subdivision", gettext_lazy("For public holidays, like DE-BY")),
        Column("languages", gettext_lazy("The most common first: de, en")),
        Column("phone", gettext_lazy("Phone number")),
        Column("contact_emails", gettext_lazy("Several with commas between")),
        Column("public_review_url", gettext_lazy("Begins with https://")),
        Column("holiday_rule", gettext_lazy("On public holidays: open or closed")),
        Column("closed_from", gettext_lazy("Closed for a time from: 2026-12-24")),
        Column("closed_until", gettext_lazy("Last day closed; empty: until further notice")),
        Column("closed_reason", gettext_lazy("Reason")),
        Column("retired", gettext_lazy("yes: closed for good")),
    ),
    "hours": (
        Column("store", gettext_lazy("Code of the store"), required=True),
        *(Column(day, gettext_lazy("Like 09:00–13:00, 14:00–18:00; empty: closed")) for day in WEEKDAY_COLUMNS),
    ),
    "staff": (
        Column("email", gettext_lazy("E-mail address"), required=True),
        Column("name", gettext_lazy("Name"), required=True),
        Column("role", "store_manager, deputy, area_manager, head_office, call_centre_lead, operator", required=True),
        Column("place", gettext_lazy("Code of the store, or of the node"), required=True),
        Column("language", "en, de, uk"),
        Column("phone", gettext_lazy("Phone number")),
    ),
}
# Explains the others in our template.
HELP_SHEET = "help"


class FileUnreadable(Exception):
    """Nothing of the file can be read; the message says what to do."""


@dataclass(frozen=True)
class Problem:
    """Something wrong in the file: where, and what to do about it. Row 1 is the one with the names of the columns."""

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
class File:
    """What was read: the rows of each sheet that is there, and what is wrong with its shape."""

    sheets: dict[str, list[Row]]
    problems: list[Problem]


def read_file(name: str, data: bytes) -> File:
    """Read a workbook, or a text file with one of the sheets. Raises FileUnreadable."""
    if len(data) > MOST_BYTES:
        raise FileUnreadable(_("The file is larger than %(n)d MB.") % {"n": MOST_BYTES // 1024**2})
    if data[:4] == b"PK\x03\x04":
        return _read_workbook(data)
    if name.lower().endswith((".xls", ".ods", ".numbers")):
        raise FileUnreadable(_("Save the file as .xlsx or as CSV."))
    return _read_text(data)


def _read_workbook(data: bytes) -> File:
    import python_calamine  # noqa: PLC0415 - only imports need it

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(_unpacked(data))
        sheets = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
    except FileUnreadable:
        raise
    except Exception as error:  # whatever a library makes of a broken file
        raise FileUnreadable(_("This is no workbook that can be read. Save it as .xlsx anew.")) from error
    read: dict[str, list[Row]] = {}
    problems: list[Problem] = []
    for name, sheet in sheets.items():
        title = name.strip().lower()
        if title == HELP_SHEET:
            continue
        if title not in SHEETS:
            message = _("Rename this sheet to one of: %(names)s.") % {"names": ", ".join(SHEETS)}
            problems.append(Problem(name, 1, "", message))
            continue
        # Numbered as the spreadsheet numbers them, also when the first rows are empty.
        lines = sheet.to_python(skip_empty_area=False)
        rows, found = _read_rows(title, ([_text(cell) for cell in line] for line in lines))
        read[title] = rows
        problems += found
    if not read and not problems:
        raise FileUnreadable(_("There is no sheet in it named one of: %(names)s.") % {"names": ", ".join(SHEETS)})
    return File(read, problems)


def _unpacked(data: bytes) -> io.BytesIO:
    """The same workbook, not compressed: its parts are as large as they say, and the reader has nothing to unpack."""
    plain = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as parts, zipfile.ZipFile(plain, "w") as copy:
        if sum(part.file_size for part in parts.infolist()) > _MOST_UNZIPPED:
            raise FileUnreadable(_("The workbook is too large when unpacked."))
        if "xl/workbook.xml" not in parts.namelist():
            raise FileUnreadable(_("Save the file as .xlsx or as CSV."))
        for part in parts.infolist():
            content = parts.read(part)
            if part.filename.startswith("xl/worksheets/"):
                _refuse_far_cells(content)
            copy.writestr(part.filename, content)
    plain.seek(0)
    return plain


def _refuse_far_cells(sheet: bytes) -> None:
    rows = columns = 1
    for letters, row in _PLACE.findall(sheet):
        rows = max(rows, int(row))
        number = 0
        for letter in letters:
            number = number * 26 + letter - 64
        columns = max(columns, number)
    if rows * columns > _MOST_CELLS:
        raise FileUnreadable(
            _("The workbook has cells far outside of its table: delete the empty rows and columns around it.")
        )


def _text(cell: Any) -> str:
    """A cell as somebody would have typed it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    return str(cell)


def _read_text(data: bytes) -> File:
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable(_("Save the file as “CSV UTF-8”, so that all letters stay what they are.")) from error
    if "\0" in text:
        raise FileUnreadable(_("This is neither a workbook nor a text file."))
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    header = {_column_name(cell) for cell in next(csv.reader([first], delimiter=delimiter), [])}
    title = max(SHEETS, key=lambda name: _likeness(name, header))
    if not _likeness(title, header):
        known = "; ".join(
            f"{name}: {', '.join(c.name for c in columns if c.required)}" for name, columns in SHEETS.items()
        )
        raise FileUnreadable(
            _("The first line names no columns that are known. They are: %(known)s.") % {"known": known}
        )
    try:
        rows, problems = _read_rows(title, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise FileUnreadable(_("The file is not whole: %(error)s.") % {"error": error}) from error
    return File({title: rows}, problems)


def _likeness(sheet: str, header: set[str]) -> int:
    """How many of a sheet's columns are there; 0 if one is missing that must be."""
    if not all(column.name in header for column in SHEETS[sheet] if column.required):
        return 0
    return sum(column.name in header for column in SHEETS[sheet])


def _column_name(cell: str) -> str:
    return cell.strip().strip("*").strip().lower().replace(" ", "_")


def _read_rows(sheet: str, lines: Iterable[Sequence[str]]) -> tuple[list[Row], list[Problem]]:
    numbered = enumerate(lines, start=1)
    names, problems = _read_header(sheet, next(numbered, (1, []))[1])
    if problems:
        return [], problems
    rows: list[Row] = []
    for number, cells in numbered:
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) == _MOST_ROWS:
            problems.append(Problem(sheet, number, "", _("More than %(n)d rows.") % {"n": _MOST_ROWS}))
            break
        row = Row(number, {})
        for name, cell in zip(names, [*cells, *[""] * len(names)], strict=False):
            if name:
                problems += _keep(row, sheet, name, cell)
        rows.append(row)
    return rows, problems


def _keep(row: Row, sheet: str, name: str, cell: str) -> Iterator[Problem]:
    text = cell.strip()
    if text.startswith("'") and text[1:2] in FORMULA_STARTS:
        text = text[1:]
    row.cells[name] = text
    if len(text) > _LONGEST_CELL or "\0" in text:
        row.cells[name] = ""
        yield Problem(sheet, row.number, name, _("Too long, or not text."))


def _read_header(sheet: str, cells: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """The column of each cell, "" for empty ones."""
    known = {column.name: column for column in SHEETS[sheet]}
    names = [_column_name(cell) for cell in cells]
    problems = []
    for name in dict.fromkeys(name for name in names if name):
        if name not in known:
            wanted = {"names": ", ".join(known)}
            problems.append(Problem(sheet, 1, name, _("There is no such column. They are: %(names)s.") % wanted))
        elif names.count(name) > 1:
            problems.append(Problem(sheet, 1, name, _("This column is there twice.")))
    problems += [
        Problem(sheet, 1, column.name, _("This column is missing."))
        for column in known.values()
        if column.name not in names and (column.required or column.name in WEEKDAY_COLUMNS)
    ]
    return names, problems
