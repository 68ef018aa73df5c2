"""Taking the name of somebody who answers calls out of everything that is kept."""

import structlog
from django.db import transaction
from django.utils import timezone

from reports.call_cells import count_calls
from reports.exporting import end_files_by_agent
from reports.facts import lock_store
from reports.models import AgentWeek
from stores.choices import SecurityEventKind
from stores.models import SecurityEvent, Store
from surveys.models import Call, Response

log = structlog.get_logger()


@transaction.atomic
def forget_agent(store: Store, agent: str) -> int:
    """Take an agent's name off their calls and out of the figures, and end the files of these; what callers said stays
    with the queue. Returns how many calls it was. Head office reads that it was done, not of whom."""
    # Whoever is counting this store has read the name: we wait, and count after them.
    lock_store(store.pk)
    calls = Call.objects.filter(store=store, agent=agent)
    answers = Response.objects.filter(store=store, invitation__call__in=calls)
    cells = AgentWeek.objects.filter(store=store, agent=agent)
    days = {(store.pk, day) for day in answers.values_list("local_day", flat=True).distinct()}
    days |= {(store.pk, monday) for monday in cells.values_list("monday", flat=True)}
    number = calls.update(agent="")
    if not number and not days:
        return 0
    cells.delete()
    count_calls(days)
    end_files_by_agent()
    SecurityEvent.objects.create(at=timezone.now(), kind=SecurityEventKind.AGENT_FORGOTTEN, scope=store.name)
    log.info("security", kind=SecurityEventKind.AGENT_FORGOTTEN.value, store=store.pk, calls=number)
    return number
