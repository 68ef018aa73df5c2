"""An import file as text: CSV, whatever stands between its cells, in whatever Unicode."""

import csv
import io
import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stores.importing.columns import SHEET_LABELS, SHEETS, columns_named, fold, label_of
from stores.importing.sheets import File, FileUnreadable, names_required, read_table, refuse_wide

_FIRST_BYTES = 200
_NO_TEXT = gettext_lazy("This is neither a workbook nor a text file. Save it as .xlsx or as CSV.")
# Excel's own first line, which says what stands between the cells and is no row of the table.
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\r?\n", re.IGNORECASE)


def read_text(data: bytes) -> File:
    """The one sheet that it is, told by its columns. Raises FileUnreadable."""
    text = _decoded(data)
    if not text.strip():
        raise FileUnreadable(_("There is nothing in this file: choose another one."))
    said = _SEPARATOR_LINE.match(text)
    if said:
        text = text[said.end() :]
    first = text.partition("\n")[0]
    delimiter = said[1] if said else max(",;\t|", key=first.count)
    refuse_wide(first.count(delimiter) + 1)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(csv.reader([first], delimiter=delimiter), [])
        sheet = max(SHEETS, key=lambda name: _likeness(name, header))
        if not _likeness(sheet, header):
            raise FileUnreadable(
                _("The first line names no columns that are known. They are: %(known)s.") % {"known": _required()}
            )
        table = read_table(sheet, lines)
    except csv.Error as error:
        raise FileUnreadable(
            _("Quotation marks are missing, or there is one too many, in row %(row)d or above.")
            % {"row": lines.line_num}
        ) from error
    return File({sheet: table}, table.problems)


def _decoded(data: bytes) -> str:
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError as error:
        if b"\0" in data:
            raise FileUnreadable(_NO_TEXT) from error
        row = data.count(b"\n", 0, error.start) + 1
        raise FileUnreadable(
            _("Save the file as “CSV UTF-8”, so that all letters stay what they are (row %(row)d has others).")
            % {"row": row}
        ) from error
    if "\0" in text:
        raise FileUnreadable(_NO_TEXT)
    if text.lstrip()[:1] == "<":
        raise FileUnreadable(_("This is a web page or another kind of file. Save it as .xlsx or as CSV."))
    return text


def _encoding(data: bytes) -> str:
    """UTF-16, as spreadsheets write "Unicode text", also without its mark; else UTF-8, where no byte is zero."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    even, odd = (0 in data[start:_FIRST_BYTES:2] for start in (0, 1))
    return "utf-8-sig" if even == odd else "utf-16-be" if even else "utf-16-le"


def _likeness(sheet: str, header: list[str]) -> int:
    """How many of a sheet's columns are there; 0 if one is missing that must be."""
    if not names_required(sheet, header):
        return 0
    return len({columns_named(sheet).get(fold(cell)) for cell in header} - {None})


def _required() -> str:
    """The columns by which each sheet is known, in the reader's language."""
    return "; ".join(
        f"{SHEET_LABELS[sheet]}: {', '.join(label_of(sheet, column.name) for column in columns if column.required)}"
        for sheet, columns in SHEETS.items()
    )
