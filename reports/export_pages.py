"""Asking for a file of what a page shows, and the files one has asked for."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from core.jobs import KEPT_FOR, may_read_file, title_of
from core.models import Job
from reports.call_pages import of_centre
from reports.exporting import (
    ANSWERS,
    CALLS,
    FIGURES,
    FORMATS,
    KINDS,
    MOST_IN_WORKBOOK,
    WORDS,
    ExportRefused,
    start_export,
)
from reports.pages import read
from reports.tables import PAGES
from stores.access import StaffRequest

_LISTED = 20


@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: StaffRequest) -> HttpResponse:
    """`/reports/files/?of=<page>&…`: a file of that page with its choices; without a page, one's own files."""
    reading = read(request)
    if request.method == "POST":
        return _start(request)
    page, query = _asked(request)
    jobs = list(Job.objects.filter(owner=request.user.pk, kind__in=KINDS).order_by("-created_at")[:_LISTED])
    context = {
        "of": page,
        "query": query,
        "has_figures": page in PAGES,
        "where": (of_centre(reading) if page == CALLS else reading).place,
        "period": reading.period,
        "formats": [(key, name) for key, (name, _type) in FORMATS.items()],
        "most_in_workbook": MOST_IN_WORKBOOK,
        "files": [(job, title_of(job), job.created_at + KEPT_FOR, may_read_file(job)) for job in jobs],
    }
    return render(request, "reports/files.html", context)


def _asked(request: HttpRequest) -> tuple[str, str]:
    """The page and its own query. Raises Http404 for a page that has no files."""
    chosen = request.GET.copy()
    page = chosen.get("of", "")
    chosen.pop("of", None)
    return _known(page) if page else "", chosen.urlencode()


def _known(page: str) -> str:
    if page not in PAGES and page != WORDS:
        raise Http404
    return page


def _start(request: StaffRequest) -> HttpResponse:
    sent = request.POST
    page = _known(sent.get("of", ""))
    form = sent.get("format", "")
    if form not in FORMATS:
        raise Http404
    query = sent.get("query", "")
    try:
        job = start_export(
            request.user,
            page=page,
            query=query,
            kind=FIGURES if page in PAGES and sent.get("kind") == FIGURES else ANSWERS,
            form=form,
            personal=sent.get("personal") == "1",
        )
    except ExportRefused as error:
        messages.error(request, str(error))
        chosen = QueryDict(query, mutable=True)
        chosen["of"] = page
        return redirect(f"{reverse('report_files')}?{chosen.urlencode()}")
    return redirect("job", job.pk)
