"""Statements that every shopper's answer runs, at a fraction of what the ORM takes to write them anew each time.

A `Compiled` query is a queryset whose SQL is written once; `insert` stores rows of any model by SQL written once for
it. Both are prepared statements, planned once per connection. What they read and write is the ORM's own: the same
fields, converters and instances, so that a new column needs nothing here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, NotSupportedError, OperationalError, connections, models
from django.db.models.functions import Now
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]  # not in the stubs
from django.db.models.sql import InsertQuery

Row = TypeVar("Row", bound=models.Model)


# After so many times on one connection a statement is planned for good.
_PREPARED_AFTER = 2


class _Cursor(psycopg.Cursor[Any]):
    def execute(self, *args: Any, **more: Any) -> Any:
        # For this statement alone: of every text that runs meanwhile psycopg counts how often it did, and Django's own
        # cursors put the values into theirs. A connection would keep the last hundred, of up to megabytes each.
        raw = self._conn
        raw.prepare_threshold = _PREPARED_AFTER if settings.DATABASE_PREPARES else None
        try:
            return super().execute(*args, **more)
        finally:
            raw.prepare_threshold = None

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        # Where Django's query log looks, also for a statement that the database knows already.
        self._query = super()._convert_query(query, params)
        return self._query


def prepared_cursor() -> Any:
    """A cursor of Django's own making (wrappers, errors, query log) over a prepared statement. Close it by `with`.

    Its values are sent by their types: write `%s::text[]` where the database could not know what is meant.
    """
    live = _live()
    live.close_if_health_check_failed()
    live.ensure_connection()
    return live._prepare_cursor(_Cursor(live.connection))


def _live() -> Any:
    """This thread's connection itself: to ask `django.db.connection` for each value costs more than the value."""
    return connections[DEFAULT_DB_ALIAS]


def ask(sql: str, values: Sequence[Any]) -> list[Any]:
    """The rows of a prepared statement that only reads.

    Outside of a transaction it needs no trial of the connection before it, which costs as much as itself: where the one
    that was kept turns out to be gone, or the statement was planned before a migration changed a type it answers with,
    it is asked once more, on another connection. In a transaction that is too late: it fails, and rolling it back
    forgets every plan.
    """
    live = _live()
    if live.in_atomic_block:
        return _asked(sql, values)
    kept, live.health_check_done = live.connection, True
    try:
        return _asked(sql, values)
    except (OperationalError, InterfaceError):
        if kept is None or not kept.closed:
            raise
    except NotSupportedError:
        pass
    live.close()
    return _asked(sql, values)


def _asked(sql: str, values: Sequence[Any]) -> list[Any]:
    with prepared_cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[Any] = cursor.fetchall()
    return rows


class Compiled(Generic[Row]):
    """A queryset that is asked again and again with other values.

    `build` makes it from sample values, which must differ from each other and from every other value in it, and be of
    the type that the database takes. Called with as many values it returns the instances.
    """

    def __init__(self, build: Callable[..., "models.QuerySet[Row]"], *samples: Any) -> None:
        self._build = build
        self._samples = samples
        self._sql = ""

    def _compile(self) -> None:
        queryset = self._build(*self._samples)
        compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, values = compiler.as_sql()
        self._places = [self._samples.index(value) if value in self._samples else None for value in values]
        self._values = values
        select, info = compiler.select, compiler.klass_info
        self._model = info["model"]
        begin, end = info["select_fields"][0], info["select_fields"][-1] + 1
        self._own = slice(begin, end)
        self._names = [column[0].target.attname for column in select[begin:end]]
        # The stubs are those of a later Django.
        self._related = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        self._noted = list(compiler.annotation_col_map.items())
        self._converters = compiler.get_converters([column[0] for column in select])
        self._compiler = compiler
        self._sql = sql

    def __call__(self, *values: Any) -> list[Row]:
        if not self._sql:
            self._compile()
        given = [
            known if place is None else values[place] for place, known in zip(self._places, self._values, strict=True)
        ]
        rows: Any = ask(self._sql, given)
        if self._converters:
            rows = self._compiler.apply_converters(rows, self._converters)
        return [self._read(row) for row in rows]

    def _read(self, row: Any) -> Row:
        one: Row = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[self._own])
        for related in self._related:
            related.populate(row, one)
        for name, column in self._noted:
            setattr(one, name, row[column])
        return one


@lru_cache(maxsize=256)
def _shape(model: type[models.Model], keyed: bool) -> tuple[list[Any], str, str]:
    """The fields of a new row, the beginning of its statement, and the name of the key the database gives."""
    meta, quoted = model._meta, _live().ops.quote_name
    fields = [field for field in meta.concrete_fields if keyed or field is not meta.pk]
    columns = ", ".join(quoted(field.column) for field in fields)
    head = f"INSERT INTO {quoted(meta.db_table)} ({columns}) VALUES "  # noqa: S608  (our own names)
    return fields, head, "" if keyed or meta.pk is None else quoted(meta.pk.column)


