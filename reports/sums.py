"""Sums of cells: a store's weeks from its days, a node's days from those below it, its weeks from its days.

Each is made again whole from the cells below it, so that summing twice does no harm. What differs is written, what has
nothing below it any more goes away.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from django.db import connection, models

from reports.models import Cell, NodeDay, NodeWeek, StoreDay, StoreSpan, StoreWeek
from stores.models import Node, Store
from surveys.choices import QuestionKind

Day = tuple[int, date]
_SUMS_LOCK = 0x4848_5355
TOPIC_COUNTS = ("n", "promoters", "detractors", "negative", "positive")
SOURCE = ("headline_kind", "channel", "sample_kind")
# What each cell counts, in the order of its columns.
COUNTS = tuple(field.name for field in Cell._meta.local_fields if field.name not in SOURCE)
_WHOLE = {"topics": "coalesce(topics, '{}'::jsonb) AS topics"}
_PLAIN = tuple(name for name in COUNTS if name not in ("score_counts", "topics"))


def _table(model: type[models.Model]) -> str:
    return model._meta.db_table


def sum_of(cells: str, owner: str, when: str) -> str:
    """The SELECT that adds up `cells`, a query with the columns `owner`, `when`, those of SOURCE and COUNTS."""
    key = f"{owner}, {when}, {', '.join(SOURCE)}"
    plain = ", ".join(f"sum({name})::int AS {name}" for name in _PLAIN)
    scores = ", ".join(f"sum(score_counts[{place}])" for place in range(1, 12))
    each = ", ".join(f"'{name}', sum((t.value ->> '{name}')::int)" for name in TOPIC_COUNTS)
    return (
        f"WITH cells AS MATERIALIZED ({cells}), plain AS ("  # noqa: S608  (our own names)
        f" SELECT {key}, {plain}, ARRAY[{scores}]::int[] AS score_counts FROM cells GROUP BY {key}"
        f"), topic AS ("
        f" SELECT {key}, t.key AS topic, jsonb_build_object({each}) AS counts"
        f" FROM cells CROSS JOIN LATERAL jsonb_each(topics) AS t WHERE topics <> '{{}}' GROUP BY {key}, t.key"
        f"), topics AS ("
        f" SELECT {key}, jsonb_object_agg(topic, counts) AS topics FROM topic GROUP BY {key}"
        f") SELECT {key}, {', '.join(_WHOLE.get(name, name) for name in COUNTS)}"
        f" FROM plain LEFT JOIN topics USING ({key})"
    )


def refresh(
    target: type[models.Model], owner: str, when: str, fresh: str, *, by: tuple[str, ...], counts: tuple[str, ...]
) -> str:
    """The statement that brings the wanted rows of `target` up to date with what `fresh` selects; only what differs is
    written. `by` and `counts` are its columns after whose and of when they are."""
    table, key = _table(target), (owner, when, *by)
    columns = ", ".join((*key, *counts))
    old, new = (", ".join(f"{whose}.{name}" for name in counts) for whose in ("t", "excluded"))
    return (
        f"WITH fresh AS ({fresh}), written AS ("  # noqa: S608  (our own names)
        f" INSERT INTO {table} AS t ({columns}) SELECT {columns} FROM fresh"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in counts)}"
        f" WHERE ({old}) IS DISTINCT FROM ({new})"
        f") DELETE FROM {table} d USING {wanted(owner, when)} WHERE d.{owner} = w.{owner} AND d.{when} = w.{when}"
        f" AND NOT EXISTS (SELECT FROM fresh f WHERE {' AND '.join(f'f.{n} = d.{n}' for n in key)})"
    )


def _refresh(target: type[models.Model], owner: str, when: str, cells: str) -> str:
    return refresh(target, owner, when, sum_of(cells, owner, when), by=SOURCE, counts=COUNTS)


def wanted(owner: str, when: str) -> str:
    return f"unnest(%(owners)s::bigint[], %(dates)s::date[]) AS w({owner}, {when})"


def cells_of(rows: str, owner: str, when: str) -> str:
    """`rows` is what follows FROM, with the cells as `d`; `owner` and `when` say whose and of when they become."""
    return f"SELECT {owner}, {when}, {', '.join(f'd.{name}' for name in (*SOURCE, *COUNTS))} FROM {rows}"  # noqa: S608


IN_WEEK = "d.local_day >= w.monday AND d.local_day < w.monday + 7"
STORE_WEEKS = _refresh(
    StoreWeek,
    "store_id",
    "monday",
    cells_of(
        f"{wanted('store_id', 'monday')} JOIN {_table(StoreDay)} d ON d.store_id = w.store_id AND {IN_WEEK}",
        "w.store_id",
        "w.monday",
    ),
)
# Spans of weeks, all counted from one Monday on, so that most of a long period is whole spans.
WEEK, SPAN = timedelta(weeks=1), timedelta(weeks=4)
_FIRST_SPAN = date(2001, 1, 1)
SPAN_BY, SPAN_COUNTS = ("channel", "sample_kind"), ("promoters", "passives", "detractors")


def span_sums(cells: str, when: str) -> str:
    """The SELECT of spans that adds up `cells`, a table of a store's cells by `when`; see `refresh`."""
    key = ", ".join(("w.store_id", "w.start", *(f"d.{name}" for name in SPAN_BY)))
    return (
        f"SELECT {key}, {', '.join(f'sum(d.{name})::int AS {name}' for name in SPAN_COUNTS)}"  # noqa: S608  (our own names)
        f" FROM {wanted('store_id', 'start')} JOIN {cells} d ON d.store_id = w.store_id"
        f" AND d.{when} >= w.start AND d.{when} < w.start + {SPAN.days}"
        f" AND d.headline_kind = '{QuestionKind.NPS.value}'"
        f" GROUP BY {key} HAVING {' + '.join(f'sum(d.{name})' for name in SPAN_COUNTS)} > 0"
    )


