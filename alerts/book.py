"""What head office has decided about cases, as it stands: rules, clocks, the ways of urgency, groups.

Each process keeps it and asks before every use whether it is still the same, by one number that the database changes
with every change of these tables, in the same transaction, whoever makes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.core.exceptions import ValidationError

from alerts.ladder import Policy, parse_policy, parse_targets
from alerts.models import AlertGroup, CasePolicy, Rule, UrgencyRoute
from alerts.policy import DEFAULT_POLICY
from core.quick import ask

log = structlog.get_logger()


@dataclass(frozen=True)
class Route:
    """The way of one kind of urgency: who is told besides, which level answers, and its clock if it has its own."""

    to: tuple[str, ...] = ()
    level: int = 0
    policy: Policy | None = None


@dataclass(frozen=True)
class Book:
    """`rules` are the active ones of each trigger, first to last."""

    rules: Mapping[str, list[Rule]]
    usual: Policy
    policies: Mapping[int, Policy]
    routes: Mapping[str, Route]
    groups: Mapping[int, tuple[int, ...]]

    def rules_of(self, trigger: str) -> list[Rule]:
        return self.rules.get(trigger, [])

    def policy_of(self, rule: Rule) -> Policy:
        """The clock and ladder that a rule gives."""
        return self.policies.get(rule.policy_id or 0, self.usual)


_kept: tuple[UUID, Book] | None = None


def current() -> Book:
    """The book as it is committed now; one small query when nothing has changed."""
    global _kept
    # Asked first: whatever is changed between the two is read again next time, never missed.
    version = next((row[0] for row in ask("SELECT version FROM alerts_rulebook", [])), None)
    kept = _kept
    if version is not None and kept is not None and kept[0] == version:
        return kept[1]
    book = _read()
    _kept = (version, book) if version is not None else None
    return book


def _read() -> Book:
    rules: dict[str, list[Rule]] = {}
    for rule in Rule.objects.filter(active=True).order_by("order", "pk"):
        rules.setdefault(rule.trigger, []).append(rule)
    policies: dict[int, Policy] = {}
    usual = DEFAULT_POLICY
    for row in CasePolicy.objects.all():
        try:
            policies[row.pk] = parse_policy(row.content)
        except ValidationError:  # a case must not wait for somebody to mend a ladder
            log.exception("policy cannot be read", policy=row.pk)
            continue
        if row.usual:
            usual = policies[row.pk]
    routes = {row.kind: _route(row, policies) for row in UrgencyRoute.objects.all()}
    groups: dict[int, tuple[int, ...]] = {}
    for group, member in AlertGroup.members.through.objects.values_list("alertgroup_id", "user_id").order_by("user_id"):
        groups[group] = (*groups.get(group, ()), member)
    return Book(rules, usual, policies, routes, groups)


def _route(row: UrgencyRoute, policies: Mapping[int, Policy]) -> Route:
    try:
        to = parse_targets(row.to)
    except ValidationError:
        log.exception("route cannot be read", kind=row.kind)
        to = ()
    return Route(to, row.level, policies.get(row.policy_id or 0))
