"""Urgent words must reach somebody: what would leave them unheard, for head office's pages, on save and in `check`."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from alerts.ladder import GROUP, PERSON, ids_of
from alerts.models import AlertGroup, Rule, UrgencyRoute
from alerts.rules import Conditions
from alerts.urgent_kinds import KINDS, PART_OF, urgency_name
from sentiment.models import Sentiment
from stores.choices import CASE_ROLES, Role
from stores.models import RoleAssignment, User

# With another one besides, a rule overlooks some of what is urgent.
_HARMLESS = {"urgency", "urgency_certain", "sentiment"}


def uncaught(rules: Iterable[Rule]) -> list[str]:
    """The kinds of urgency that none of these rules looks for in every store and by every way."""
    caught: set[str] = set()
    for rule in rules:
        try:
            conditions = rule.parsed
        except ValidationError:
            continue
        if rule.active and conditions.urgency is not None and not _overlooks(conditions):
            caught |= set(conditions.urgency or KINDS)
    # Whoever looks for the whole finds its parts.
    caught |= {part for part, wholes in PART_OF.items() if set(wholes) <= caught}
    return [kind for kind in KINDS if kind not in caught]


def _overlooks(conditions: Conditions) -> bool:
    """Whether they pass over angry words whose urgency is beyond doubt, somewhere or by some way."""
    others = set(conditions.sentiment or ()) - {Sentiment.NEGATIVE.value}
    return bool(others) or conditions.urgency_certain is False or not _asked(conditions) <= _HARMLESS


def _asked(conditions: Conditions) -> set[str]:
    return {one.name for one in fields(conditions) if getattr(conditions, one.name) is not None}


def refuse_silence(changed: Rule) -> None:
    """Raises ValidationError when this rule, as it would be saved, leaves a kind of urgency that some rule looks for
    now to none. In the transaction that saves it: of two people who switch off one rule each, the second is refused."""
    now = list(Rule.objects.select_for_update().filter(active=True).order_by("order", "pk"))
    then = [rule for rule in now if rule.pk != changed.pk] + [changed]
    if lost := set(uncaught(then)) - set(uncaught(now)):
        kinds = ", ".join(urgency_name(kind) for kind in KINDS if kind in lost)
        raise ValidationError(
            _("No rule would look for this any more, and nobody would be told: %(kinds)s.") % {"kinds": kinds}
        )


def unheard_kinds() -> dict[str, list[str]]:
    """For each kind of urgency what is wrong with its way, in sentences; kinds that reach somebody are left out."""
    found: dict[str, list[str]] = {}
    for kind in uncaught(Rule.objects.filter(active=True)):
        found.setdefault(kind, []).append(_("No rule that is switched on looks for it everywhere."))
    for route in UrgencyRoute.objects.filter(kind__in=KINDS):
        for problem in _gone(route.to):
            found.setdefault(route.kind, []).append(problem)
    if not RoleAssignment.objects.filter(role=Role.HEAD_OFFICE, user__is_active=True, node__parent=None).exists():
        for kind in KINDS:
            found.setdefault(kind, []).append(_("Head office has nobody who could be told when the others are away."))
    return found


def _gone(targets: Sequence[str]) -> list[str]:
    problems = []
    acting = User.objects.filter(is_active=True, roles__role__in=CASE_ROLES)
    for person in User.objects.filter(pk__in=ids_of(targets, PERSON)).exclude(pk__in=acting):
        problems.append(_("%(person)s does not act on cases any more.") % {"person": person.name})
    for group in AlertGroup.objects.filter(pk__in=ids_of(targets, GROUP)):
        if group.retired_at or not group.members.filter(pk__in=acting).exists():
            problems.append(_("Nobody of the group “%(group)s” acts on cases any more.") % {"group": group.name})
    return problems


def _is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@register(Tags.database)
def everything_urgent_is_heard(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """`manage.py check --database default` names kinds of urgency that would reach nobody."""
    # `migrate` asks too: on a new database before there is any table, on an old one before its new columns.
    if not databases or _is_behind():
        return []
    if not RoleAssignment.objects.exists():
        return []
    return [
        Warning(f"Urgent words may reach nobody: {kind}.", hint=" ".join(problems), id="alerts.W001")
        for kind, problems in unheard_kinds().items()
    ]
