"""After the case: what shoppers deny, how they score once more, how they choose to be contacted."""

import re

import pytest
from django.test import Client

from alerts import actions
from alerts.choices import EventKind
from alerts.closing import FEWEST, closing_of
from alerts.models import Case, RootCause, Verification
from messaging.models import Message
from stores.choices import Role
from stores.models import RoleAssignment, Store
from surveys.models import Response
from tests.alerts.conftest import open_case
from tests.factories import Chain, new_form_id

pytestmark = pytest.mark.django_db


def closed(chain: Chain, cause: RootCause, number: int, *, contacted: bool | None, solved: bool) -> Case:
    """A case that the manager says was contacted, and about which the shopper has answered."""
    case = open_case(chain, contact=f"shopper{number}@example.org")
    actions.record_contact(case.pk, actor=chain.manager, channel="email", reached=True, form_id=new_form_id())
    actions.resolve(case.pk, actor=chain.manager, root_cause_id=cause.pk, outcome="explained", form_id=new_form_id())
    Verification.objects.filter(case=case).update(asked_at=case.opened_at)
    actions.confirm(case.response_id, contacted=contacted, solved=solved)
    return case


def post(client: Client, response: Response, **sent: str) -> int:
    page = client.get(f"/c/{response.token}/").content.decode()
    nonce = re.search(r'name="form" value="([^"]+)"', page)
    assert nonce
    return client.post(f"/c/{response.token}/", {"form": nonce[1], "lang": "en"} | sent).status_code


def test_denied_contacts_by_store_and_person_with_n(client: Client, chain: Chain, root_cause: RootCause) -> None:
    for number in range(FEWEST - 1):
        closed(chain, root_cause, number, contacted=True, solved=True)
    denied = closed(chain, root_cause, 99, contacted=False, solved=False)
    client.force_login(chain.area_manager)
    found = closing_of(Store.objects.all(), led=Store.objects.all())
    [store], [person] = found.by_store, found.by_person
    assert (store.name, store.part.share.part, store.part.share.n) == (chain.store.name, 1, FEWEST)
    assert person.name == chain.manager.name and person.part.shown and found.denied == [denied]
    page = client.get("/inbox/closing/").content.decode()
    assert "20%" in page and chain.manager.name in page and f"/cases/{denied.pk}/" in page
    # Who works in one store sees its figures, and no colleague's.
    client.force_login(chain.deputy)
    assert f">{chain.manager.name}<" not in client.get("/inbox/closing/").content.decode()
    # Nor does who works there and leads another area.
    RoleAssignment.objects.create(user=chain.deputy, role=Role.AREA_MANAGER, node=chain.other_area)
    page = client.get("/inbox/closing/").content.decode()
    assert chain.store.name in page and f">{chain.manager.name}<" not in page
    assert closing_of(Store.objects.filter(pk=chain.foreign.pk)).by_store == []


def test_few_answers_show_n_and_no_share(client: Client, chain: Chain, root_cause: RootCause) -> None:
    closed(chain, root_cause, 1, contacted=False, solved=False)
    client.force_login(chain.area_manager)
    page = client.get("/inbox/closing/").content.decode()
    assert "n = 1" in page and "100%" not in page


def test_a_second_score_is_recovery_and_changes_no_first(client: Client, chain: Chain, root_cause: RootCause) -> None:
    case = closed(chain, root_cause, 1, contacted=True, solved=True)
    response = Response.objects.get(pk=case.response_id)
    before = client.get(f"/c/{response.token}/?score=9").content.decode()
    assert "for you now?" in before and Verification.objects.get().score is None
    assert post(client, response, do="score") == 422
    assert post(client, response, do="score", score="11") == 422
    assert post(client, response, do="score", score="9") == 303
    response.refresh_from_db()
    assert response.score == 2 and Verification.objects.get().score == 9
    assert case.events.get(kind=EventKind.SCORED_AGAIN).new["score"] == 9
    # The same once more changes nothing, another replaces it, and after some it stays.
    assert [post(client, response, do="score", score=str(score)) for score in (9, 8, 10, 7, 9, 3)] == [303] * 5 + [422]
    assert Verification.objects.get().score == 9
    other = open_case(chain, contact="b@example.org")
    assert "for you now?" not in client.get(f"/c/{other.response.token}/").content.decode()


def test_the_shopper_chooses_another_way_and_a_name(client: Client, chain: Chain) -> None:
    case = open_case(chain, contact="old@example.org")
    actions.answer_shopper(case.pk, actor=chain.manager, text="Sorry.", form_id=new_form_id())
    Message.objects.filter(kind="case_notice").delete()
    response = Response.objects.get(pk=case.response_id)
    assert post(client, response, do="contact", contact="call", phone="12") == 422
    chosen = {"contact": "call", "phone": "+380671234567", "name": "Zenobia"}
    assert post(client, response, do="contact", **chosen) == 303
    response.refresh_from_db()
    case.refresh_from_db()
    assert response.contact and response.contact.value == "+380671234567" and response.contact_wish == "call"
    assert case.shopper_name == "Zenobia"
    assert not Message.objects.filter(kind="case_answer", state="pending").exists()
    assert response.contact.permissions.get(withdrawn_at=None).wording
    assert Message.objects.filter(kind="case_update", user=chain.manager).exists()
    # The same address once more, by another way.
    assert post(client, response, do="contact", contact="text", phone="", name="") == 303
    response.refresh_from_db()
    case.refresh_from_db()
    assert response.contact and response.contact.value == "+380671234567" and response.contact_wish == "text"
    client.force_login(chain.manager)
    assert 'href="sms:+380671234567"' in client.get(f"/cases/{case.pk}/").content.decode()
    actions.erase(response.pk)
    case.refresh_from_db()
    assert case.shopper_name == ""


def test_who_left_no_address_may_leave_one_later(client: Client, chain: Chain) -> None:
    case = open_case(chain, contact=None)
    assert case.fix_only
    response = Response.objects.get(pk=case.response_id)
    assert post(client, response, do="contact", contact="email", email="new@example.org", name="") == 303
    case.refresh_from_db()
    assert not case.fix_only and case.events.filter(kind=EventKind.CONTACT_CHOSEN).exists()


def test_get_and_head_write_nothing(client: Client, chain: Chain, root_cause: RootCause) -> None:
    case = closed(chain, root_cause, 1, contacted=True, solved=True)
    version = Case.objects.get(pk=case.pk).version
    for query in ("", "?do=erase", "?do=withdraw", "?score=9&do=score"):
        for ask in (client.get, client.head):
            assert ask(f"/c/{case.response.token}/{query}").status_code == 200
    assert Case.objects.get(pk=case.pk).version == version and Verification.objects.get().score is None
