"""The explorer of verbatims and the page of one. Each starts from the stores its reader may see."""

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from alerts.models import RootCause
from alerts.queries import case_for_response, cases_visible_to
from reports.explorer import (
    ANY,
    MARKS,
    MOST_COUNTED,
    WEEKS,
    case_choices,
    chips_of,
    find,
    read_search,
)
from reports.explorer_rows import BANDS
from reports.filters import Scope, node_options, scope_of
from reports.loop_cases import PARTS
from reports.periods import Week, latest_day
from sentiment.labels import SENTIMENT_LABELS, TOPIC_LABELS, URGENCY_LABELS, named_languages
from sentiment.models import Analysis
from sentiment.similar import similar_to
from stores.access import StaffRequest, page_of_ours
from stores.choices import Role, StoreKind, TouchpointKind
from stores.models import Node, Store, User
from stores.queries import roles_of
from surveys.choices import QuestionKind, ResponseChannel, SampleKind
from surveys.models import Verbatim

# More stores than this are chosen by region first.
_LONGEST_LIST = 300


@require_safe
def verbatims(request: HttpRequest) -> HttpResponse:
    """`/verbatims/`: shoppers' words, searched and filtered; every combination is a link."""
    scope = scope_of(_reader(request))
    zones = set(scope.stores.values_list("time_zone", flat=True).distinct())
    search = read_search(request, scope, Week.of(latest_day(zones)))
    stores = _chosen_stores(scope, search.node, search.store)
    few = scope.stores.count() <= _LONGEST_LIST
    listed = list(scope.stores.order_by("sort_key")) if few else [search.store] if search.store else []
    weeks_on = search.last_week + search.weeks
    context = {
        "search": search,
        "found": find(search, stores),
        "most_counted": MOST_COUNTED,
        "chips": chips_of(search),
        "earlier": "" if search.days else search.but(last_week=search.last_week + -search.weeks),
        "later": search.but(last_week=min(weeks_on, search.this_week)) if search.last_week < search.this_week else "",
        "only_store": search.store or (listed[0] if len(listed) == 1 else None),
        "node_choices": node_options(scope),
        "store_choices": listed,
        "week_choices": WEEKS,
        "channel_choices": ResponseChannel.choices,
        "sample_choices": SampleKind.choices,
        "band_choices": BANDS.items(),
        "sentiment_choices": SENTIMENT_LABELS.items(),
        "topic_choices": TOPIC_LABELS.items(),
        "urgency_choices": URGENCY_LABELS.items(),
        "any_urgency": ANY,
        "case_choices": case_choices(),
        "loop_choices": PARTS.items(),
        "cause_choices": [(cause.pk, str(cause)) for cause in RootCause.objects.all()],
        "mark_choices": MARKS.items(),
        "code_choices": TouchpointKind.choices,
        "question_choices": QuestionKind.choices,
        "by_agent": settings.AGENT_FIGURES,
        "has_calls": scope.stores.filter(kind=StoreKind.CALL_CENTRE).exists(),
        "language_choices": named_languages(settings.VERBATIM_LANGUAGES),
        "may_edit_words": Role.HEAD_OFFICE in roles_of(_reader(request)),
    }
    return render(request, "reports/verbatims.html", context)


def _chosen_stores(scope: Scope, node: Node | None, store: Store | None) -> QuerySet[Store]:
    if store:
        return scope.stores.filter(pk=store.pk)
    return scope.stores.filter(node__path__startswith=node.path) if node else scope.stores


@require_safe
def verbatim(request: HttpRequest, verbatim_id: int) -> HttpResponse:
    """`/verbatims/<id>/`: one verbatim with all that is known of it; nobody else's reader can tell that it is there."""
    reader = _reader(request)
    scope = scope_of(reader)
    related = ("response__store", "response__touchpoint", "response__invitation__call", "analysis")
    found = get_object_or_404(
        Verbatim.objects.select_related(*related).exclude(text=""),
        pk=verbatim_id,
        response__store__in=scope.stores,
        response__erased_at=None,
    )
    case = case_for_response(found.response_id)
    analysis = getattr(found, "analysis", None)
    context = {
        "verbatim": found,
        "response": found.response,
        "reading": analysis if analysis is not None and analysis.analysed_at else None,
        "case": case if case and cases_visible_to(reader).filter(pk=case.pk).exists() else None,
        "by_agent": settings.AGENT_FIGURES,
        "address": request.build_absolute_uri(request.path),
        "similar": similar_to(found, scope.stores),
    }
    return render(request, "reports/verbatim.html", context)


@require_safe
def verbatim_reading(request: StaffRequest, verbatim_id: int) -> HttpResponse:
    """`/verbatims/<id>/reading/`: what the model thinks of words in a list, to be corrected right there.

    Without JavaScript the same stands on the page of the words.
    """
    reading = _reading(request, verbatim_id)
    if not request.htmx:
        return redirect("verbatim", verbatim_id)
    back = page_of_ours(request.htmx.current_url_abs_path or "", reverse("verbatims"))
    return render(request, "sentiment/_reading.html", {"reading": reading, "next": back})


@require_safe
def verbatim_labels(request: StaffRequest, verbatim_id: int) -> HttpResponse:
    """`/verbatims/<id>/labels/`: the labels of words in a list, once somebody has corrected them there."""
    reading = _reading(request, verbatim_id)
    if not request.htmx:
        return redirect("verbatim", verbatim_id)
    return render(request, "reports/_labels.html", {"reading": reading})


def _reading(request: StaffRequest, verbatim_id: int) -> Analysis:
    return get_object_or_404(
        Analysis.objects.exclude(verbatim__text="").exclude(analysed_at=None),
        pk=verbatim_id,
        verbatim__response__store__in=scope_of(request.user).stores,
        verbatim__response__erased_at=None,
    )


def _reader(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)  # LoginRequiredMiddleware lets nobody else through
    return user
