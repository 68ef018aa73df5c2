"""What the demo's codes were scanned before and beside the answers, and two nights and noons that look unusual."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from stores.choices import TouchpointKind
from stores.models import Touchpoint
from surveys.models import Response, ScanHour
from surveys.scan_rules import judge_hours

_HOUR = timedelta(hours=1)
# Weeks by which a scan that nobody answered lies off one that somebody did: at the same hour, when the store is open.
_WEEKS_OFF = range(-3, 4)
# A code that somebody scans at home, and a queue that tries it out: store, hour of the day, scans in each of hours.
_UNUSUAL = (("HH1", time(1), (3, 5, 2)), ("LO2", time(12), (46,)))


def save_scans(responses: Iterable[Response], rng: random.Random, now: datetime) -> None:
    """Counts by the hour that fit the responses; the unusual ones are judged by the rules that judge all."""
    scans, opens = Counter[tuple[int, datetime]](), Counter[tuple[int, datetime]]()
    responses = list(responses)
    # Weeks of scans that nobody answered would make any share of them a great leap.
    first = min((response.submitted_at for response in responses), default=now)
    for response in responses:
        if response.touchpoint_id is None:
            continue
        hour = response.submitted_at.replace(minute=0, second=0, microsecond=0)
        scans[response.touchpoint_id, hour] += 1
        opens[response.touchpoint_id, hour] += 1
        for _other in range(rng.randrange(5)):
            other = hour + timedelta(weeks=rng.choice(_WEEKS_OFF))
            if first <= other < now - _HOUR:
                scans[response.touchpoint_id, other] += 1
                opens[response.touchpoint_id, other] += rng.random() < 0.8
    ScanHour.objects.bulk_create(
        (
            ScanHour(touchpoint_id=spot, hour=hour, scans=number, opens=opens[spot, hour], judged=True)
            for (spot, hour), number in scans.items()
        ),
        batch_size=5000,
    )
    _save_unusual(now)


def _save_unusual(now: datetime) -> None:
    for code, at, numbers in _UNUSUAL:
        spot = Touchpoint.objects.select_related("store").get(store__code=code, kind=TouchpointKind.TILL)
        zone = ZoneInfo(spot.store.time_zone)
        begin = datetime.combine(now.astimezone(zone).date() - timedelta(days=2), at, zone)
        for n, number in enumerate(numbers):
            counted = {"scans": number, "opens": number // 2, "judged": False}
            ScanHour.objects.update_or_create(touchpoint=spot, hour=begin + n * _HOUR, defaults=counted)
    while judge_hours():
        pass