STORE_SPANS = refresh(
    StoreSpan, "store_id", "start", span_sums(_table(StoreWeek), "monday"), by=SPAN_BY, counts=SPAN_COUNTS
)
NODE_WEEKS = _refresh(
    NodeWeek,
    "node_id",
    "monday",
    cells_of(
        f"{wanted('node_id', 'monday')} JOIN {_table(NodeDay)} d ON d.node_id = w.node_id AND {IN_WEEK}",
        "w.node_id",
        "w.monday",
    ),
)
# A node's own stores, and the nodes right below it, which have been summed before.
NODE_DAYS = _refresh(
    NodeDay,
    "node_id",
    "local_day",
    cells_of(
        f"{wanted('node_id', 'local_day')} JOIN {_table(Store)} s ON s.node_id = w.node_id"
        f" JOIN {_table(StoreDay)} d ON d.store_id = s.id AND d.local_day = w.local_day",
        "w.node_id",
        "w.local_day",
    )
    + " UNION ALL "
    + cells_of(
        f"{wanted('node_id', 'local_day')} JOIN {_table(Node)} n ON n.parent_id = w.node_id"
        f" JOIN {_table(NodeDay)} d ON d.node_id = n.id AND d.local_day = w.local_day",
        "w.node_id",
        "w.local_day",
    ),
)


def lock_sums() -> None:
    """Let nobody else sum nodes until the transaction ends: of two that share one the later sees what both counted.

    Whoever locks stores as well does that first.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SUMS_LOCK])


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def span_of(day: date) -> date:
    """The Monday on which the four weeks of a `StoreSpan` begin."""
    return day - (day - _FIRST_SPAN) % SPAN


def in_spans(first: date, last: date) -> Iterator[tuple[bool, date, date]]:
    """The weeks from the Monday `first` to `last` as whole spans, and as weeks before and after these: whether they are
    spans, and when the first and the last of them begin."""
    begin, end = span_of(first + SPAN - WEEK), span_of(last + WEEK)
    if begin >= end:
        yield False, first, last
        return
    yield True, begin, end - SPAN
    if first < begin:
        yield False, first, begin - WEEK
    if end <= last:
        yield False, end, last


def _run(statement: str, wanted: Iterable[Day]) -> None:
    pairs = sorted(wanted)
    if pairs:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"owners": [pk for pk, _ in pairs], "dates": [day for _, day in pairs]})


def sum_store_weeks(days: Iterable[Day]) -> None:
    """Sum the weeks and spans of these (store id, local day) pairs. The caller has locked the stores."""
    pairs = set(days)
    _run(STORE_WEEKS, {(store, monday_of(day)) for store, day in pairs})
    sum_store_spans(pairs)


def sum_store_spans(days: Iterable[Day]) -> None:
    """Sum the spans of these (store id, local day) pairs from their weeks. The caller has locked the stores."""
    _run(STORE_SPANS, {(store, span_of(day)) for store, day in days})


def sum_above(days: Iterable[Day]) -> None:
    """Sum the days and weeks of every node above these (store id, local day) pairs."""
    pairs = set(days)
    # First: where a store lies is asked once nobody else sums, or its mark of having moved might find nothing to do.
    lock_sums()
    places = dict(Store.objects.filter(pk__in={store for store, _ in pairs}).values_list("pk", "node_id"))
    sum_nodes((places[store], day) for store, day in pairs if store in places)


def sum_nodes(days: Iterable[Day]) -> None:
    """Sum these (node id, local day) pairs and those of the nodes above them, the deepest first, and their weeks."""
    pairs = set(days)
    lock_sums()
    # Asked once we are alone: whoever moves a node leaves a mark, but what we write should be of one tree.
    above = {node.pk: node.above for node in Node.objects.filter(pk__in={node for node, _ in pairs})}
    by_depth: dict[int, set[Day]] = defaultdict(set)
    for node, day in pairs:
        for depth, pk in enumerate(above.get(node, ())):
            by_depth[depth].add((pk, day))
    for depth in sorted(by_depth, reverse=True):
        _run(NODE_DAYS, by_depth[depth])
    _run(NODE_WEEKS, {(node, monday_of(day)) for level in by_depth.values() for node, day in level})


def sum_weeks_of_nodes(weeks: Iterable[Day]) -> None:
    """Sum whole weeks of these (node id, Monday) pairs and of the nodes above them."""
    sum_nodes([(node, monday + timedelta(days=n)) for node, monday in weeks for n in range(7)])


def sum_all_nodes(monday: date) -> None:
    """Sum a week of the whole tree, also of nodes under which nothing lies any more."""
    sum_weeks_of_nodes((pk, monday) for pk in Node.objects.values_list("pk", flat=True))


def weeks_known() -> list[date]:
    """Every Monday from the first week in which a store has a cell to the last, newest first; nobody sums meanwhile."""
    lock_sums()
    ends = StoreWeek.objects.aggregate(first=models.Min("monday"), last=models.Max("monday"))
    if ends["first"] is None:
        return []
    weeks = (ends["last"] - ends["first"]).days // 7
    return [ends["last"] - timedelta(weeks=n) for n in range(weeks + 1)]
