"""Whether the installation does its work: what `/readyz` shows and the audit complains about; nothing personal."""

from django.db.models import DurationField, ExpressionWrapper, F

from core.leases import ClockNow
from core.models import Heartbeat
from core.work import LANES, steps_of, watches

CANARY = "qcluster"


def _silences() -> dict[str, float]:
    """For each heartbeat the seconds since it was written, by the database's clock."""
    age = ExpressionWrapper(ClockNow() - F("beat_at"), output_field=DurationField())
    return {name: silence.total_seconds() for name, silence in Heartbeat.objects.values_list("name", age)}


def silence_of_lanes() -> dict[str, float | None]:
    """For each lane that has steps, how long ago a loop over it was last seen; None when never."""
    silences: dict[str, float | None] = {lane: None for lane in LANES if steps_of([lane])}
    for name, secs in _silences().items():
        kind, *lanes = name.split()
        for lane in lanes if kind == "work" else []:
            known = silences.get(lane)
            if lane in silences and (known is None or secs < known):
                silences[lane] = secs
    return silences


def silence_of_jobs() -> float | None:
    """How long ago django-q2 last ran its canary; None when never."""
    return _silences().get(CANARY)


def overdue_work() -> dict[str, int]:
    """What should have been done by now, by kind; kinds without any are left out."""
    counts = {watch.name: watch.overdue(watch.patience_secs) for watch in watches()}
    return {name: count for name, count in counts.items() if count}
