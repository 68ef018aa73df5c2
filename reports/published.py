"""What head office published, and what the cells say of the same period today: with the difference, and why.

A published figure never changes. Today's follows late answers, corrections and the tree of today; each answer that
makes the difference is counted under one reason, so that the reasons add up to it exactly.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import connection, models, transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from reports.disclosure import shown_if_published
from reports.figures import Source
from reports.models import PeriodKind, PublishedNode, PublishedPeriod, PublishedStore, StoreDay
from reports.periods import earliest_day
from reports.statistics import MIN_SHOWN, NO_ANSWERS, Nps
from reports.sums import COUNTS, SOURCE, lock_sums, monday_of, sum_of
from stores.models import Node, Store, User
from surveys.choices import PROMOTER_AT_LEAST, UNHAPPY_AT_MOST, QuestionKind
from surveys.counting import left_out
from surveys.models import Response, ResponseRevision

BANDS = ("promoters", "passives", "detractors")
# How far back periods are offered, newest first.
_OFFERED = {PeriodKind.WEEK: 13, PeriodKind.MONTH: 6, PeriodKind.QUARTER: 4}


class PeriodRefused(ValueError):
    """Not a period that can be published: it is not over, or it was published before."""


class Span(NamedTuple):
    """A week, month or quarter."""

    kind: PeriodKind
    first: date
    last: date


def spans_over(kind: PeriodKind) -> list[Span]:
    """The newest periods of a kind that are over in every store, newest first."""
    today = earliest_day(Store.objects.order_by().values_list("time_zone", flat=True).distinct())
    found, first = list[Span](), _first_day(kind, today)
    for _number in range(_OFFERED[kind]):
        last = first - timedelta(days=1)
        first = _first_day(kind, last)
        found.append(Span(kind, first, last))
    return found


def _first_day(kind: PeriodKind, day: date) -> date:
    if kind == PeriodKind.WEEK:
        return monday_of(day)
    return day.replace(day=1, month=day.month if kind == PeriodKind.MONTH else 3 * ((day.month - 1) // 3) + 1)


def offered() -> list[Span]:
    """What may be published now."""
    done = set(PublishedPeriod.objects.values_list("kind", "first"))
    return [span for kind in PeriodKind for span in spans_over(kind) if (span.kind, span.first) not in done]


_FREEZE_NODES = f"""
INSERT INTO reports_publishednode (period_id, node_id, name, shown, {", ".join((*SOURCE, *COUNTS))})
SELECT s.period_id, s.node_id, n.name, s.headline_kind = '{QuestionKind.NPS.value}' AND EXISTS (
    SELECT FROM unnest(%(nodes)s::bigint[], %(channels)s::text[], %(samples)s::text[]) AS w(node_id, channel, sample)
    WHERE w.node_id = s.node_id AND w.channel = s.channel AND w.sample = s.sample_kind
), {", ".join(f"s.{name}" for name in (*SOURCE, *COUNTS))} FROM ({{sums}}) s
JOIN stores_node n ON n.id = s.node_id
""".format(  # noqa: S608  (our own names)
    sums=sum_of(
        f"SELECT node_id, %(period)s::bigint AS period_id, {', '.join((*SOURCE, *COUNTS))} FROM reports_nodeday"  # noqa: S608
        " WHERE local_day BETWEEN %(first)s AND %(last)s",
        "node_id",
        "period_id",
    )
)
_FREEZE_STORES = f"""
INSERT INTO reports_publishedstore (period_id, store_id, path, {", ".join(SOURCE)}, responses, {", ".join(BANDS)})
SELECT %(period)s, d.store_id, n.path, {", ".join(f"d.{name}" for name in SOURCE)}, sum(d.responses),
    {", ".join(f"sum(d.{band})" for band in BANDS)}
