"""Benchmarks of acting: how late steps are among many open cases, and what is left after random kills."""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from alerts.choices import StepState
from alerts.models import Case, CaseStep
from core.leases import claim, from_now
from demo.kill_run import Cast, Run, build_ladder, rehearse
from stores.choices import Role
from stores.models import Node, RoleAssignment, Store, User
from surveys.models import Response

_BATCH = 5000
# The second step of the usual ladder, whom it tells at a store with a manager alone.
_ORDINAL = 1


def many_open_cases(pattern: Case, number: int) -> None:
    """So many more cases like this one, each open and with a step that is due tomorrow."""
    later = timezone.now() + timedelta(days=1)
    seen = pattern.response
    columns = {field.attname: getattr(seen, field.attname) for field in Response._meta.concrete_fields}
    of_case = {field.attname: getattr(pattern, field.attname) for field in Case._meta.concrete_fields}
    for unique in ("id", "token_hash", "submission_id"):
        columns.pop(unique, None)
    del of_case["id"]
    for first in range(0, number, _BATCH):
        size = min(_BATCH, number - first)
        responses = Response.objects.bulk_create(
            [Response(**columns, token_hash=f"many {first + n}") for n in range(size)]
        )
        cases = Case.objects.bulk_create(
            [Case(**of_case | {"id": uuid4(), "response_id": one.pk, "due_at": later}) for one in responses]
        )
        CaseStep.objects.bulk_create(
            CaseStep(case=case, ordinal=_ORDINAL, level=0, stops_on="contact", due_at=later, run_at=later)
            for case in cases
        )
    with connection.cursor() as cursor:
        for table in ("alerts_case", "alerts_casestep", "surveys_response"):
            cursor.execute(f"ANALYZE {table}")


def lateness_secs(working: AbstractContextManager[None], *, steps: int, seconds: int) -> list[float]:
    """How late so many steps fire that come due one after the other within these seconds, ascending."""
    waiting = list(
        CaseStep.objects.filter(state=StepState.PENDING, ordinal=_ORDINAL).values_list("pk", flat=True)[:steps]
    )
    with working:
        start = timezone.now() + timedelta(seconds=5)
        rows = CaseStep.objects.in_bulk(waiting)
        for n, step in enumerate(rows.values()):
            step.run_at = step.due_at = start + timedelta(seconds=seconds * n / steps)
        CaseStep.objects.bulk_update(rows.values(), ["run_at", "due_at"], batch_size=1000)
        fired = CaseStep.objects.filter(pk__in=waiting, state=StepState.FIRED)
        until = time.monotonic() + seconds + 60
        while fired.count() < steps and time.monotonic() < until:
            time.sleep(1)
    found = CaseStep.objects.filter(pk__in=waiting)
    waits = [(done - due).total_seconds() if done else 60.0 for due, done in found.values_list("due_at", "done_at")]
    return sorted(waits)


def poll_ms(*, times: int = 50) -> list[float]:
    """What one look for due steps takes when nothing is due, ascending."""
    pending = CaseStep.objects.filter(state=StepState.PENDING)
    # What is due by now is not what is measured.
    pending.filter(run_at__lte=from_now(timedelta(minutes=5))).update(run_at=from_now(timedelta(days=1)))
    waits = []
    for _call in range(times):
        began = time.perf_counter()
        claim(pending, limit=50, lease=timedelta(seconds=10))
        waits.append((time.perf_counter() - began) * 1000)
    return sorted(waits)


def killed_run(store: Store, manager: User, open_one: Callable[[], object], *, cases: int, kills: int) -> Run:
    """So many cases with every sort of step under random kills of two of every process; prints the table."""
    leader = _person("leader", Role.AREA_MANAGER, store.node)
    group = (_person("one", Role.HEAD_OFFICE, store.node), _person("two", Role.HEAD_OFFICE, store.node))
    for number, user in enumerate(group):
        user.phone = f"+38067000001{number}"
        user.save(update_fields=["phone"])
    cast = Cast(store, manager, leader, group)
    expected = build_ladder(cast)
    before = set(Case.objects.values_list("pk", flat=True))
    for _number in range(cases):
        open_one()
    opened = [pk for pk in Case.objects.values_list("pk", flat=True) if pk not in before]
    found = rehearse(
        cast, opened, expected, kills=kills, seed=1, spread_secs=max(20.0, cases / 10), patience_secs=cases + 600
    )
    sys.stderr.write(found.table() + "\n")
    return found


def _person(name: str, role: str, node: Node) -> User:
    user = User.objects.create_user(f"{name}@kills.example", "not used to sign in", name=name.title())
    RoleAssignment.objects.create(user=user, role=role, node=node)
    return user
