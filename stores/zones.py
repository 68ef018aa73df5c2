"""Time zones by their names in the tz database."""

from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


@cache
def time_zones() -> tuple[str, ...]:
    """The zones that name a place, "Europe/Kyiv", and UTC; no abbreviations: those do not say when clocks change."""
    return tuple(sorted(name for name in available_timezones() if _names_a_place(name) or name == "UTC"))


def _names_a_place(name: str) -> bool:
    return "/" in name and not name.startswith(("Etc/", "SystemV/", "posix/", "right/"))


def validate_time_zone(name: str) -> None:
    if name not in time_zones():
        raise ValidationError(_("There is no time zone “%(zone)s”. Write it like Europe/Kyiv."), params={"zone": name})
