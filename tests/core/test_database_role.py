"""The role that docs/production.md makes for everything but migrations can do the work, and nothing to the tables."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import DatabaseError, ProgrammingError, connection, transaction

from alerts.choices import EventKind
from alerts.models import Case, CaseEvent
from alerts.policy import ensure_defaults
from core.work import run_once
from messaging.models import Message
from surveys.models import Response
from surveys.signals import response_saved
from tests.factories import Chain, make_response


def documented_sql(role: str) -> str:
    text = (settings.BASE_DIR / "docs" / "production.md").read_text(encoding="utf-8")
    found = re.search(r"```sql\n(CREATE ROLE halfhour_app.*?)```", text, re.DOTALL)
    assert found
    return found[1].replace("halfhour_app", role)


@pytest.fixture
def app_role(chain: Chain) -> Iterator[Chain]:
    """The chain, as the role sees it. Roles belong to the whole server, so each database makes one of its own."""
    ensure_defaults()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        role = f"app_{cursor.fetchone()[0]}"
        cursor.execute(documented_sql(role))
        cursor.execute(f"SET ROLE {role}")
    yield chain
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def test_the_loop_runs_as_that_role(app_role: Chain) -> None:
    response = make_response(touchpoint=app_role.touchpoint, score=1, words="Rude and slow")
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=False)
    run_once(["alerts", "facts"])
    assert Case.objects.get().response == response
    assert Message.objects.exists() and CaseEvent.objects.filter(kind=EventKind.OPENED).count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE alerts_caseevent DISABLE TRIGGER ALL",
        "DROP TABLE alerts_caseevent",
        "TRUNCATE alerts_caseevent CASCADE",
        "CREATE TABLE mine (id int)",
        "DROP FUNCTION alerts_refuse_change() CASCADE",
        "SET session_replication_role = replica",
    ],
)
def test_that_role_changes_no_tables(app_role: Chain, statement: str) -> None:
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_that_role_rewrites_no_history(app_role: Chain) -> None:
    response = make_response(touchpoint=app_role.touchpoint, score=1)
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=False)
    with pytest.raises(DatabaseError, match=r"append-only"), transaction.atomic():
        CaseEvent.objects.update(kind=EventKind.NOTED)
    assert CaseEvent.objects.filter(kind=EventKind.OPENED).exists()
