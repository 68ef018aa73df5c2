"""An import file as a workbook (.xlsx). The reader makes much of little, so what it is given is looked at before."""

import io
import re
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from stores.importing.columns import SHEET_LABELS, sheet_named
from stores.importing.sheets import (
    ERROR,
    MOST_ROWS,
    NO_RESULT,
    File,
    FileUnreadable,
    Problem,
    Table,
    read_table,
    refuse_wide,
)

# A workbook is a zip file: this is what it may grow to.
_MOST_UNZIPPED = 80 * 1024 * 1024
# The reader makes room for every cell between the first and the last: one stray cell far out would take all memory.
_MOST_CELLS = 30 * MOST_ROWS
_MOST_MERGED = 1000
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)([0-9]+)["']""")
_MOST_LETTERS = 3  # spreadsheets end at column XFD
_ROW = re.compile(rb"<(?:\w{1,20}:)?row(?=[\s/>])")
# Rows and cells that name no place come after the one before.
_NEXT_ROW, _NEXT_CELL = (
    re.compile(rb"<(?:\w{1,20}:)?" + name + rb"(?![^<>]{0,300}\sr\s*=)[\s/>]") for name in (b"row", b"c")
)
# Only these are read: pictures may be as large as they like.
_READ = re.compile(r"(\[Content_Types\]|(xl|_rels)/.*)\.(xml|rels)", re.DOTALL)
# Cells with a formula that nobody has computed (an empty result is a "str"), and cells that show an error. To the
# reader both are empty, and an empty cell empties what is known. Bounded, so that no file makes them search for long.
_CELL = rb"""<c(?=\s)(?=[^<>]{0,300}\sr=["']([A-Z]{1,3}[0-9]{1,7})["'])"""
_FORMULA = rb"""\s{0,20}<f(?:\s[^<>]{0,300})?(?:/>|>[^<]{0,9000}</f>)\s{0,20}"""
_UNCOMPUTED = re.compile(
    _CELL + rb"""(?![^<>]{0,300}\st=["']str["'])[^<>]{0,300}>""" + _FORMULA + rb"(?:<v\s?/>|<v></v>)?\s{0,20}</c>"
)
_IN_ERROR = re.compile(
    _CELL + rb"""(?=[^<>]{0,300}\st=["']e["'])[^<>]{0,300}>(?:""" + _FORMULA + rb")?<v>[^<]{0,40}</v>\s{0,20}</c>"
)


def read_workbook(data: bytes) -> File:
    """Its sheets of ours, in any of our languages. Raises FileUnreadable."""
    import python_calamine  # noqa: PLC0415 - only imports need it

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(_unpacked(data))
        visible = python_calamine.SheetVisibleEnum.Visible
        hidden = {one.name for one in book.sheets_metadata if one.visible != visible}
        sheets = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
        return _read(sheets, hidden)
    except FileUnreadable:
        raise
    except Exception as error:  # whatever a library makes of a broken file
        raise FileUnreadable(_("This is no workbook that can be read. Save it as .xlsx anew.")) from error


def _read(sheets: dict[str, Any], hidden: set[str]) -> File:
    tables: dict[str, Table] = {}
    problems: list[Problem] = []
    names = {"names": ", ".join(map(str, SHEET_LABELS.values()))}
    for name, sheet in sheets.items():
        title = sheet_named(name)
        if title is None and name not in hidden and sheet.height:
            message = _("Rename this sheet to one of: %(names)s. Or delete it.") % names
            problems.append(Problem(name, 1, "", message))
        if not title:
            continue
        if name in hidden:
            problems.append(Problem(name, 1, "", _("This sheet is hidden: show it, or delete it.")))
        elif title in tables:
            said = _("This sheet is there twice, also as “%(title)s”.") % {"title": tables[title].title}
            problems.append(Problem(name, 1, "", said))
        else:
            tables[title] = _table(title, name, sheet)
    if not tables and not problems:
        raise FileUnreadable(_("There is no sheet in it named one of: %(names)s.") % names)
    return File(tables, [*problems, *(problem for table in tables.values() for problem in table.problems)])


def _table(title: str, name: str, sheet: Any) -> Table:
    # Numbered as the spreadsheet numbers them, also when the first rows are empty.
    refuse_wide(sheet.total_width)
    lines = sheet.to_python(skip_empty_area=False)
    table = read_table(title, ([_text(cell) for cell in line] for line in lines), title=name)
    first = table.rows[0].number if table.rows else 0
    for (top, _left), (bottom, _right) in sheet.merged_cell_ranges or ():
        if first and bottom + 1 >= first:
            said = _("Cells are merged here: split them, and fill in each of them.")
            table.problems.append(Problem(title, top + 1, "", said))
    return table


def _unpacked(data: bytes) -> io.BytesIO:
    """The same workbook, not compressed: its parts are as large as they say, and the reader has nothing to unpack."""
    plain = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as parts, zipfile.ZipFile(plain, "w") as copy:
        wanted = [part for part in parts.infolist() if _READ.fullmatch(part.filename)]
        if sum(part.file_size for part in wanted) > _MOST_UNZIPPED:
            raise FileUnreadable(_("The workbook is too large when unpacked."))
        if "xl/workbook.xml" not in parts.namelist():
            raise FileUnreadable(_("Save the file as .xlsx or as CSV."))
        for part in wanted:
            content = parts.read(part)
            # By what is in it: a workbook may keep its sheets in any folder.
            if b"sheetData" in content:
                _refuse_too_many(content)
                _refuse_far_cells(content)
                content = _without_gaps(content)
            copy.writestr(part.filename, content)
    plain.seek(0)
    return plain


def _refuse_too_many(sheet: bytes) -> None:
    """Of cells that name no place, and of merged ones, which are looked at one by one."""
    if sheet.count(b"<c ") + sheet.count(b"<c>") > _MOST_CELLS:
        raise FileUnreadable(_("The workbook is too large when unpacked."))
    if sheet.count(b"<mergeCell ") > _MOST_MERGED:
        raise FileUnreadable(_("Cells are merged in very many places: split them, and fill in each of them."))


def _refuse_far_cells(sheet: bytes) -> None:
    rows = columns = 1
    for letters, row in _PLACE.findall(sheet):
        rows = max(rows, int(row))
        columns = max(columns, _column(letters))
    rows += len(_NEXT_ROW.findall(sheet))
    columns += max(len(_NEXT_CELL.findall(row)) for row in _ROW.split(sheet))
    if rows * columns > _MOST_CELLS:
        raise FileUnreadable(
            _(
                "The workbook has cells far outside of its table, up to row %(row)d: delete the empty rows and columns "
                "around it."
            )
            % {"row": rows}
        )


def _column(letters: bytes) -> int:
    """Its number; A is 1."""
    if len(letters) > _MOST_LETTERS:
        return _MOST_CELLS + 1
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _without_gaps(sheet: bytes) -> bytes:
    """With words in place of values that are not there, so that they are complained about where they stand."""
    for sign, pattern, word in ((b"<f", _UNCOMPUTED, NO_RESULT), (b"<v>#", _IN_ERROR, ERROR)):
        if sign in sheet:
            sheet = pattern.sub(rb'<c r="\1" t="inlineStr"><is><t>' + word.encode() + b"</t></is></c>", sheet)
    return sheet


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
    if isinstance(cell, timedelta):
        minutes = int(cell.total_seconds()) // 60
        return f"{minutes // 60:02}:{minutes % 60:02}"
    return str(cell)
