"""Statements written once: they must do what the ORM does, with whatever columns there are."""

import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import NotSupportedError, ProgrammingError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.database import database_url
from core.leases import ClockNow, from_now
from core.quick import Compiled, ask, insert, insert_once, insert_soon, prepared_cursor, together
from customers.models import Contact
from reports.models import StaleMark
from stores.models import Touchpoint
from surveys.models import Response, Verbatim
from tests.factories import Chain, make_response, make_version

pytestmark = pytest.mark.django_db


def _response(chain: Chain, **changed: Any) -> Response:
    """An unsaved response with something in every kind of column."""
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "token_hash": uuid.uuid4().hex,
        "version": make_version(),
        "store": chain.store,
        "touchpoint": chain.touchpoint,
        "channel": "qr",
        "sample_kind": "volunteer",
        "language": "en",
        "answers": {"recommend": 3, "reason": 'Ünïcode "quoted" %s \\ {x}'},
        "headline_kind": "nps",
        "score": 3,
        "submitted_at": timezone.now(),
        "local_day": timezone.now().date(),
        "flags": ["one", "two, with 'quotes'"],
    }
    return Response(**values | changed)


def test_what_is_stored_is_what_the_orm_would_have_stored(chain: Chain) -> None:
    for flags in (["one", "two, with 'quotes'"], []):
        quick, usual = _response(chain, flags=flags), _response(chain, flags=flags)
        assert insert([quick]) == 1
        usual.save(force_insert=True)
        own = {"id", "token_hash", "submitted_at"}
        rows = Response.objects.filter(pk__in=[quick.pk, usual.pk]).values()
        first, second = ({name: value for name, value in row.items() if name not in own} for row in rows)
        assert first == second and first["flags"] == flags
        assert not quick._state.adding and Response.objects.get(pk=quick.pk).answers == quick.answers


def test_keys_that_the_database_gives_are_set_in_order(chain: Chain) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=3)
    words = [Verbatim(response=response, question=f"q{n}", text=f"text {n}") for n in range(3)]
    assert insert(words) == 3
    assert [Verbatim.objects.get(pk=one.pk).text for one in words] == ["text 0", "text 1", "text 2"]
    assert all(one.created_at for one in words) and insert([]) == 0


def test_what_is_there_already_is_left_alone(chain: Chain) -> None:
    first = _response(chain)
    assert insert([first], ignore_conflicts=True) == 1
    assert insert([_response(chain, id=first.pk, score=9)], ignore_conflicts=True) == 0
    assert Response.objects.get(pk=first.pk).score == 3


def test_the_databases_own_clock_is_asked(chain: Chain) -> None:
    mark = StaleMark(store=chain.store, local_day=timezone.now().date(), run_at=ClockNow())
    insert([mark])
    stored = StaleMark.objects.get(pk=mark.pk)
    assert stored.run_at is not None and abs(stored.run_at - timezone.now()) < timedelta(minutes=5)


@pytest.mark.parametrize("waits", [False, True])
def test_what_the_database_is_to_compute_is_computed(chain: Chain, waits: bool) -> None:
    today, now = timezone.now().date(), timezone.now()
    moments: list[Any] = [from_now(timedelta(hours=9)), now, from_now(timedelta(hours=-2)), ClockNow()]
    marks = [StaleMark(store=chain.store, local_day=today, run_at=moment) for moment in moments]
    if waits:
        with together():
            insert_soon(marks[:2])
            insert_soon(marks[2:])
    else:
        insert(marks)
    stored = sorted(mark.run_at - now for mark in StaleMark.objects.all() if mark.run_at)
    for found, hours in zip(stored, (-2, 0, 0, 9), strict=True):
        assert abs(found - timedelta(hours=hours)) < timedelta(minutes=5)
    with pytest.raises(ValueError, match="not to insert"):
        insert([StaleMark(store=chain.store, local_day=today, run_at=F("lease_until"))])


def test_ciphertext_stays_ciphertext(chain: Chain) -> None:
    contact = Contact(kind="email", value="ann@example.com", value_hash="h")
    insert([contact])
    ((kept,),) = ask("SELECT value FROM customers_contact WHERE id = %s", [contact.pk])
    assert "ann" not in kept and Contact.objects.get(pk=contact.pk).value == "ann@example.com"


