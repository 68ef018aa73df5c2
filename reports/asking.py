"""From scan and invitation to answer. Reads raw rows, and so of not too many stores at once."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db.models import Count, QuerySet, Sum

from reports.figures import Source
from reports.filters import Filters
from reports.linking import words_behind
from reports.periods import Period
from reports.statistics import Share
from stores.choices import TouchpointKind
from stores.models import Store
from surveys.choices import NotAskedReason, ResponseChannel
from surveys.counting import no_answer
from surveys.models import Invitation, NotAsked, Response, ScanHour

# Above so many stores a region has to be chosen first.
MOST_STORES = 600


@dataclass(frozen=True)
class Way:
    """A kind of touchpoint: how many scans of its code, pages looked at, answers; `words` lead to what these say."""

    name: str
    scans: int
    opens: int
    answers: int
    words: str

    @property
    def opened(self) -> Share | None:
        """None where counts were lost or not kept yet, so that more came out than went in."""
        return Share(self.opens, self.scans) if self.scans and self.opens <= self.scans else None

    @property
    def answered(self) -> Share | None:
        return Share(self.answers, self.opens) if self.opens and self.answers <= self.opens else None


@dataclass(frozen=True)
class Invited:
    """Invitations of one channel and how many of them were answered."""

    name: str
    sent: int
    answered: int
    words: str

    @property
    def share(self) -> Share:
        return Share(self.answered, self.sent)


@dataclass(frozen=True)
class Asking:
    """`not_asked`: why people were not asked after a visit, and how often."""

    ways: list[Way]
    invited: list[Invited]
    not_asked: list[tuple[str, int]]

    @property
    def empty(self) -> bool:
        return not (self.ways or self.invited or self.not_asked)


def asking_of(stores: QuerySet[Store], filters: Filters, period: Period) -> Asking:
    """The weeks from their first midnight in UTC on: hours of scans are counted by it."""
    since = datetime.combine(period.start, time.min, UTC)
    until = datetime.combine(period.end, time.min, UTC) + timedelta(days=1)
    span = (since, until)
    scans = {
        kind: (s, o)
        for kind, s, o in ScanHour.objects.filter(touchpoint__store__in=stores, hour__range=span)
        .order_by()
        .values_list("touchpoint__kind")
        .annotate(s=Sum("scans"), o=Sum("opens"))
    }
    answers = dict(
        Response.objects.filter(store__in=stores, submitted_at__range=span, invitation=None)
        .exclude(no_answer())
        .order_by()
        .values_list("touchpoint__kind")
        .annotate(n=Count("pk"))
    )
    ways = [
        Way(
            str(kind.label),
            *scans.get(kind.value, (0, 0)),
            answers.get(kind.value, 0),
            words_behind(filters, source=Source("", ""), code=kind.value),
        )
        for kind in TouchpointKind
        if kind.value in scans or kind.value in answers
    ]
    invitations = (
        Invitation.objects.filter(store__in=stores, created_at__range=span)
        .order_by()
        .values_list("channel")
        .annotate(n=Count("pk"), answered=Count("response", filter=~no_answer("response__")))
    )
    left = (
        NotAsked.objects.filter(store__in=stores, at__range=span)
        .order_by()
        .values_list("reason")
        .annotate(n=Count("pk"))
    )
    return Asking(
        ways=ways,
        invited=[
            Invited(
                str(ResponseChannel(channel).label),
                n,
                answered,
                words_behind(filters, source=Source(channel, "")),
            )
            for channel, n, answered in invitations
            if n
        ],
        not_asked=sorted(((str(NotAskedReason(reason).label), n) for reason, n in left), key=lambda one: -one[1]),
    )
