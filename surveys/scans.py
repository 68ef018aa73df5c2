"""From scan to open to answer: how often a touchpoint's page is asked for, counted without writing on a GET.

A scan is a request of a browser for the page; a reload counts again, for nothing tells it apart and nobody is to be
recognised. An open is a page that is known to have been looked at: its script said so when it was left or hidden, or an
answer came from it. Programs that look at links, what browsers fetch ahead, HEAD, and people of the chain who are
signed in are counted apart.
"""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from core.tally import Tally

Column = Literal["scans", "opens", "robots", "staff"]
COLUMNS: tuple[Column, ...] = ("scans", "opens", "robots", "staff")
_HOUR_SECS = 3600
# Messengers that make previews, search engines, monitors and libraries. People's own browsers contain none of these;
# Cubot makes telephones.
_ROBOT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|facebookexternalhit|^whatsapp|headless|lighthouse|monitor|curl|wget|python"
    r"|okhttp|go-http|^java|libwww|axios|node-fetch|scrapy|safelinks|urlcheck|googleother|google-",
    re.IGNORECASE,
)
_AHEAD = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")


def kind_of(request: HttpRequest) -> Column:
    """As what a request for the page counts, by what it says of itself."""
    meta = request.META
    agent = meta.get("HTTP_USER_AGENT", "")
    ahead = any("prefetch" in (said := meta.get(name, "")) or "preview" in said for name in _AHEAD)
    if request.method != "GET" or not agent or ahead or _ROBOT.search(agent):
        return "robots"
    # Only people who work here have a session; who they are is not asked.
    return "staff" if settings.SESSION_COOKIE_NAME in request.COOKIES else "scans"


def note_scan(touchpoint_id: int, request: HttpRequest) -> None:
    """Count a request for the page."""
    _tally.add((touchpoint_id, int(time.time()) // _HOUR_SECS, kind_of(request)))


def note_open(touchpoint_id: int, request: HttpRequest) -> None:
    """Count a page that was looked at: when its script says so, or else when the answer comes from it."""
    agent = request.META.get("HTTP_USER_AGENT", "")
    if settings.SESSION_COOKIE_NAME not in request.COOKIES and agent and not _ROBOT.search(agent):
        _tally.add((touchpoint_id, int(time.time()) // _HOUR_SECS, "opens"))


def flush() -> int:
    """Write now what is in memory. Returns how many counters there were."""
    return _tally.flush()


def forget() -> None:
    """Drop what is in memory."""
    _tally.clear()


# Sorted, so that two processes that write at once wait for each other in the same order.
_UPSERT = """
    INSERT INTO surveys_scanhour (touchpoint_id, hour, scans, opens, robots, staff, judged)
    SELECT t.id, to_timestamp(n.hour), n.scans, n.opens, n.robots, n.staff, false
    FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[])
        AS n(touchpoint_id, hour, scans, opens, robots, staff)
    JOIN stores_touchpoint t ON t.id = n.touchpoint_id
    ORDER BY 1, 2
    ON CONFLICT (touchpoint_id, hour) DO UPDATE SET
        scans = surveys_scanhour.scans + excluded.scans, opens = surveys_scanhour.opens + excluded.opens,
        robots = surveys_scanhour.robots + excluded.robots, staff = surveys_scanhour.staff + excluded.staff,
        judged = false
"""


def _write(counts: dict[tuple[int, int, Column], int]) -> None:
    rows: dict[tuple[int, int], dict[str, int]] = {}
    for (touchpoint_id, hour, column), number in counts.items():
        row = rows.setdefault((touchpoint_id, hour * _HOUR_SECS), dict.fromkeys(COLUMNS, 0))
        row[column] += number
    columns = [[row[column] for row in rows.values()] for column in COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [[pk for pk, _hour in rows], [hour for _pk, hour in rows], *columns])


def hour_of(at: datetime) -> datetime:
    """The beginning of the counted hour of a moment."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


HOUR = timedelta(hours=1)
_tally: Tally[tuple[int, int, Column]] = Tally("scans", _write)
