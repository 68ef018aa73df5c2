"""The list of stores: found, filtered, sorted, and changed many at a time."""

import re
from datetime import date, time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.jobs import run_due
from core.models import Job
from stores.choices import HolidayRule, NodeKind, Role
from stores.models import ConfigChange, HoursException, Store, User
from stores.people import change_details, give_role, take_role
from stores.queries import roles_of, stores_visible_to
from stores.standing import RoleAt
from tests.factories import Chain, make_node, make_store, make_touchpoint, make_user


@pytest.fixture
def head_office(client: Client, chain: Chain) -> Client:
    for code, name, city, country in (
        ("M1", "Kaufhaus Süd", "München", "DE"),
        ("M2", "Ärmelhaus", "Århus", "DK"),
        ("M3", "Крамниця Ґанок", "Їжаківка", "UA"),
    ):
        Store.objects.filter(pk=make_store(node=chain.other_area, code=code, name=name, country=country).pk)
        store = Store.objects.get(code=code)
        store.city = city
        store.save()
    client.force_login(chain.head_office)
    return client


def codes(client: Client, query: str) -> list[str]:
    answer = client.get(f"/stores/{query}")
    assert answer.status_code == 200
    return [store.code for store, _gaps in answer.context["rows"]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("munchen", ["M1"]),
        ("MÜNCHEN süd", ["M1"]),
        ("arhus", ["M2"]),
        ("їжаківка", ["M3"]),
        ("ҐАНОК", ["M3"]),
        ("m2", ["M2"]),
        ("%", []),
        ("nowhere", []),
    ],
)
def test_search_in_any_language(head_office: Client, wanted: str, found: list[str]) -> None:
    assert codes(head_office, f"?q={wanted}") == found


def test_filters(head_office: Client, chain: Chain) -> None:
    Store.objects.filter(code="M1").update(retired_at=timezone.now())
    Store.objects.filter(code="M2").update(closed_from="2020-01-01")
    assert codes(head_office, "?node=KYIV") == ["KY1", "KY2"]
    assert codes(head_office, "?node=UKRAINE&kind=call_centre") == ["CALL"]
    assert codes(head_office, "?country=DK") == ["M2"]
    assert codes(head_office, "?state=closed") == ["M2"]
    assert codes(head_office, "?state=retired") == ["M1"]
    assert "M1" not in codes(head_office, "") and "M1" in codes(head_office, "?state=all")
    assert "KY2" in codes(head_office, "?missing=manager") and "KY1" not in codes(head_office, "?missing=manager")
    assert codes(head_office, "?node=NOWHERE") == [] == codes(head_office, "?missing=nonsense")
    # What an address cannot mean is left out, not an error.
    assert len(codes(head_office, "?state=x&kind=x&sort=x&page=x")) == 6


def test_order(head_office: Client) -> None:
    assert codes(head_office, "?q=m")[0] == "M2"  # Ä beside A
    assert codes(head_office, "?sort=-code")[0] == "M3"
    assert codes(head_office, "?sort=city")[0] == "M2"  # Århus
    assert codes(head_office, "?sort=node")[:2] == ["KY1", "KY2"]


def test_few_queries_however_many_rows(
    head_office: Client, chain: Chain, django_assert_max_num_queries: object
) -> None:
    for n in range(60):
        make_store(node=chain.area, code=f"Q{n}")
    with django_assert_max_num_queries(17):  # type: ignore[operator]
        assert len(codes(head_office, "")) == 50
    assert len(codes(head_office, "?page=2")) == 17


def test_a_page_asks_once_for_its_readers_roles(head_office: Client, chain: Chain) -> None:
    for address in ("/stores/", "/stores/KY1/", "/tree/", "/tree/nodes/KYIV/", "/setup/", "/people/invite/"):
        with CaptureQueriesContext(connection) as asked:
            assert head_office.get(address).status_code == 200
        # A prepared statement, or written out by the ORM.
        own = re.compile(rf'"stores_roleassignment"\."user_id" = (\$1|{chain.head_office.pk})\b')
        assert sum(bool(own.search(query["sql"])) for query in asked.captured_queries) == 1, address


def test_times_of_a_place_are_the_readers_and_said_to_be(head_office: Client, chain: Chain) -> None:
    Store.objects.update(time_zone="Asia/Tokyo")
    with time_machine.travel("2026-11-22T20:30:00Z", tick=False):
        head_office.force_login(chain.head_office)
        head_office.post("/tree/nodes/KYIV/", {"name": "Kyiv area", "kind": "area", "code": "KYIV"})
        change_details(chain.head_office, name="Somebody Else", language="en", phone="", actor=chain.head_office)
        for address in ("/tree/nodes/KYIV/", f"/people/{chain.head_office.pk}/"):
            page = head_office.get(address).content.decode()
            assert "Times are those of Asia/Tokyo." in page and "05:30" in page.replace("5:30 a.m.", "05:30"), address


