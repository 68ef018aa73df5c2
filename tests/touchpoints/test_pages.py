"""Touchpoints in the hands of staff: made, named, given new codes, retired; who may, and what shoppers meet."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from stores.actions import restore_stores, retire_stores
from stores.choices import TouchpointKind
from stores.models import ConfigChange, FormerCode, Store, Touchpoint, User
from stores.touchpoints import FOR_EVER, create_touchpoint, history_of, retire_touchpoint, rotate_code
from surveys.models import Response, SurveyChoice
from tests.factories import Chain, make_touchpoint
from tests.surveys.conftest import hidden

pytestmark = pytest.mark.usefixtures("surveys")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def path(spot: Touchpoint, action: str = "") -> str:
    return f"/stores/{spot.store.code}/touchpoints/{spot.pk}/" + (f"{action}/" if action else "")


def scanned(code: str) -> Any:
    return Client(HTTP_USER_AGENT="Mozilla/5.0 Firefox").get(f"/q/{code}/")


# --- which survey -------------------------------------------------------------------------------------------------
def test_a_touchpoint_made_now_asks_what_its_kind_asks(chain: Chain) -> None:
    room = create_touchpoint(chain.store, kind=TouchpointKind.FITTING_ROOM, name="", actor=None)
    (many,) = Touchpoint.objects.bulk_create([Touchpoint(store=chain.store, kind=TouchpointKind.FITTING_ROOM)])
    till = create_touchpoint(chain.store, kind=TouchpointKind.TILL, name="", actor=None)
    assert [scanned(one.code).content.count(b'class="faces"') for one in (room, many, till)] == [1, 1, 0]


def test_a_survey_is_chosen_for_one_and_taken_back(chain: Chain) -> None:
    client, spot = signed_in(chain.area_manager), chain.touchpoint
    fields = {"kind": "till", "name": "Till 2"}
    assert client.post(path(spot, "edit"), fields | {"survey": "moment"}).status_code == 302
    assert b'class="faces"' in scanned(spot.code).content and b"Till 2" in scanned(spot.code).content
    assert client.post(path(spot, "edit"), fields | {"survey": ""}).status_code == 302
    assert b'class="faces"' not in scanned(spot.code).content and not SurveyChoice.objects.filter(touchpoint=spot)
    changes = [(one.actor, one.old, one.new) for one in history_of(spot)]
    assert changes == [
        (chain.area_manager, {"survey": "Moment"}, {"survey": None}),
        (chain.area_manager, {"survey": None}, {"survey": "Moment"}),
        (chain.area_manager, {"name": ""}, {"name": "Till 2"}),
    ]


def test_made_on_the_page_it_has_a_code_of_its_own_and_a_history(chain: Chain) -> None:
    client = signed_in(chain.head_office)
    made = client.post("/stores/KY1/touchpoints/new/", {"kind": "exit", "name": "  By the\u202e door ", "survey": ""})
    spot = Touchpoint.objects.get(kind="exit")
    assert made["Location"] == path(spot) and len(spot.code) == 12 and spot.name == "By the door"
    page = client.get(path(spot)).content.decode()
    assert spot.typed in page and chain.head_office.name in page
    assert client.post("/stores/KY1/touchpoints/new/", {"kind": "moon"}).status_code == 422


# --- codes --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("old", "days"), [("quarter", 90), ("month", 30), ("ever", None)])
def test_an_old_code_leads_to_the_new_one_for_its_time(chain: Chain, old: str, days: int | None) -> None:
    before = chain.touchpoint.code
    assert signed_in(chain.area_manager).post(path(chain.touchpoint, "rotate"), {"old": old}).status_code == 302
    chain.touchpoint.refresh_from_db()
    now = chain.touchpoint.code
    assert now != before and scanned(now).status_code == 200
    moved = scanned(before)
    assert moved.status_code == 302 and moved["Location"] == f"/q/{now}/"
    assert Client().get("/q/", {"code": before.lower()}).status_code == 302
    former = FormerCode.objects.get()
    if days is None:
        assert former.leads_until is None
    else:
        assert former.leads_until is not None and former.leads_until - former.ended_at == timedelta(days=days)
        FormerCode.objects.update(ended_at=timezone.now() - timedelta(days=99), leads_until=timezone.now())
        assert scanned(before).status_code == 404


def test_a_stolen_code_is_dead_at_once_and_takes_the_older_ones_along(chain: Chain) -> None:
    first = chain.touchpoint.code
    second = rotate_code(chain.touchpoint, actor=None, leads_for=FOR_EVER).code
    assert scanned(first).status_code == 302
    opened = scanned(second)
    signed_in(chain.area_manager).post(path(chain.touchpoint, "rotate"), {"old": "never"})
    chain.touchpoint.refresh_from_db()
    for dead in (first, second):
        page = scanned(dead)
        assert page.status_code == 404 and b"We would still like to hear you" in page.content
        # Neither the store's name nor the way to its new code: whoever took the sticker must not get it.
        assert b"Kyiv One" not in page.content and chain.touchpoint.code.encode() not in page.content
    # What was on its way counts; a page cannot be had by sending something made up.
    fields = {"score": "9", "contact": "none", "lang": "en"}
    assert Client().post(f"/q/{second}/", fields | {"form": "made.up.now"}).status_code == 404
    assert Client().post(f"/q/{second}/", fields | {"form": hidden(opened, "form")}).status_code == 303
    assert Response.objects.get().touchpoint == chain.touchpoint


def test_figures_and_history_stay_over_a_new_code_and_its_poster_does_not(chain: Chain) -> None:
    Touchpoint.objects.update(poster_at=timezone.now())
    old = chain.touchpoint.code
    rotated = rotate_code(chain.touchpoint, actor=chain.head_office, leads_for=FOR_EVER)
    assert (rotated.pk, rotated.poster_at) == (chain.touchpoint.pk, None)
    change = history_of(rotated).get()
    assert (change.kind, change.old["code"], change.new["code"], change.actor) == (
        "rotated",
        old,
        rotated.code,
        chain.head_office,
    )
    page = signed_in(chain.manager).get(path(rotated)).content.decode()
    assert f"{old[:4]}-{old[4:8]}-{old[8:]}" in page and "leads here for ever" in page


def test_a_retired_code_says_where_the_store_still_asks(chain: Chain) -> None:
    other = make_touchpoint(store=chain.store, kind=TouchpointKind.EXIT)
    client = signed_in(chain.area_manager)
    assert client.post(path(chain.touchpoint, "retire"), {"instead": ""}).status_code == 302
    page = scanned(chain.touchpoint.code)
    assert page.status_code == 404 and f"/q/{other.code}/" in page.content.decode() and b"Kyiv One" in page.content
    assert "\u2068Kyiv One\u2069" in Client().get(f"/q/{chain.touchpoint.code}/?lang=ar").content.decode()
    assert client.post(path(chain.touchpoint, "restore")).status_code == 302
    assert scanned(chain.touchpoint.code).status_code == 200
    client.post(path(chain.touchpoint, "retire"), {"instead": str(other.pk)})
    assert scanned(chain.touchpoint.code)["Location"] == f"/q/{other.code}/"
    retire_touchpoint(other, actor=None)
    assert scanned(chain.touchpoint.code).status_code == 404
    assert [one.kind for one in history_of(chain.touchpoint)] == ["retired", "restored", "retired"]


def test_a_store_that_closed_for_good_asks_nobody_but_takes_what_was_on_its_way(chain: Chain) -> None:
    form = {"form": hidden(scanned(chain.touchpoint.code), "form"), "score": "3"}
    retire_stores(Store.objects.filter(pk=chain.store.pk), actor=None)
    page = scanned(chain.touchpoint.code)
    assert page.status_code == 404 and b"has closed for good" in page.content and b'name="code"' in page.content
    # Its name stays in one piece where the words run from the right.
    arabic = Client().get(f"/q/{chain.touchpoint.code}/?lang=ar").content.decode()
    assert f"\u2068{chain.store.name}\u2069" in arabic and "\u2068" not in page.content.decode()
    assert Client().post(f"/q/{chain.touchpoint.code}/", {"form": "x", "score": "3"}).status_code == 404
    assert Client().post(f"/q/{chain.touchpoint.code}/", form).status_code == 303
    assert Response.objects.get().store == chain.store
    restore_stores(Store.objects.filter(pk=chain.store.pk), actor=None)
    assert scanned(chain.touchpoint.code).status_code == 200


def test_nobody_is_led_to_another_store(chain: Chain) -> None:
    client = signed_in(chain.head_office)
    answer = client.post(path(chain.touchpoint, "retire"), {"instead": str(chain.foreign_touchpoint.pk)})
    assert answer.status_code == 422
    with pytest.raises(ValueError, match="same store"):
        retire_touchpoint(chain.touchpoint, actor=None, replaced_by=chain.foreign_touchpoint)
    chain.touchpoint.refresh_from_db()
    assert chain.touchpoint.retired_at is None


# --- who may ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("who", "reads", "changes"),
    [
        ("head_office", 200, 302),
        ("operator", 200, 302),
        ("area_manager", 200, 302),
        ("manager", 200, 403),
        ("deputy", 200, 403),
        ("foreign_area_manager", 404, 404),
        ("nobody", 403, 403),
    ],
)
def test_who_reads_and_who_changes(chain: Chain, who: str, reads: int, changes: int) -> None:
    client, spot = signed_in(getattr(chain, who)), chain.touchpoint
    assert client.get("/stores/KY1/touchpoints/").status_code == reads
    assert client.get(path(spot)).status_code == reads
    assert client.post(path(spot, "rotate"), {"old": "ever"}).status_code == changes
    assert client.post(path(spot, "edit"), {"kind": "till", "name": "x"}).status_code == changes
    assert client.post("/stores/KY1/touchpoints/new/", {"kind": "till"}).status_code == changes
    assert client.post(path(spot, "retire"), {"instead": ""}).status_code == changes
    assert bool(ConfigChange.objects.filter(what="touchpoint")) == (changes == 302)


def test_a_touchpoint_of_another_store_is_not_there_under_ones_own(chain: Chain) -> None:
    client = signed_in(chain.area_manager)
    assert client.get(f"/stores/KY1/touchpoints/{chain.foreign_touchpoint.pk}/").status_code == 404
    assert client.post(f"/stores/KY1/touchpoints/{chain.foreign_touchpoint.pk}/rotate/", {}).status_code == 404


def test_the_list_needs_no_more_queries_for_more_touchpoints(chain: Chain, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        make_touchpoint(store=chain.store, name=f"Spot {number}")
    client = signed_in(chain.manager)
    with django_assert_max_num_queries(20):
        client.get("/stores/KY1/touchpoints/")
