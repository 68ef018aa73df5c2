"""Entering a store: what is kept, what is refused with which words, and what is written down about it."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone, translation

from stores.models import ConfigChange, HoursException, Node, Store
from stores.public_holidays import clean_subdivision, public_holidays
from stores.stretches import format_stretches, parse_stretches
from stores.zones import zone_fits
from tests.factories import Chain
from tests.surveys.conftest import hidden

MASTER = {
    "code": "KY1",
    "kind": "shop",
    "name": "Kyiv One",
    "address": "1 Main Street",
    "postcode": "01001",
    "city": "Київ",
    "country": "UA",
    "subdivision": "",
    "time_zone": "Europe/Kyiv",
    "languages": "uk, EN",
    "phone": "",
    "contact_emails": "one@chain.example\ntwo@chain.example",
    "public_review_url": "",
    "holiday_rule": "closed",
}


@pytest.fixture
def head_office(client: Client, chain: Chain) -> Client:
    client.force_login(chain.head_office)
    return client


def last_change() -> tuple[str, dict[str, Any], dict[str, Any]]:
    change = ConfigChange.objects.latest("pk")
    return change.what, change.old, change.new


def refused(answer: Any, words: str) -> None:
    assert answer.status_code == 422 and words in answer.content.decode(), answer.content.decode()[-6000:]


def test_master_data(head_office: Client, chain: Chain) -> None:
    assert head_office.post("/stores/KY1/edit/", MASTER)["Location"] == "/stores/KY1/"
    store = Store.objects.get(code="KY1")
    assert (store.languages, store.contact_emails) == (["uk", "en"], ["one@chain.example", "two@chain.example"])
    what, old, new = last_change()
    assert what == "store" and old["city"] == "Kyiv" and new["city"] == "Київ" and "name" not in new
    assert ConfigChange.objects.latest("pk").actor == chain.head_office
    page = head_office.get("/stores/KY1/history/").content.decode()
    assert "Kyiv" in page and "Київ" in page and chain.head_office.name in page
    # The same again is no change.
    head_office.post("/stores/KY1/edit/", MASTER)
    assert ConfigChange.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("time_zone", "Europe/Kyjiw", "There is no time zone"),
        ("time_zone", "EST", "There is no time zone"),
        ("languages", "uk, klingon", "is no code of a language"),
        ("contact_emails", "one@chain.example, two", "Enter a valid email address"),
        ("public_review_url", "http://reviews.example/", "Enter a valid URL"),
        ("public_review_url", "javascript:alert(1)", "Enter a valid URL"),
        ("code", "KY2", "already exists"),
        ("code", "ky2", "already exists"),
        ("code", "KY 1/", "Letters A–Z"),
        ("country", "XX", "Select a valid choice"),
        ("subdivision", "DE-XX", "is no code of ISO 3166-2"),
    ],
)
def test_what_is_refused(head_office: Client, chain: Chain, field: str, value: str, words: str) -> None:
    refused(head_office.post("/stores/KY1/edit/", MASTER | {field: value}), words)
    assert not ConfigChange.objects.exists()


def test_a_link_that_is_wrong_is_named_once(head_office: Client, chain: Chain) -> None:
    for link in ("http://reviews.example/", "javascript:alert(1)", "//"):
        page = head_office.post("/stores/KY1/edit/", MASTER | {"public_review_url": link}).content.decode()
        assert page.count("Enter a valid URL") == 1


def test_a_new_store(head_office: Client, chain: Chain) -> None:
    answer = head_office.post("/setup/stores/new/", MASTER | {"code": "OD1", "node": "LVIV"})
    assert answer["Location"] == "/stores/OD1/"
    store = Store.objects.select_related("node").get(code="OD1")
    assert store.node == chain.other_area and store.search_text == "od1 kyiv one київ 01001".replace("ї", "і")
    page = head_office.get("/stores/OD1/").content.decode()
    assert "Still missing" in page and "No opening hours" in page
    Node.objects.filter(pk=chain.other_area.pk).update(retired_at="2026-01-01T00:00Z")
    refused(head_office.post("/setup/stores/new/", MASTER | {"code": "OD2", "node": "LVIV"}), "Select a valid choice")


@pytest.mark.parametrize(
    ("page", "mine", "theirs", "kept"),
    [
        ("edit", MASTER | {"name": "Mine"}, MASTER | {"name": "Theirs"}, 'value="Mine"'),
        ("hours", {"day_0": "9-13"}, {"day_1": "10-12"}, 'value="9-13"'),
        ("closure", {"closed_from": "2027-02-01"}, {"closed_from": "2027-03-01"}, 'value="2027-02-01"'),
    ],
)
def test_what_somebody_else_has_saved_meanwhile_is_not_overwritten_unseen(
    head_office: Client, chain: Chain, page: str, mine: dict[str, str], theirs: dict[str, str], kept: str
) -> None:
    address = f"/stores/KY1/{page}/"
    shown = {"shown": hidden(head_office.get(address), "shown")}
    assert head_office.post(address, theirs | shown).status_code == 302
    told = head_office.post(address, mine | shown)
    refused(told, "Somebody else has saved this in the meantime.")
    assert kept in told.content.decode() and ConfigChange.objects.count() == 1
    # Whoever has read that may still want it so.
    assert head_office.post(address, mine | {"shown": hidden(told, "shown")}).status_code == 302
    assert ConfigChange.objects.count() == 2


def week(**days: str) -> dict[str, str]:
    return {f"day_{n}": "" for n in range(7)} | days


def test_hours(head_office: Client, chain: Chain) -> None:
    head_office.post("/stores/KY1/hours/", week(day_0="9-13, 14:00–18.30", day_6="20:00-02:00"))
    entered = chain.store.opening_intervals.values_list("weekday", "opens", "closes").order_by("weekday", "opens")
    assert list(entered) == [
        (0, time(9), time(13)),
        (0, time(14), time(18, 30)),
        (6, time(20), time(2)),
    ]
    what, old, new = last_change()
    assert (what, old["0"], new["0"]) == ("hours", "00:00–00:00", "09:00–13:00, 14:00–18:30")


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"day_0": "9-18 Ohr"}, "is not understood"),
        ({"day_0": "9:00-9:00"}, "write 24 h"),
        ({"day_0": "9-25"}, "is not understood"),
        ({"day_2": "09:00-13:00, 12:00-18:00"}, "09:00–13:00 and 12:00–18:00 overlap."),
        ({"day_0": "20:00-02:00", "day_1": "01:00-05:00"}, "begins before the night of Monday (20:00–02:00) is over."),
        ({"day_6": "20:00-02:00", "day_0": "01:00-05:00"}, "begins before the night of Sunday (20:00–02:00) is over."),
        ({}, "Closed on all seven days?"),
        ({"day_0": "9-18", "none": "on"}, "either take them out or untick this"),
    ],
)
def test_hours_that_cannot_be(head_office: Client, chain: Chain, days: dict[str, str], words: str) -> None:
    refused(head_office.post("/stores/KY1/hours/", week(**days)), words)
    assert chain.store.opening_intervals.count() == 7 and not ConfigChange.objects.exists()


def test_hours_are_copied_and_not_yet_saved(head_office: Client, chain: Chain) -> None:
    page = head_office.post("/stores/KY1/hours/", week(day_0="10-19", day_5="10-14", copy="1")).content.decode()
    assert page.count('value="10-19"') == 5 and page.count('value="10-14"') == 1
    assert not ConfigChange.objects.exists()


def test_no_hours_known(head_office: Client, chain: Chain) -> None:
    head_office.post("/stores/KY1/hours/", week(none="on"))
    assert not chain.store.opening_intervals.exists()


def test_exceptions(client: Client, chain: Chain) -> None:
    client.force_login(chain.manager)
    fields = {"first": "2999-12-24", "last": "2999-12-26", "hours": "10-14", "reason": "<b>Свято</b>"}
    client.post("/stores/KY1/exceptions/", fields)
    client.post("/stores/KY1/exceptions/", {"first": "2999-12-25", "hours": "", "reason": "Christmas"})
    found = HoursException.objects.order_by("date").values_list("date", "opens", "reason")
    assert list(found) == [
        (date(2999, 12, 24), time(10), "<b>Свято</b>"),
        (date(2999, 12, 25), None, "Christmas"),
        (date(2999, 12, 26), time(10), "<b>Свято</b>"),
    ]
    page = client.get("/stores/KY1/exceptions/").content.decode()
    assert "&lt;b&gt;Свято" in page and "<b>Свято" not in page
    client.post("/stores/KY1/exceptions/", {"remove": "2999-12-24"})
    assert HoursException.objects.count() == 2
    assert last_change() == ("exceptions", {"2999-12-24": "10:00–14:00 (<b>Свято</b>)"}, {})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"first": "2999-12-24", "last": "2999-12-23"}, "lies before the first date"),
        ({"first": "2999-01-01", "last": "2999-12-23"}, "For longer, enter a closure"),
        ({"first": "2999-12-24", "hours": "10-12, 11-14"}, "These stretches overlap"),
        ({"first": "2999-12-11", "hours": "01:00-05:00"}, "begins before the night of"),
        ({"first": "2999-12-09", "hours": "20:00-19:00"}, "begins before the night of"),
        ({"first": "", "hours": "10-12"}, "This field is required"),
        ({"first": "9999-12-31"}, "Please check the year"),
        ({"first": "0001-01-01", "last": "0001-01-02"}, "Please check the year"),
    ],
)
def test_exceptions_that_cannot_be(client: Client, chain: Chain, fields: dict[str, str], words: str) -> None:
    client.force_login(chain.manager)
    HoursException.objects.create(store=chain.store, date=date(2999, 12, 10), opens=time(18), closes=time(2))
    refused(client.post("/stores/KY1/exceptions/", fields), words)
    assert HoursException.objects.count() == 1
    # Forged: no such day, so nothing to take out.
    refused(client.post("/stores/KY1/exceptions/", {"remove": "2026-02-30"}), "This field is required")


def test_a_closure_that_is_over_is_history(client: Client, chain: Chain) -> None:
    client.force_login(chain.manager)
    today = timezone.now().date()
    past = {"closed_from": "2026-01-01", "closed_until": today - timedelta(days=2), "closed_reason": "Sky"}
    client.post("/stores/KY1/closure/", past)
    page, form = (client.get(f"/stores/KY1/{part}").content.decode() for part in ("", "closure/"))
    assert "Closed from" not in page and "Close for a time" in page
    assert 'name="open"' not in form and 'value="2026-01-01"' not in form and "Sky" not in form
    assert "closed 01" not in client.get("/stores/").content.decode()
    client.post("/stores/KY1/closure/", past | {"closed_until": today + timedelta(days=2)})
    assert "Closed from" in client.get("/stores/KY1/").content.decode()


def test_closed_for_a_time_and_open_again(client: Client, chain: Chain) -> None:
    client.force_login(chain.manager)
    client.post("/stores/KY1/closure/", {"closed_from": "2026-01-01", "closed_reason": "Flood"})
    assert "until further notice" in client.get("/stores/KY1/").content.decode()
    refused(
        client.post("/stores/KY1/closure/", {"closed_from": "2026-01-02", "closed_until": "2026-01-01"}),
        "lies before the first day",
    )
    client.post("/stores/KY1/closure/", {"open": "1"})
    store = Store.objects.get(code="KY1")
    assert (store.closed_from, store.closed_until, store.closed_reason) == (None, None, "")
    assert [c.what for c in ConfigChange.objects.all()] == ["closure", "closure"]


def test_nodes_by_the_pages(head_office: Client, chain: Chain) -> None:
    head_office.post("/tree/new/", {"parent": "UKRAINE", "name": "Odesa", "kind": "area", "code": ""})
    head_office.post("/tree/nodes/ODESA/", {"name": "Одеса", "kind": "region", "code": "OD"})
    refused(head_office.post("/tree/nodes/OD/", {"name": "", "kind": "region", "code": "OD"}), "This field is required")
    head_office.post("/tree/nodes/OD/move/", {"to": "CHAIN"})
    assert Node.objects.get(code="OD").parent == chain.root
    head_office.post("/tree/nodes/OD/", {"retire": "1"})
    assert Node.objects.get(code="OD").retired_at is not None
    page = head_office.post("/tree/nodes/KYIV/", {"retire": "1"}, follow=True).content.decode()
    assert "Stores or places in use lie below it" in page
    assert Node.objects.get(code="KYIV").retired_at is None


def test_a_circle_by_the_page(head_office: Client, chain: Chain) -> None:
    for to in ("UKRAINE", "KYIV"):
        refused(head_office.post("/tree/nodes/UKRAINE/move/", {"to": to}), "Select a valid choice")


# --- what people write ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ""),
        ("–", ""),
        ("9-18", "09:00–18:00"),
        (" 09.30 – 18h00 ", "09:30–18:00"),
        ("14:00-18:00; 9:00-13:00", "09:00–13:00, 14:00–18:00"),
        ("00:00-24:00", "00:00–00:00"),
        ("24h", "00:00–00:00"),
        ("18-24", "18:00–00:00"),
        ("Closed", ""),
        ("geschlossen", ""),
        ("зачинено", ""),
        ("9am-5pm", "09:00–17:00"),
        ("9 a.m. to 5:30 p.m.", "09:00–17:30"),
        ("9-5pm, 6–11 pm", "09:00–17:00, 18:00–23:00"),
        ("11-2pm", "11:00–14:00"),
        ("1-5pm", "13:00–17:00"),
        ("noon to midnight", "12:00–00:00"),
        ("9 bis 17 Uhr", "09:00–17:00"),
        ("von 9.30 Uhr bis 12 und 14–18 Uhr", "09:30–12:00, 14:00–18:00"),
        ("з 9 до 17", "09:00–17:00"),
        ("9 ранку – 6 вечора", "09:00–18:00"),
        ("rund um die Uhr", "00:00–00:00"),
        ("цілодобово", "00:00–00:00"),
        ("22-6", "22:00–06:00"),
        ("09:00–05:00", "09:00–05:00"),
        ("09:00-09:00 (24h)", "09:00–09:00 (24 h)"),
    ],
)
def test_stretches(text: str, read: str) -> None:
    found = parse_stretches(text)
    assert format_stretches(found) == read and parse_stretches(format_stretches(found)) == found


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("09:00-09:00", "write 24 h, or “09:00–09:00 (24 h)”"),
        ("09:00-17:00 (24 h)", "Write it like 09:00–18:00"),
        ("9am–9am", "write 24 h"),
        ("9-5", "Write 09:00–17:00, or 09:00–05:00"),
        ("9am-5", "Write it like 09:00–18:00"),
        ("13pm-5pm", "Write it like 09:00–18:00"),
        ("open", "Write it like 09:00–18:00"),
    ],
)
def test_stretches_that_may_mean_another(text: str, remedy: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_stretches(text)
    assert remedy in refused.value.messages[0]


def test_subdivisions() -> None:
    assert clean_subdivision("DE", " by ") == "DE-BY" == clean_subdivision("DE", "DE-BY")
    assert clean_subdivision("UA", "UA-32") == "UA-32" and clean_subdivision("UA", "") == ""
    with pytest.raises(ValidationError, match="DE-BE"):
        clean_subdivision("DE", "XX")


def test_holidays_are_named_in_the_readers_language() -> None:
    new_year = date(2026, 1, 1)
    # Germany's calendar knows both languages itself; that of the Emirates knows neither.
    for language, name in (("de", "Neujahr"), ("uk", "Новий рік")):
        with translation.override(language):
            for place in ("DE", "AE"):
                assert public_holidays(place, new_year, new_year) == [(new_year, name)]


def test_zones_and_their_countries() -> None:
    assert zone_fits("UA", "Europe/Kyiv") and zone_fits("NO", "Europe/Berlin") and zone_fits("NO", "Europe/Oslo")
    assert not zone_fits("GB", "Europe/Kyiv") and zone_fits("GB", "UTC")
