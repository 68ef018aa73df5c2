"""Public holidays by country and subdivision (ISO 3166), from the library `holidays`, computed once per year.

The clock asks inside the shopper's submission, so that a year that has been asked for is only looked up.
"""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Message
from babel.messages.mofile import read_mo
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _


@cache
def _supported() -> Mapping[str, tuple[str, ...]]:
    import holidays  # noqa: PLC0415  (11 MB that most processes never need)

    known = holidays.list_supported_countries(include_aliases=False)
    # Some calendars name cities ("Augsburg") as well, which have no ISO code.
    return {
        country: tuple(f"{country}-{part}" for part in parts if part.isupper() or part.isdigit())
        for country, parts in known.items()
    }


def subdivisions(country: str) -> tuple[str, ...]:
    """The subdivisions ("DE-BY") of a country whose public holidays differ; none if they are the same everywhere."""
    return _supported().get(country, ())


_ISO_3166_2 = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")


def clean_subdivision(country: str, text: str) -> str:
    """What somebody wrote, "by" or "DE-BY", as "DE-BY"; "" for nothing. Raises ValidationError with a remedy."""
    wanted = text.strip().upper()
    if not wanted:
        return ""
    full = wanted if wanted.startswith(f"{country}-") else f"{country}-{wanted}"
    known = subdivisions(country)
    # Where the calendar knows no differences, any code will do; where it does, a slip would lose holidays unnoticed.
    if full in known or (not known and _ISO_3166_2.fullmatch(full)):
        return full
    if not known:
        raise ValidationError(_("“%(text)s” is no code of ISO 3166-2."), params={"text": text.strip()})
    raise ValidationError(
        _("“%(text)s” is none of %(known)s. Leave it empty for the holidays of the whole country."),
        params={"text": text.strip(), "known": ", ".join(known[:60])},
    )


def country_names() -> list[tuple[str, str]]:
    """Every country with its name in the reader's language, by name."""
    territories = Locale.parse(get_language() or "en", sep="-").territories
    countries = ((code, name) for code, name in territories.items() if len(code) == 2 and code.isalpha())
    return sorted(((c, n) for c, n in countries if c in _iso_countries()), key=lambda pair: pair[1].casefold())


def country_name(code: str) -> str:
    """In the reader's language; the code itself if nobody knows it."""
    return str(Locale.parse(get_language() or "en", sep="-").territories.get(code, code))


@cache
def _iso_countries() -> frozenset[str]:
    # What Unicode calls a territory is wider than ISO 3166: leave out its own inventions.
    return frozenset(c for c in map(str, Locale("en").territories) if len(c) == 2 and c.isalpha()) - {
        "AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ",
    }  # fmt: skip


@lru_cache(maxsize=4096)
def _days(place: str, year: int, language: str) -> Mapping[date, str]:
    country, _dash, subdivision = place.partition("-")
    if country not in _supported():
        return {}
    part = subdivision if place in subdivisions(country) else None
    import holidays  # noqa: PLC0415

    found = holidays.country_holidays(country, subdiv=part, years=year, language=language or None)
    # Copied: the library's own mapping computes years on demand, and is not made for several threads.
    names = dict(found)
    if language and not any(known.startswith(language) for known in found.supported_languages):
        names = {day: _from_english(language).get(name, name) for day, name in names.items()}
    return names


@cache
def _from_english(language: str) -> Mapping[str, str]:
    """What holidays are called in a language, by their English names: as the calendars of countries that know both say,
    for the New Year of one country is that of the others."""
    import holidays  # noqa: PLC0415

    folder = Path(holidays.__file__).parent / "locale"
    said: dict[str, Counter[str]] = {}
    for path in sorted((folder / language / "LC_MESSAGES").glob("*.mo")):
        english = folder / "en_US" / "LC_MESSAGES" / path.name
        names = {one.id: str(one.string) for one in _messages(english)} if english.exists() else {}
        for one in _messages(path):
            if name := names.get(one.id):
                said.setdefault(name, Counter())[str(one.string)] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in said.items()}


def _messages(path: Path) -> list[Message]:
    with path.open("rb") as file:
        return [one for one in read_mo(file) if one.id and one.string]


def is_public_holiday(place: str, day: date) -> bool:
    """Whether a local date is a public holiday in a country ("UA") or subdivision ("DE-BY"); False where unknown."""
    return day in _days(place, day.year, "")


def public_holidays(place: str, first: date, last: date) -> list[tuple[date, str]]:
    """The holidays from one date to another, both included, with their names in the reader's language if known."""
    reads = (get_language() or "en")[:2]
    found: list[tuple[date, str]] = []
    for year in range(first.year, last.year + 1):
        known = _days(place, year, reads)
        found += ((day, name) for day, name in known.items() if first <= day <= last)
    return sorted(found)
