"""How many purchases and calls there were behind the answers: told by the chain's systems or a file, and what of it is
known."""

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reports.models import StoreTraffic, TrafficWeek
from reports.periods import Week
from reports.sums import SPAN, monday_of, span_of
from stores.models import Store
from surveys.choices import ResponseChannel

# Rankings and weights look back so far.
WEEKS = 13
MOST_ROWS = 100_000
MOST_TRANSACTIONS = 10_000_000
COLUMNS = ("store", "day", "channel", "transactions")
_LOCK = "LOCK TABLE reports_trafficweek IN SHARE ROW EXCLUSIVE MODE"
_OLDEST = timedelta(days=4 * 366)
_MOST_PROBLEMS = 20
NO_STORE = gettext_lazy("No store with this code.")


class Count(NamedTuple):
    """The purchases (or calls) of a store on a local day, by the channel that asks about them."""

    store_id: int
    day: date
    channel: str
    transactions: int


@transaction.atomic
def record_traffic(counts: Iterable[Count]) -> int:
    """Keep these counts in the place of what was known of the same store, day and channel; returns how many they were.

    Telling the same twice changes nothing.
    """
    last = {(one.store_id, one.day, one.channel): one.transactions for one in counts}
    # In one order, so that two who tell of the same stores do not wait for each other.
    rows = sorted((*key, number) for key, number in last.items())
    StoreTraffic.objects.bulk_create(
        [StoreTraffic(store_id=a, local_day=b, channel=c, transactions=d) for a, b, c, d in rows],
        batch_size=5000,
        update_conflicts=True,
        unique_fields=["store", "local_day", "channel"],
        update_fields=["transactions"],
    )
    _sum_weeks({(store, monday_of(day)) for store, day, _channel, _number in rows})
    return len(rows)


def _sum_weeks(weeks: Collection[tuple[int, date]]) -> None:
    # Of two who sum one week the later waits for the earlier's rows above, unless these were of other days: so lock.
    pairs = sorted(weeks)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        cursor.execute(
            "INSERT INTO reports_trafficweek (store_id, monday, channel, transactions, days)"
            " SELECT w.store_id, w.monday, t.channel, sum(t.transactions), count(*)"
            " FROM unnest(%s::bigint[], %s::date[]) AS w(store_id, monday) JOIN reports_storetraffic t"
            " ON t.store_id = w.store_id AND t.local_day >= w.monday AND t.local_day < w.monday + 7"
            " GROUP BY 1, 2, 3 ON CONFLICT (store_id, monday, channel)"
            " DO UPDATE SET transactions = excluded.transactions, days = excluded.days",
            [[store for store, _monday in pairs], [monday for _store, monday in pairs]],
        )
    sum_spans(pairs)


@transaction.atomic
def sum_spans(weeks: Iterable[tuple[int, date]]) -> None:
    """Sum the spans in which these (store id, Monday) pairs lie."""
    spans = sorted({(store, span_of(monday)) for store, monday in weeks})
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        cursor.execute(
            "INSERT INTO reports_trafficspan (store_id, start, channel, transactions)"
            " SELECT w.store_id, w.start, t.channel, sum(t.transactions)"
            " FROM unnest(%s::bigint[], %s::date[]) AS w(store_id, start) JOIN reports_trafficweek t"
            " ON t.store_id = w.store_id AND t.monday >= w.start AND t.monday < w.start + %s"
            " GROUP BY 1, 2, 3 ON CONFLICT (store_id, start, channel)"
            " DO UPDATE SET transactions = excluded.transactions"
            " WHERE reports_trafficspan.transactions <> excluded.transactions",
            [[store for store, _start in spans], [start for _store, start in spans], SPAN.days],
        )


def wrong_with(day: date, transactions: int) -> Promise | None:
    """Why such a count is refused; None if it is not."""
    today = timezone.now().date()
    if day > today + timedelta(days=1):
        return gettext_lazy("This day lies in the future.")
    if day < today - _OLDEST:
        return gettext_lazy("This day is too long ago to weigh anything.")
    if not 0 <= transactions <= MOST_TRANSACTIONS:
        return gettext_lazy("A number from 0 to 10,000,000.")
    return None


class FileRefused(Exception):
    """A file of counts is not what it should be; `problems` says where, for the one who sent it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


def read_file(data: bytes, stores: QuerySet[Store]) -> list[Count]:
    """The counts of a CSV file with the columns of COLUMNS, for stores among `stores`. Raises FileRefused."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused([_("The file is no UTF-8 text.")]) from None
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
    except csv.Error:
        raise FileRefused([_("Row %(row)d: %(problem)s") % {"row": 1, "problem": _("This is no CSV.")}]) from None
    if missing := [name for name in COLUMNS if name not in names]:
        raise FileRefused(
            [_("The first line must name the columns. Missing: %(names)s.") % {"names": ", ".join(missing)}]
        )
    reader.fieldnames = names
    known = dict(stores.values_list("code", "pk"))
    found, problems = list[Count](), list[str]()
    try:
        for row in reader:
            count = _read_row(row, known)
            if isinstance(count, Count):
                found.append(count)
            else:
                problems.append(_("Row %(row)d: %(problem)s") % {"row": reader.line_num, "problem": count})
            if len(problems) >= _MOST_PROBLEMS or len(found) > MOST_ROWS:
                break
    except csv.Error:
        problems.append(_("Row %(row)d: %(problem)s") % {"row": reader.line_num, "problem": _("This is no CSV.")})
    if len(found) > MOST_ROWS:
        problems.append(_("A file may have %(n)s rows; send more through the API.") % {"n": f"{MOST_ROWS:,}"})
    if problems:
        raise FileRefused(problems)
    if not found:
        raise FileRefused([_("The file has no rows.")])
    return found


def _read_row(row: dict[str, str | None], known: dict[str, int]) -> Count | str:
    store, day, channel, number = ((row.get(name) or "").strip() for name in COLUMNS)
    if store not in known:
        return str(NO_STORE)
    try:
        on = parse_date(day)
    except ValueError:
        on = None
    if on is None:
        return _("Write the day as 2026-11-22.")
    if channel not in ResponseChannel.values:
        return _("The channel is one of: %(names)s.") % {"names": ", ".join(ResponseChannel.values)}
    if not (number.isascii() and number.isdigit()) or len(number) > len(str(MOST_TRANSACTIONS)):
        return _("A number from 0 to 10,000,000.")
    problem = wrong_with(on, int(number))
    return str(problem) if problem else Count(known[store], on, channel, int(number))


@dataclass(frozen=True)
class Coverage:
    """Of how many stores anything is known in the last WEEKS whole weeks, and the stores of which it is not."""

    stores: int
    told: int
    complete: int
    missing: QuerySet[Store]


def coverage(stores: QuerySet[Store]) -> Coverage:
    """What is known of these stores. One is complete that told of every day by one channel at least."""
    last = Week.of(timezone.now().date()) + -1
    first = last + (1 - WEEKS)
    weeks = TrafficWeek.objects.filter(store__in=stores, monday__range=(first.monday, last.monday))
    days = weeks.order_by().values_list("store", "channel").annotate(known=Sum("days"))
    told = {store for store, _channel, _known in days}
    complete = {store for store, _channel, known in days if known == 7 * WEEKS}
    missing = stores.exclude(pk__in=weeks.values("store")).order_by("sort_key", "pk")
    return Coverage(stores.count(), len(told), len(complete), missing)
