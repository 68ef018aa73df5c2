"""The sheet of the places between the chain and its stores."""

from copy import copy

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from stores.choices import ChangeKind, NodeKind
from stores.importing.planning.base import SheetPlanner, choice
from stores.importing.sheets import Row
from stores.models import Node
from stores.recording import snapshot


class NodePlanner(SheetPlanner):
    """A node is named before what lies below it."""

    sheet = "nodes"
    key = "code"

    def take(self, row: Row) -> None:
        if not self.filled(row, "code", "name", "kind"):
            return
        cells, nodes = row.cells, self.known.nodes
        known = nodes.get(cells["code"])
        if known is None and (alike := self.known.node_codes.alike(cells["code"])):
            self.wrong(row, "code", _("There is a node “%(code)s”: write it the same.") % {"code": alike})
            return
        parent = nodes.get(cells.get("parent", "")) if "parent" in cells else known and known.parent
        if not self._may_be(row, known, parent):
            return
        node = copy(known) if known else Node(code=cells["code"])
        node.name, node.parent = cells["name"], parent
        if not self._is_clean(row, node):
            return
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
        wrong: dict[str, list[str]] = {}
        try:
            node.kind = choice(row.cells["kind"], NodeKind)
            node.clean_fields(exclude=["parent", "path", "sort_key"])
        except ValidationError as error:
            wrong = error.message_dict if hasattr(error, "error_dict") else {"kind": error.messages}
        for column, messages in wrong.items():
            for message in messages:
                self.wrong(row, column, message)
        return not wrong

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
