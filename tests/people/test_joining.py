"""Let in by mail: a link that works once and in time; and the last head office, who cannot go."""

import io
import re
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from alerts.choices import EventKind
from alerts.models import CaseEvent
from alerts.policy import ensure_defaults
from core.jobs import run_due
from core.work import run_once
from messaging.choices import MessageState
from messaging.models import Message
from stores import inviting, people
from stores.choices import PersonEventKind, Role
from stores.models import PersonEvent, RoleAssignment, StaffInvitation, User
from stores.people import Invitee
from stores.security_passwords import GuessableValidator
from stores.standing import RoleAt
from tests.alerts.conftest import open_case
from tests.factories import Chain, make_user
from tests.people.conftest import Browsers

WORDS = "velvet otter quarry lantern"


@pytest.fixture
def newcomer(chain: Chain) -> User:
    who = Invitee("new@chain.example", "New Person", [RoleAt(Role.DEPUTY, store=chain.neighbour)], language="de")
    return people.invite_person(who, actor=chain.area_manager)


@pytest.fixture
def link(newcomer: User) -> str:
    return f"/people/join/{StaffInvitation.objects.get(user=newcomer).token}/"


def test_the_mail_leads_to_the_page_and_the_page_into_the_account(newcomer: User, browser: Browsers) -> None:
    GuessableValidator().validate(WORDS, newcomer)
    run_once(["alerts"])
    [sent] = mail.outbox
    assert sent.to == ["new@chain.example"]
    found = re.search(r"https?://\S+(/people/join/\w+/)", str(sent.body))
    assert found and "Kyiv Two" in sent.body
    client = browser()
    for _look in range(3):
        assert client.get(found[1]).status_code == 200
    newcomer.refresh_from_db()
    assert not newcomer.is_active, "looking joins nobody"
    weak = client.post(found[1], {"password": "short"})
    assert weak.status_code == 422 and not client.get("/").wsgi_request.user.is_authenticated
    answer = client.post(found[1], {"password": WORDS})
    assert answer.status_code == 302 and answer["Location"] == "/"
    newcomer.refresh_from_db()
    assert newcomer.is_active and newcomer.check_password(WORDS)
    assert client.get("/inbox/").status_code == 200
    assert PersonEvent.objects.filter(user=newcomer, kind=PersonEventKind.JOINED).exists()


def test_where_two_factors_are_asked_for_joining_leads_to_the_second(
    link: str, browser: Browsers, settings: Any
) -> None:
    settings.MFA_REQUIRED = True
    client = browser()
    client.post(link, {"password": WORDS})
    assert client.get("/inbox/")["Location"].startswith("/accounts/security/begin/")


def test_used_old_withdrawn_replaced_and_forged_links_look_alike(
    newcomer: User, link: str, browser: Browsers, chain: Chain
) -> None:
    pages = [browser().get("/people/join/" + "a" * 26 + "/")]
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        pages.append(browser().get(link))
    people.send_invitation(newcomer, actor=chain.area_manager)
    pages.append(browser().get(link))
    newer = f"/people/join/{StaffInvitation.objects.get(user=newcomer, revoked_at=None).token}/"
    people.revoke_invitation(newcomer, actor=chain.area_manager)
    pages += [browser().get(newer), browser().post(newer, {"password": WORDS})]
    people.send_invitation(newcomer, actor=chain.area_manager)
    newest = f"/people/join/{StaffInvitation.objects.get(user=newcomer, revoked_at=None).token}/"
    assert browser().post(newest, {"password": WORDS}).status_code == 302
    pages += [browser().get(newest), browser().post(newest, {"password": "another long enough phrase"})]
    assert {page.status_code for page in pages} == {404}
    # Only the address in it and the nonces differ.
    assert len({re.sub(r'"x-csrftoken": "[^"]*"', "", page.content.decode()) for page in pages}) == 1
    newcomer.refresh_from_db()
    assert newcomer.check_password(WORDS)


def test_a_link_that_is_too_old_is_not_even_sent(newcomer: User) -> None:
    Message.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    run_once(["alerts"])
    assert not mail.outbox and Message.objects.get().state == MessageState.CANCELLED
    people.let_go(newcomer, actor=None)
    assert not StaffInvitation.objects.get().is_open(timezone.now())


def test_who_was_only_invited_neither_answers_nor_signs_in_nor_resets_a_password(
    newcomer: User, browser: Browsers, chain: Chain
) -> None:
    from stores.queries import everybody_of

    assert newcomer not in everybody_of(chain.neighbour)
    User.objects.filter(pk=newcomer.pk).update(password=chain.manager.password)
    browser().post("/accounts/login/", {"login": newcomer.email, "password": "a long enough passphrase"})
    assert not Client().get("/inbox/").wsgi_request.user.is_authenticated
    browser().post("/accounts/password/reset/", {"email": newcomer.email})
    assert not any("/accounts/password/reset/key/" in str(sent.body) for sent in mail.outbox)


