"""The chain as files that import again: a workbook, one sheet as text, and an empty template."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from core import spreadsheets
from core.jobs import register_job, show_progress, start_job
from core.models import Job
from core.spreadsheets import XLSX
from stores.access import Part, nodes_editable_by, stores_editable_by
from stores.importing.columns import HELP_SHEET, SHEET_LABELS, SHEETS, WEEKDAY_COLUMNS
from stores.models import Node, RoleAssignment, Store, User
from stores.opening import weekly_hours
from stores.standing import Standing, people_visible_to
from stores.stretches import format_stretches

EXPORT = "export of stores"
_PIECE = 1024 * 1024
Cells = list[str]


def rows_of(sheet: str, user: User) -> Iterator[Cells]:
    """The rows of a sheet in the order of its columns: what this person may change, and nobody else's."""
    return {"nodes": _nodes, "stores": _stores, "hours": _hours, "staff": _staff}[sheet](user)


def _nodes(user: User) -> Iterator[Cells]:
    # Whatever lies above comes first, as an import wants it.
    for node in nodes_editable_by(user).filter(retired_at=None).select_related("parent").order_by("path"):
        yield [node.code, node.name, node.kind, node.parent.code if node.parent else ""]


def _editable(user: User) -> Any:
    return stores_editable_by(user, Part.PLACE).select_related("node").order_by("code")


def _stores(user: User) -> Iterator[Cells]:
    for store in _editable(user).iterator(chunk_size=1000):
        if store.node.retired_at is None:
            yield [_cell(store, column.name) for column in SHEETS["stores"]]


def _cell(store: Store, column: str) -> str:
    match column:
        case "node":
            return store.node.code
        case "languages" | "contact_emails":
            return ", ".join(getattr(store, column))
        case "closed_from" | "closed_until":
            day = getattr(store, column)
            return day.isoformat() if day else ""
        case "retired":
            return "yes" if store.retired_at else ""
        case _:
            return str(getattr(store, column))


def _hours(user: User) -> Iterator[Cells]:
    stores = list(_editable(user).filter(node__retired_at=None).values_list("pk", "code"))
    weeks = weekly_hours([pk for pk, _code in stores])
    for pk, code in stores:
        if week := weeks.get(pk):
            yield [code, *(format_stretches(week.get(day, [])) for day in range(len(WEEKDAY_COLUMNS)))]


def _staff(user: User) -> Iterator[Cells]:
    standing = Standing(user)
    held = RoleAssignment.objects.filter(user__in=people_visible_to(user), user__left_at=None)
    for one in held.select_related("user", "store__node", "node").order_by("user__email", "pk").iterator():
        if standing.may_take(one):
            place: Store | Node | None = one.store or one.node
            yield [
                one.user.email,
                one.user.name,
                one.role,
                place.code if place else "",
                one.user.language,
                one.user.phone,
            ]


# --- text -------------------------------------------------------------------------------------------------------
def csv_lines(sheet: str, user: User) -> Iterator[str]:
    """One sheet as CSV, line by line. Nothing in it is a formula to a spreadsheet."""
    yield "\ufeff"
    yield from spreadsheets.csv_lines([[str(column.label) for column in SHEETS[sheet]]])
    yield from spreadsheets.csv_lines(rows_of(sheet, user))


# --- workbooks --------------------------------------------------------------------------------------------------
def _workbook(sheets: Iterable[tuple[str, Iterable[Cells]]], *, help_sheet: bool) -> bytes:
    import xlsxwriter  # noqa: PLC0415 - only exports need it

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, spreadsheets.workbook_options())
    # As text, or a spreadsheet takes the zeros from 0042.
    text, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
    for title, rows in sheets:
        sheet = book.add_worksheet(str(SHEET_LABELS[title]))
        columns = SHEETS[title]
        sheet.set_column(0, len(columns) - 1, 18, text)
        sheet.freeze_panes(1, 1)
        for x, column in enumerate(columns):
            sheet.write_string(0, x, str(column.label), head)
        for y, cells in enumerate(rows, start=1):
            for x, cell in enumerate(cells):
                if cell:
                    sheet.write_string(y, x, cell, text)
    if help_sheet:
        _write_help(book, head)
    book.close()
    return out.getvalue()


def _write_help(book: Any, head: Any) -> None:
    sheet = book.add_worksheet(str(HELP_SHEET))
    sheet.set_column(0, 1, 18)
    sheet.set_column(2, 2, 80)
    for x, name in enumerate((_("Sheet"), _("Column"), _("What stands in it"))):
        sheet.write_string(0, x, name, head)
    listed = [(title, column) for title, columns in SHEETS.items() for column in columns]
    for y, (title, column) in enumerate(listed, start=1):
        must = _("required") if column.required else ""
        about = " · ".join(filter(None, (must, str(column.help))))
        for x, words in enumerate((str(SHEET_LABELS[title]), str(column.label), about)):
            sheet.write_string(y, x, words)


def template() -> bytes:
    """An empty workbook with every sheet, and one that explains them."""
    return _workbook([(title, []) for title in SHEETS], help_sheet=True)


def start_export(user: User, back_url: str) -> Job:
    """A workbook of everything, as a long job."""
    params = {"language": user.language or translation.get_language()}
    title = _("Export of stores, hours and staff")
    return start_job(EXPORT, owner=user.pk, title=title, params=params, back_url=back_url)


def run_export(job: Job) -> Iterator[None]:
    """One step: a workbook of 7,000 stores takes seconds."""
    assert job.owner is not None
    user = User.objects.get(pk=job.owner)
    job.total = stores_editable_by(user, Part.PLACE).count()

    def counted(rows: Iterator[Cells]) -> Iterator[Cells]:
        for number, cells in enumerate(rows, start=1):
            yield cells
            if number % 1000 == 0:
                job.done = number
                show_progress(job)

    sheets = [(title, counted(rows_of(title, user)) if title == "stores" else rows_of(title, user)) for title in SHEETS]
    with translation.override(job.params.get("language")):
        data = _workbook(sheets, help_sheet=False)
    job.add_file("stores.xlsx", XLSX)
    for start in range(0, len(data), _PIECE):
        job.write(data[start : start + _PIECE])
    job.done = job.total
    yield from ()


register_job(EXPORT, run_export)
