"""The sheet of the stores."""

from copy import copy
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from stores.actions import CLOSURE_FIELDS, STORE_FIELDS
from stores.choices import ChangeKind, HolidayRule, StoreKind
from stores.forms import read_languages
from stores.importing.columns import SHEETS
from stores.importing.plan import StoreChange
from stores.importing.planning.base import SheetPlanner, choice
from stores.importing.sheets import Row
from stores.models import Node, Store
from stores.public_holidays import clean_subdivision
from stores.recording import snapshot
from stores.zones import zone_fits, zones_of

_YES, _NO = {"yes", "y", "1", "true", "ja", "так"}, {"no", "n", "0", "false", "nein", "ні", ""}
# So many zones of a country are named to who has given another.
_ZONES_NAMED = 12
_REQUIRED = tuple(column.name for column in SHEETS["stores"] if column.required)


class StorePlanner(SheetPlanner):
    """Master data, place in the tree, closures, and whether a store is closed for good."""

    sheet = "stores"
    key = "code"

    def take(self, row: Row) -> None:
        is_complete = self.filled(row, *_REQUIRED)
        code = row.cells.get("code", "")
        if not code:
            return
        known, before = self.known.stores.get(code), len(self.plan.problems)
        if known is None and (alike := self.known.store_codes.alike(code)):
            self.wrong(row, "code", _("There is a store “%(code)s”: write it the same.") % {"code": alike})
            known = self.known.stores.get(alike)  # What a new one lacks, the one that is meant does not.
        elif known and code not in self.known.own:
            self.wrong(row, "code", _("This is not yours to change."))
        store = copy(known) if known else Store(code=code)
        node = self._node_of(row, known) if row.cells.get("node") else None
        for column, text in row.cells.items():
            try:
                self._set(store, column, text)
            except ValidationError as error:
                self.wrong_all(row, column, error)
        self._complete(row, store)
        self._fit_zone(row, store, known)
        if not is_complete or node is None or len(self.plan.problems) > before or self.plan.more_problems:
            return
        self._keep_store(row, store, known, node)

    def _node_of(self, row: Row, known: Store | None) -> Node | None:
        code = row.cells["node"]
        node = self.known.nodes.get(code)
        if node is None:
            self.wrong(row, "node", _("There is no node “%(code)s”.") % {"code": code})
        elif code not in self.known.editable:
            self.wrong(row, "node", _("This is not yours to change."))
        elif node.retired_at and not self._rests_there(row, known, node):
            self.wrong(row, "node", _("This node is retired: take it back first, or give another."))
        else:
            return node
        return None

    @staticmethod
    def _rests_there(row: Row, known: Store | None, node: Node) -> bool:
        """A store that was retired with its node may stay as it is, so that an older file is not refused for it."""
        if known is None or known.retired_at is None or known.node_id != node.pk:
            return False
        return "retired" not in row.cells or _truth(row.cells["retired"]) is True

    def _set(self, store: Store, column: str, text: str) -> None:
        """Raises ValidationError with a remedy."""
        match column:
            case "code" | "node" | "retired":
                return
            case "country":
                store.country = text.upper()
            case "kind":
                store.kind = choice(text or StoreKind.SHOP, StoreKind)
            case "holiday_rule":
                store.holiday_rule = choice(text or HolidayRule.OPEN, HolidayRule)
            case "subdivision":
                store.subdivision = text
            case "languages":
                store.languages = read_languages(text)
            case "contact_emails":
                store.contact_emails = _addresses(text)
            case "closed_from" | "closed_until":
                setattr(store, column, _day(text))
            case _:
                setattr(store, column, text)

    def _complete(self, row: Row, store: Store) -> None:
        """What depends on several columns."""
        if not store.time_zone and len(zones := zones_of(store.country)) == 1:
            store.time_zone = zones[0]
        try:
            store.subdivision = clean_subdivision(store.country, store.subdivision) if store.country else ""
        except ValidationError as error:
            self.wrong_all(row, "subdivision", error)
        if store.closed_until and (store.closed_from is None or store.closed_until < store.closed_from):
            self.wrong(row, "closed_until", _("This lies before the first day, or there is none."))
        if _truth(row.cells.get("retired", "")) is None:
            self.wrong(row, "retired", _("Write yes or no."))
        try:
            store.clean_fields(exclude=["node", "sort_key", "city_key", "search_text", "languages", "contact_emails"])
        except ValidationError as error:
            for column, messages in error.message_dict.items():
                if column == "country" or (column in _REQUIRED and not row.cells.get(column)):
                    continue  # has a remedy of its own, below or above
                if column == "time_zone" and not (store.time_zone or row.cells.get("country")):
                    continue  # the country may give it
                if column == "time_zone" and not store.time_zone:
                    messages = [_("This country has several time zones: write one, like Europe/Kyiv.")]
                for message in messages:
                    self.wrong(row, column, message)
        if row.cells.get("country") and (not store.country.isalpha() or len(store.country) != 2):
            self.wrong(row, "country", _("Two letters, like DE."))

    def _fit_zone(self, row: Row, store: Store, known: Store | None) -> None:
        """Another country's zone is a slip of a line; what was there before is left to the checklist."""
        zones = zones_of(store.country)
        same = known and (known.country, known.time_zone) == (store.country, store.time_zone)
        if zones and store.time_zone and not same and not zone_fits(store.country, store.time_zone):
            said = _("This is no time zone of %(country)s. There: %(zones)s.")
            names = ", ".join(zones[:_ZONES_NAMED])
            self.wrong(row, "time_zone", said % {"country": store.country, "zones": names})

    def _keep_store(self, row: Row, store: Store, known: Store | None, node: Node) -> None:
        wanted = _truth(row.cells["retired"]) if "retired" in row.cells else bool(known and known.retired_at)
        retired = bool(wanted)
        store.node = node
        fields = (*STORE_FIELDS, *CLOSURE_FIELDS)
        new = snapshot(store, fields) | {"node": node.code, "retired": retired}
        old = snapshot(known, fields) | {"node": known.node.code, "retired": bool(known.retired_at)} if known else {}
        if known is None:
            new = {name: value for name, value in new.items() if value not in ("", None, [], False)}
        self.known.planned[store.code] = store
        if self.plan.add("stores", store.code, _kind_of(known, old, new), old, new):
            self.plan.stores.append(StoreChange(store, node.code, known, retired))


def _kind_of(known: Store | None, old: dict[str, Any], new: dict[str, Any]) -> str:
    if known is None:
        return ChangeKind.CREATED
    if old["retired"] != new["retired"]:
        return ChangeKind.RETIRED if new["retired"] else ChangeKind.RESTORED
    return ChangeKind.MOVED if old["node"] != new["node"] else ChangeKind.CHANGED


def _addresses(text: str) -> list[str]:
    found = text.replace(",", " ").replace(";", " ").split()
    for address in found:
        validate_email(address)
    return list(dict.fromkeys(found))


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise ValidationError(_("Write the date as 2026-12-24.")) from None


def _truth(text: str) -> bool | None:
    wanted = text.strip().lower()
    return True if wanted in _YES else False if wanted in _NO else None