def test_an_import_lets_thousands_in_without_writing_to_anybody(
    chain: Chain, django_assert_max_num_queries: Any
) -> None:
    crowd = [
        Invitee(f"p{n}@chain.example", f"Person {n}", [RoleAt(Role.DEPUTY, store=chain.store)]) for n in range(500)
    ]
    with django_assert_max_num_queries(12):
        users = people.invite_people(crowd, actor=None)
    assert len(users) == 500 and not Message.objects.exists()
    people.set_roles(users[0], [RoleAt(Role.STORE_MANAGER, store=chain.neighbour)], actor=None)
    assert [held.role for held in users[0].roles.all()] == [Role.STORE_MANAGER]
    assert not people.set_roles(users[0], [RoleAt(Role.STORE_MANAGER, store=chain.neighbour)], actor=None)


def test_everybody_without_a_link_that_works_is_sent_one(chain: Chain, newcomer: User) -> None:
    places = [chain.neighbour, chain.store, chain.store, chain.foreign]
    crowd = [
        Invitee(f"p{n}@chain.example", f"P {n}", [RoleAt(Role.DEPUTY, store=place)]) for n, place in enumerate(places)
    ]
    never, ended, left, _foreign = people.invite_people(crowd, actor=None)
    people.send_invitation(ended, actor=None)
    StaffInvitation.objects.filter(user=ended).update(expires_at=timezone.now() - timedelta(days=1))
    people.let_go(left, actor=None)
    Message.objects.all().delete()
    client = Client()
    client.force_login(chain.area_manager)
    page = client.get("/people/invitations/")
    counted = [page.context[name] for name in ("total", "never", "ended", "open", "lacking")]
    assert counted == [3, 1, 1, 1, 2] and "Send 2 links" in page.content.decode()
    # Asked for twice, each is written to once; who holds a link that works, has left or is elsewhere is not.
    answers = [client.post("/people/invitations/") for _ in range(2)]
    while run_due():
        pass
    assert [answer.status_code for answer in answers] == [302, 302]
    assert set(Message.objects.values_list("user", flat=True)) == {never.pk, ended.pk}
    assert Message.objects.count() == 2
    assert client.post("/people/invitations/").status_code == 200
    assert "Everybody has a link that works." in client.get("/people/invitations/").content.decode()
    assert "/people/invitations/" in client.get("/people/?state=invited").content.decode()


def test_the_same_address_twice_lets_nobody_in(chain: Chain) -> None:
    twice = [Invitee(address, "X", []) for address in ("fresh@chain.example", "MANAGER@chain.example")]
    with pytest.raises(people.AlreadyHere):
        people.invite_people(twice, actor=None)
    assert not User.objects.filter(email="fresh@chain.example").exists()


def test_the_provider_vouches_for_whoever_was_sent_a_link_and_for_nobody_else(newcomer: User, chain: Chain) -> None:
    assert people.join_by_single_sign_on(newcomer)
    newcomer.refresh_from_db()
    assert newcomer.is_active and not newcomer.has_usable_password()
    unasked = people.invite_person(Invitee("later@chain.example", "Later", []), actor=None, send=False)
    assert not people.join_by_single_sign_on(unasked)
    people.let_go(newcomer, actor=None)
    assert not people.join_by_single_sign_on(newcomer)


def test_an_empty_installation_gets_its_first_head_office(db: None, browser: Browsers) -> None:
    printed = io.StringIO()
    call_command("invite_head_office", "First@chain.example", "First", stdout=printed)
    path = urlsplit(printed.getvalue().strip()).path
    client = browser()
    assert client.post(path, {"password": WORDS}).status_code == 302
    assert client.get("/people/invite/").status_code == 200
    with pytest.raises(CommandError, match="belongs to somebody"):
        call_command("invite_head_office", "first@chain.example", "Again")
    with pytest.raises(CommandError, match="valid"):
        call_command("invite_head_office", "no address", "Again")


# --- leaving --------------------------------------------------------------------------------------------------
def test_leaving_ends_everything_at_once_and_hands_the_cases_over(chain: Chain, browser: Browsers) -> None:
    ensure_defaults()
    client = browser(chain.manager)
    case = open_case(chain)
    assert case.owner == chain.manager and client.get("/inbox/").status_code == 200
    people.let_go(chain.manager, actor=chain.area_manager)
    assert client.get("/inbox/").status_code == 302
    case.refresh_from_db()
    assert case.owner == chain.deputy
    event = CaseEvent.objects.get(kind=EventKind.HANDED_OVER)
    assert (event.actor, event.recipient) == (chain.area_manager, chain.deputy)
    assert (event.old, event.new) == ({"owner": chain.manager.pk}, {"owner": chain.deputy.pk})
    assert Message.objects.filter(kind="case_update", user=chain.deputy).count() == 1
    # Coming back does not revive the old session or password.
    people.take_back(chain.manager, actor=chain.area_manager)
    User.objects.filter(pk=chain.manager.pk).update(is_active=True)
    assert client.get("/inbox/").status_code == 302
    page = browser(chain.deputy).get(f"/cases/{case.pk}/").content.decode()
    assert "Handed over" in page and chain.manager.name in page


