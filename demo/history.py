"""Years of answers in minutes: rows written by the database itself, for measuring how reports bear a large chain.

Nothing of it went through the pages, so that no clock, message or webhook knows of it. It has busy and quiet stores,
good and bad ones, two ways to ask, one comment in a few answers, a case for every fourth unhappy one.
"""

import random
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, models
from django.utils import timezone

from alerts.models import Case
from reports.models import StoreTraffic, TrafficWeek
from reports.traffic import sum_spans
from sentiment.models import Analysis
from stores.models import Store, Touchpoint
from surveys.choices import QuestionKind, ResponseChannel, SampleKind
from surveys.models import Response, SurveyVersion, Verbatim

_WORDS = (
    "Nobody was there to help, and the queue was endless.",
    "Friendly advice, found the right size at once. Thank you!",
    "Довго чекали на касі, але персонал чемний.",
    "Sehr freundlich beraten, das Geschenk war wunderschön verpackt.",
    "The price at the till was not the price on the shelf.",
)
_TOPICS = ("staff", "waiting", "quality", "price", "availability", "environment", "checkout")
# Weeks of purchases, of which nothing but weights is made.
_TRAFFIC_WEEKS = 26


@dataclass(frozen=True)
class Extent:
    """How much is made: `words_pct` of the answers have a comment that was read."""

    stores: int
    weeks: int
    responses: int
    words_pct: int = 30

    @property
    def last_monday(self) -> date:
        today = timezone.now().date()
        return today - timedelta(days=today.weekday())

    @property
    def mondays(self) -> list[date]:
        return [self.last_monday - timedelta(weeks=number) for number in reversed(range(self.weeks))]


def make_history(extent: Extent, version: SurveyVersion) -> Iterator[int]:
    """Make it for all stores there are, week by week, the oldest first; yields how many answers there are so far."""
    with _unchecked(), connection.cursor() as cursor:
        _number_stores(cursor)
        for number, monday in enumerate(extent.mondays):
            begin, end = (extent.responses * n // extent.weeks for n in (number, number + 1))
            values = {"monday": monday, "begin": begin, "end": end, "words": extent.words_pct}
            _fill(cursor, _response(version), _RESPONSE, _DRAWN, values)
            _fill(
                cursor,
                Verbatim(question="reason"),
                _VERBATIM,
                _SAID,
                values,
            )
            _fill(cursor, _analysis(), _ANALYSIS, _READ, values)
            _fill(cursor, _case(), _CASE, _UNHAPPY, values)
            if number >= extent.weeks - _TRAFFIC_WEEKS:
                _fill(cursor, StoreTraffic(channel=ResponseChannel.QR), _PURCHASES, _BOUGHT, values)
                _fill(cursor, TrafficWeek(channel=ResponseChannel.QR, days=7), _WEEKLY, _BOUGHT_WEEKLY, values)
            yield end
        sum_spans(TrafficWeek.objects.values_list("store_id", "monday"))
        cursor.execute("ANALYZE")


class Crowd:
    """Shoppers of all stores who answer at this moment."""

    def __init__(self) -> None:
        pattern = Response.objects.filter(headline_kind=QuestionKind.NPS).latest("submitted_at")
        self._like = {field.attname: getattr(pattern, field.attname) for field in Response._meta.concrete_fields}
        self._tills = list(Touchpoint.objects.values_list("store_id", "pk"))
        self._random = random.Random(7)

    def answer(self, number: int) -> list[Response]:
        """So many more answers, stored."""
        now = timezone.now()
        made = []
        for store, till in self._random.choices(self._tills, k=number):
            pk = uuid.uuid4()
            own = {"id": pk, "token_hash": pk.hex, "store_id": store, "touchpoint_id": till, "invitation_id": None}
            when = {"submitted_at": now, "local_day": now.date(), "score": self._random.randrange(11)}
            made.append(Response(**self._like | own | when))
        return Response.objects.bulk_create(made)


@contextmanager
def _unchecked() -> Iterator[None]:
    """Without looking up every foreign key: they are right by construction, and there are a hundred million. Indexes
    are made at the end, at a fraction of what each row would cost them."""
    tables = [model._meta.db_table for model in (Response, Verbatim, Analysis, Case)]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "SELECT x.indexrelid::regclass::text, pg_get_indexdef(x.indexrelid) FROM pg_index x"
            " WHERE x.indrelid = ANY(%s::regclass[]) AND NOT x.indisunique",
            [tables],
        )
        indexes = cursor.fetchall()
        try:
            for name, _definition in indexes:
                cursor.execute(f"DROP INDEX {name}")
            yield
        finally:
            for _name, definition in indexes:
                cursor.execute(definition)
            cursor.execute("SET session_replication_role = DEFAULT")