FROM reports_storeday d JOIN stores_store s ON s.id = d.store_id JOIN stores_node n ON n.id = s.node_id
WHERE d.local_day BETWEEN %(first)s AND %(last)s AND d.responses > 0
GROUP BY d.store_id, n.path, {", ".join(f"d.{name}" for name in SOURCE)}
"""  # noqa: S608  (our own names)


@transaction.atomic
def publish(kind: PeriodKind, first: date, *, by: User) -> PublishedPeriod:
    """Freeze the figures of a period as they are now. Raises PeriodRefused."""
    # Nothing that was counted is committed meanwhile: nodes and stores are of one moment.
    lock_sums()
    span = next((one for one in offered() if (one.kind, one.first) == (kind, first)), None)
    if span is None:
        raise PeriodRefused(f"{kind} {first}")
    shown = shown_if_published(span.first, span.last)
    period = PublishedPeriod.objects.create(
        kind=kind, first=span.first, last=span.last, published_at=timezone.now(), published_by=by
    )
    values: dict[str, Any] = {"period": period.pk, "first": span.first, "last": span.last}
    values |= {
        "nodes": [node for node, _source in shown],
        "channels": [source.channel for _node, source in shown],
        "samples": [source.sample for _node, source in shown],
    }
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE_NODES, values)
        cursor.execute(_FREEZE_STORES, values)
    return period


@dataclass(frozen=True)
class Restated:
    """What was published of a node's answers of one source, `shown` if with its score, and what is counted today."""

    node: int
    source: Source
    published: Nps
    today: Nps
    shown: bool

    @property
    def differs(self) -> bool:
        return self.published != self.today

    @property
    def may_stand(self) -> bool:
        """Whether today's figure is large enough to stand beside the published one, and far enough from it."""
        return self.shown and self.today.n >= MIN_SHOWN <= self.change.size

    @property
    def change(self) -> "Bands":
        return Bands.of([self.today]).plus(Bands.of([self.published]), -1)


def restated(period: PublishedPeriod, nodes: Collection[int]) -> list[Restated]:
    """The 0-to-10 figures of these nodes, by node and source."""
    return restated_of([period], nodes)[period.pk]


def restated_of(periods: Iterable[PublishedPeriod], nodes: Collection[int]) -> dict[int, list[Restated]]:
    """The same of several periods, by their ids, in as many queries as of one."""
    pks = [period.pk for period in periods]
    frozen, shown = _frozen(pks, nodes)
    today = _today(pks, nodes)
    found: dict[int, list[Restated]] = {pk: [] for pk in pks}
    for key in sorted({*frozen, *today}):
        pk, node, source = key
        then = frozen.get(key, NO_ANSWERS)
        may_show = key in shown and then.n >= MIN_SHOWN
        found[pk].append(Restated(node, source, then, today.get(key, NO_ANSWERS), may_show))
    return found


# A published period, a node and a way of asking.
_Key = tuple[int, int, Source]


def _frozen(periods: Collection[int], nodes: Collection[int]) -> tuple[dict[_Key, Nps], set[_Key]]:
    """What was published where there were answers, and what of it with its score."""
    rows = PublishedNode.objects.filter(period__in=periods, node__in=nodes, headline_kind=QuestionKind.NPS)
    found, shown = dict[_Key, Nps](), set[_Key]()
    for period, node, channel, sample, with_score, *bands in rows.values_list(
        "period_id", "node_id", "channel", "sample_kind", "shown", *BANDS
    ):
        if any(bands):
            key = period, node, Source(channel, sample)
            found[key] = Nps(*bands)
            shown |= {key} if with_score else set()
    return found, shown


_TODAY = f"""
SELECT p.id, d.node_id, d.channel, d.sample_kind, {", ".join(f"sum(d.{band})::int" for band in BANDS)}
FROM reports_publishedperiod p JOIN reports_nodeday d ON d.local_day BETWEEN p.first AND p.last
WHERE p.id = ANY(%s) AND d.node_id = ANY(%s) AND d.headline_kind = %s
GROUP BY 1, 2, 3, 4 HAVING sum({" + ".join(f"d.{band}" for band in BANDS)}) > 0
"""  # noqa: S608  (our own names)


def _today(periods: Collection[int], nodes: Collection[int]) -> dict[_Key, Nps]:
    with connection.cursor() as cursor:
        cursor.execute(_TODAY, [list(periods), list(nodes), QuestionKind.NPS.value])
        return {
            (period, node, Source(channel, sample)): Nps(*bands)
            for period, node, channel, sample, *bands in cursor.fetchall()
        }


def told_today(found: Mapping[int, Restated], below: Mapping[int | None, Sequence[int]]) -> set[int]:
    """Beside which of the published figures of one source today's may stand, so that nothing is told about fewer than
    five answers that came or went; `below` has the nodes right below others, those of None being the uppermost.

    Five at least must differ there, and the place above must be settled: told as well, or the same as it was. What
    differs beside it and is not told differs by nothing or by five answers together.
    """
    told: set[int] = set()
    settled: list[int | None] = [None]
    while settled:
        place = settled.pop()
        figures = [found[pk] for pk in below.get(place, ()) if pk in found]
        able = sorted((one for one in figures if one.may_stand), key=lambda one: one.change.size)
        while place is not None and able and 0 < _change_beside(found[place], able).size < MIN_SHOWN:
            able.pop(0)
        told |= {one.node for one in able}
        settled += [one.node for one in figures if one.node in told or (one.shown and not one.differs)]
    return told