def test_a_lost_role_hands_over_what_is_out_of_reach_only(chain: Chain) -> None:
    ensure_defaults()
    case = open_case(chain)
    RoleAssignment.objects.create(user=chain.manager, role=Role.DEPUTY, store=chain.store)
    people.take_role(chain.manager.roles.get(role=Role.STORE_MANAGER), actor=chain.head_office)
    case.refresh_from_db()
    assert case.owner == chain.manager
    people.take_role(chain.manager.roles.get(), actor=chain.head_office)
    case.refresh_from_db()
    assert case.owner == chain.deputy


def test_history_cannot_be_rewritten(newcomer: User) -> None:
    from django.db import DatabaseError, transaction

    for change in (lambda: PersonEvent.objects.update(kind="left"), lambda: PersonEvent.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [True, False])
def test_of_two_jobs_at_once_only_one_writes(monkeypatch: pytest.MonkeyPatch, locked: bool) -> None:
    chain = Chain()
    crowd = [Invitee(f"p{n}@chain.example", f"P {n}", [RoleAt(Role.DEPUTY, store=chain.store)]) for n in range(2)]
    waiting = [person.pk for person in people.invite_people(crowd, actor=None)]
    for _time in range(2):
        inviting.start_inviting(waiting, owner=chain.head_office, back_url="/")
    if not locked:
        # The proof that they really meet: without waiting for each other both write.
        monkeypatch.setattr(
            "django.db.models.query.QuerySet.select_for_update", lambda self, *args, **kwargs: self.all()
        )

    def run() -> None:
        try:
            run_due()
        finally:
            connection.close()

    other = threading.Thread(target=run)

    def meet(person: User, *, actor: User | None) -> StaffInvitation:
        if other.ident is None:
            other.start()
            other.join(1 if locked else 60)
        return people.send_invitation(person, actor=actor)

    monkeypatch.setattr(inviting, "send_invitation", meet)
    run_due()
    other.join(20)
    assert StaffInvitation.objects.count() == (2 if locked else 4)


# --- the last head office -------------------------------------------------------------------------------------
def test_the_last_head_office_cannot_be_removed_by_any_way(chain: Chain) -> None:
    other = make_user(email="head2@chain.example", role=Role.HEAD_OFFICE, node=chain.root)
    # One of a part of the chain lets nobody in elsewhere.
    make_user(email="part@chain.example", role=Role.HEAD_OFFICE, node=chain.area)
    invited = people.invite_person(
        Invitee("soon@chain.example", "Soon", [RoleAt(Role.HEAD_OFFICE, node=chain.root)]), actor=chain.head_office
    )
    people.let_go(other, actor=chain.head_office)
    assert not invited.is_active
    held = chain.head_office.roles.get()
    for remove in (
        lambda: people.take_role(held, actor=chain.head_office),
        lambda: people.take_role(held, actor=None),
        lambda: people.let_go(chain.head_office, actor=None),
        lambda: people.set_roles(chain.head_office, [], actor=None),
    ):
        with pytest.raises(people.LastHeadOffice):
            remove()
    chain.head_office.refresh_from_db()
    assert chain.head_office.is_active and chain.head_office.roles.get() == held


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [True, False])
def test_two_who_remove_each_other_at_once(monkeypatch: pytest.MonkeyPatch, locked: bool) -> None:
    chain = Chain()
    other = make_user(email="head2@chain.example", role=Role.HEAD_OFFICE, node=chain.root)
    if not locked:
        # The proof that they really meet: without waiting for each other both go.
        monkeypatch.setattr(
            "django.db.models.query.QuerySet.select_for_update", lambda self, *args, **kwargs: self.all()
        )
    together = threading.Barrier(2)

    def meet(*_args: Any) -> None:
        if not locked:
            together.wait(60)

    monkeypatch.setattr("stores.people.revoke_all_of", meet)
    raised: list[BaseException] = []

    def remove(whom: User, by: User) -> None:
        try:
            people.take_role(RoleAssignment.objects.select_related("user", "node").get(user=whom), actor=by)
        except people.PeopleActionRefused as refused:
            raised.append(refused)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=remove, args=pair) for pair in ((chain.head_office, other), (other, chain.head_office))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    left = RoleAssignment.objects.filter(role=Role.HEAD_OFFICE, node=chain.root).count()
    assert (left, len(raised)) == ((1, 1) if locked else (0, 0))
