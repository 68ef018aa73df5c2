"""The pages of published periods: what was published, and how it is restated."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from reports.figures import Figure, Source
from reports.filters import Filters, Scope, scope_of
from reports.linking import words_behind
from reports.models import PeriodKind, PublishedPeriod
from reports.periods import Days, Week, written_dates
from reports.published import (
    PeriodRefused,
    Reason,
    Restated,
    by_source,
    offered,
    publish,
    reasons,
    restated,
    restated_of,
    told_elsewhere,
    told_today,
)
from reports.statistics import MIN_SHOWN
from stores.choices import Role
from stores.models import Node, User
from stores.people import zone_of
from stores.queries import roles_of
from surveys.choices import QuestionKind

PER_PAGE = 20
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Line:
    """A node's published figure of one source, and today's where the two may stand beside each other.

    `few` says that they differ by too few answers to tell which: the second figure would give them away. `elsewhere`
    is the longer period beside which today's figure stands. `words` opens what is behind the published figure, where
    the page says that today's is the same, and `words_today` what is behind that: the words are those of today.
    """

    node: Node
    source: Source
    published: Figure
    today: Figure | None
    few: bool
    elsewhere: PublishedPeriod | None
    words: str = ""
    words_today: str = ""

    @property
    def difference(self) -> float | None:
        then, now = self.published.nps.score, self.today.nps.score if self.today else None
        return None if then is None or now is None else now - then


@dataclass(frozen=True)
class Cause:
    """A reason as it may be shown: `points` is what it adds to the score, None where that would tell of a few."""

    label: str
    answers: int | None
    points: float | None


def written_period(period: PublishedPeriod) -> str:
    """The name of a period, as people call it."""
    return written_span(PeriodKind(period.kind), period.first)


def written_span(kind: PeriodKind, first: date) -> str:
    if kind == PeriodKind.WEEK:
        week = Week(first)
        return _("Week %(number)d, %(dates)s") % {"number": week.number, "dates": week.dates}
    if kind == PeriodKind.MONTH:
        return date_format(first, "F Y")
    return _("Quarter %(number)d of %(year)d") % {"number": (first.month + 2) // 3, "year": first.year}


@require_http_methods(["GET", "HEAD", "POST"])
def published(request: HttpRequest) -> HttpResponse:
    """All published periods with the figure of the reader's place; head office publishes another.

    Places are nodes. Whether a store's figure may stand beside all weeks and periods would take minutes to decide for
    thousands of stores (`reports.disclosure`), and that of its area would tell whoever knows the store's own answers of
    a few others': who has stores alone is told that their reports show today's state.
    """
    reader = _reader(request)
    scope = scope_of(reader)
    may_publish = Role.HEAD_OFFICE in roles_of(reader)
    if request.method == "POST":
        if not may_publish:
            raise PermissionDenied
        return _publish(request, reader)
    page = Paginator(PublishedPeriod.objects.select_related("published_by"), PER_PAGE).get_page(request.GET.get("page"))
    tops, longer = _tops(scope), told_elsewhere(page)
    around = _Around(tops)
    figures = restated_of(page, around.nodes)
    context = {
        "page": page,
        "rows": [(one, written_period(one), around.lines(one, figures[one.pk], longer.get(one.pk))) for one in page],
        "offered": [(f"{s.kind}:{s.first}", written_span(s.kind, s.first)) for s in offered()] if may_publish else [],
        "may_publish": may_publish,
        "has_place": bool(tops),
        "zone": zone_of(reader),
    }
    return render(request, "reports/published.html", context)


def _publish(request: HttpRequest, reader: User) -> HttpResponse:
    kind, _colon, first = request.POST.get("span", "").partition(":")
    try:
        day = parse_date(first)
        if kind not in PeriodKind.values or day is None:
            raise PeriodRefused
        period = publish(PeriodKind(kind), day, by=reader)
    except ValueError:
        messages.error(request, _("This period cannot be published: it is not over, or it was published before."))
        return redirect("published")
    messages.success(request, _("%(period)s is published. It stays as it is now.") % {"period": written_period(period)})
    return redirect("published_period", pk=period.pk)


@require_safe
def published_period(request: HttpRequest, pk: int) -> HttpResponse:
    """One period: a place, those right below it, and why today's figure of the place is another one."""
    reader = _reader(request)
    scope = scope_of(reader)
    period = get_object_or_404(PublishedPeriod.objects.select_related("published_by"), pk=pk)
    node = _chosen(request, scope)
    if node is None:
        raise Http404
    below = list(scope.nodes.filter(parent=node).order_by("sort_key", "pk"))
    elsewhere = told_elsewhere([period]).get(period.pk)
    around, around_below = _Around([node]), _Around(below)
    own = around.lines(period, restated(period, around.nodes), elsewhere)
    why = reasons(period, node, [line.source for line in own if line.today or line.few])
    context = {
        "period": period,
        "name": written_period(period),
        "dates": written_dates(period.first, period.last),
        "node": node,
        "trail": scope.nodes.filter(pk__in=node.above).exclude(pk=node.pk).order_by("path"),
        "own": [(line, _causes(line, why.get(line.source, []))) for line in own],
        "below": by_source_lines(around_below.lines(period, restated(period, around_below.nodes), elsewhere)),
        "elsewhere": elsewhere,
        "elsewhere_name": written_period(elsewhere) if elsewhere else "",
        "least": MIN_SHOWN,
        "zone": zone_of(reader),
    }
    return render(request, "reports/published_period.html", context)


