"""Counting who was asked and how far they came, week by week: what the page of asking reads.

Scans and opened links are counted in batches that tell nobody, and a text message arrives when it does: so weeks are
counted again by the clock and not with the cells of answers. The newest two every ten minutes; those before once a day
for as long as scans are kept; what is older is counted once, and has nothing left to change but by a rebuild of all
cells.

- `invited`: to whom we wrote ourselves, by the local day on which that was decided. A link that a till prints is none.
- `delivered`: of these, texts that the provider says arrived, and mail that the mail server took: more is not known.
- `answered`: of these, who has answered by now.
- `scans` and `opens`: of codes, see ScanHour; of links only `opens`, see LinkHour. A reload counts again.
- `begun`: answers, and what was tapped and never sent. `completed`: answers. `with_words`: those that say something.

Answers are those of `surveys.counting.no_answer`: staff's own, and what a phone sends by itself, are in none of it.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from core.work import register_watch
from messaging.choices import Channel, MessageState
from reports.models import AskedCount, NodeWeek
from reports.sums import monday_of
from surveys.choices import AUTOMATIC, STAFF_FLAG, UNSENT, ResponseChannel
from surveys.counting import NO_ANSWERS
from surveys.inviting import CALL_SURVEY, RECEIPT_SURVEY

COUNTS = ("invited", "delivered", "answered", "scans", "opens", "begun", "completed", "with_words")
_PURGED = ("scans", "opens")
# The longest period and the one before it.
WEEKS = 104
# Scans and opened links are kept for a hundred days: of these weeks all of them are still there.
_CHANGING = 14
_OFTEN, _DAILY = timedelta(minutes=9), timedelta(hours=23)
# So many weeks are counted often: of a large chain each takes seconds.
_NEWEST = 2
# Of one run: what is left waits for the next.
_AT_ONCE = timedelta(seconds=60)
PATIENCE_SECS = 2 * 3600
_LOCK = 0x4848_4153

_DAY = "({at} AT TIME ZONE s.time_zone)::date >= %(monday)s AND ({at} AT TIME ZONE s.time_zone)::date < %(monday)s + 7"
# The same with the hours to either side that a zone may lie off, which an index finds.
_NEAR = "{at} >= %(monday)s - interval '1 day' AND {at} < %(monday)s + interval '8 days'"
_KEY = "store_id, channel, kind"


def _within(at: str) -> str:
    return f"{_NEAR.format(at=at)} AND {_DAY.format(at=at)}"


# Of what may be purged by now stays what was counted before. While all of it is there it is counted like the rest: a
# touchpoint that is given another kind takes its scans along. What has no rows any more becomes 0.
_COUNT = f"""
INSERT INTO reports_askedweek AS t ({_KEY}, monday, {", ".join(COUNTS)})
SELECT {_KEY}, %(monday)s, {", ".join(f"coalesce(sum({name}), 0)" for name in COUNTS)} FROM (
    SELECT i.store_id, i.channel, '' AS kind, 1 AS invited,
        (m.state = %(sent)s AND (m.channel <> %(sms)s OR m.provider_state IN ('delivered', 'read')))::int AS delivered,
        (r.id IS NOT NULL)::int AS answered, 0 AS scans, 0 AS opens, 0 AS begun, 0 AS completed, 0 AS with_words
    FROM surveys_invitation i JOIN stores_store s ON s.id = i.store_id
    LEFT JOIN messaging_message m ON m.dedup_key
        = CASE WHEN i.call_id IS NULL THEN %(by_mail)s ELSE %(by_text)s END || ':' || i.id
    LEFT JOIN surveys_response r ON r.invitation_id = i.id AND NOT r.flags && %(no_answers)s::varchar[]
    WHERE {_within("i.created_at")} AND (i.call_id IS NOT NULL OR i.contact_id IS NOT NULL OR i.people <> '{{}}')
    UNION ALL
    SELECT s.id, %(qr)s, p.kind, 0, 0, 0, h.scans, h.opens, 0, 0, 0
    FROM surveys_scanhour h JOIN stores_touchpoint p ON p.id = h.touchpoint_id JOIN stores_store s ON s.id = p.store_id
    WHERE {_within("h.hour")}
    UNION ALL
    SELECT s.id, h.channel, '', 0, 0, 0, 0, h.opens, 0, 0, 0
    FROM surveys_linkhour h JOIN stores_store s ON s.id = h.store_id WHERE {_within("h.hour")}
    UNION ALL
    SELECT r.store_id, r.channel, CASE WHEN r.channel = %(qr)s THEN coalesce(p.kind, '') ELSE '' END,
        0, 0, 0, 0, 0, 1, (NOT r.flags && %(no_answers)s::varchar[])::int,
        (NOT r.flags && %(no_answers)s::varchar[]
            AND EXISTS (SELECT FROM surveys_verbatim v WHERE v.response_id = r.id))::int
    FROM stores_store s JOIN surveys_response r ON r.store_id = s.id
        AND r.local_day >= %(monday)s AND r.local_day < %(monday)s + 7
    LEFT JOIN stores_touchpoint p ON p.id = r.touchpoint_id
    WHERE NOT r.flags && %(nobody)s::varchar[]
    UNION ALL
    SELECT {_KEY}, 0, 0, 0, 0, 0, 0, 0, 0 FROM reports_askedweek WHERE monday = %(monday)s
) AS asked ({_KEY}, {", ".join(COUNTS)}) GROUP BY 1, 2, 3
ON CONFLICT ({_KEY}, monday) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in COUNTS if name not in _PURGED)},
    {", ".join(f"{name} = greatest(excluded.{name}, CASE WHEN %(purged)s THEN t.{name} END)" for name in _PURGED)}
