"""The sheet of the places between the chain and its stores."""

from copy import copy

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from stores.choices import ChangeKind, NodeKind
from stores.importing.columns import SHEETS
from stores.importing.planning.base import SheetPlanner, choice
from stores.importing.sheets import Row
from stores.models import Node
from stores.recording import snapshot

_REQUIRED = tuple(column.name for column in SHEETS["nodes"] if column.required)


class NodePlanner(SheetPlanner):
    """A node is named before what lies below it."""

    sheet = "nodes"
    key = "code"

    def take(self, row: Row) -> None:
        is_complete = self.filled(row, *_REQUIRED)
        cells, nodes = row.cells, self.known.nodes
        if not cells.get("code"):
            return
        known = nodes.get(cells["code"])
        if known is None and (alike := self.known.node_codes.alike(cells["code"])):
            self.wrong(row, "code", _("There is a node “%(code)s”: write it the same.") % {"code": alike})
            is_complete = False
        parent = nodes.get(cells.get("parent", "")) if "parent" in cells else known and known.parent
        may_be = self._may_be(row, known, parent)
        node = copy(known) if known else Node(code=cells["code"])
        node.name = cells.get("name", "")
        if not (self._is_clean(row, node) and may_be and is_complete):
            return
        node.parent = parent
        if not known:
            # Where it will lie; the last part follows when it is saved.
            node.path = f"{parent.path}+/" if parent else "/+/"
            self.known.editable.add(node.code)
        fields = ("name", "kind", "parent")
        kind = ChangeKind.CHANGED if known else ChangeKind.CREATED
        old = snapshot(known, fields) if known else {}
        if self.plan.add("nodes", node.code, kind, old, snapshot(node, fields)):
            self.plan.nodes.append((node, parent.code if parent else ""))
        nodes[node.code] = node

    def _is_clean(self, row: Row, node: Node) -> bool:
        """Whether the columns of a node hold what stands in the file; what is empty has been complained about."""
        before = len(self.plan.problems)
        try:
            node.kind = choice(row.cells.get("kind", ""), NodeKind)
        except ValidationError as error:
            if row.cells.get("kind"):
                self.wrong_all(row, "kind", error)
        try:
            node.clean_fields(exclude=["parent", "path", "sort_key", "kind"])
        except ValidationError as error:
            self.wrong_each(row, error)
        return len(self.plan.problems) == before and not self.plan.more_problems

    def _may_be(self, row: Row, known: Node | None, parent: Node | None) -> bool:
        wanted = row.cells.get("parent", "")
        editable = self.known.editable
        if wanted and parent is None:
            self.wrong(row, "parent", _("There is no node “%(code)s”, nor above this row.") % {"code": wanted})
        elif known and known.code not in editable:
            self.wrong(row, "code", _("This is not yours to change."))
        elif parent is None and (known is None or known.parent_id is not None):
            self.wrong(row, "parent", _("Give the node above it; only the chain itself has none."))
        elif parent and parent.code not in editable and not (known and known.parent_id == parent.pk):
            self.wrong(row, "parent", _("This is not yours to change."))
        elif parent and known and self._lies_below(parent, known):
            self.wrong(row, "parent", _("It cannot lie below itself."))
        elif parent and parent.retired_at:
            self.wrong(row, "parent", _("This node is retired: take it back first, or give another."))
        else:
            return True
        return False

    def _lies_below(self, node: Node | None, above: Node) -> bool:
        """Whether it is that node or lies below it, once the rows up to here have been carried out."""
        while node is not None:
            if node.code == above.code:
                return True
            node = self.known.nodes[node.parent.code] if node.parent else None
        return False