def _reader(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _tops(scope: Scope) -> list[Node]:
    """The places of the scope above which there is none of it."""
    nodes = list(scope.nodes.order_by("path"))
    known = {node.pk for node in nodes}
    return [node for node in nodes if node.parent_id not in known]


def _chosen(request: HttpRequest, scope: Scope) -> Node | None:
    number = request.GET.get("node", "")
    if not number:
        return next(iter(_tops(scope)), None)
    return scope.nodes.filter(pk=number).first() if _NUMBER.fullmatch(number) else None


class _Around:
    """Some nodes, and what decides which of their figures may be shown: all that are above them, and what lies beside
    either."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._named = {node.pk: node for node in nodes}
        above = {pk for node in nodes for pk in node.above} - self._named.keys()
        self._below: dict[int | None, list[int]] = defaultdict(list)
        for pk, parent in Node.objects.filter(Q(parent__in=above) | Q(parent=None)).values_list("pk", "parent_id"):
            self._below[parent].append(pk)

    @property
    def nodes(self) -> list[int]:
        return [pk for of in self._below.values() for pk in of]

    def lines(
        self, period: PublishedPeriod, figures: Iterable[Restated], elsewhere: PublishedPeriod | None
    ) -> list[Line]:
        """The figures of the nodes as they may be shown, the largest way of asking first; `figures` are all around."""
        found = []
        for of_source in by_source(figures).values():
            told = set() if elsewhere else told_today({one.node: one for one in of_source}, self._below)
            found += [
                _line(one, self._named[one.node], period, told=one.node in told, elsewhere=elsewhere)
                for one in of_source
                if one.node in self._named
            ]
        largest = {line.source: 0 for line in found}
        for line in found:
            largest[line.source] = max(largest[line.source], line.published.nps.n)
        return sorted(found, key=lambda line: (-largest[line.source], line.source))


def _line(one: Restated, node: Node, period: PublishedPeriod, *, told: bool, elsewhere: PublishedPeriod | None) -> Line:
    words = words_behind(
        Filters(node=node), source=one.source, days=Days(period.first, period.last), question=QuestionKind.NPS.value
    )
    # A link to words says that nothing has changed: where the page does not say so, there is none.
    same = one.shown and not one.differs and elsewhere is None
    return Line(
        node,
        one.source,
        Figure(one.published, hidden=not one.shown),
        Figure(one.today, hidden=False) if told else None,
        few=one.differs and one.shown and not told and elsewhere is None,
        elsewhere=elsewhere if one.shown else None,
        words=words if same else "",
        words_today=words if told else "",
    )


def by_source_lines(lines: list[Line]) -> list[tuple[Source, list[Line]]]:
    """Lines of each way of asking, in the order in which they come."""
    found: dict[Source, list[Line]] = defaultdict(list)
    for line in lines:
        found[line.source].append(line)
    return list(found.items())


def _causes(line: Line, found: list[Reason]) -> list[Cause]:
    """The reasons one after the other, so that their points add up.

    They are told of the uppermost place alone, and where none is about a few answers: below it, those of one place
    would follow from those beside it. One reason alone is the whole difference, which stands there anyway.
    """
    able = line.today is not None and all(reason.answers >= MIN_SHOWN for reason in found)
    tell = able and (line.node.parent_id is None or len(found) == 1)
    nps, causes = line.published.nps, []
    for reason in found:
        after = reason.change.added_to(nps)
        points = after.score - nps.score if tell and after.score is not None and nps.score is not None else None
        causes.append(Cause(str(reason.label), reason.answers if reason.answers >= MIN_SHOWN else None, points))
        nps = after
    return causes