def _number_stores(cursor: Any) -> None:
    """Stores by number, with a till each; `charm` from 0 to 1 is how good they are."""
    missing = Store.objects.filter(touchpoints=None)
    Touchpoint.objects.bulk_create((Touchpoint(store=store, kind="till") for store in missing), batch_size=5000)
    cursor.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS bench_store AS"
        " SELECT row_number() OVER (ORDER BY s.id) - 1 AS number, s.id AS store_id, min(t.id) AS touchpoint_id,"
        " (hashtext(s.code) & 1023) / 1023.0 AS charm"
        " FROM stores_store s JOIN stores_touchpoint t ON t.store_id = s.id GROUP BY s.id"
    )
    cursor.execute("CREATE INDEX ON bench_store (number)")
    cursor.execute("ANALYZE bench_store")


# The same numbers make the same answers: what hangs on an answer finds it again by its number.
_DRAWN = """
FROM (
    SELECT n, %(monday)s::date + (hashint8(n) & 1048575) %% 7 AS day, (hashint8(n + 77) & 1048575) / 1048575.0 AS luck,
        (hashint8(n + 99) & 1023) %% 20 AS way,
        floor(power((hashint8(n + 55) & 1048575) / 1048576.0, 1.3) * stores)::bigint AS number
    FROM generate_series(%(begin)s + 1, %(end)s) AS n, (SELECT count(*) AS stores FROM bench_store) AS counted
) drawn JOIN bench_store USING (number) ORDER BY day, n
"""
_ID = "lpad(to_hex({n}), 32, '0')::uuid"
_HAPPY = "luck + charm * 0.25 > 0.5"
_SCORE = (
    f"CASE WHEN {_HAPPY} THEN 9 + (luck * 1000)::int %% 2 WHEN luck > 0.2 THEN 7 + (luck * 1000)::int %% 2"
    " ELSE (luck * 35)::int END"
)
_RESPONSE = {
    "id": _ID.format(n="n"),
    "token_hash": "lpad(n::text, 43, 'h')",
    "store_id": "store_id",
    "touchpoint_id": "touchpoint_id",
    "channel": "CASE WHEN way < 12 THEN 'qr' ELSE 'receipt' END",
    "sample_kind": "CASE WHEN way < 12 THEN 'volunteer' ELSE 'verified' END",
    "headline_kind": "CASE WHEN way < 2 THEN 'smiley5' ELSE 'nps' END",
    "score": f"CASE WHEN way < 2 THEN 1 + (luck * 4)::int ELSE {_SCORE} END",
    "submitted_at": "day + interval '9 hours' + luck * interval '10 hours'",
    "local_day": "day",
}
_OF_ANSWERS = "FROM generate_series(%(begin)s + 1, %(end)s) AS n JOIN surveys_response r ON r.id = " + _ID.format(n="n")
_SAID = f"{_OF_ANSWERS} WHERE (hashint8(n + 11) & 1023) * 100 < %(words)s * 1024"
_VERBATIM = {
    "response_id": "r.id",
    "text": f"(ARRAY[{', '.join(repr(text) for text in _WORDS)}])[1 + (hashint8(n) & 1023) %% {len(_WORDS)}]",
    "created_at": "r.submitted_at",
}
_READ = f"{_SAID.replace(' WHERE ', ' JOIN surveys_verbatim v ON v.response_id = r.id WHERE ')}"
_UNHAPPY_SCORE = "(r.headline_kind = 'nps' AND r.score <= 6)"
_TONE = f"CASE WHEN {_UNHAPPY_SCORE} THEN 'negative' WHEN r.score < 9 THEN 'neutral' ELSE 'positive' END"
_ANALYSIS = {
    "verbatim_id": "v.id",
    "analysed_at": "r.submitted_at + interval '2 seconds'",
    "sentiment": _TONE,
    "topics": "jsonb_build_array(jsonb_build_object('topic',"
    f" (ARRAY[{', '.join(repr(topic) for topic in _TOPICS)}])[1 + (hashint8(n + 5) & 1023) %% {len(_TOPICS)}],"
    f" 'sentiment', {_TONE}))",
    "redacted": "v.text",
}
_UNHAPPY = f"{_OF_ANSWERS} WHERE {_UNHAPPY_SCORE} AND n %% 4 = 0"
_WITHIN = "CASE WHEN n %% 3 = 0 THEN r.submitted_at + interval '20 minutes' END"
_CASE = {
    "id": _ID.format(n="n"),
    "store_id": "r.store_id",
    "response_id": "r.id",
    "state": "CASE WHEN n %% 3 = 0 THEN 'confirmed' ELSE 'unconfirmed' END",
    "fix_only": "n %% 5 = 0",
    "opened_at": "r.submitted_at",
    # Of today's answers some are yet to come: a clock that ended later would change what was counted.
    "due_at": "least(r.submitted_at + interval '30 minutes', now())",
    "contacted_at": _WITHIN,
    "fixed_at": _WITHIN,
}
_BOUGHT = "FROM bench_store CROSS JOIN generate_series(0, 6) AS day"
_PURCHASES = {
    "store_id": "store_id",
    "local_day": "%(monday)s::date + day",
    "transactions": "100 + (hashint8(store_id + day) & 1023)",
}
_BOUGHT_WEEKLY = f"{_BOUGHT} GROUP BY store_id"
_WEEKLY = {
    "store_id": "store_id",
    "monday": "%(monday)s::date",
    "transactions": f"sum({_PURCHASES['transactions']})",
}


