"""What an import would do: every difference to what there is, and everything that is wrong."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stores.choices import ChangeKind
from stores.importing.sheets import Problem
from stores.models import Node, Store, User
from stores.stretches import Stretch

_MOST_PROBLEMS = 20_000
Week = dict[int, list[Stretch]]


@dataclass(frozen=True)
class Line:
    """One difference, as a person reads it: `changes` holds old and new by column."""

    what: str
    code: str
    kind: str
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass
class StoreChange:
    """A store as it will be, and as it was (None: it is new)."""

    store: Store
    node_code: str
    before: Store | None
    retired: bool


@dataclass
class PersonChange:
    """Somebody as they will be: known already or still to come, with their roles within the importer's reach."""

    user: User
    roles: list[tuple[str, str]]
    is_new: bool
    named_anew: bool = False


@dataclass
class Plan:
    """All that an import would do. With problems it does nothing at all."""

    problems: list[Problem] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    nodes: list[tuple[Node, str]] = field(default_factory=list)
    stores: list[StoreChange] = field(default_factory=list)
    hours: dict[str, Week] = field(default_factory=dict)
    people: list[PersonChange] = field(default_factory=list)
    unchanged: int = 0
    more_problems: int = 0

    def complain(self, sheet: str, row: int, column: str, message: str) -> None:
        """Keep a problem; of too many, their number."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(sheet, row, column, message))
        else:
            self.more_problems += 1

    def add(self, what: str, code: str, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Keep what differs; False, and counted as unchanged, if nothing does."""
        changes = {name: (old.get(name), value) for name, value in new.items() if old.get(name) != value}
        if not changes and kind == ChangeKind.CHANGED:
            self.unchanged += 1
            return False
        self.lines.append(Line(what, code, kind, changes))
        return True

    @property
    def digest(self) -> str:
        """Equal for two plans that do the same."""
        lines = [(line.what, line.code, line.kind, line.changes) for line in self.lines]
        return hashlib.sha256(json.dumps(lines, sort_keys=True, default=str).encode()).hexdigest()

    def counts(self) -> dict[str, int]:
        """How many of what, as "stores created": 12."""
        found: dict[str, int] = {}
        for line in self.lines:
            found[f"{line.what} {line.kind}"] = found.get(f"{line.what} {line.kind}", 0) + 1
        return found
