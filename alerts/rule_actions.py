"""What head office does to rules, clocks, groups and the ways of urgency: each written down with who did it."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max, Model
from django.utils import timezone

from alerts.ladder import Policy
from alerts.models import AlertGroup, CasePolicy, Rule, UrgencyRoute
from alerts.rule_checks import refuse_silence
from alerts.rules import parse, trigger_of
from stores.choices import ChangeKind
from stores.models import ConfigChange, Node, User
from stores.recording import change, record, snapshot

RULE, CLOCK, ALERT_GROUP, URGENCY = "rule", "clock", "alert_group", "urgency"
# What the history of this room's settings is found by.
THINGS = (RULE, CLOCK, ALERT_GROUP, URGENCY)
_RULE_COLUMNS = ("name", "order", "active", "conditions", "severity", "policy_id", "level", "also")
_CLOCK_COLUMNS = ("name", "content", "usual", "retired_at")
_ROUTE_COLUMNS = ("kind", "to", "level", "policy_id")


class InUse(Exception):
    """Something still needs it: the usual clock, or one that a rule names."""


def _changed(what: str, row: Model, old: dict[str, Any], new: dict[str, Any], actor: User) -> ConfigChange | None:
    """What is recorded of a change: of the whole chain, so at its topmost place. None if nothing differs."""
    root = Node.objects.filter(parent=None).order_by("pk").first()
    if root is None:
        return None
    kind = ChangeKind.CHANGED if old else ChangeKind.CREATED
    one = change(root, actor=actor, old=old, new=new, what=what, kind=kind)
    if one is not None:
        one.thing_id = row.pk
        # So that a line of the history says which one it is about, also when its name did not change.
        one.new = {**one.new, "name": new.get("name") or new.get("kind") or ""}
    return one


def _saved(what: str, row: Model, columns: Callable[[], dict[str, Any]], actor: User, old: dict[str, Any]) -> None:
    row.save()
    record(_changed(what, row, old, columns(), actor))


@transaction.atomic
def save_rule(rule: Rule, *, actor: User) -> Rule:
    """Keep a rule, new or changed; a new one goes behind the others.

    Raises ValidationError, also when nothing would look for some kind of urgency any more.
    """
    rule.trigger = trigger_of(parse(rule.conditions))
    rule.__dict__.pop("parsed", None)
    refuse_silence(rule)
    old: dict[str, Any] = {}
    if rule.pk:
        before = Rule.objects.select_for_update().get(pk=rule.pk)
        old = snapshot(before, _RULE_COLUMNS)
        if before.trigger != rule.trigger:
            rule.order = _last(rule.trigger)
    else:
        rule.order = _last(rule.trigger)
    _saved(RULE, rule, lambda: snapshot(rule, _RULE_COLUMNS), actor, old)
    return rule


def _last(trigger: str) -> int:
    return int(Rule.objects.filter(trigger=trigger).aggregate(last=Max("order"))["last"] or 0) + 10


@transaction.atomic
def move_rule(rule_id: int, *, up: bool, actor: User) -> None:
    """Let a rule change places with the one before or behind it. At the end of the list nothing happens."""
    rule = Rule.objects.get(pk=rule_id)
    rules = list(Rule.objects.select_for_update().filter(trigger=rule.trigger).order_by("order", "pk"))
    at = next(place for place, one in enumerate(rules) if one.pk == rule_id)
    other = at + (-1 if up else 1)
    if not 0 <= other < len(rules):
        return
    before = {one.pk: snapshot(one, ("name", "order")) for one in rules}
    rules[at], rules[other] = rules[other], rules[at]
    for place, one in enumerate(rules, start=1):
        one.order = place * 10
    Rule.objects.bulk_update(rules, ["order"])
    moved = next(one for one in rules if one.pk == rule_id)
    record(_changed(RULE, moved, before[rule_id], snapshot(moved, ("name", "order")), actor))


@transaction.atomic
def save_clock(row: CasePolicy, policy: Policy, *, actor: User) -> CasePolicy:
    """Keep a clock with its ladder, for the cases to come. Raises ValidationError."""
    old = snapshot(CasePolicy.objects.select_for_update().get(pk=row.pk), _CLOCK_COLUMNS) if row.pk else {}
    row.content = policy.as_json()
    _saved(CLOCK, row, lambda: snapshot(row, _CLOCK_COLUMNS), actor, old)
    return row


@transaction.atomic
def retire_clock(row: CasePolicy, *, actor: User) -> None:
    """Take a clock out of the choices; open cases keep their copy. Raises InUse."""
    row = CasePolicy.objects.select_for_update().get(pk=row.pk)
    if row.usual or row.rules.exists() or row.routes.exists():
        raise InUse
    old = snapshot(row, _CLOCK_COLUMNS)
    row.retired_at = timezone.now()
    _saved(CLOCK, row, lambda: snapshot(row, _CLOCK_COLUMNS), actor, old)


@transaction.atomic
def save_group(group: AlertGroup, members: Sequence[User], *, actor: User) -> AlertGroup:
    """Keep a group and who is in it."""
    old = _group_columns(AlertGroup.objects.select_for_update().get(pk=group.pk)) if group.pk else {}
    group.save()
    group.members.set(members)
    record(_changed(ALERT_GROUP, group, old, _group_columns(group), actor))
    return group


def _group_columns(group: AlertGroup) -> dict[str, Any]:
    members = sorted(group.members.values_list("pk", flat=True))
    return snapshot(group, ("name", "retired_at")) | {"members": members}


@transaction.atomic
def save_route(route: UrgencyRoute, *, actor: User) -> UrgencyRoute:
    """Keep the way of one kind of urgency. Raises ValidationError."""
    old = snapshot(UrgencyRoute.objects.select_for_update().get(pk=route.pk), _ROUTE_COLUMNS) if route.pk else {}
    _saved(URGENCY, route, lambda: snapshot(route, _ROUTE_COLUMNS), actor, old)
    return route
