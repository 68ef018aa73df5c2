"""What an import file would change, compared with what there is: every difference, and everything that is wrong."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from stores.access import Part, nodes_editable_by, stores_editable_by
from stores.actions import CLOSURE_FIELDS, STORE_FIELDS
from stores.choices import STORE_ROLES, ChangeKind, HolidayRule, NodeKind, Role, StoreKind
from stores.forms import read_languages
from stores.importing.sheets import WEEKDAY_COLUMNS, File, Problem, Row
from stores.models import Node, OpeningInterval, RoleAssignment, Store, User
from stores.people import PHONE
from stores.public_holidays import clean_subdivision
from stores.recording import snapshot
from stores.standing import RoleAt, Standing
from stores.stretches import Stretch, format_stretches, overlaps, parse_stretches
from stores.zones import zones_of

_MOST_PROBLEMS = 1000
_CHUNK = 500
_YES, _NO = {"yes", "y", "1", "true", "ja", "так"}, {"no", "n", "0", "false", "nein", "ні", ""}
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


class Planner:
    """Compares a file with the chain, for somebody who may change so much of it and no more."""

    def __init__(self, file: File, actor: User, *, retire_missing: bool = False) -> None:
        self.file, self.actor, self.retire_missing = file, actor, retire_missing
        self.plan = Plan(problems=list(file.problems))
        self.nodes = {node.code: node for node in Node.objects.select_related("parent")}
        self.editable = set(nodes_editable_by(actor).values_list("code", flat=True))
        self.stores = {store.code: store for store in Store.objects.select_related("node")}
        self.own = set(stores_editable_by(actor, Part.PLACE).values_list("code", flat=True))
        self.planned: dict[str, Store] = {}
        self.total = sum(len(rows) for rows in file.sheets.values())
        self.done = 0

    def run(self) -> Iterator[int]:
        """Fills `plan`; yields how many rows are done, now and then."""
        if self.plan.problems:
            return
        for sheet, plan_row in (
            ("nodes", self._node),
            ("stores", self._store),
            ("hours", self._hours),
        ):
            seen: dict[str, int] = {}
            for row in self.file.sheets.get(sheet, []):
                key = next(iter(row.cells.get(name, "") for name in ("code", "store") if name in row.cells), "")
                if key and key.casefold() in seen:
                    self._wrong(sheet, row, "code" if "code" in row.cells else "store", self._twice(seen, key))
                else:
                    seen[key.casefold()] = row.number
                    plan_row(row)
                yield from self._step()
        yield from self._staff()
        if self.retire_missing and "stores" in self.file.sheets and not self.plan.problems:
            self._retire_missing()

    def _step(self) -> Iterator[int]:
        self.done += 1
        if self.done % _CHUNK == 0:
            yield self.done

    @staticmethod
    def _twice(seen: dict[str, int], key: str) -> str:
        return _("“%(key)s” is there already, in row %(row)d.") % {"key": key, "row": seen[key.casefold()]}

    def _wrong(self, sheet: str, row: Row, column: str, message: str) -> None:
        self.plan.complain(sheet, row.number, column, message)

    def _wrong_all(self, sheet: str, row: Row, column: str, error: ValidationError) -> None:
        for message in error.messages:
            self._wrong(sheet, row, column, message)

    def _filled(self, sheet: str, row: Row, *columns: str) -> bool:
        empty = [column for column in columns if not row.cells.get(column)]
        for column in empty:
            self._wrong(sheet, row, column, _("This must not be empty."))
        return not empty

    # --- nodes --------------------------------------------------------------------------------------------------
    def _node(self, row: Row) -> None:
        if not self._filled("nodes", row, "code", "name", "kind"):
            return
        cells = row.cells
        known = self.nodes.get(cells["code"])
        folded = cells["code"].casefold()
        if known is None and (alike := next((code for code in self.nodes if code.casefold() == folded), "")):
            self._wrong("nodes", row, "code", _("There is a node “%(code)s”: write it the same.") % {"code": alike})
            return
        parent = self.nodes.get(cells.get("parent", "")) if "parent" in cells else known and known.parent
        if not self._node_may_be(row, known, parent):
            return
        node = copy(known) if known else Node(code=cells["code"])
        node.name, node.kind, node.parent = cells["name"], cells["kind"].lower(), parent
        try:
            node.clean_fields(exclude=["parent", "path", "sort_key"])
        except ValidationError as error:
            for column, messages in error.message_dict.items():
                for message in messages:
                    self._wrong("nodes", row, column, self._kinds_hint(column, message))
            return
        if not known:
            # Where it will lie; the last part follows when it is saved.
            node.path = f"{parent.path}+/" if parent else "/+/"
            self.editable.add(node.code)
        fields = ("name", "kind", "parent")
        old = snapshot(known, fields) if known else {}
        if self.plan.add(
            "nodes", node.code, ChangeKind.CHANGED if known else ChangeKind.CREATED, old, snapshot(node, fields)
        ):
            self.plan.nodes.append((node, parent.code if parent else ""))
        self.nodes[node.code] = node

    @staticmethod
    def _kinds_hint(column: str, message: str) -> str:
        return _("One of: %(names)s.") % {"names": ", ".join(NodeKind.values)} if column == "kind" else message

    def _node_may_be(self, row: Row, known: Node | None, parent: Node | None) -> bool:
        wanted = row.cells.get("parent", "")
        if wanted and parent is None:
            self._wrong(
                "nodes", row, "parent", _("There is no node “%(code)s”, nor above this row.") % {"code": wanted}
            )
        elif known and known.code not in self.editable:
            self._wrong("nodes", row, "code", _("This is not yours to change."))
        elif parent is None and (known is None or known.parent_id is not None):
            self._wrong("nodes", row, "parent", _("Give the node above it; only the chain itself has none."))
        elif parent and parent.code not in self.editable and not (known and known.parent_id == parent.pk):
            self._wrong("nodes", row, "parent", _("This is not yours to change."))
        elif parent and known and parent.path.startswith(known.path):
            self._wrong("nodes", row, "parent", _("It cannot lie below itself."))
        elif parent and parent.retired_at:
            self._wrong("nodes", row, "parent", _("This node is retired: take it back first, or give another."))
        else:
            return True
        return False

    # --- stores -------------------------------------------------------------------------------------------------
    @cached_property
    def _by_folded_code(self) -> dict[str, str]:
        return {code.casefold(): code for code in self.stores}

    def _store(self, row: Row) -> None:
        if not self._filled("stores", row, "code", "name", "node", "country"):
            return
        code = row.cells["code"]
        known = self.stores.get(code)
        alike = self._by_folded_code.get(code.casefold(), code)
        if known is None and alike != code:
            self._wrong("stores", row, "code", _("There is a store “%(code)s”: write it the same.") % {"code": alike})
            return
        if known and code not in self.own:
            self._wrong("stores", row, "code", _("This is not yours to change."))
            return
        before = len(self.plan.problems)
        store = copy(known) if known else Store(code=code)
        node = self._node_of(row, known)
        for column, text in row.cells.items():
            try:
                self._set(store, column, text)
            except ValidationError as error:
                self._wrong_all("stores", row, column, error)
        self._complete(row, store)
        if node is None or len(self.plan.problems) > before or self.plan.more_problems:
            return
        self._keep_store(row, store, known, node)

    def _node_of(self, row: Row, known: Store | None) -> Node | None:
        code = row.cells["node"]
        node = self.nodes.get(code)
        if node is None:
            self._wrong("stores", row, "node", _("There is no node “%(code)s”.") % {"code": code})
        elif code not in self.editable:
            self._wrong("stores", row, "node", _("This is not yours to change."))
        elif node.retired_at and not self._rests_there(row, known, node):
            self._wrong("stores", row, "node", _("This node is retired: take it back first, or give another."))
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
                store.kind = _choice(text or StoreKind.SHOP, StoreKind.values)
            case "holiday_rule":
                store.holiday_rule = _choice(text or HolidayRule.OPEN, HolidayRule.values)
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
        zones = zones_of(store.country)
        if not store.time_zone and len(zones) == 1:
            store.time_zone = zones[0]
        try:
            store.subdivision = clean_subdivision(store.country, store.subdivision)
        except ValidationError as error:
            self._wrong_all("stores", row, "subdivision", error)
        if store.closed_until and (store.closed_from is None or store.closed_until < store.closed_from):
            self._wrong("stores", row, "closed_until", _("This lies before the first day, or there is none."))
        if _truth(row.cells.get("retired", "")) is None:
            self._wrong("stores", row, "retired", _("Write yes or no."))
        try:
            store.clean_fields(exclude=["node", "sort_key", "city_key", "search_text", "languages", "contact_emails"])
        except ValidationError as error:
            for column, messages in error.message_dict.items():
                if column == "country":
                    continue  # has a remedy of its own, below
                if column == "time_zone" and not store.time_zone:
                    messages = [_("This country has several time zones: write one, like Europe/Kyiv.")]
                for message in messages:
                    self._wrong("stores", row, column, message)
        if not store.country.isalpha() or len(store.country) != 2:
            self._wrong("stores", row, "country", _("Two letters, like DE."))

    def _keep_store(self, row: Row, store: Store, known: Store | None, node: Node) -> None:
        wanted = _truth(row.cells["retired"]) if "retired" in row.cells else bool(known and known.retired_at)
        retired = bool(wanted)
        store.node = node
        fields = (*STORE_FIELDS, *CLOSURE_FIELDS)
        new = snapshot(store, fields) | {"node": node.code, "retired": retired}
        old = snapshot(known, fields) | {"node": known.node.code, "retired": bool(known.retired_at)} if known else {}
        if known is None:
            new = {name: value for name, value in new.items() if value not in ("", None, [], False)}
        self.planned[store.code] = store
        if self.plan.add("stores", store.code, _kind_of(known, old, new), old, new):
            self.plan.stores.append(StoreChange(store, node.code, known, retired))

    def _retire_missing(self) -> None:
        for code, store in self.stores.items():
            if code in self.own and code not in self.planned and store.retired_at is None:
                self.plan.add("stores", code, ChangeKind.RETIRED, {"retired": False}, {"retired": True})
                self.plan.stores.append(StoreChange(copy(store), store.node.code, store, True))

    # --- hours --------------------------------------------------------------------------------------------------
    @cached_property
    def _weeks(self) -> dict[str, Week]:
        found: dict[str, Week] = {}
        wanted = {row.cells.get("store", "") for row in self.file.sheets.get("hours", [])}
        rows = OpeningInterval.objects.filter(store__code__in=wanted).order_by("weekday", "opens")
        for code, weekday, opens, closes in rows.values_list("store__code", "weekday", "opens", "closes"):
            found.setdefault(code, {}).setdefault(weekday, []).append((opens, closes))
        return found

    def _hours(self, row: Row) -> None:
        if not self._filled("hours", row, "store"):
            return
        code = row.cells["store"]
        if code not in self.planned and code not in self.own:
            self._wrong("hours", row, "store", _("There is no store “%(code)s” of yours.") % {"code": code})
            return
        week: Week = {}
        good = True
        for weekday, column in enumerate(WEEKDAY_COLUMNS):
            try:
                if stretches := parse_stretches(row.cells.get(column, "")):
                    week[weekday] = stretches
            except ValidationError as error:
                self._wrong_all("hours", row, column, error)
                good = False
        for clash in overlaps(week) if good else ():
            self._wrong("hours", row, WEEKDAY_COLUMNS[clash.second_day], clash.message)
            good = False
        if good and self.plan.add(
            "hours", code, ChangeKind.CHANGED, _written(self._weeks.get(code, {})), _written(week)
        ):
            self.plan.hours[code] = week

    # --- staff --------------------------------------------------------------------------------------------------
    def _staff(self) -> Iterator[int]:
        rows = self.file.sheets.get("staff", [])
        if not rows:
            return
        standing = Standing(self.actor)
        emails = {row.cells.get("email", "").lower() for row in rows}
        users = {user.email: user for user in User.objects.filter(email__in=emails)}
        held: dict[str, list[RoleAssignment]] = {}
        for one in RoleAssignment.objects.filter(user__email__in=emails).select_related("user", "store__node", "node"):
            held.setdefault(one.user.email, []).append(one)
        people: dict[str, list[tuple[Row, RoleAt]]] = {}
        for row in rows:
            if self._filled("staff", row, "email", "name", "role", "place"):
                self._role(row, people)
            yield from self._step()
        for email, wanted in people.items():
            self._person(standing, users.get(email), held.get(email, []), email, wanted)

    def _role(self, row: Row, people: dict[str, list[tuple[Row, RoleAt]]]) -> None:
        cells = row.cells
        email = cells["email"].lower()
        column = "email"
        try:
            validate_email(email)
            column = "role"
            role = _choice(cells["role"], Role.values)
        except ValidationError as error:
            self._wrong_all("staff", row, column, error)
            return
        language = cells.get("language", "")
        if language and language not in dict(settings.LANGUAGES):
            known = {"names": ", ".join(dict(settings.LANGUAGES))}
            self._wrong("staff", row, "language", _("One of: %(names)s.") % known)
            return
        store = node = None
        if role in STORE_ROLES:
            store = self.planned.get(cells["place"]) or self.stores.get(cells["place"])
        else:
            node = self.nodes.get(cells["place"])
        if store is None and node is None:
            message = _("There is no store “%(code)s”.") if role in STORE_ROLES else _("There is no node “%(code)s”.")
            self._wrong("staff", row, "place", message % {"code": cells["place"]})
            return
        rows = people.setdefault(email, [])
        for column in ("name", "language", "phone") if rows else ():
            first = rows[0][0]
            if first.cells.get(column) != cells.get(column):
                said = _("Row %(row)d says something else of the same address.") % {"row": first.number}
                self._wrong("staff", row, column, said)
        rows.append((row, RoleAt(role, store=store, node=node)))

    def _person(
        self,
        standing: Standing,
        user: User | None,
        held: list[RoleAssignment],
        email: str,
        wanted: list[tuple[Row, RoleAt]],
    ) -> None:
        first = wanted[0][0]
        if user and user.left_at:
            self._wrong("staff", first, "email", _("%(name)s has left: take them back first.") % {"name": user.name})
            return
        mine = [one for one in held if standing.may_take(one)]
        before = sorted((one.role, _place(one)) for one in mine)
        others = {(one.role, _place(one)) for one in held} - set(before)
        after = sorted({(one.role, _place(one)) for _row, one in wanted} - others)
        for row, one in wanted:
            key = (one.role, _place(one))
            if key not in before and key not in others and not standing.may_give(one):
                self._wrong("staff", row, "role", _("You cannot give this role there."))
                return
        if user and user.pk == self.actor.pk and before != after:
            self._wrong("staff", first, "email", _("Nobody changes their own roles."))
            return
        cells = first.cells
        person = copy(user) if user else User(email=email)
        person.name = cells["name"]
        for column in ("language", "phone"):
            if column in cells:
                setattr(person, column, cells[column])
        if not self._fits(first, person):
            return
        fields = ("name", "language", "phone")
        old = snapshot(user, fields) | {"roles": _roles_text(before)} if user else {}
        new = snapshot(person, fields) | {"roles": _roles_text(after)}
        named_anew = bool(user) and any(old[name] != new[name] for name in fields)
        if named_anew and user and not standing.is_superior_of(user) and user.pk != self.actor.pk:
            self._wrong("staff", first, "name", _("Only their superior changes this."))
            return
        if self.plan.add("staff", email, ChangeKind.CHANGED if user else ChangeKind.CREATED, old, new):
            self.plan.people.append(PersonChange(person, after, user is None, named_anew))

    def _fits(self, row: Row, person: User) -> bool:
        """Whether the columns of the account hold what stands in the file."""
        wrong: dict[str, list[str]] = {}
        try:
            person.clean_fields(exclude=["password", "sort_key", "search_text"])
        except ValidationError as error:
            wrong = error.message_dict
        if row.cells.get("phone") and not PHONE.fullmatch(person.phone):
            wrong["phone"] = [_("Digits only, like +49 30 1234567.")]
        for column, messages in wrong.items():
            for message in messages:
                self._wrong("staff", row, column, message)
        return not wrong


def _place(held: RoleAt | RoleAssignment) -> str:
    return held.store.code if held.store else held.node.code if held.node else ""


def _roles_text(roles: list[tuple[str, str]]) -> str:
    return ", ".join(f"{role} {place}" for role, place in roles)


def _written(week: Week) -> dict[str, str]:
    return {name: format_stretches(week.get(day, [])) for day, name in enumerate(WEEKDAY_COLUMNS)}


def _kind_of(known: Store | None, old: dict[str, Any], new: dict[str, Any]) -> str:
    if known is None:
        return ChangeKind.CREATED
    if old["retired"] != new["retired"]:
        return ChangeKind.RETIRED if new["retired"] else ChangeKind.RESTORED
    return ChangeKind.MOVED if old["node"] != new["node"] else ChangeKind.CHANGED


def _choice(text: str, allowed: list[str]) -> str:
    wanted = text.strip().lower().replace(" ", "_").replace("-", "_")
    if wanted not in allowed:
        raise ValidationError(_("One of: %(names)s.") % {"names": ", ".join(allowed)})
    return wanted


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
