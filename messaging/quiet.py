"""Shoppers' phones are quiet at night (RELIABILITY P2), by their own clock and at the moment of sending."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings


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
