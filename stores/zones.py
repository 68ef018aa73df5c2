"""Time zones by their names in the tz database."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from zoneinfo import available_timezones

from babel.core import get_global
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


@cache
def _countries_of_zones() -> Mapping[str, frozenset[str]]:
    """The countries that keep each zone's time, by the tz database and by Unicode's list, which knows older names."""
    found: dict[str, set[str]] = {zone: {country} for zone, country in get_global("zone_territories").items()}
    for table in ("zone.tab", "zone1970.tab"):
        for line in (files("tzdata.zoneinfo") / table).read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                countries, _where, zone = line.split("\t")[:3]
                found.setdefault(zone, set()).update(countries.split(","))
    return {zone: frozenset(countries) for zone, countries in found.items()}


def zone_fits(country: str, zone: str) -> bool:
    """Whether a zone is known to be kept in that country; True for zones of which no country is known."""
    known = _countries_of_zones().get(zone)
    return known is None or country in known


@cache
def zones_of(country: str) -> tuple[str, ...]:
    """The zones to offer first for a country."""
    return tuple(sorted(zone for zone, found in _countries_of_zones().items() if country in found and "/" in zone))