def test_a_compiled_query_reads_what_its_queryset_reads(chain: Chain) -> None:
    found = Compiled(lambda code: Touchpoint.objects.select_related("store__node").filter(code=code), "SAMPLE")
    for spot in (chain.touchpoint, chain.foreign_touchpoint):
        with CaptureQueriesContext(connection) as queries:
            (read,) = found(spot.code)
            assert (read, read.store, read.store.node) == (spot, spot.store, spot.store.node)
        assert len(queries) == 1
    assert found("NOTHING") == []


@pytest.mark.parametrize("prepares", [True, False])
def test_statements_are_prepared_unless_a_pooler_forbids_it(settings: Any, prepares: bool) -> None:
    settings.DATABASE_PREPARES = prepares
    statement = f"SELECT {41 + prepares}"
    for _time in range(4):
        assert ask(statement, []) == [(41 + prepares,)]
    known = ask("SELECT count(*) FROM pg_prepared_statements WHERE statement = %s", [statement])
    assert known == [(int(prepares),)]


def test_a_connection_keeps_no_text_of_other_statements(chain: Chain) -> None:
    with prepared_cursor() as cursor:
        cursor.execute("SELECT %s::int", [1])
    with connection.cursor() as plain:
        for number in range(5):
            plain.execute("SELECT %s, %s", [number, "a megabyte of a model" * 1000])
    assert all(len(text) < 1000 for text, _types in connection.connection._prepared._counts)
    assert connection.connection._prepared._counts


@pytest.mark.django_db(transaction=True)
def test_a_statement_outlives_a_migration() -> None:
    statement = "SELECT said FROM known_before"
    with psycopg.connect(database_url(), autocommit=True) as migration:
        migration.execute("CREATE TABLE known_before AS SELECT 'yes'::varchar(3) AS said")
        try:
            for longer in (5, 7):
                for _time in range(4):
                    assert ask(statement, []) == [("yes",)]
                migration.execute(f"ALTER TABLE known_before ALTER said TYPE varchar({longer})")
            with pytest.raises(NotSupportedError), transaction.atomic():
                ask(statement, [])
            assert ask(statement, []) == [("yes",)]
        finally:
            migration.execute("DROP TABLE known_before")


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_gone_costs_no_answer_and_no_trial() -> None:
    live: Any = connection
    live.ensure_connection()
    live.health_check_enabled, live.health_check_done = True, False
    try:
        with CaptureQueriesContext(connection) as queries:
            [(process,)] = ask("SELECT pg_backend_pid()", [])
        assert len(queries) == 1
        live.health_check_done = False
        with psycopg.connect(database_url(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        assert ask("SELECT pg_backend_pid()", []) != [(process,)]
    finally:
        live.health_check_enabled = False
    with pytest.raises(ProgrammingError):
        ask("SELECT nothing_like_that", [])


def test_what_is_there_already_takes_its_parts_with_it(chain: Chain) -> None:
    first = _response(chain)
    words = [Verbatim(response=first, question=f"q{n}", text=f"text {n}") for n in range(3)]
    with CaptureQueriesContext(connection) as queries:
        assert insert_once(first, words)
    assert len(queries) == 1 and [Verbatim.objects.get(pk=one.pk).text for one in words] == [
        "text 0",
        "text 1",
        "text 2",
    ]
    again = _response(chain, id=first.pk)
    assert not insert_once(again, [Verbatim(response=again, question="other", text="never")])
    assert not insert_once(again, []) and insert_once(_response(chain), [])
    assert Verbatim.objects.count() == 3 and Response.objects.count() == 2


def test_what_may_wait_goes_in_one_statement_or_not_at_all(chain: Chain) -> None:
    today = timezone.now().date()
    response = _response(chain)
    with CaptureQueriesContext(connection) as queries, together():
        insert_soon([StaleMark(store=chain.store, local_day=today), StaleMark(store=chain.foreign, local_day=today)])
        # The words before their response, whose key they bear: looked at when the transaction ends.
        insert_soon([Verbatim(response=response, question="reason", text="first")])
        insert_soon([response], ignore_conflicts=True)
        assert not StaleMark.objects.exists()
    assert len([q for q in queries.captured_queries if "INSERT" in q["sql"]]) == 1
    assert StaleMark.objects.count() == 2 and Verbatim.objects.get().response == response
    with pytest.raises(RuntimeError), together():
        insert_soon([StaleMark(store=chain.store, local_day=today)])
        raise RuntimeError
    assert StaleMark.objects.count() == 2
    insert_soon([StaleMark(store=chain.store, local_day=today)])
    assert StaleMark.objects.count() == 3