class Together:
    """Statements that wait for the end of `together`, and the rows that its last one answered with."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._statements: list[tuple[str, list[Any]]] = []
        self._asked: tuple[str, list[Any]] | None = None

    def add(self, sql: str, values: list[Any]) -> None:
        self._statements.append((sql, values))

    def ask(self, sql: str, values: list[Any]) -> None:
        """Have one statement go with the others, whose rows are in `rows` afterwards."""
        self._asked = (sql, values)

    def run(self) -> None:
        statements = [*self._statements, *([self._asked] if self._asked else [])]
        if not statements:
            return
        *before, (last, _values) = statements
        first = ", ".join(f"w{number} AS ({sql})" for number, (sql, _values) in enumerate(before))
        with prepared_cursor() as cursor:
            cursor.execute(
                f"WITH {first} {last}" if first else last, [value for _sql, values in statements for value in values]
            )
            if self._asked:
                self.rows = cursor.fetchall()


_waiting: ContextVar[Together | None] = ContextVar("waiting", default=None)


@contextmanager
def together() -> Iterator[Together]:
    """Have what `insert_soon` is given wait for the end, and go to the database in one statement.

    Foreign keys are checked when the transaction ends, so that the order is nobody's concern. What fails before the
    end drops it all.
    """
    waiting = Together()
    outer = _waiting.set(waiting)
    try:
        yield waiting
    finally:
        _waiting.reset(outer)
    waiting.run()


def insert_soon(rows: Sequence[models.Model], *, ignore_conflicts: bool = False) -> None:
    """Store new rows of one model whose keys nobody asks for: with others in `together`, else now."""
    waiting = _waiting.get()
    if waiting is None:
        insert(rows, ignore_conflicts=ignore_conflicts)
    elif rows:
        sql, values, _key = _statement(rows, ignore_conflicts=ignore_conflicts)
        waiting.add(sql, values)
        _stored(rows)


def insert(rows: Sequence[models.Model], *, ignore_conflicts: bool = False) -> int:
    """Store new rows of one model in one statement; returns how many were stored.

    Like `bulk_create`, it sends no signals. Keys that the database gives are set, but not with `ignore_conflicts`:
    then nobody knows which rows were left out.
    """
    if not rows:
        return 0
    sql, values, key = _statement(rows, ignore_conflicts=ignore_conflicts)
    returns = bool(key) and not ignore_conflicts
    with prepared_cursor() as cursor:
        cursor.execute(f"{sql} RETURNING {key}" if returns else sql, values)
        stored: int = cursor.rowcount
        if returns:
            for row, (pk,) in zip(rows, cursor.fetchall(), strict=True):
                row.pk = pk
    _stored(rows)
    return stored


def insert_once(row: models.Model, parts: Sequence[models.Model]) -> bool:
    """Store a new row with the rows of one other model that belong to it, in one statement; or, where one of its keys
    is taken, nothing at all. Keys that the database gives are set on the parts."""
    if not parts:
        return bool(insert([row], ignore_conflicts=True))
    first, values, _key = _statement([row], ignore_conflicts=True)
    fields, head, key = _shape(type(parts[0]), False)
    live = _live()
    places = ", ".join(_places(fields, part, live, values) for part in parts)
    with prepared_cursor() as cursor:
        cursor.execute(
            f"WITH first AS ({first} RETURNING 1) {head.removesuffix('VALUES ')}"  # noqa: S608  (our own names)
            f"SELECT part.* FROM first, (VALUES {places}) AS part RETURNING {key}",
            values,
        )
        keys = cursor.fetchall()
    if not keys:
        return False
    for part, (pk,) in zip(parts, keys, strict=True):
        part.pk = pk
    _stored([row, *parts])
    return True


def _stored(rows: Sequence[models.Model]) -> None:
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def _statement(rows: Sequence[models.Model], *, ignore_conflicts: bool) -> tuple[str, list[Any], str]:
    """The statement, its values, and the name of the key that the database gives."""
    keyed = rows[0].pk is not None
    fields, head, key = _shape(type(rows[0]), keyed)
    live, values = _live(), list[Any]()
    places = [_places(fields, row, live, values) for row in rows]
    return head + ", ".join(places) + (" ON CONFLICT DO NOTHING" if ignore_conflicts else ""), values, key


# What the database computes, such as its own clock, is written into the statement.
_PLAIN = (str, int, float, bool, type(None), datetime, date, UUID, list, dict, bytes)


def _places(fields: Sequence[Any], row: models.Model, live: Any, values: list[Any]) -> str:
    """What stands for a row in the statement; what is sent with it is added to `values`."""
    places = []
    for field in fields:
        value: Any = field.pre_save(row, True)
        if isinstance(value, _PLAIN) or not hasattr(value, "resolve_expression"):
            places.append("%s")
            values.append(field.get_db_prep_save(value, live))
            continue
        # The clock, which nearly every row has, needs no compiler.
        is_clock: bool = isinstance(value, Now)
        sql, given = value.as_postgresql(None, live) if is_clock else _compiled(field, row, value)
        places.append(sql)
        values.extend(given)
    return f"({', '.join(places)})"


def _compiled(field: Any, row: models.Model, value: Any) -> tuple[str, Sequence[Any]]:
    """An expression as the ORM's own INSERT writes it, with what is sent with it; refused where the ORM refuses it."""
    compiler: Any = InsertQuery(type(row)).get_compiler(using=DEFAULT_DB_ALIAS)
    sql, given = compiler.field_as_sql(field, None, compiler.prepare_value(field, value))
    return sql, given
