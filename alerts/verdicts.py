"""What the rules make of a response together, once each has said whether it holds.

The first rule that holds decides: severity, clock, who answers. Each later one that holds adds only the people it also
tells. Where one of them asks for urgency, the ways of the kinds that were found add theirs, the case is severe, and the
strictest of their clocks is taken if it leaves less time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.book import Book
from alerts.choices import Severity
from alerts.ladder import Policy, strictest
from alerts.models import Rule
from alerts.rules import Facts


@dataclass(frozen=True)
class Verdict:
    """What a response becomes. `policy` None is the chain's usual one; `level` is who answers (0 store, 1 area, 2 head
    office); `also` are the targets that are told at once besides; `rules` the ids of all that held."""

    rule_name: str
    trigger: str
    severity: str
    policy: Policy | None = None
    level: int = 0
    also: tuple[str, ...] = ()
    urgency: tuple[str, ...] = ()
    rules: tuple[int, ...] = ()


def verdict_of(holding: Sequence[Rule], facts: Facts, book: Book) -> Verdict | None:
    """The verdict of the rules that hold, first to last; None when none does."""
    if not holding:
        return None
    first = holding[0]
    policy, level, severity = book.policy_of(first), first.level, first.severity
    also = [target for rule in holding for target in rule.also]
    urgency: tuple[str, ...] = ()
    if any(rule.parsed.asks_urgency for rule in holding):
        urgency = facts.urgent_kinds
        routes = [book.routes[kind] for kind in urgency if kind in book.routes]
        also += [target for route in routes for target in route.to]
        level = max([level, *(route.level for route in routes)])
        severity = Severity.SEVERE.value
        own = strictest(route.policy for route in routes if route.policy)
        policy = own if own and own.is_stricter(policy) else policy
    return Verdict(
        rule_name=first.name,
        trigger=first.trigger,
        severity=severity,
        policy=policy,
        level=level,
        also=tuple(dict.fromkeys(also)),
        urgency=urgency,
        rules=tuple(rule.pk for rule in holding),
    )
