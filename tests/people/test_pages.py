"""The pages of people: who sees whom, and that what is asked for happens."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from stores.choices import NodeKind, PersonEventKind, Role
from stores.models import Absence, PersonEvent, RoleAssignment, User
from stores.standing import RoleAt, Standing, people_visible_to
from tests.factories import PASSWORD, Chain, make_node, make_store, make_user
from tests.people.conftest import Browsers


def read(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    return answer.content.decode()


@pytest.mark.parametrize(
    ("who", "sees", "not_sees"),
    [
        ("manager", {"manager", "deputy"}, {"area_manager", "foreign_manager", "head_office", "nobody"}),
        ("area_manager", {"area_manager", "manager", "deputy"}, {"foreign_manager", "head_office", "call_centre_lead"}),
        ("head_office", {"manager", "foreign_manager", "operator", "call_centre_lead", "nobody"}, set()),
        ("deputy", {"deputy"}, {"manager"}),
        ("operator", {"operator"}, {"manager"}),
    ],
)
def test_everyone_sees_only_theirs(chain: Chain, who: str, sees: set[str], not_sees: set[str]) -> None:
    found = set(people_visible_to(getattr(chain, who)))
    assert {getattr(chain, name) for name in sees} <= found
    assert not {getattr(chain, name) for name in not_sees} & found


def test_the_list_finds_by_name_role_and_state(chain: Chain, browser: Browsers) -> None:
    client = browser(chain.head_office)
    make_user(email="muller@chain.example", role=Role.DEPUTY, store=chain.store).save()
    User.objects.get(email="muller@chain.example")
    page = read(client, "/people/?q=müll")
    assert "muller@" not in page and ">Muller<" in page and ">Manager<" not in page
    assert ">Operator<" in read(client, "/people/?role=operator") and ">Deputy<" not in read(
        client, "/people/?role=operator"
    )
    now = timezone.now()
    Absence.objects.create(user=chain.deputy, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(days=3))
    away = read(client, "/people/?state=away")
    assert ">Deputy<" in away and ">Manager<" not in away
    partial = client.get("/people/?q=deputy", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in partial and 'id="found"' in partial


def test_thousands_of_people_take_a_fixed_number_of_queries(
    chain: Chain, browser: Browsers, django_assert_max_num_queries: object
) -> None:
    users = User.objects.bulk_create(
        User(email=f"p{n}@chain.example", name=f"Person {n:04}", password="!") for n in range(3000)
    )
    RoleAssignment.objects.bulk_create(RoleAssignment(user=user, role=Role.DEPUTY, store=chain.store) for user in users)
    client = browser(chain.area_manager)
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        page = read(client, "/people/?q=person")
    assert page.count("people__item") == 50 and "3,000 people" in page


def test_an_area_manager_invites_within_their_area_and_never_above_themselves(chain: Chain) -> None:
    standing = Standing(chain.area_manager)
    assert standing.may_give(RoleAt(Role.STORE_MANAGER, store=chain.store))
    assert standing.may_give(RoleAt(Role.AREA_MANAGER, node=chain.area))
    assert not standing.may_give(RoleAt(Role.STORE_MANAGER, store=chain.foreign))
    assert not standing.may_give(RoleAt(Role.HEAD_OFFICE, node=chain.area))
    assert not standing.may_give(RoleAt(Role.OPERATOR, node=chain.area))
    assert not standing.may_give(RoleAt(Role.AREA_MANAGER, node=chain.root))
    assert not Standing(chain.manager).may_give(RoleAt(Role.DEPUTY, store=chain.store))


def test_superiors_are_above_not_beside(chain: Chain) -> None:
    colleague = make_user(email="area2@chain.example", role=Role.AREA_MANAGER, node=chain.area)
    region = make_user(email="region@chain.example", role=Role.AREA_MANAGER, node=chain.root)
    assert not Standing(chain.area_manager).is_superior_of(colleague)
    assert Standing(region).is_superior_of(colleague) and not Standing(colleague).is_superior_of(region)
    assert Standing(chain.manager).is_superior_of(chain.deputy)
    assert not Standing(chain.manager).is_superior_of(chain.manager)
    assert not Standing(chain.manager).may_close(chain.deputy), "a store's manager gives and takes no roles"
    both = make_user(email="both@chain.example", role=Role.DEPUTY, store=chain.store)
    RoleAssignment.objects.create(user=both, role=Role.DEPUTY, store=chain.foreign)
    RoleAssignment.objects.create(user=chain.area_manager, role=Role.DEPUTY, store=chain.store)
    assert not Standing(chain.manager).is_superior_of(chain.area_manager), "who helps out below stays above"
    assert Standing(chain.area_manager).is_superior_of(both) and not Standing(chain.area_manager).may_close(both)


def invite_form(**changes: str) -> dict[str, str]:
    return {
        "name": "New Person",
        "email": "New@Chain.example",
        "language": "de",
        "phone": "",
        "roles-TOTAL_FORMS": "2",
        "roles-INITIAL_FORMS": "0",
        "roles-0-role": Role.STORE_MANAGER.value,
        "roles-0-store": "ky1",
        "roles-0-node": "",
        "roles-1-role": "",
        "roles-1-store": "",
        "roles-1-node": "",
    } | changes


def test_inviting_from_the_page(chain: Chain, browser: Browsers) -> None:
    client = browser(chain.area_manager)
    assert 'name="roles-0-role"' in read(client, "/people/invite/")
    answer = client.post("/people/invite/", invite_form(**{"roles-1-role": "deputy", "roles-1-store": "KY2"}))
    person = User.objects.get(email="new@chain.example")
    assert answer["Location"] == f"/people/{person.pk}/"
    assert not person.is_active and person.language == "de" and not person.has_usable_password()
    assert set(person.roles.values_list("role", "store__code")) == {("store_manager", "KY1"), ("deputy", "KY2")}
    given = PersonEvent.objects.filter(user=person, kind=PersonEventKind.ROLE_GIVEN)
    assert {event.actor for event in given} == {chain.area_manager} and given.count() == 2
    page = read(client, f"/people/{person.pk}/")
    assert "Invited" in page and "works until" in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"email": "manager@chain.example"}, "belongs to somebody already"),
        ({"roles-0-store": "LV1"}, "No store of yours has this code"),
        ({"roles-0-role": "area_manager", "roles-0-store": ""}, "Please choose where this role holds"),
        ({"roles-0-role": "head_office", "roles-0-store": ""}, "not one of the available choices"),
        ({"roles-0-role": "", "roles-0-store": ""}, "at least one role"),
        ({"phone": "call me"}, "Enter a valid value"),
    ],
)
def test_a_refused_invitation_keeps_what_was_typed(
    chain: Chain, browser: Browsers, changes: dict[str, str], says: str
) -> None:
    answer = browser(chain.area_manager).post("/people/invite/", invite_form(**changes))
    page = answer.content.decode()
    assert answer.status_code == 422 and says in page and 'value="New Person"' in page
    assert not User.objects.filter(email="new@chain.example").exists()


def test_another_row_keeps_what_was_typed(chain: Chain, browser: Browsers) -> None:
    answer = browser(chain.area_manager).post("/people/invite/", invite_form(more="1"))
    page = answer.content.decode()
    assert answer.status_code == 200 and 'name="roles-2-role"' in page and 'value="ky1"' in page


@pytest.mark.parametrize("rows", ["", "x", "-1", "99999999999"])
def test_a_forged_number_of_rows_does_no_harm(chain: Chain, browser: Browsers, rows: str) -> None:
    client = browser(chain.area_manager)
    form = invite_form(**{"roles-TOTAL_FORMS": rows})
    assert client.post("/people/invite/", form | {"more": "1"}).status_code == 200
    assert client.post("/people/invite/", form).status_code == 422


def test_codes_of_stores_are_offered_within_ones_own_only(chain: Chain, browser: Browsers) -> None:
    offered = (
        browser(chain.area_manager).get("/people/invite/?store=k", headers={"HX-Request": "true"}).content.decode()
    )
    assert 'value="KY1"' in offered and "LV1" not in offered
    everything = (
        browser(chain.area_manager).get("/people/invite/?roles-0-store=one", headers={"HX-Request": "true"}).content
    )
    assert b"KY1" in everything and b"LV1" not in everything


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-01-01", "9999-12-31", "longer than a year"),
        ("0001-01-01", "0001-01-02", "lies in the past"),
        ("2026-02-30", "2026-03-01", "Enter a valid date"),
    ],
)
def test_absences_that_cannot_be(chain: Chain, browser: Browsers, first: str, last: str, words: str) -> None:
    fields = {"action": "enter_absence", "away-first": first, "away-last": last}
    answer = browser(chain.area_manager).post(f"/people/{chain.deputy.pk}/", fields)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Absence.objects.exists()


def test_roles_absences_and_leaving_from_the_page(chain: Chain, browser: Browsers) -> None:
    client = browser(chain.area_manager)
    address = f"/people/{chain.deputy.pk}/"
    today = timezone.now().date()
    answer = client.post(address, {"action": "give_role", "give-role": "deputy", "give-store": "KY2", "give-node": ""})
    assert answer.status_code == 303 and chain.deputy.roles.count() == 2
    answer = client.post(
        address,
        {
            "action": "enter_absence",
            "away-first": today.isoformat(),
            "away-last": (today + timedelta(days=2)).isoformat(),
            "away-stand_in": str(chain.manager.pk),
            "away-note": "Holiday",
        },
    )
    assert answer.status_code == 303, answer.content.decode()
    absence = Absence.objects.get()
    assert absence.stand_in == chain.manager and absence.created_by == chain.area_manager
    assert absence.starts_at <= timezone.now() + timedelta(seconds=1)
    page = read(client, address)
    assert "Away until" in page and "stands in" in page
    held = chain.deputy.roles.get(store=chain.neighbour)
    assert client.post(address, {"action": "take_role", "held": str(held.pk)}).status_code == 303
    assert client.post(address, {"action": "cancel_absence", "absence": str(absence.pk)}).status_code == 303
    assert client.post(address, {"action": "let_go"}).status_code == 303
    chain.deputy.refresh_from_db()
    assert chain.deputy.left_at and not chain.deputy.is_active
    kinds = set(chain.deputy.events.values_list("kind", flat=True))
    assert {"role_given", "role_taken", "away", "back", "left"} <= kinds
    assert "Has left" in read(client, address)


def test_what_is_not_ones_to_do_is_refused(chain: Chain, browser: Browsers) -> None:
    manager = browser(chain.manager)
    held = chain.deputy.roles.get()
    for form in (
        {"action": "take_role", "held": str(held.pk)},
        {"action": "give_role", "give-role": "deputy", "give-store": "KY2"},
        {"action": "let_go"},
        {"action": "forget_factors"},
    ):
        assert manager.post(f"/people/{chain.deputy.pk}/", form).status_code == 422, form
    own = browser(chain.deputy)
    assert own.post(f"/people/{chain.deputy.pk}/", {"action": "let_go"}).status_code == 422
    assert (
        browser(chain.area_manager).post(f"/people/{chain.area_manager.pk}/", {"action": "let_go"}).status_code == 422
    )
    # Somebody else's assignment by a guessed number.
    foreign = chain.foreign_manager.roles.get()
    assert (
        browser(chain.area_manager)
        .post(f"/people/{chain.deputy.pk}/", {"action": "take_role", "held": str(foreign.pk)})
        .status_code
        == 404
    )
    assert RoleAssignment.objects.filter(pk__in=[held.pk, foreign.pk]).count() == 2


def test_places_lie_where_they_lie(chain: Chain) -> None:
    """A node whose path begins with the same digits is another's."""
    other = make_node(kind=NodeKind.AREA, name="Odesa", parent=chain.area.parent)
    store = make_store(node=other, code="OD1")
    assert not Standing(chain.area_manager).may_give(RoleAt(Role.DEPUTY, store=store))


def test_hostile_names_stay_text(chain: Chain, browser: Browsers) -> None:
    chain.deputy.name = '<script>alert(1)</script>"{{ x }}'
    chain.deputy.save()
    client = browser(chain.head_office)
    for address in ("/people/", f"/people/{chain.deputy.pk}/", "/people/?q=%3Cscript%3E%00"):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
    assert PASSWORD not in read(client, f"/people/{chain.deputy.pk}/")
