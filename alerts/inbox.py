"""Reads of the inbox: which cases, in which order, and whether anything changed since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.core.paginator import Page, Paginator
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.choices import TO_DO, CaseState, EventKind
from alerts.models import Case, CaseEvent
from alerts.queries import cases_visible_to, events_that_stand
from core.quick import ask
from stores.models import User
from stores.queries import held_by, stores_visible_to
from surveys.choices import PROMOTER_AT_LEAST, ContactWish
from surveys.counting import left_out
from surveys.models import Response

CASES_PER_PAGE = 25
Row = TypeVar("Row", bound=models.Model)
PRAISE_SHOWN = 8
# After so long nobody waits at the fitting rooms any more.
_STAYS = timedelta(minutes=30)
# As many cases as a device keeps to be read without a connection.
MOST_KEPT = 50


class Tab(models.TextChoices):
    TO_DO = "todo", _("To do")
    WAITING = "waiting", _("Waiting")
    CLOSED = "closed", _("Closed")


_STATES = {
    Tab.TO_DO: TO_DO,
    Tab.WAITING: (CaseState.RESOLVED,),
    Tab.CLOSED: (CaseState.CONFIRMED, CaseState.UNCONFIRMED, CaseState.DISMISSED),
}


def clock_stopped() -> Q:
    """Whose clock stands for good: the shopper was reached, or cannot be and this round has an action."""
    fixed = (
        events_that_stand(CaseEvent.objects.filter(case=OuterRef("pk"), kind=EventKind.FIXED))
        .annotate(of_round=Cast(KT("new__round"), models.IntegerField()))
        .filter(of_round=OuterRef("round"))
    )
    out_of_reach = Q(response__contact_wish=ContactWish.NONE) | Q(response__erased_at__isnull=False)
    return Q(state=CaseState.CONTACTED) | (out_of_reach & Q(Exists(fixed)))


def cases_in(user: User, tab: Tab) -> QuerySet[Case]:
    """The user's cases of a tab in the order of their urgency.

    To do: whoever is still in the store and waits there, for they leave soon; then those whose clock runs, the longest
    overdue first; then those that were contacted and wait to be resolved. The others: newest first.
    """
    cases = cases_visible_to(user).filter(state__in=_STATES[tab])
    if tab == Tab.TO_DO:
        waits_there = Q(response__still_here=True, response__submitted_at__gt=timezone.now() - _STAYS)
        turn = models.Case(models.When(clock_stopped(), then=2), models.When(waits_there, then=0), default=1)
        return cases.order_by(turn, "due_at", "pk")
    return cases.order_by(Coalesce("closed_at", "resolved_at").desc(), "pk")


def with_everything(cases: QuerySet[Case]) -> QuerySet[Case]:
    """With all that a card shows, so that the number of queries does not grow with the page."""
    return (
        cases.annotate(stopped=models.Case(models.When(clock_stopped(), then=True), default=False))
        .select_related("store", "owner", "root_cause", "response__touchpoint", "response__contact")
        .prefetch_related("response__verbatims__analysis")
    )


@dataclass(frozen=True)
class Waiting:
    """How many cases wait for somebody to act, and a text that changes whenever one comes, goes or changes."""

    count: int
    version: str


# Asked by every open inbox every few seconds: what is counted is written once for everybody of the same reach.
_COUNT = "SELECT count(*), coalesce(sum(hashtext(id::text || version::text)), 0) FROM (MINE) AS mine (id, version)"
_MOST_WRITTEN = 1000
_written: dict[tuple[Any, ...], tuple[str, Sequence[Any]]] = {}


def waiting_for(user: User) -> Waiting:
    """The user's "to do" in one cheap query.

    The version is made of a count and a sum of hashes: the order of rows does not matter, and a case that goes while
    another comes does.
    """
    try:
        [(count, total)] = ask(*_count_of(user))
    except EmptyResultSet:
        count = total = 0
    return Waiting(count, f"{count}.{total}")


def _count_of(user: User) -> tuple[str, Sequence[Any]]:
    """Raises EmptyResultSet for somebody who sees no store."""
    reach = tuple((one.role, one.store_id, one.node.path if one.node else "") for one in held_by(user))
    key = (user.within_store_id, reach)
    found = _written.get(key)
    if found is None:
        cases = cases_in(user, Tab.TO_DO).order_by().values_list("pk", "version")
        sql, values = cases.query.sql_with_params()
        if len(_written) >= _MOST_WRITTEN:
            _written.clear()
        # Never read back: another thread may have cleared it.
        found = _written[key] = (_COUNT.replace("MINE", sql), values)
    return found


def page_of(rows: QuerySet[Row], number: str | None, *, known: int | None) -> "Page[Row]":
    """A page of a list whose length may be `known` already; the nearest one when there is no such number."""
    pages = Paginator(rows, CASES_PER_PAGE)
    if known is not None:
        pages.count = known
    return pages.get_page(number)


def praise(user: User) -> QuerySet[Response]:
    """The newest words of the happiest shoppers of the last day: what to open on when nothing burns.

    Of those that count: what colleagues tried out, or a mark leaves out, is nobody's praise.
    """
    happy = Q()
    for kind, least in PROMOTER_AT_LEAST.items():
        happy |= Q(headline_kind=kind, score__gte=least)
    return (
        Response.objects.filter(
            happy,
            ~left_out(),
            store__in=stores_visible_to(user),
            submitted_at__gte=timezone.now() - timedelta(days=1),
            erased_at=None,
            verbatims__text__gt="",
            opened_case=None,
        )
        .select_related("store", "touchpoint", "kudos__store")
        .prefetch_related("verbatims__analysis", "kudos__thanks__user")
        .order_by("-submitted_at", "pk")
        .distinct()[:PRAISE_SHOWN]
    )