def _response(version: SurveyVersion) -> Response:
    return Response(
        version=version,
        channel=ResponseChannel.QR,
        sample_kind=SampleKind.VOLUNTEER,
        headline_kind=QuestionKind.NPS,
        language="en",
        answers={"score": 9, "reason": "As said."},
    )


def _analysis() -> Analysis:
    return Analysis(language="en", p_negative=0.2, p_neutral=0.3, p_positive=0.5, confident=True, model_version="bench")


def _case() -> Case:
    return Case(rule_name="Unhappy", trigger="score", policy={})


def _fill(cursor: Any, template: models.Model, told: Mapping[str, str], source: str, values: Mapping[str, Any]) -> None:
    """Rows like `template`, but for what is `told` as SQL: a column that is new tomorrow gets its default."""
    columns, places, given = [], [], dict(values)
    fields: list[Any] = list(template._meta.concrete_fields)
    for field in fields:
        if isinstance(field, models.BigAutoField):
            continue
        columns.append(f'"{field.column}"')
        if field.column in told:
            places.append(told[field.column])
        else:
            given[f"t_{field.column}"] = field.get_db_prep_save(getattr(template, field.attname), connection)
            places.append(f"%(t_{field.column})s::{field.db_type(connection)}")
    into = f"INSERT INTO {template._meta.db_table} ({', '.join(columns)})"
    cursor.execute(f"{into} SELECT {', '.join(places)} {source}", given)
