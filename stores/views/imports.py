"""Setting the chain up from a file: send it, read what it would change, carry it out; and take the chain as a file."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.models import JobState
from core.spreadsheets import XLSX
from stores import exporting
from stores.access import StaffRequest, roles_required
from stores.choices import ChangeKind, ImportState, Role
from stores.importing.columns import SHEET_LABELS, SHEETS, label_of
from stores.importing.jobs import check_file, import_checked
from stores.importing.sheets import MOST_BYTES
from stores.models import StoreImport
from stores.queries import roles_of
from stores.standing import INVITING_ROLES

_LINES_PER_PAGE = 100
_SPANS_NAMED = 20
# They may change everything of a store, within their part of the tree.
_ROLES = (Role.HEAD_OFFICE, Role.OPERATOR)


@roles_required(*_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def new_import(request: StaffRequest) -> HttpResponse:
    """The form; a file that was sent is checked as a long job."""
    refused = ""
    if request.method == "POST":
        sent = request.FILES.get("file")
        if sent is None or not sent.name:
            refused = _("Choose a file first.")
        elif (sent.size or 0) > MOST_BYTES:
            refused = _("The file is larger than %(n)d MB.") % {"n": MOST_BYTES // 1024**2}
        else:
            upload = check_file(
                request.user,
                sent.name,
                sent.read(),
                retire_missing="retire_missing" in request.POST,
                invite="invite" in request.POST,
            )
            return redirect("job", pk=upload.job_id)
    sheets = [(title, SHEET_LABELS[title], columns) for title, columns in SHEETS.items()]
    context = {"refused": refused, "sheets": sheets, "most_mb": MOST_BYTES // 1024**2}
    return render(request, "stores/import.html", context, status=422 if refused else 200)


@roles_required(*_ROLES)
@require_safe
def show_import(request: StaffRequest, pk: UUID) -> HttpResponse:
    """What the file would change and what is wrong with it, or that it is done."""
    upload = get_object_or_404(StoreImport.objects.select_related("job").defer("data"), pk=pk, owner=request.user)
    failed = upload.job.outcome if upload.job and upload.job.state in (JobState.FAILED, JobState.CANCELLED) else ""
    if not failed and upload.job_id and upload.state in (ImportState.CHECKING, ImportState.IMPORTING):
        return redirect("job", pk=upload.job_id)
    report = upload.report
    problems = _grouped(report.get("problems", []))
    page = Paginator(problems or report.get("lines", []), _LINES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "upload": upload,
        "report": report,
        "failed": failed,
        "counts": [(_counted(name), count) for name, count in report.get("counts", {}).items()],
        "page": page,
        "query": "",
        "may_invite": not roles_of(request.user).isdisjoint(INVITING_ROLES),
        "problems": list(page) if problems else [],
        "lines": [] if problems else [_line(one) for one in page],
    }
    return render(request, "stores/import_report.html", context)


def _line(line: dict[str, Any]) -> dict[str, Any]:
    """One difference in words."""
    changes = line["changes"].items()
    return {
        "code": line["code"],
        "kind": ChangeKind(line["kind"]).label,
        "what": SHEET_LABELS[line["what"]],
        "changes": [(label_of(line["what"], column), _shown(old), _shown(new)) for column, (old, new) in changes],
    }


def _grouped(problems: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is wrong in the same way in many rows is one problem of theirs."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for one in problems:
        found.setdefault((one["sheet"], one["column"], one["message"]), []).append(one["row"])
    return [
        {"sheet": sheet, "column": column, "message": message, "rows": _spans(rows), "several": len(set(rows)) > 1}
        for (sheet, column, message), rows in found.items()
    ]


def _spans(rows: list[int]) -> str:
    """ "2–4, 7"; of very many the first."""
    spans: list[list[int]] = []
    for row in sorted(set(rows)):
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    shown = ", ".join(f"{first}–{last}" if last > first else str(first) for first, last in spans[:_SPANS_NAMED])
    return f"{shown}, …" if len(spans) > _SPANS_NAMED else shown


def _counted(name: str) -> str:
    """“stores, created”."""
    what, _space, kind = name.partition(" ")
    return f"{SHEET_LABELS[what]}, {ChangeKind(kind).label.lower()}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else str(value)


@roles_required(*_ROLES)
@require_POST
def confirm_import(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Carry out what was shown."""
    upload = import_checked(get_object_or_404(StoreImport.objects.defer("data"), pk=pk, owner=request.user))
    if upload.state == ImportState.CHECKED:
        messages.error(request, _("Mend the problems in the file and send it again."))
        return redirect("store_import", pk=upload.pk)
    return redirect("job", pk=upload.job_id) if upload.job_id else redirect("store_import", pk=upload.pk)


@roles_required(*_ROLES)
@require_safe
def template(request: StaffRequest) -> HttpResponse:
    """An empty workbook that explains itself, in the reader's language."""
    response = HttpResponse(exporting.template(), content_type=XLSX)
    response["Content-Disposition"] = 'attachment; filename="stores-template.xlsx"'
    return response


@roles_required(*_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: StaffRequest) -> HttpResponse:
    """Everything this person may change, as a workbook that imports again. Opened as an address: the page that asks."""
    if request.method != "POST":
        return redirect("new_import")
    return redirect("job", pk=exporting.start_export(request.user, reverse("new_import")).pk)


@roles_required(*_ROLES)
@require_safe
def export_csv(request: StaffRequest, sheet: str) -> StreamingHttpResponse:
    """One sheet, streamed."""
    if sheet not in SHEETS:
        raise Http404
    response = StreamingHttpResponse(exporting.csv_lines(sheet, request.user), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{sheet}.csv"'
    return response
