"""What the planners of all sheets share: the chain as it is and will be, and how they complain."""

from collections.abc import Iterable, Iterator
from functools import cache, cached_property

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils import translation
from django.utils.translation import gettext as _

from stores.access import Part, nodes_editable_by, stores_editable_by
from stores.importing.columns import fold
from stores.importing.plan import Plan
from stores.importing.sheets import Row
from stores.models import Node, Store, User


class Known:
    """The chain as it is, and as the rows that were read so far would make it, for somebody who may change so much of
    it and no more."""

    def __init__(self, actor: User) -> None:
        self.actor = actor
        self.nodes = {node.code: node for node in Node.objects.select_related("parent")}
        self.editable = set(nodes_editable_by(actor).values_list("code", flat=True))
        self.stores = {store.code: store for store in Store.objects.select_related("node")}
        self.own = set(stores_editable_by(actor, Part.PLACE).values_list("code", flat=True))
        self.planned: dict[str, Store] = {}

    @cached_property
    def store_codes(self) -> "Codes":
        return Codes(self.stores)

    @cached_property
    def node_codes(self) -> "Codes":
        return Codes(self.nodes)


class Codes:
    """Codes that are there before the import, to find the one that somebody meant."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._folded = {code.casefold(): code for code in codes}
        # A spreadsheet that takes 0042 for a number makes 42 of it.
        self._bare = {code.lstrip("0"): code for code in codes if code.isdigit()}

    def alike(self, code: str) -> str:
        """A code that differs from this one by upper and lower case, or by zeros before it; "" if there is none."""
        found = self._folded.get(code.casefold(), "")
        if not found and code.isdigit():
            found = self._bare.get(code.lstrip("0"), "")
        return "" if found == code else found


class SheetPlanner:
    """Plans a sheet row by row. `key` is the column that may name each thing once; "" if it may come again."""

    sheet: str
    key = ""

    def __init__(self, known: Known, plan: Plan, rows: list[Row]) -> None:
        self.known, self.plan, self.rows = known, plan, rows

    def run(self) -> Iterator[None]:
        """Fills the plan; yields after each row."""
        seen: dict[str, int] = {}
        for row in self.rows:
            key = row.cells.get(self.key, "").casefold()
            if key and key in seen:
                said = _("“%(key)s” is there already, in row %(row)d.")
                self.wrong(row, self.key, said % {"key": row.cells[self.key], "row": seen[key]})
            seen.setdefault(key, row.number)
            # Also of a second one, so that all that is wrong with its row is said at once.
            self.take(row)
            yield
        self.finish()

    def take(self, row: Row) -> None:
        """Compare one row with what there is."""
        raise NotImplementedError

    def finish(self) -> None:
        """What needs all rows to be known."""

    def wrong(self, row: Row, column: str, message: str) -> None:
        self.plan.complain(self.sheet, row.number, column, message)

    def wrong_all(self, row: Row, column: str, error: ValidationError) -> None:
        for message in error.messages:
            self.wrong(row, column, message)

    def wrong_each(self, row: Row, error: ValidationError) -> None:
        """Of several columns; those that are empty in the file have been complained about, or are somebody else's."""
        for column, messages in error.message_dict.items():
            for message in messages if row.cells.get(column) else ():
                self.wrong(row, column, message)

    def filled(self, row: Row, *columns: str) -> bool:
        """Whether none of these is empty; those that are, are complained about."""
        empty = [column for column in columns if not row.cells.get(column)]
        for column in empty:
            self.wrong(row, column, _("This must not be empty."))
        return not empty


def choice(text: str, allowed: type[TextChoices]) -> str:
    """One of `allowed`, by its value or by what it is called in any of our languages. Raises ValidationError."""
    found = _meant(allowed).get(fold(text))
    if found is None:
        raise ValidationError(_("One of: %(names)s.") % {"names": ", ".join(allowed.values)})
    return found


@cache
def _meant(allowed: type[TextChoices]) -> dict[str, str]:
    found: dict[str, str] = {}
    for language, _name in settings.STAFF_LANGUAGES:
        with translation.override(language):
            found |= {fold(str(one.label)): str(one.value) for one in allowed}
    return found | {fold(value): value for value in allowed.values}
