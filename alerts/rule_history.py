"""Changes of rules, clocks, groups and ways of urgency, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts.choices import Severity
from alerts.rule_actions import ALERT_GROUP, CLOCK, RULE, URGENCY
from alerts.urgent_kinds import URGENCY_NAMES
from alerts.wording import LEVEL_NAMES, Names, all_of, condition_sentence, policy_lines, target_names
from stores.models import ConfigChange

_THINGS = {
    RULE: gettext_lazy("Rule"),
    CLOCK: gettext_lazy("Clock and steps"),
    ALERT_GROUP: gettext_lazy("Group"),
    URGENCY: gettext_lazy("Urgency"),
}
_COLUMNS = {
    "name": gettext_lazy("Name"),
    "order": gettext_lazy("Place in the order"),
    "active": gettext_lazy("Switched on"),
    "conditions": gettext_lazy("When"),
    "severity": gettext_lazy("Severity"),
    "policy_id": gettext_lazy("Clock and steps"),
    "level": gettext_lazy("Answered by"),
    "also": gettext_lazy("Also told at once"),
    "to": gettext_lazy("Told at once, day and night"),
    "content": gettext_lazy("Clock and steps"),
    "members": gettext_lazy("People"),
    "retired_at": gettext_lazy("Not used any more"),
}


@dataclass(frozen=True)
class Difference:
    """One column in words; "–" is nothing."""

    column: str
    old: str
    new: str


@dataclass(frozen=True)
class Line:
    """One change: of what kind of thing, which one, and in what it differs."""

    change: ConfigChange
    thing: str
    name: str
    differences: list[Difference]


def history_lines(changes: Iterable[ConfigChange]) -> list[Line]:
    """Changes as the page shows them."""
    names = Names.read()
    return [_line(change, names) for change in changes]


def _line(change: ConfigChange, names: Names) -> Line:
    called = change.new.get("name") or change.old.get("name") or ""
    name = str(URGENCY_NAMES.get(called, _(called) if called else ""))
    # The name stands in every line; it is a difference only where there was another one.
    columns = [column for column in _COLUMNS if column in change.new and (column != "name" or "name" in change.old)]
    differences = [
        Difference(
            str(_COLUMNS[column]),
            _value(column, change.old.get(column), names) if change.old else "",
            _value(column, change.new.get(column), names),
        )
        for column in columns
    ]
    return Line(change, str(_THINGS.get(change.what, change.what)), name, differences)


def _value(column: str, value: Any, names: Names) -> str:
    if column == "conditions":
        return condition_sentence(value, names) if value else "–"
    if column == "content":
        return " ".join(part for lines in policy_lines(value, names) for part in lines) if value else "–"
    if column in {"also", "to"}:
        return all_of(target_names(value, names)) if value else "–"
    if column == "members":
        return all_of(names.people[pk] for pk in value) if value else "–"
    if column == "severity":
        return str(Severity(value).label)
    if column == "level":
        return str(LEVEL_NAMES.get(value, value))
    if column == "policy_id":
        return names.policies.get(value, "–") if value else names.usual
    if column in {"active", "retired_at"}:
        return _("yes") if value else _("no")
    return "–" if value in {None, ""} else str(value)
