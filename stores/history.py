"""What was changed of a store or a node, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import formats
from django.utils.dateparse import parse_date
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stores.choices import HolidayRule, NodeKind, StoreKind, TouchpointKind
from stores.models import ConfigChange

_THINGS = {
    "store": gettext_lazy("Store"),
    "node": gettext_lazy("Place in the tree"),
    "hours": gettext_lazy("Opening hours"),
    "exceptions": gettext_lazy("Other hours"),
    "closure": gettext_lazy("Closed for a time"),
    "touchpoint": gettext_lazy("Code"),
    "chat": gettext_lazy("Team chat"),
    "till_key": gettext_lazy("Key of the tills"),
    "wall": gettext_lazy("Taken off the wall, and why"),
    "wall_care": gettext_lazy("Walls"),
}
_COLUMNS = {
    "code": gettext_lazy("Code"),
    "kind": gettext_lazy("Kind"),
    "name": gettext_lazy("Name"),
    "address": gettext_lazy("Street and number"),
    "postcode": gettext_lazy("Postcode"),
    "city": gettext_lazy("City"),
    "country": gettext_lazy("Country"),
    "subdivision": gettext_lazy("Region for public holidays"),
    "time_zone": gettext_lazy("Time zone"),
    "languages": gettext_lazy("Languages"),
    "phone": gettext_lazy("Phone number"),
    "contact_emails": gettext_lazy("E-mail addresses of the store"),
    "public_review_url": gettext_lazy("Link to public reviews"),
    "holiday_rule": gettext_lazy("On public holidays"),
    "node": gettext_lazy("Below"),
    "parent": gettext_lazy("Below"),
    "closed_from": gettext_lazy("First day"),
    "closed_until": gettext_lazy("Last day"),
    "closed_reason": gettext_lazy("Reason"),
    "survey": gettext_lazy("Survey"),
    "key": gettext_lazy("Key"),
    "leads_until": gettext_lazy("The old code leads to it until"),
    "replaced_by": gettext_lazy("Its code leads to"),
    "wall_care": gettext_lazy("Words hang"),
}
_LEADS = {"ever": gettext_lazy("for ever"), "never": gettext_lazy("not at all")}
_LABELS = {value: label for kind in (HolidayRule, NodeKind, StoreKind, TouchpointKind) for value, label in kind.choices}
# How the values of a thing are called that only another room knows.
_NAMED: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Difference:
    """One column: what it was and what it is; "–" is nothing."""

    column: str
    old: str
    new: str


@dataclass(frozen=True)
class Entry:
    """One change as a line of the history."""

    change: ConfigChange
    thing: str
    differences: list[Difference]


def name_values(what: str, choices: Iterable[tuple[str, Any]]) -> None:
    """Say how the values of a thing are called that another room records."""
    _NAMED[what] = dict(choices)


def entries(changes: Iterable[ConfigChange]) -> list[Entry]:
    """Changes as they are shown."""
    return [Entry(one, str(_THINGS.get(one.what, one.what)), _differences(one)) for one in changes]


def _differences(change: ConfigChange) -> list[Difference]:
    columns = dict.fromkeys([*change.old, *change.new])
    return [
        Difference(
            _column(change.what, name),
            _value(change.what, name, change.old.get(name)),
            _value(change.what, name, change.new.get(name)),
        )
        for name in columns
    ]


def _column(what: str, name: str) -> str:
    if what == "hours":
        return str(WEEKDAYS[int(name)])
    if what == "exceptions" and (day := parse_date(name)):
        return formats.date_format(day, "SHORT_DATE_FORMAT")
    return str(_COLUMNS.get(name, name))


def _value(what: str, name: str, value: Any) -> str:
    if value in (None, "", []):
        return "–"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if what in _NAMED:
        return str(_NAMED[what].get(value, value))
    if what == "exceptions":
        return str(value).replace("–", _("closed"), 1) if str(value).startswith("–") else str(value)
    if name in {"kind", "holiday_rule"}:
        return str(_LABELS.get(value, value))
    if name == "leads_until" and value in _LEADS:
        return str(_LEADS[value])
    if name in {"closed_from", "closed_until", "leads_until"} and (day := parse_date(str(value))):
        return formats.date_format(day, "SHORT_DATE_FORMAT")
    return str(value)
