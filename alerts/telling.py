"""Whom a step of the ladder tells: roles, named people and groups, with whoever stands in for those who are away.

Only people whose roles reach the store are told, whoever is named: a notice quotes the shopper and leads to the case.
"""

from alerts import book
from alerts.ladder import DEPUTY, GROUP, HEAD_OFFICE, LEVELS, PERSON, RISES, Rung, ids_of
from stores.choices import Role
from stores.models import Store, User
from stores.queries import everybody_of, in_their_place, who_answers


def people_told(rung: Rung, store: Store, level: int, people: dict[str, list[User]]) -> list[User]:
    """The people of a step for a case at `level`; `people` are those who are there now, see `people_by_role`.

    When nobody of them is there, head office is told, and when all are away, all are: better a holiday disturbed than
    a shopper forgotten.
    """
    told: list[User] = []
    for target in rung.to:
        if target in RISES:
            told += who_answers(store, level + RISES[target], people=people)
        elif target in LEVELS:
            told += who_answers(store, LEVELS[target], people=people)
        elif target == DEPUTY:
            told += people.get(Role.DEPUTY, [])
    if named := _named(rung):
        told += in_their_place(store, named)
    told = told or who_answers(store, LEVELS[HEAD_OFFICE], people=people) or everybody_of(store)
    return list(dict.fromkeys(told))


def _named(rung: Rung) -> list[int]:
    """The ids of the people whom the step names, by themselves or as members of a group."""
    named = ids_of(rung.to, PERSON)
    groups = ids_of(rung.to, GROUP)
    if groups:
        members = book.current().groups
        named += [member for group in groups for member in members.get(group, ())]
    return list(dict.fromkeys(named))