def _change_beside(whole: Restated, parts: Iterable[Restated]) -> "Bands":
    left = whole.change
    for one in parts:
        left = left.plus(one.change, -1)
    return left


def told_elsewhere(periods: Iterable[PublishedPeriod]) -> dict[int, PublishedPeriod]:
    """Of these periods, those with days in a longer one that was published: today's figure stands beside that alone,
    for the difference of two of them would tell about the days between."""
    order = [kind.value for kind in PeriodKind]
    longer = sorted(PublishedPeriod.objects.exclude(kind=PeriodKind.WEEK), key=lambda one: -order.index(one.kind))
    found = {}
    for period in periods:
        rank = order.index(period.kind)
        for one in longer:
            if order.index(PeriodKind(one.kind)) > rank and one.first <= period.last and period.first <= one.last:
                found[period.pk] = one
                break
    return found


class Bands(Counter[str]):
    """By how many answers a figure changed, band by band; below zero as well."""

    @classmethod
    def of(cls, figures: Iterable[Nps]) -> "Bands":
        whole = sum(figures, NO_ANSWERS)
        return cls({band: getattr(whole, band) for band in BANDS})

    def added_to(self, nps: Nps) -> Nps:
        return Nps(*(getattr(nps, band) + self[band] for band in BANDS))

    @property
    def size(self) -> int:
        """How many answers such a change takes at least."""
        return max(sum(max(n, 0) for n in self.values()), sum(max(-n, 0) for n in self.values()))

    def plus(self, other: Mapping[str, int], times: int = 1) -> "Bands":
        return Bands({band: self[band] + times * other[band] for band in BANDS})


class Why(models.TextChoices):
    """Why today's figure is another one."""

    JOINED = "joined", _("Stores that joined this part of the tree")
    LEFT = "left", _("Stores that left this part of the tree")
    LATE = "late", _("Answers that came in after it was published")
    CORRECTED = "corrected", _("Answers that their shoppers corrected")
    MARKED = "marked", _("Answers that are marked, or no longer marked, as not to be counted")


@dataclass(frozen=True)
class Reason:
    """`answers` were touched by it; `change` is by how much the bands differ for it."""

    why: Why
    answers: int
    change: Bands

    @property
    def label(self) -> str | Promise:
        return self.why.label


def reasons(period: PublishedPeriod, node: Node, sources: Iterable[Source]) -> dict[Source, list[Reason]]:
    """Why the node's figures of these sources are not what was published; the changes of each source's reasons add up
    to its difference.

    Only what differs is looked into: stores right below nodes whose own figures differ.
    """
    differing = _differing(period)
    return {source: _reasons(period, node, source, differing[source]) for source in sources}


def _reasons(period: PublishedPeriod, node: Node, source: Source, differing: Collection[int]) -> list[Reason]:
    stores = [
        one
        for one in _stores(period, source, node)
        if not one.direct.isdisjoint(differing) or one.was_here != one.is_here
    ]
    here = [one.pk for one in stores if one.is_here]
    now = _counted_today(period, source, here)
    joined = Bands.of(one.published for one in stores if one.is_here and not one.was_here)
    left = Bands.of(one.published for one in stores if one.was_here and not one.is_here)
    late = _late(period, source, here)
    corrected, touched = _corrected(period, source, here)
    own = Bands.of(now[pk] for pk in here).plus(Bands.of(one.published for one in stores if one.is_here), -1)
    marked = own.plus(late, -1).plus(corrected, -1)
    found = [
        Reason(Why.JOINED, joined.size, joined),
        Reason(Why.LEFT, left.size, Bands().plus(left, -1)),
        Reason(Why.LATE, late.size, late),
        Reason(Why.CORRECTED, touched, corrected),
        Reason(Why.MARKED, marked.size, marked),
    ]
    return [reason for reason in found if reason.answers]


