"""The sheet of the staff: people and the roles that they hold."""

from copy import copy

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from stores.choices import STORE_ROLES, ChangeKind, Role
from stores.importing.columns import SHEETS
from stores.importing.plan import PersonChange, Plan
from stores.importing.planning.base import Known, SheetPlanner, choice
from stores.importing.sheets import Row
from stores.models import RoleAssignment, User
from stores.people import PHONE
from stores.recording import snapshot
from stores.standing import RoleAt, Standing

_REQUIRED = tuple(column.name for column in SHEETS["staff"] if column.required)


class StaffPlanner(SheetPlanner):
    """A person has a row for each of their roles."""

    sheet = "staff"

    def __init__(self, known: Known, plan: Plan, rows: list[Row]) -> None:
        super().__init__(known, plan, rows)
        self._people: dict[str, list[tuple[Row, RoleAt]]] = {}

    def take(self, row: Row) -> None:
        is_complete = self.filled(row, *_REQUIRED)
        describes, held = self._describes(row), self._role(row)
        if is_complete and describes and held:
            self._join(row, held)

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

    def _describes(self, row: Row) -> bool:
        """Whether an account can hold what the row says of the person."""
        before, cells = len(self.plan.problems), row.cells
        said = {column: cells.get(column, "") for column in ("email", "name", "phone", "language")}
        try:
            User(**said | {"email": said["email"].lower()}).clean_fields(
                exclude=["password", "sort_key", "search_text", "language"]
            )
        except ValidationError as error:
            self.wrong_each(row, error)
        if said["phone"] and not PHONE.fullmatch(said["phone"]):
            self.wrong(row, "phone", _("Digits only, like +49 30 1234567."))
        if said["language"] and said["language"] not in dict(settings.STAFF_LANGUAGES):
            known = {"names": ", ".join(dict(settings.STAFF_LANGUAGES))}
            self.wrong(row, "language", _("One of: %(names)s.") % known)
        return len(self.plan.problems) == before and not self.plan.more_problems

    def _role(self, row: Row) -> RoleAt | None:
        named, place = row.cells.get("role", ""), row.cells.get("place", "")
        try:
            role = choice(named, Role)
        except ValidationError as error:
            if named:
                self.wrong_all(row, "role", error)
            return None
        store = node = None
        if role in STORE_ROLES:
            store = self.known.planned.get(place) or self.known.stores.get(place)
        else:
            node = self.known.nodes.get(place)
        if store is None and node is None:
            message = _("There is no store “%(code)s”.") if role in STORE_ROLES else _("There is no node “%(code)s”.")
            if place:
                self.wrong(row, "place", message % {"code": place})
            return None
        return RoleAt(role, store=store, node=node)

    def _join(self, row: Row, held: RoleAt) -> None:
        """One more role of the person."""
        cells = row.cells
        rows = self._people.setdefault(cells["email"].lower(), [])
        for column in ("name", "language", "phone") if rows else ():
            first = rows[0][0]
            if first.cells.get(column) != cells.get(column):
                said = _("Row %(row)d says something else of the same address.") % {"row": first.number}
                self.wrong(row, column, said)
        rows.append((row, held))

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
        problems = len(self.plan.problems)
        for row, one in wanted:
            key = (one.role, _place(one))
            if key not in before and key not in others and not standing.may_give(one):
                self.wrong(row, "role", _("You cannot give this role there."))
        if user and user.pk == self.known.actor.pk and before != after:
            self.wrong(first, "email", _("Nobody changes their own roles."))
        cells = first.cells
        person = copy(user) if user else User(email=email)
        person.name = cells["name"]
        for column in ("language", "phone"):
            if column in cells:
                setattr(person, column, cells[column])
        fields = ("name", "language", "phone")
        old = snapshot(user, fields) | {"roles": _roles_text(before)} if user else {}
        new = snapshot(person, fields) | {"roles": _roles_text(after)}
        named_anew = bool(user) and any(old[name] != new[name] for name in fields)
        if named_anew and user and not standing.is_superior_of(user) and user.pk != self.known.actor.pk:
            self.wrong(first, "name", _("Only their superior changes this."))
        if len(self.plan.problems) > problems or self.plan.more_problems:
            return
        if self.plan.add("staff", email, ChangeKind.CHANGED if user else ChangeKind.CREATED, old, new):
            self.plan.people.append(PersonChange(person, after, user is None, named_anew))


def _place(held: RoleAt | RoleAssignment) -> str:
    return held.store.code if held.store else held.node.code if held.node else ""


def _roles_text(roles: list[tuple[str, str]]) -> str:
    return ", ".join(f"{role} {place}" for role, place in roles)