"""  # noqa: S608  (our own text)
_SUM = f"""
INSERT INTO reports_askednodeweek (node_id, channel, kind, monday, {", ".join(COUNTS)})
SELECT s.node_id, w.channel, w.kind, w.monday, {", ".join(f"sum(w.{name})" for name in COUNTS)}
FROM reports_askedweek w JOIN stores_store s ON s.id = w.store_id WHERE w.monday = %(monday)s GROUP BY 1, 2, 3, 4
"""  # noqa: S608  (our own text)


@transaction.atomic
def count_week(monday: date) -> None:
    """Count a week of all stores, and sum it by node."""
    values: dict[str, Any] = {
        "monday": monday,
        "sent": MessageState.SENT,
        "sms": Channel.SMS,
        "qr": ResponseChannel.QR,
        "by_mail": RECEIPT_SURVEY,
        "by_text": CALL_SURVEY,
        "no_answers": list(NO_ANSWERS),
        # Of what was never sent only that of shoppers is something begun.
        "nobody": [STAFF_FLAG, AUTOMATIC],
        "purged": monday <= _newest() - timedelta(weeks=_CHANGING),
    }
    assert UNSENT in NO_ANSWERS
    _lock()
    at = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
    AskedCount.objects.update_or_create(monday=monday, defaults={"counted_at": at})
    _sum(monday)


@transaction.atomic
def sum_week(monday: date) -> None:
    """Sum a week by the nodes under which its stores lie now."""
    _lock()
    _sum(monday)


def _sum(monday: date) -> None:
    # First of all: whoever moves stores meanwhile is waited for, and their tree is read; or they wait, and say it anew.
    AskedCount.objects.filter(monday=monday).update(summed=True)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM reports_askednodeweek WHERE monday = %s", [monday])
        cursor.execute(_SUM, {"monday": monday})


def _lock() -> None:
    """Of two who count at once the later waits for the earlier."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def count_due() -> None:
    """Count the weeks whose turn it is, the newest first, for a minute at most; what is left waits for the next run."""
    until = timezone.now() + _AT_ONCE
    for monday in weeks_due(_newest()):
        count_week(monday)
        if timezone.now() > until:
            return
    for monday in AskedCount.objects.filter(summed=False).order_by("-monday").values_list("monday", flat=True):
        sum_week(monday)


def _newest() -> date:
    """The Monday of the newest week: somewhere it may have begun already."""
    return monday_of(timezone.now().date() + timedelta(days=1))


def weeks_due(newest: date) -> Iterable[date]:
    """The Mondays of which nothing was counted yet, or not lately enough, newest first.

    As far back as a period that ends with the first answers, and the one before it, reach.
    """
    counted = dict(AskedCount.objects.values_list("monday", "counted_at"))
    now = timezone.now()
    first = NodeWeek.objects.aggregate(first=Min("monday"))["first"] or newest
    for number in range(WEEKS + (newest - first).days // 7):
        monday = newest - timedelta(weeks=number)
        at, again = counted.get(monday), _OFTEN if number < _NEWEST else _DAILY
        if at is None or (number < _CHANGING and at < now - again):
            yield monday


def tree_changed() -> None:
    """Stores lie elsewhere: all weeks are summed again with the next run."""
    AskedCount.objects.update(summed=False)


def count_behind(patience_secs: int) -> int:
    """1 if nothing was counted for longer than that, though it was before."""
    last = AskedCount.objects.order_by("-counted_at").values_list("counted_at", flat=True).first()
    return int(last is not None and last < timezone.now() - timedelta(seconds=patience_secs))


register_watch("asking not counted", PATIENCE_SECS, count_behind)
