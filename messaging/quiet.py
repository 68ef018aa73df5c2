"""Shoppers' phones are quiet at night (RELIABILITY P2), by their own clock and at the moment of sending."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from django.conf import settings

from stores.models import Store
from stores.zones import zones_of as zones_of_country

# Where no hour is day in every zone of a country, the last one found is good enough.
_TRIES = 8


def morning_after(now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the night that it is in `zone` ends, in UTC; None by day, or when no quiet hours are set."""
    if settings.QUIET_HOURS is None:
        return None
    evening, morning = settings.QUIET_HOURS
    local = now.astimezone(zone)
    begun, over = local.hour >= evening, local.hour >= morning
    asleep = begun or not over if evening > morning else begun and not over
    if not asleep:
        return None
    day = local.date() + timedelta(days=1 if over else 0)
    return datetime.combine(day, time(morning), zone).astimezone(UTC)


def day_for_all(now: datetime, zones: Sequence[ZoneInfo]) -> datetime | None:
    """The next moment at which it is night in none of the zones, in UTC; None when that is now."""
    at = now
    for _try in range(_TRIES):
        later = [until for zone in zones if (until := morning_after(at, zone))]
        if not later:
            break
        at = max(later)
    return at if at > now else None


def zones_of(number: str, store: Store) -> list[ZoneInfo]:
    """Where the owner of a number in E.164 lives: with the store, or, with a number of another country, there."""
    try:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        country = None
    abroad = zones_of_country(country or "") if country != store.country else ()
    return [ZoneInfo(name) for name in abroad or [store.time_zone]]
