"""The sheet of the staff: people and the roles that they hold."""

from copy import copy

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from stores.choices import STORE_ROLES, ChangeKind, Role
from stores.importing.plan import PersonChange, Plan
from stores.importing.planning.base import Known, SheetPlanner, choice
from stores.importing.sheets import Row
from stores.models import RoleAssignment, User
from stores.people import PHONE
from stores.recording import snapshot
from stores.standing import RoleAt, Standing


class StaffPlanner(SheetPlanner):
    """A person has a row for each of their roles."""

    sheet = "staff"

    def __init__(self, known: Known, plan: Plan, rows: list[Row]) -> None:
        super().__init__(known, plan, rows)
        self._people: dict[str, list[tuple[Row, RoleAt]]] = {}

    def take(self, row: Row) -> None:
        if self.filled(row, "email", "name", "role", "place"):
            self._role(row)

    def finish(self) -> None:
        if not self._people:
            return
        standing = Standing(self.known.actor)
        users = {user.email: user for user in User.objects.filter(email__in=self._people)}
        held: dict[str, list[RoleAssignment]] = {}
        roles = RoleAssignment.objects.filter(user__email__in=self._people)
        for one in roles.select_related("user", "store__node", "node"):
            held.setdefault(one.user.email, []).append(one)
        for email, wanted in self._people.items():
            self._person(standing, users.get(email), held.get(email, []), email, wanted)

    def _role(self, row: Row) -> None:
        cells = row.cells
        email = cells["email"].lower()
        column = "email"
        try:
            validate_email(email)
            column = "role"
            role = choice(cells["role"], Role)
        except ValidationError as error:
            self.wrong_all(row, column, error)
            return
        language = cells.get("language", "")
        if language and language not in dict(settings.STAFF_LANGUAGES):
            known = {"names": ", ".join(dict(settings.STAFF_LANGUAGES))}
            self.wrong(row, "language", _("One of: %(names)s.") % known)
            return
        store = node = None
        if role in STORE_ROLES:
            store = self.known.planned.get(cells["place"]) or self.known.stores.get(cells["place"])
        else:
            node = self.known.nodes.get(cells["place"])
        if store is None and node is None:
            message = _("There is no store “%(code)s”.") if role in STORE_ROLES else _("There is no node “%(code)s”.")
            self.wrong(row, "place", message % {"code": cells["place"]})
            return
        rows = self._people.setdefault(email, [])
        for column in ("name", "language", "phone") if rows else ():
            first = rows[0][0]
            if first.cells.get(column) != cells.get(column):
                said = _("Row %(row)d says something else of the same address.") % {"row": first.number}
                self.wrong(row, column, said)
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
            self.wrong(first, "email", _("%(name)s has left: take them back first.") % {"name": user.name})
            return
        mine = [one for one in held if standing.may_take(one)]
        before = sorted((one.role, _place(one)) for one in mine)
        others = {(one.role, _place(one)) for one in held} - set(before)
        after = sorted({(one.role, _place(one)) for _row, one in wanted} - others)
        for row, one in wanted:
            key = (one.role, _place(one))
            if key not in before and key not in others and not standing.may_give(one):
                self.wrong(row, "role", _("You cannot give this role there."))
                return
        if user and user.pk == self.known.actor.pk and before != after:
            self.wrong(first, "email", _("Nobody changes their own roles."))
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
        if named_anew and user and not standing.is_superior_of(user) and user.pk != self.known.actor.pk:
            self.wrong(first, "name", _("Only their superior changes this."))
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
                self.wrong(row, column, message)
        return not wrong


def _place(held: RoleAt | RoleAssignment) -> str:
    return held.store.code if held.store else held.node.code if held.node else ""


def _roles_text(roles: list[tuple[str, str]]) -> str:
    return ", ".join(f"{role} {place}" for role, place in roles)
