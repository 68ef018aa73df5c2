"""An import file compared with the chain: every difference, and everything that is wrong."""

from collections.abc import Iterator
from copy import copy

from django.utils.translation import gettext as _

from stores.choices import ChangeKind
from stores.importing.plan import Plan, StoreChange
from stores.importing.planning.base import Known, SheetPlanner
from stores.importing.planning.hours import HoursPlanner
from stores.importing.planning.nodes import NodePlanner
from stores.importing.planning.staff import StaffPlanner
from stores.importing.planning.stores import StorePlanner
from stores.importing.sheets import File
from stores.models import User

_CHUNK = 500
# What a row names has to be there before it, or in a sheet before its own.
_PLANNERS: tuple[type[SheetPlanner], ...] = (NodePlanner, StorePlanner, HoursPlanner, StaffPlanner)


class Planner:
    """Compares a file with the chain, for somebody who may change so much of it and no more."""

    def __init__(self, file: File, actor: User, *, retire_missing: bool = False) -> None:
        self.file, self.retire_missing = file, retire_missing
        self.plan = Plan(problems=list(file.problems))
        self.known = Known(actor)
        self.total = sum(len(table.rows) for table in file.tables.values())

    def run(self) -> Iterator[int]:
        """Fills `plan`; yields how many rows are done, now and then."""
        if self.plan.problems:
            return
        done = 0
        for planner in _PLANNERS:
            for _row in planner(self.known, self.plan, self.file.rows(planner.sheet)).run():
                done += 1
                if done % _CHUNK == 0:
                    yield done
        if self.retire_missing and "stores" in self.file.tables and not self.plan.problems:
            self._retire_missing()

    def _retire_missing(self) -> None:
        if not self.file.rows("stores"):
            self.plan.complain("stores", 1, "", _("There is no store in this sheet: all of them would be closed."))
            return
        for code, store in self.known.stores.items():
            if code in self.known.own and code not in self.known.planned and store.retired_at is None:
                self.plan.add("stores", code, ChangeKind.RETIRED, {"retired": False}, {"retired": True})
                self.plan.stores.append(StoreChange(copy(store), store.node.code, store, True))
