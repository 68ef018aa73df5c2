"""How often the links of receipts and calls are opened and tapped, and by whom: counted without writing on a GET.

A link in a message may name an answer (`?score=`), which its page only preselects. Such a tap is no answer until Send,
and is counted apart. Programs that look at links before people do are no taps: those that say what they are, and those
that open the links of several answers at the same moment, as no thumb does.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

from django.db import connection, transaction
from django.http import HttpRequest

from core.tally import Tally
from surveys.queries import Asking
from surveys.scans import kind_of

Column = Literal["opens", "taps", "scanners", "staff"]
COLUMNS: tuple[Column, ...] = ("opens", "taps", "scanners", "staff")
# All ten links of a message were seen opened within one second.
AT_ONCE_SECS = 3
_HOUR_SECS = 3600
_MOST_LINKS = 5000


def note_link(asking: Asking, request: HttpRequest) -> None:
    """Count a request for the page of an invitation."""
    hour, kind, score = int(time.time()) // _HOUR_SECS, kind_of(request), request.GET.get("score", "")[:2]

    def add(column: Column, number: int = 1) -> None:
        _tally.add((asking.store.pk, asking.channel.value, hour, column), number)

    if kind != "scans":
        add("staff" if kind == "staff" else "scanners")
        return
    people = _people_now(asking.scope, score) if score else 1
    for column in ("opens", "taps") if score else ("opens",):
        add(column, people)
    if people < 1:
        add("scanners", 1 - people)


@dataclass
class _Looks:
    """What was asked for by one link since `began`: which answers, and how often it was taken for a person."""

    began: float
    scores: set[str] = field(default_factory=set)
    people: int = 0


_recent: "OrderedDict[str, _Looks]" = OrderedDict()
_lock = Lock()


def _people_now(link: str, score: str) -> int:
    """1 for a person's tap; once other answers of this link were opened within the last moments, what was taken for a
    person's before, to be taken back, as 0 or less.

    In this process's memory, for seconds: of many links at once each process sees several.
    """
    now = time.monotonic()
    with _lock:
        while _recent and (len(_recent) >= _MOST_LINKS or next(iter(_recent.values())).began < now - AT_ONCE_SECS):
            _recent.popitem(last=False)
        looks = _recent.setdefault(link, _Looks(now))
        looks.scores.add(score)
        if len(looks.scores) == 1:
            looks.people += 1
            return 1
        before, looks.people = looks.people, 0
        return -before


def flush() -> int:
    """Write now what is in memory. Returns how many counters there were."""
    return _tally.flush()


def forget() -> None:
    """Drop what is in memory."""
    _tally.clear()
    _recent.clear()


# Sorted, so that two processes that write at once wait for each other in the same order. What is taken back may have
# been written before.
_COUNTS = """
    SELECT s.id AS store_id, n.channel, to_timestamp(n.hour) AS hour, n.opens, n.taps, n.scanners, n.staff
    FROM unnest(%s::bigint[], %s::varchar[], %s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[])
        AS n(store_id, channel, hour, opens, taps, scanners, staff)
    JOIN stores_store s ON s.id = n.store_id
"""
_BEGIN = f"""
    INSERT INTO surveys_linkhour (store_id, channel, hour, opens, taps, scanners, staff)
    SELECT store_id, channel, hour, 0, 0, 0, 0 FROM ({_COUNTS}) n ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
"""  # noqa: S608  (our own text)
_ADD = f"""
    UPDATE surveys_linkhour h SET opens = greatest(h.opens + n.opens, 0), taps = greatest(h.taps + n.taps, 0),
        scanners = h.scanners + n.scanners, staff = h.staff + n.staff
    FROM ({_COUNTS}) n WHERE h.store_id = n.store_id AND h.channel = n.channel AND h.hour = n.hour
"""  # noqa: S608  (our own text)


def _write(counts: dict[tuple[int, str, int, Column], int]) -> None:
    rows: dict[tuple[int, str, int], dict[str, int]] = {}
    for (store, channel, hour, column), number in counts.items():
        row = rows.setdefault((store, channel, hour * _HOUR_SECS), dict.fromkeys(COLUMNS, 0))
        row[column] += number
    values = [list(part) for part in zip(*rows, strict=True)]
    values += [[row[column] for row in rows.values()] for column in COLUMNS]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BEGIN, values)
        cursor.execute(_ADD, values)


_tally: Tally[tuple[int, str, int, Column]] = Tally("links", _write)
