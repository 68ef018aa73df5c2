"""What django-q2 does for this room by the clock. Alerts never depend on it."""

from typing import Any

from django.core.management import call_command
from django_q.models import Schedule

from core import retention
from core.health import CANARY
from core.models import Heartbeat

# By name: changed here, changed there at the next `migrate`.
SCHEDULES: dict[str, dict[str, Any]] = {
    "canary": {"func": "core.schedules.sing", "schedule_type": Schedule.MINUTES, "minutes": 1},
    "jobs": {"func": "core.jobs.run_due", "schedule_type": Schedule.MINUTES, "minutes": 1},
    "retention": {"func": "core.schedules.purge", "schedule_type": Schedule.DAILY},
}


def ensure_schedules() -> None:
    """Have django-q2 run what is listed here; the next run of a known schedule is left as it is."""
    for name, wanted in SCHEDULES.items():
        Schedule.objects.update_or_create(name=name, defaults=wanted)


def sing() -> None:
    """Say that django-q2 starts tasks: `/readyz`, the audit and the supervisor listen."""
    Heartbeat.beat(CANARY)


def purge() -> None:
    """Blank or delete what has been kept for as long as we said, and the sessions that ran out."""
    retention.purge()
    call_command("clearsessions")
