"""What people are called and where they are written to: who changes it, and when a new address holds."""

import re
from typing import Any

from django.core.mail import EmailMessage
from django.test import Client

from core.work import run_once
from messaging.choices import MessageState
from messaging.models import Message
from stores.choices import PersonEventKind, SecurityEventKind
from stores.models import AddressChange, PersonEvent, SecurityEvent, User
from stores.people import Invitee, invite_person
from stores.standing import RoleAt
from tests.factories import PASSWORD, Chain
from tests.people.conftest import Browsers

NEW = "new.address@chain.example"


def details(person: User, **changes: str) -> dict[str, str]:
    return {"name": person.name, "language": "en", "phone": person.phone} | changes


def history(person: User) -> list[tuple[str, str, int | None]]:
    return list(PersonEvent.objects.filter(user=person).order_by("pk").values_list("kind", "what", "actor"))


def may_sign_in(email: str) -> bool:
    return Client().post("/accounts/login/", {"login": email, "password": PASSWORD}).status_code == 302


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"/people/address/key/\S+", str(mail.body))
    assert found
    return found[0]


def enter(client: Client, person: User, address: str = NEW) -> Any:
    answer = client.post(f"/people/{person.pk}/edit/", details(person, email=address))
    run_once(["alerts"])
    return answer


def test_ones_own_details_but_not_the_address(chain: Chain, browser: Browsers) -> None:
    client, address = browser(chain.deputy), f"/people/{chain.deputy.pk}/edit/"
    assert 'name="email"' not in client.get(address).content.decode()
    changed = details(chain.deputy, name="Олена", phone="+380 44 123", language="uk", email=NEW)
    assert client.post(address, changed)["Location"] == f"/people/{chain.deputy.pk}/"
    chain.deputy.refresh_from_db()
    assert (chain.deputy.name, chain.deputy.phone, chain.deputy.language) == ("Олена", "+380 44 123", "uk")
    assert chain.deputy.email == "deputy@chain.example" and chain.deputy.search_text.startswith("олена")
    assert history(chain.deputy) == [(PersonEventKind.DETAILS, "name phone language", chain.deputy.pk)]
    # The same again is no change.
    client.post(address, changed)
    assert len(history(chain.deputy)) == 1
    assert client.post(address, details(chain.deputy, phone="call me")).status_code == 422


def test_who_may_change_whose(chain: Chain, browser: Browsers) -> None:
    manager = browser(chain.manager)
    assert 'name="email"' not in manager.get(f"/people/{chain.deputy.pk}/edit/").content.decode()
    assert manager.post(f"/people/{chain.deputy.pk}/edit/", details(chain.deputy, name="Deputy One")).status_code == 302
    for above in (chain.head_office, chain.foreign_manager):
        assert manager.post(f"/people/{above.pk}/edit/", details(above, name="Mine")).status_code == 404
    area = browser(chain.area_manager)
    assert 'name="email"' in area.get(f"/people/{chain.deputy.pk}/edit/").content.decode()
    # Not even head office changes its own address.
    assert (
        'name="email"' not in browser(chain.head_office).get(f"/people/{chain.head_office.pk}/edit/").content.decode()
    )


def test_a_new_address_holds_once_it_is_confirmed(
    chain: Chain, browser: Browsers, mailoutbox: list[EmailMessage]
) -> None:
    theirs, person = browser(chain.manager), chain.manager
    assert enter(browser(chain.head_office), person).status_code == 302
    to_new, to_old = mailoutbox
    assert (to_new.to, to_old.to) == ([NEW], ["manager@chain.example"])
    assert NEW in str(to_old.body) and "/key/" not in str(to_old.body)
    link = link_in(to_new)
    # Looking at the link changes nothing, and until then the old address holds.
    assert Client().get(link).status_code == 200 and not may_sign_in(NEW)
    assert theirs.get("/people/").status_code == 200
    assert Client().post(link)["Location"] == "/accounts/login/"
    person.refresh_from_db()
    assert person.email == NEW and NEW in person.search_text
    assert theirs.get("/people/").status_code == 302, "whoever was signed in is signed out"
    assert may_sign_in(NEW) and not may_sign_in("manager@chain.example")
    assert Client().get(link).status_code == 404 == Client().post(link).status_code
    kinds = [kind for kind, _what, _actor in history(person)]
    assert kinds == [PersonEventKind.ADDRESS_ENTERED, PersonEventKind.ADDRESS_CHANGED]
    assert {actor for _kind, _what, actor in history(person)} == {chain.head_office.pk}
    assert SecurityEvent.objects.filter(user=person, kind=SecurityEventKind.ADDRESS_CHANGED).count() == 1


