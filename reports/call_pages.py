"""`/reports/calls/`: a call centre by queue and agent."""

from dataclasses import replace

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reports.calls import BY_NAME, Calls, Choice, calls_of, centre_of
from reports.cells import View, view_of
from reports.pages import Reading, frame, read
from reports.periods import Period
from stores.choices import StoreKind
from surveys.choices import QuestionKind
from surveys.editor.trends import breaks_between

PER_PAGE = 50
_LONGEST_NAME = 60


def of_centre(reading: Reading) -> Reading:
    """The same about a call centre, see `centre_of`, in the latest weeks: by no others are agents counted."""
    found = centre_of(reading.scope, reading.filters, reading.stores)
    filters = replace(found, until=None, back=0, is_odd=found.is_odd or found.until is not None)
    assert filters.store is not None
    period = Period(reading.week, filters.weeks)
    return replace(reading, filters=filters, period=period, stores=reading.scope.stores.filter(pk=filters.store.pk))


def read_calls(reading: Reading, view: View, request: HttpRequest) -> Calls:
    """What the page shows; a senseless choice counts as none."""
    sent = request.GET
    choice = Choice(
        queue=sent.get("queue", "")[:_LONGEST_NAME],
        order=BY_NAME if sent.get("order") == BY_NAME else "",
        kind=sent.get("kind", "") if sent.get("kind") in QuestionKind.values else "",
    )
    return calls_of(view, reading.filters, reading.period, choice)


@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """Scores by queue and by agent, for whoever reads the reports of a call centre."""
    reading = of_centre(read(request))
    view = view_of(reading.scope, reading.filters)
    found = read_calls(reading, view, request)
    centres = list(reading.scope.stores.filter(kind=StoreKind.CALL_CENTRE).order_by("sort_key"))
    sheet = Paginator(found.agents, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **frame(reading, view, "report_calls"),
        "calls": found,
        "sheet": sheet,
        "agent_groups": found.under_headings(list(sheet)),
        "address": found.address if found.address == "?" else f"{found.address}&",
        "breaks": breaks_between(reading.period.start, reading.period.end),
        "store_choices": centres,
        "node_choices": [],
        "all_ways": True,
        "earlier": "",
        "pinned": "",
    }
    return render(request, "reports/calls.html", context)
