"""What a published period shows: decided when it is published, beside all that was published before and beside the
weeks of the live pages."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.db import connection
from django.db.models import F

from reports.figures import Source
from reports.models import PublishedNode, PublishedPeriod
from reports.statistics import MIN_SHOWN, Told, to_show
from reports.sums import monday_of
from stores.models import Node
from surveys.choices import QuestionKind

_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
# From its first day to the first one after it.
Days = tuple[date, date]


def shown_if_published(first: date, last: date) -> set[tuple[int, Source]]:
    """Of which nodes, and by which ways of asking, the 0-to-10 figure of these days may be shown for good."""
    new: Days = (first, last + _DAY)
    earlier = _overlapping(new, {period.pk: (period.first, period.last + _DAY) for period in _periods()})
    weeks = _weeks([new, *earlier.values()])
    points = sorted({point for days in (new, *earlier.values(), *weeks) for point in days})
    at = {point: number for number, point in enumerate(points)}

    def stretch(days: Days) -> tuple[int, int]:
        return at[days[0]], at[days[1]]

    told: dict[Source, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for pk, node, source in _shown(earlier):
        told[source][pk].add(node)
    roots, below = _tree()
    return {
        (node, source)
        for source, counts in _counted(points).items()
        for node in to_show(
            stretch(new),
            [Told(stretch(days), told[source][pk]) for pk, days in earlier.items()],
            roots,
            below,
            counts,
            [stretch(days) for days in weeks],
        )
    }


def _weeks(periods: Sequence[Days]) -> list[Days]:
    """The whole weeks that the periods reach into: the live pages may show each of them, and sums of them."""
    spans = [_in_whole_weeks(days) for days in periods]
    first, end = min(span[0] for span in spans), max(span[1] for span in spans)
    return [(first + n * _WEEK, first + (n + 1) * _WEEK) for n in range((end - first) // _WEEK)]


def _periods() -> Iterable[PublishedPeriod]:
    return PublishedPeriod.objects.order_by("pk")


def _overlapping(new: Days, known: dict[int, Days]) -> dict[int, Days]:
    """Those that have weeks in common with it, or with one of these: what lies apart leads to nothing together."""
    found: dict[int, Days] = {}
    queue = [new]
    while queue:
        first, end = _in_whole_weeks(queue.pop())
        more = {pk: days for pk, days in known.items() if pk not in found and days[0] < end and first < days[1]}
        found |= more
        queue += more.values()
    return found


def _in_whole_weeks(days: Days) -> Days:
    return monday_of(days[0]), monday_of(days[1] - _DAY) + _WEEK


def _shown(periods: Iterable[int]) -> Iterable[tuple[int, int, Source]]:
    rows = PublishedNode.objects.annotate(n=F("promoters") + F("passives") + F("detractors")).filter(
        # What was published before anything was decided says that all is shown, and its page shows five answers alone.
        period__in=list(periods),
        headline_kind=QuestionKind.NPS,
        shown=True,
        n__gte=MIN_SHOWN,
    )
    for pk, node, channel, sample in rows.values_list("period_id", "node_id", "channel", "sample_kind"):
        yield pk, node, Source(channel, sample)


def _tree() -> tuple[list[int], dict[int, list[int]]]:
    below: dict[int | None, list[int]] = defaultdict(list)
    for pk, parent in Node.objects.order_by("pk").values_list("pk", "parent_id"):
        below[parent].append(pk)
    roots = below.pop(None, [])
    return roots, {parent: children for parent, children in below.items() if parent is not None}


def _counted(points: Sequence[date]) -> dict[Source, dict[int, list[int]]]:
    """The answers to the 0-to-10 question of each node between each two of these days."""
    found: dict[Source, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0] * (len(points) - 1)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT channel, sample_kind, node_id, width_bucket(local_day, %(points)s::date[]) AS bucket,"
            " sum(promoters + passives + detractors)::int FROM reports_nodeday"
            " WHERE headline_kind = %(nps)s AND local_day >= %(first)s AND local_day < %(end)s GROUP BY 1, 2, 3, 4",
            {"points": list(points), "nps": QuestionKind.NPS.value, "first": points[0], "end": points[-1]},
        )
        for channel, sample, node, bucket, n in cursor.fetchall():
            found[Source(channel, sample)][node][bucket - 1] = n
    return found
