"""Counting calls by queue and agent: what the page of a call centre reads.

Everything is counted again from the raw rows, so it may run at any time; only what differs is written.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from reports.explorer_rows import any_score
from reports.models import AgentWeek, QueueDay
from reports.sums import monday_of, refresh, wanted
from stores.choices import StoreKind
from surveys.choices import PROMOTER_AT_LEAST, UNHAPPY_AT_MOST, ResponseChannel, SampleKind
from surveys.counting import NO_ANSWERS, marks_left_out

# Shorter than a call keeps its agent's name: what is answered weeks after its call is counted by that name still.
AGENTS_KEPT = timedelta(days=1000)
# In an address: calls of which telephony named no queue, or no agent. Who names one so has named none.
NAMELESS = "-"


def _named(column: str) -> str:
    return f"coalesce(nullif(c.{column}, '{NAMELESS}'), '') AS {column}"


_CENTRE = "JOIN stores_store s ON s.id = w.store_id AND s.kind = %(call_centre)s"
# With the same answers as the cells of the store, see count_days.sql.
FRESH_AGENTS = f"""
SELECT o.store_id, o.monday, o.queue, o.agent, o.headline_kind, count(*) FILTER (WHERE o.happy)::int AS happy,
    count(*) FILTER (WHERE NOT o.happy AND NOT o.unhappy)::int AS between,
    count(*) FILTER (WHERE o.unhappy)::int AS unhappy
FROM (
    SELECT w.store_id, w.monday, {_named("queue")}, {_named("agent")}, r.headline_kind,
        {any_score(PROMOTER_AT_LEAST, ">=")} AS happy, {any_score(UNHAPPY_AT_MOST, "<=")} AS unhappy
    FROM {wanted("store_id", "monday")} {_CENTRE}
    JOIN surveys_response r ON r.store_id = w.store_id AND r.local_day >= w.monday AND r.local_day < w.monday + 7
    LEFT JOIN surveys_invitation i ON i.id = r.invitation_id LEFT JOIN surveys_call c ON c.id = i.call_id
    WHERE r.channel = %(channel)s AND r.sample_kind = %(sample)s AND r.score IS NOT NULL
        AND NOT r.flags && %(left_out)s::varchar[]
) o GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608  (our own names)
FRESH_QUEUES = f"""
SELECT o.store_id, o.local_day, o.queue, count(*)::int AS asked, count(*) FILTER (WHERE o.answered)::int AS answered
FROM (
    SELECT w.store_id, w.local_day, {_named("queue")}, r.id IS NOT NULL AS answered
    FROM {wanted("store_id", "local_day")} {_CENTRE}
    JOIN surveys_call c ON c.store_id = w.store_id
        AND c.ended_at >= w.local_day::timestamp AT TIME ZONE s.time_zone
        AND c.ended_at < (w.local_day + 1)::timestamp AT TIME ZONE s.time_zone
    JOIN surveys_invitation i ON i.call_id = c.id
    LEFT JOIN surveys_response r ON r.invitation_id = i.id AND NOT r.flags && %(no_answer)s::varchar[]
) o GROUP BY 1, 2, 3
"""  # noqa: S608  (our own names)


# When the calls were that people answered on the wanted days: in the evening, often on the day before.
_ANSWERED = f"""
SELECT DISTINCT c.store_id, (c.ended_at AT TIME ZONE s.time_zone)::date
FROM {wanted("store_id", "local_day")} {_CENTRE}
JOIN surveys_response r ON r.store_id = w.store_id AND r.local_day = w.local_day
JOIN surveys_invitation i ON i.id = r.invitation_id JOIN surveys_call c ON c.id = i.call_id AND c.store_id = w.store_id
"""  # noqa: S608  (our own names)
# The columns of both after whose and of when they are: by what they are told apart, and what is counted.
AGENTS_BY, AGENTS_COUNT = ("queue", "agent", "headline_kind"), ("happy", "between", "unhappy")
QUEUES_BY, QUEUES_COUNT = ("queue",), ("asked", "answered")
_AGENTS = refresh(AgentWeek, "store_id", "monday", FRESH_AGENTS, by=AGENTS_BY, counts=AGENTS_COUNT)
_QUEUES = refresh(QueueDay, "store_id", "local_day", FRESH_QUEUES, by=QUEUES_BY, counts=QUEUES_COUNT)


def call_values() -> dict[str, Any]:
    """What the queries are told beside the store days."""
    return {
        "call_centre": StoreKind.CALL_CENTRE,
        "channel": ResponseChannel.CALL,
        "sample": SampleKind.VERIFIED,
        "left_out": marks_left_out(),
        "no_answer": list(NO_ANSWERS),
    }


def count_calls(days: Collection[tuple[int, date]]) -> None:
    """Count these (store id, local day) pairs again, and the weeks they are in. The caller has locked the stores."""
    weeks = {(store, monday) for store, day in days if keeps_agents(monday := monday_of(day))}
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, call_values() | _wanted(days))
        for statement, pairs in ((_AGENTS, weeks), (_QUEUES, {*days, *cursor.fetchall()})):
            cursor.execute(statement, call_values() | _wanted(pairs))


def keeps_agents(monday: date) -> bool:
    """Whether that week is counted by agent; older ones are neither counted nor checked, and purged."""
    return monday > (timezone.now() - AGENTS_KEPT).date()


def _wanted(pairs: Collection[tuple[int, date]]) -> dict[str, Any]:
    return {"owners": [store for store, _ in sorted(pairs)], "dates": [day for _, day in sorted(pairs)]}
