"""The stores' pages and their codes."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from stores import qr
from stores.choices import Role
from stores.models import HoursException, RoleAssignment
from tests.factories import Chain, make_response, make_store, make_touchpoint
from tests.staff.qr_reader import decode, quiet_zone, rows_of_png, rows_of_svg


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("public", ["http://127.0.0.1:8000", "https://feedback.a-chain-with-a-long-name.example"])
def test_the_codes_of_a_store_lead_to_its_page(
    manager: Client, chain: Chain, settings: LazySettings, public: str
) -> None:
    settings.PUBLIC_URL = public
    code = chain.touchpoint.code
    page = read(manager, "/stores/KY1/")
    wanted = f"{public}/q/{code}/"
    assert wanted in page and f"{code[:4]}-{code[4:8]}-{code[8:]}" in page
    svg = manager.get(f"/stores/KY1/qr/{code}.svg")
    png = manager.get(f"/stores/KY1/qr/{code}.png")
    assert (svg["Content-Type"], png["Content-Type"]) == ("image/svg+xml", "image/png")
    for rows in (rows_of_svg(svg.content.decode()), rows_of_png(png.content)):
        assert decode(rows) == wanted
        assert quiet_zone(rows) == 4


def test_a_different_code_is_a_different_picture(chain: Chain) -> None:
    other = make_touchpoint(store=chain.store)
    texts = [qr.touchpoint_url(spot.code) for spot in (chain.touchpoint, other)]
    assert [decode(qr.modules(text)) for text in texts] == texts and texts[0] != texts[1]


def test_a_code_can_be_downloaded(manager: Client, chain: Chain) -> None:
    answer = manager.get(f"/stores/KY1/qr/{chain.touchpoint.code}.png?download")
    assert answer["Content-Disposition"] == f'attachment; filename="KY1-till-{chain.touchpoint.code}.png"'
    assert "private" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "address",
    [
        "/stores/LV1/",
        "/stores/LV1/qr/{foreign}.svg",
        "/stores/KY1/qr/{foreign}.svg",
        "/stores/KY1/qr/{own}.gif",
        "/stores/NOPE/",
    ],
)
def test_what_is_not_yours_is_not_there(manager: Client, chain: Chain, address: str) -> None:
    address = address.format(own=chain.touchpoint.code, foreign=chain.foreign_touchpoint.code)
    assert manager.get(address).status_code == 404


def test_a_store_on_one_screen(manager: Client, chain: Chain) -> None:
    tomorrow = timezone.now().date() + timedelta(days=1)
    HoursException.objects.create(store=chain.store, date=tomorrow, reason="Inventory")
    make_response(touchpoint=chain.touchpoint, score=9)
    page = read(manager, "/stores/KY1/")
    for part in (
        "1 Main Street",
        "round the clock",
        "Inventory",
        "Deputy",
        "Area manager",
        "Europe/Kyiv",
        "Last response",
    ):
        assert part in page
    assert "No opening hours are entered" not in page and "No manager" not in page
    assert chain.operator.name not in page


def test_what_is_missing_is_said(client: Client, chain: Chain) -> None:
    make_store(node=chain.area, code="BARE", hours=None)
    client.force_login(chain.area_manager)
    page = read(client, "/stores/BARE/")
    assert "No opening hours" in page and "No manager" in page and "No code yet" in page
    assert 'href="/stores/BARE/hours/"' in page
    # From there a manager is invited with the store filled in, by whoever may.
    way = "/people/invite/?store=BARE&amp;role=store_manager"
    assert way in page
    form = read(client, way.replace("&amp;", "&"))
    assert 'value="BARE"' in form and '<option value="store_manager" selected>' in form
    client.force_login(chain.manager)
    page = read(client, "/stores/KY1/")
    assert "/people/invite/" not in page
    assert f'/people/{chain.deputy.pk}/"' in page and f'/people/{chain.area_manager.pk}/"' not in page


def test_the_list_is_searched_and_holds_only_yours(client: Client, chain: Chain) -> None:
    client.force_login(chain.area_manager)
    page = read(client, "/stores/")
    assert "Kyiv One" in page and "Kyiv Two" in page and "Lviv One" not in page
    page = read(client, "/stores/?q=ky2")
    assert "Kyiv Two" in page and "Kyiv One" not in page
    assert "No store of yours matches" in read(client, "/stores/?q=Lviv")
    part = client.get("/stores/?q=two", HTTP_HX_REQUEST="true").content.decode()
    assert "<html" not in part and "Kyiv Two" in part


def test_search_keeps_its_words_over_the_pages(client: Client, chain: Chain) -> None:
    for number in range(60):
        make_store(node=chain.other_area, code=f"LX{number}", name=f"A & B {number}")
    client.force_login(chain.head_office)
    page = read(client, "/stores/?q=A+%26")
    assert "?q=A+%26&amp;page=2" in page
    assert "A &amp; B" in read(client, "/stores/?q=A%20%26&page=2")


def test_an_operator_sees_every_store_and_no_words(client: Client, chain: Chain) -> None:
    client.force_login(chain.operator)
    page = read(client, "/stores/")
    assert "Kyiv One" in page and "Lviv One" in page and 'href="/inbox/"' not in page
    assert "/wall/" not in read(client, "/stores/LV1/")
    assert client.get(f"/stores/LV1/qr/{chain.foreign_touchpoint.code}.svg").status_code == 200


def test_who_left_answers_for_nothing(client: Client, chain: Chain) -> None:
    chain.manager.is_active, chain.manager.left_at = False, timezone.now()
    chain.manager.save()
    RoleAssignment.objects.filter(role=Role.DEPUTY).delete()
    client.force_login(chain.head_office)
    page = read(client, "/stores/KY1/")
    assert "No manager" in page and chain.manager.email not in page


def test_the_page_needs_no_more_queries_for_more_codes(
    manager: Client, chain: Chain, django_assert_max_num_queries: object
) -> None:
    for _spot in range(15):
        make_touchpoint(store=chain.store)
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        read(manager, "/stores/KY1/")