def test_a_link_that_was_overtaken(chain: Chain, browser: Browsers, mailoutbox: list[EmailMessage]) -> None:
    head_office, person = browser(chain.head_office), chain.manager
    enter(head_office, person, "first@chain.example")
    enter(head_office, person)
    first, second = link_in(mailoutbox[0]), link_in(mailoutbox[2])
    assert Client().get(first).status_code == 404
    # The owner keeps the old one.
    owner = browser(person)
    assert NEW in owner.get(f"/people/{person.pk}/edit/").content.decode()
    assert owner.post(f"/people/{person.pk}/edit/", {"withdraw": "1"}).status_code == 302
    assert Client().post(second).status_code == 404
    # Meanwhile somebody else was let in with it.
    enter(head_office, person)
    invite_person(Invitee(NEW, "Faster", []), actor=None)
    assert Client().post(link_in(mailoutbox[-2])).status_code == 404
    person.refresh_from_db()
    assert person.email == "manager@chain.example"


def test_the_mails_wait_in_the_outbox_and_are_not_sent_once_withdrawn(
    chain: Chain, browser: Browsers, mailoutbox: list[EmailMessage]
) -> None:
    person, head_office = chain.manager, browser(chain.head_office)
    page = head_office.post(f"/people/{person.pk}/edit/", details(person, email=NEW), follow=True)
    assert f"{NEW} gets a mail" in page.content.decode() and not mailoutbox
    waiting = Message.objects.filter(user=person)
    assert set(waiting.values_list("kind", "state")) == {
        ("address_link", MessageState.PENDING),
        ("address_notice", MessageState.PENDING),
    }
    browser(person).post(f"/people/{person.pk}/edit/", {"withdraw": "1"})
    run_once(["alerts"])
    assert not mailoutbox and set(waiting.values_list("state", flat=True)) == {MessageState.CANCELLED}


def test_a_link_leaves_by_mail_only(chain: Chain, browser: Browsers, mailoutbox: list[EmailMessage]) -> None:
    """By another channel it would prove nothing about who reads mail at the new address."""
    browser(chain.head_office).post(f"/people/{chain.manager.pk}/edit/", details(chain.manager, email=NEW))
    Message.objects.filter(kind="address_link").update(channel="sms")
    run_once(["alerts"])
    assert Message.objects.get(kind="address_link").state == MessageState.CANCELLED
    assert [mail.to for mail in mailoutbox] == [["manager@chain.example"]]


def test_an_address_that_somebody_has(chain: Chain, browser: Browsers, mailoutbox: list[EmailMessage]) -> None:
    answer = enter(browser(chain.head_office), chain.manager, "Deputy@chain.example")
    assert answer.status_code == 422 and "belongs to somebody already" in answer.content.decode()
    assert not mailoutbox and not AddressChange.objects.exists() and not history(chain.manager)


def test_of_somebody_invited_it_changes_at_once(
    chain: Chain, browser: Browsers, mailoutbox: list[EmailMessage]
) -> None:
    invitee = Invitee("typo@chain.exmaple", "New", [RoleAt("deputy", store=chain.store)])
    person = invite_person(invitee, actor=chain.head_office)
    before = person.invitations.get()
    assert enter(browser(chain.head_office), person).status_code == 302
    person.refresh_from_db()
    assert person.email == NEW and not AddressChange.objects.exists()
    sent = person.invitations.get(revoked_at=None)
    assert sent != before, "the link that went to the wrong address is worth nothing"
