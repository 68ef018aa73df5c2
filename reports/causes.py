"""Why things went wrong: the root causes that people named when they closed cases."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db.models import Count, QuerySet

from alerts.models import Case, RootCause
from alerts.policy import OUTSIDE_CAUSE
from reports.figures import ANY_WAY
from reports.filters import Filters
from reports.linking import words_behind
from reports.periods import Period
from reports.statistics import MIN_SHOWN, Share
from stores.models import Store
from surveys.counting import left_out


@dataclass(frozen=True)
class CauseRow:
    """A cause and its share of all cases that were given one; `words` lead to what their shoppers wrote."""

    cause: RootCause
    share: Share
    words: str

    @property
    def hidden(self) -> bool:
        return self.share.n < MIN_SHOWN

    @property
    def is_ours(self) -> bool:
        """Whether somebody in the chain can do something about it."""
        return self.cause.name != OUTSIDE_CAUSE


def causes_of(stores: QuerySet[Store], filters: Filters, period: Period) -> list[CauseRow]:
    """The causes of the cases of these weeks, the commonest first."""
    # By the instant too, for which there is an index; a case is opened soon after its response.
    since = datetime.combine(period.start, time.min, UTC) - timedelta(days=1)
    until = datetime.combine(period.end, time.min, UTC) + timedelta(days=9)
    rows = (
        Case.objects.filter(
            store__in=stores,
            opened_at__range=(since, until),
            response__local_day__range=(period.start, period.end),
            root_cause__isnull=False,
        )
        .exclude(left_out("response__"))
        .order_by()
        .values_list("root_cause")
        .annotate(n=Count("pk"))
    )
    counts = dict(rows)
    causes = RootCause.objects.in_bulk(counts)
    total = sum(counts.values())
    found = [
        CauseRow(causes[pk], Share(n, total), words_behind(filters, source=ANY_WAY, cause=str(pk)))
        for pk, n in counts.items()
    ]
    return sorted(found, key=lambda row: (-row.share.part, str(row.cause)))
