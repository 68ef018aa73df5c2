"""How cases ended: what shoppers say of it, what they deny, how they score afterwards, and what was left out.

Of thirteen weeks, the running one among them, as reports are. Every share comes with n and its margin, and is hidden
below five; nothing here goes into an NPS. "Reached" is what a colleague recorded; "denied" is the shopper's own No to
"Did we contact you?".
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from alerts.choices import CaseState, EventKind, Exemption
from alerts.models import Case, CaseEvent, Verification
from alerts.queries import count_outcomes, events_that_stand
from alerts.times import in_words
from core.shares import Share
from stores.models import Store, User
from surveys.choices import STAFF_FLAG
from surveys.counting import no_answer

WEEKS = 13
# Fewer answers than this could be told apart: their share is hidden and n is shown.
FEWEST = 5
MOST_ROWS = 50
MOST_DENIED = 25
SAMPLE_SHOWN = 10


@dataclass(frozen=True)
class Part:
    """A share that knows whether it may be shown."""

    share: Share

    @property
    def shown(self) -> bool:
        return self.share.n >= FEWEST


def _part(part: int, n: int) -> Part:
    return Part(Share(part, n))


@dataclass(frozen=True)
class Denied:
    """Of the contacts that were recorded and about which the shopper answered, how many they deny."""

    name: str
    part: Part


@dataclass(frozen=True)
class LeftOut:
    """How many cases of a store were left out, of how many that were opened, and what a look at them found."""

    store: Store
    opened: int
    not_complaint: int
    outside: int
    looked_at: int
    brought_back: int

    @property
    def part(self) -> Part:
        return _part(self.not_complaint + self.outside, self.opened)


@dataclass(frozen=True)
class Pace:
    """The middle one of all that happened, in open minutes and by the clock."""

    moment: str
    n: int
    open: str
    wall: str


@dataclass(frozen=True)
class Closing:
    since: datetime
    confirmed: Part
    reopened: Part
    unconfirmed: Part
    by_store: list[Denied]
    by_person: list[Denied]
    denied: list[Case]
    left_out: list[LeftOut]
    pace: list[Pace]


@dataclass
class _Count:
    denied: int = 0
    n: int = 0


@dataclass
class _LeftOutCount:
    opened: int = 0
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    looked_at: int = 0
    brought_back: int = 0


def closing_of(stores: QuerySet[Store], *, led: QuerySet[Store] | None = None, now: datetime | None = None) -> Closing:
    """What became of the cases of these stores; by person only of those that are `led` by the reader from above."""
    since = _first_monday(stores, now or timezone.now())
    asked = Verification.objects.filter(case__store__in=stores, asked_at__gte=since).exclude(
        case__response__flags__contains=[STAFF_FLAG]
    )
    outcomes = count_outcomes(
        Case.objects.filter(store__in=stores, response__local_day__gte=since, exemption="").exclude(
            no_answer("response__")
        )
    )
    whole = sum(outcomes.values())
    by_store, denied = _denied_by_store(asked)
    return Closing(
        since=since,
        **{name: _part(n, whole) for name, n in outcomes.items()},
        by_store=by_store,
        by_person=_denied_by_person(asked.filter(case__store__in=led)) if led is not None else [],
        denied=denied,
        left_out=_left_out(stores, since),
        pace=_pace(stores, since),
    )


def _first_monday(stores: QuerySet[Store], now: datetime) -> datetime:
    """Where the weeks begin: the running one is that of the store where it began first."""
    zones = stores.order_by().values_list("time_zone", flat=True).distinct()
    today = max((now.astimezone(ZoneInfo(zone)).date() for zone in zones), default=now.date())
    monday = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    return datetime.combine(monday, time.min, UTC)


class _Contact(NamedTuple):
    """A recorded contact about which the shopper was asked, and who recorded it."""

    case: UUID
    confirmed: bool
    store: str
    by: int


def _answered_contacts(asked: QuerySet[Verification]) -> list[_Contact]:
    """Those about whose recorded contact the shopper answered, newest first."""
    recorded = events_that_stand(
        CaseEvent.objects.filter(case=OuterRef("case"), kind=EventKind.CONTACTED, at__lt=OuterRef("answered_at"))
    ).order_by("-at")
    answered = asked.exclude(contacted=None).exclude(answered_at=None)
    known = answered.annotate(by=Subquery(recorded.values("actor")[:1])).exclude(by=None).order_by("-answered_at")
    rows = known.values_list("case_id", "contacted", "case__store__name", "by")
    return [_Contact(case, bool(confirmed), store, by) for case, confirmed, store, by in rows]


def _denied_by_store(asked: QuerySet[Verification]) -> tuple[list[Denied], list[Case]]:
    """How many contacts shoppers deny at each store, and the newest such cases."""
    stores: dict[str, _Count] = defaultdict(_Count)
    denied = []
    for one in _answered_contacts(asked):
        stores[one.store].n += 1
        stores[one.store].denied += not one.confirmed
        if not one.confirmed:
            denied.append(one.case)
    cases = Case.objects.select_related("store", "owner").in_bulk(denied[:MOST_DENIED])
    return _worst_first(stores.items()), [cases[pk] for pk in dict.fromkeys(denied[:MOST_DENIED])]


def _denied_by_person(asked: QuerySet[Verification]) -> list[Denied]:
    """The same by the colleague who recorded the contact."""
    people: dict[int, _Count] = defaultdict(_Count)
    for one in _answered_contacts(asked):
        people[one.by].n += 1
        people[one.by].denied += not one.confirmed
    names = dict(User.objects.filter(pk__in=people).values_list("pk", "name"))
    return _worst_first((names[pk], count) for pk, count in people.items())


def _worst_first(counts: Iterable[tuple[str, _Count]]) -> list[Denied]:
    ordered = sorted(counts, key=lambda one: (-one[1].denied, -one[1].n, one[0]))
    return [Denied(name, _part(count.denied, count.n)) for name, count in ordered[:MOST_ROWS]]


def _left_out(stores: QuerySet[Store], since: datetime) -> list[LeftOut]:
    """Per store with such cases, most first; beside all that were opened there."""
    counts: dict[int, _LeftOutCount] = defaultdict(_LeftOutCount)
    opened = Case.objects.filter(store__in=stores, opened_at__gte=since).exclude(response__flags__contains=[STAFF_FLAG])
    grouped = opened.order_by().values_list("store_id", "exemption").annotate(n=Count("pk"))
    for store_id, exemption, n in grouped:
        counts[store_id].opened += n
        if exemption:
            counts[store_id].kinds[exemption] += n
    looked = events_that_stand(
        CaseEvent.objects.filter(case__in=opened, kind__in=(EventKind.SAMPLED, EventKind.TAKEN_BACK))
    )
    for store_id, kind in looked.values_list("case__store_id", "kind"):
        counts[store_id].looked_at += 1
        counts[store_id].brought_back += kind == EventKind.TAKEN_BACK
    wanted = [pk for pk, count in counts.items() if count.kinds or count.looked_at]
    by_id = Store.objects.in_bulk(wanted)
    found = [
        LeftOut(
            store=by_id[pk],
            opened=counts[pk].opened,
            not_complaint=counts[pk].kinds[Exemption.NOT_COMPLAINT],
            outside=counts[pk].kinds[Exemption.OUTSIDE],
            looked_at=counts[pk].looked_at,
            brought_back=counts[pk].brought_back,
        )
        for pk in wanted
    ]
    return sorted(found, key=lambda one: (-(one.part.share.part), one.store.name))[:MOST_ROWS]


class _Median(models.Aggregate):
    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


def _pace(stores: QuerySet[Store], since: datetime) -> list[Pace]:
    """Medians, which one forgotten case does not move."""
    cases = Case.objects.filter(store__in=stores, opened_at__gte=since, exemption="").exclude(
        response__flags__contains=[STAFF_FLAG]
    )
    found = []
    for moment in ("acknowledged", "contacted", "resolved"):
        happened = cases.exclude(**{f"{moment}_at": None}).exclude(**{f"{moment}_open_secs": None})
        wall = models.ExpressionWrapper(F(f"{moment}_at") - F("opened_at"), models.DurationField())
        middle = happened.aggregate(
            n=Count("pk"),
            open=_Median(f"{moment}_open_secs", output_field=models.FloatField()),
            wall=_Median(wall, output_field=models.DurationField()),
        )
        if middle["n"] >= FEWEST:
            spans = (in_words(timedelta(seconds=middle["open"])), in_words(middle["wall"]))
        else:
            spans = ("–", "–")
        found.append(Pace(moment, middle["n"], *spans))
    return found


# --- what stores left out, to be looked at ------------------------------------------------------------------------
def sample_for(stores: QuerySet[Store], *, now: datetime | None = None) -> list[UUID]:
    """Ids of cases of the last four weeks that were left out and that nobody above the store has looked at: all
    severe ones first, then a part of the others that is the same for everybody and cannot be foreseen by a store."""
    since = (now or timezone.now()) - timedelta(days=28)
    found = (
        Case.objects.filter(store__in=stores, state=CaseState.DISMISSED, closed_at__gte=since)
        .exclude(pk__in=events_that_stand(CaseEvent.objects.filter(kind=EventKind.SAMPLED)).values("case"))
        .filter(~Q(response__erased_at__isnull=False))
    )
    # The id is random, and its order is that of nothing else.
    return list(found.order_by(F("severity").desc(), "pk").values_list("pk", flat=True)[:SAMPLE_SHOWN])