def test_who_takes_their_own_role_is_known_without_it_at_once(chain: Chain) -> None:
    other = make_user(email="other@chain.example", role=Role.HEAD_OFFICE, node=chain.root)
    assert Role.HEAD_OFFICE in roles_of(other) and stores_visible_to(other).exists()
    take_role(other.roles.get(), actor=other)
    assert not roles_of(other) and not stores_visible_to(other).exists()
    give_role(other, RoleAt(Role.HEAD_OFFICE, node=chain.root), actor=None)
    assert stores_visible_to(User.objects.get(pk=other.pk)).exists()


# --- many at once -----------------------------------------------------------------------------------------------
def bulk(client: Client, **fields: object) -> str:
    answer = client.post("/setup/stores/bulk/", fields, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_ticked_stores_are_shown_before_they_are_changed(head_office: Client) -> None:
    page = bulk(head_office, action="retire", store=["M1", "M2"])
    assert "Retire 2 stores" in page and "Kaufhaus Süd" in page
    assert not Store.objects.exclude(retired_at=None).exists()
    assert "2 stores changed." in bulk(head_office, action="retire", store=["M1", "M2"], confirmed=1)
    assert set(Store.objects.exclude(retired_at=None).values_list("code", flat=True)) == {"M1", "M2"}
    bulk(head_office, action="restore", state="retired", all=1, confirmed=1)
    assert not Store.objects.exclude(retired_at=None).exists()


def test_all_that_were_found_and_no_other(head_office: Client, chain: Chain) -> None:
    for n in range(70):
        make_store(node=chain.area, code=f"Q{n:02}", name=f"Quick {n}")
    page = bulk(head_office, action="holidays_closed", q="quick", all=1)
    assert "70 stores: closed on public holidays" in page and "and 62 more" in page
    assert 'name="q" value="quick"' in page and 'name="all" value="1"' in page
    bulk(head_office, action="holidays_closed", q="quick", all=1, confirmed=1)
    changed = Store.objects.filter(holiday_rule=HolidayRule.CLOSED)
    assert changed.count() == 70 and not changed.exclude(name__startswith="Quick").exists()
    assert ConfigChange.objects.filter(actor=chain.head_office).count() == 70


def test_moving_many_is_shown_first(head_office: Client, chain: Chain) -> None:
    assert "Show what changes" in bulk(head_office, action="move", store=["M1", "M2", "KY1"])
    page = bulk(head_office, action="move", store=["M1", "M2", "KY1"], to="KYIV")
    assert "What changes if 2 stores move to Kyiv" in page and not ConfigChange.objects.exists()
    bulk(head_office, action="move", store=["M1", "M2", "KY1"], to="KYIV", confirmed=1)
    assert set(chain.area.stores.values_list("code", flat=True)) == {"KY1", "KY2", "M1", "M2"}


def test_nothing_ticked_nothing_done(head_office: Client) -> None:
    assert "No store was ticked" in bulk(head_office, action="retire", confirmed=1)
    assert head_office.post("/setup/stores/bulk/", {"action": "explode", "all": "1"}).status_code == 403


def test_a_select_all_reaches_no_further_than_the_role(client: Client, chain: Chain) -> None:
    head = make_user(email="ky@chain.example", role=Role.HEAD_OFFICE, node=chain.area)
    client.force_login(head)
    bulk(client, action="retire", all=1, state="all", confirmed=1)
    assert set(Store.objects.exclude(retired_at=None).values_list("code", flat=True)) == {"KY1", "KY2"}


def test_who_cannot_move_is_offered_no_boxes(client: Client, chain: Chain) -> None:
    client.force_login(chain.deputy)
    page = client.get("/stores/").content.decode()
    assert 'value="retire"' not in page and "New store" not in page


def test_christmas_eve_is_entered_once(head_office: Client, chain: Chain) -> None:
    eve = date(2999, 12, 24)
    HoursException.objects.create(store=chain.store, date=eve - timedelta(days=1), opens=time(18), closes=time(11))
    HoursException.objects.create(store=chain.foreign, date=eve, opens=time(1), closes=time(2), reason="Old")
    way = head_office.post("/setup/stores/bulk/", {"action": "exceptions", "country": "UA", "all": "1"})["Location"]
    fields = {"country": "UA", "all": "1", "first": "2999-12-24", "hours": "10–14", "reason": "Christmas Eve"}
    assert "5 stores" in head_office.get(way).content.decode()
    for slip in ({"first": ""}, {"hours": "10-12, 11-14"}, {"last": "2999-12-23"}, {"hours": "often"}):
        assert head_office.post("/setup/stores/exceptions/", fields | slip).status_code == 422
    assert head_office.post("/setup/stores/exceptions/", fields).status_code == 302
    run_due()
    job = Job.objects.get()
    assert job.note == "4 stores changed. Left out, since the night before is not over by then: 1."
    entered = HoursException.objects.filter(date=eve, opens=time(10), closes=time(14), reason="Christmas Eve")
    assert {one.store.code for one in entered} == {"KY2", "LV1", "CALL", "M3"} and job.total == 5
    assert not HoursException.objects.filter(reason="Old").exists()
    assert ConfigChange.objects.filter(what="exceptions", actor=chain.head_office).count() == 4


def test_managers_enter_it_for_their_own(client: Client, chain: Chain) -> None:
    client.force_login(chain.manager)
    assert 'value="exceptions"' in client.get("/stores/").content.decode()
    client.post("/setup/stores/exceptions/", {"all": "1", "store": ["LV1"], "first": "2999-12-24", "hours": ""})
    run_due()
    assert [one.store for one in HoursException.objects.all()] == [chain.store]


@pytest.mark.django_db
def test_an_empty_chain_says_how_to_begin(client: Client) -> None:
    root = make_node(kind=NodeKind.CHAIN, name="Chain")
    client.force_login(make_user(email="first@chain.example", role=Role.HEAD_OFFICE, node=root))
    for address in ("/stores/", "/setup/"):
        page = client.get(address).content.decode()
        assert "All of them from a file" in page and "/setup/stores/new/" in page


# --- what is missing --------------------------------------------------------------------------------------------
def missing(client: Client, code: str) -> set[str]:
    found = client.get(f"/stores/{code}/").context["gaps"]
    for _gap, address in found:
        assert client.get(address.split("#")[0]).status_code == 200
    return {gap.key for gap, _address in found}


def test_what_a_store_lacks(head_office: Client, chain: Chain) -> None:
    store = make_store(node=chain.area, code="BARE", hours=None, country="DE")
    Store.objects.filter(pk=store.pk).update(languages=[], holiday_rule=HolidayRule.CLOSED)
    assert missing(head_office, "BARE") == {"manager", "hours", "touchpoint", "language", "zone", "subdivision"}
    spot = make_touchpoint(store=store)
    assert missing(head_office, "BARE") >= {"poster", "scan"} and "touchpoint" not in missing(head_office, "BARE")
    spot.poster_at = timezone.now()
    spot.save()
    assert "poster" not in missing(head_office, "BARE")
    # A manager of every store of the area is a manager; one who was only invited is not there yet, one who has left no
    # more.
    manager = make_user(email="many@chain.example", role=Role.STORE_MANAGER, node=chain.area)
    assert not {"manager", "joining"} & missing(head_office, "BARE")
    manager.is_active = False
    manager.save()
    assert "joining" in missing(head_office, "BARE") and "manager" not in missing(head_office, "BARE")
    assert "invited, not signed in yet" in head_office.get("/stores/BARE/").content.decode()
    assert "BARE" in codes(head_office, "?missing=joining")
    manager.left_at = timezone.now()
    manager.save()
    assert "manager" in missing(head_office, "BARE") and "joining" not in missing(head_office, "BARE")
    assert "invited, not signed in yet" not in head_office.get("/stores/BARE/").content.decode()
    # Nothing is missing from what is retired.
    Store.objects.filter(pk=store.pk).update(retired_at=timezone.now())
    assert missing(head_office, "BARE") == set()


def test_the_chains_checklist_counts_what_its_lists_show(head_office: Client, chain: Chain) -> None:
    make_store(node=chain.area, code="BARE", hours=None)
    answer = head_office.get("/setup/")
    counts = {gap.key: number for gap, number, _at_once in answer.context["gaps"]}
    assert counts["hours"] == 1 and counts["language"] == 0
    for key, number in counts.items():
        assert len(codes(head_office, f"?missing={key}")) == number, key
    whole = answer.context["counts"]
    assert len(codes(head_office, "?state=incomplete")) == whole.stores - whole.complete


def test_a_checklist_holds_only_ones_own(client: Client, chain: Chain) -> None:
    client.force_login(chain.manager)
    assert client.get("/setup/").context["counts"].stores == 1