def _differing(period: PublishedPeriod) -> dict[Source, set[int]]:
    """The nodes whose own figure differs, and those above them: of what lies right below any other nothing does."""
    paths = {node.pk: node.above for node in Node.objects.all()}
    found: dict[Source, set[int]] = defaultdict(set)
    for one in restated(period, list(paths)):
        if one.differs:
            found[one.source].update(paths[one.node])
    return found


@dataclass(frozen=True)
class _Store:
    """A store that lay below a node when it was published, or does today. `then` is None if it had no answers."""

    pk: int
    published: Nps
    then: int | None
    now: int
    was_here: bool
    is_here: bool

    @property
    def direct(self) -> set[int]:
        return {self.now} if self.then is None else {self.now, self.then}


def _stores(period: PublishedPeriod, source: Source, node: Node) -> list[_Store]:
    frozen = PublishedStore.objects.filter(
        period=period, headline_kind=QuestionKind.NPS, channel=source.channel, sample_kind=source.sample
    )
    rows = frozen.filter(Q(path__contains=f"/{node.pk}/") | Q(store__node__path__startswith=node.path)).values_list(
        "store", "path", "store__node", "store__node__path", *BANDS
    )
    found = []
    for pk, path, now, path_now, *bands in rows:
        above = [int(part) for part in path.strip("/").split("/")]
        is_here = path_now.startswith(node.path)
        found.append(_Store(pk, Nps(*bands), above[-1], now, node.pk in above, is_here))
    known = {one.pk for one in found}
    # Stores without answers by then have some only if they came later.
    below = Store.objects.filter(node__path__startswith=node.path).values_list("pk", "node")
    return found + [_Store(pk, NO_ANSWERS, None, now, True, True) for pk, now in below if pk not in known]


def _counted_today(period: PublishedPeriod, source: Source, stores: Collection[int]) -> dict[int, Nps]:
    sums = (
        StoreDay.objects.filter(
            store__in=stores,
            local_day__range=(period.first, period.last),
            headline_kind=QuestionKind.NPS,
            channel=source.channel,
            sample_kind=source.sample,
        )
        .order_by()
        .values_list("store")
        .annotate(*(Sum(band) for band in BANDS))
    )
    return dict.fromkeys(stores, NO_ANSWERS) | {pk: Nps(*bands) for pk, *bands in sums}


def _answers(period: PublishedPeriod, source: Source, stores: Iterable[int]) -> models.QuerySet[Response]:
    """The answers that count."""
    found = Response.objects.filter(
        store__in=list(stores),
        local_day__range=(period.first, period.last),
        headline_kind=QuestionKind.NPS,
        channel=source.channel,
        sample_kind=source.sample,
    )
    return found.exclude(left_out())


def _band(score: int | None) -> str | None:
    if score is None:
        return None
    if score >= PROMOTER_AT_LEAST[QuestionKind.NPS]:
        return "promoters"
    return "detractors" if score <= UNHAPPY_AT_MOST[QuestionKind.NPS] else "passives"


def _late(period: PublishedPeriod, source: Source, stores: Iterable[int]) -> Bands:
    scores = _answers(period, source, stores).filter(submitted_at__gt=period.published_at).exclude(score=None)
    return Bands(Counter(band for score in scores.values_list("score", flat=True) if (band := _band(score))))


def _corrected(period: PublishedPeriod, source: Source, stores: Iterable[int]) -> tuple[Bands, int]:
    """By how much corrections since then changed the bands, and how many answers they were."""
    answers = _answers(period, source, stores).filter(submitted_at__lte=period.published_at)
    revisions = ResponseRevision.objects.filter(response__in=answers, replaced_at__gt=period.published_at)
    # What an answer said when it was published is what the first correction after that replaced.
    first: dict[Any, tuple[int | None, int | None]] = {}
    for pk, old, new in revisions.order_by("-number").values_list("response", "score", "response__score"):
        first[pk] = (old, new)
    change, touched = Bands(), 0
    for old, new in first.values():
        before, after = _band(old), _band(new)
        if before != after:
            touched += 1
            change[before or ""] -= 1
            change[after or ""] += 1
    return Bands({band: change[band] for band in BANDS}), touched


def by_source(figures: Iterable[Restated]) -> dict[Source, list[Restated]]:
    """Largest published source first."""
    found: dict[Source, list[Restated]] = defaultdict(list)
    for one in figures:
        found[one.source].append(one)
    return dict(sorted(found.items(), key=lambda item: (-max(one.published.n for one in item[1]), item[0])))
