"""Posters of many touchpoints: chosen, made as a long job that can be killed, and handed over as PDF or ZIP."""

import io
import zipfile

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from core import jobs
from core.jobs import run_due
from core.models import Job, JobState
from stores import qr
from stores.choices import Role, TouchpointKind
from stores.models import Touchpoint
from stores.posters import jobs as poster_jobs
from stores.posters.press import PressFailed, set_elsewhere
from stores.touchpoints import FOR_EVER, change_touchpoint, retire_touchpoint, rotate_code
from tests.factories import Chain, make_store, make_touchpoint
from tests.posters.reading import codes_on, page_images

FORM = {"kinds": ["till"], "format": "receipt", "bundle": "one"}


@pytest.fixture
def client(chain: Chain) -> Client:
    signed_in = Client()
    signed_in.force_login(chain.head_office)
    return signed_in


def made(client: Client, **fields: object) -> Job:
    answer = client.post("/posters/", FORM | fields)
    assert answer.status_code == 302
    return Job.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])


def finished(job: Job) -> bytes:
    while run_due():
        pass
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.note
    assert job.done == job.total
    return b"".join(job.read())


def texts(pdf: bytes) -> list[str]:
    return [seen.text for image in page_images(pdf, 203.2) for seen in codes_on(image, 203.2)]


def addresses(*spots: Touchpoint) -> list[str]:
    return [qr.touchpoint_url(spot.code) for spot in spots]


def test_one_pdf_of_all_in_use_in_order_of_the_stores(client: Client, chain: Chain) -> None:
    door = make_touchpoint(store=chain.store, kind=TouchpointKind.EXIT)
    make_touchpoint(store=chain.store, kind=TouchpointKind.SERVICE_DESK)
    retire_touchpoint(make_touchpoint(store=chain.store), actor=None)
    job = made(client, kinds=["till", "exit"])
    pdf = finished(job)
    assert (job.file_name, job.content_type) == ("posters.pdf", "application/pdf")
    assert texts(pdf) == addresses(door, chain.touchpoint, chain.foreign_touchpoint)
    assert set(Touchpoint.objects.filter(poster_at__isnull=False)) == {door, chain.touchpoint, chain.foreign_touchpoint}
    assert b"".join(client.get(f"/jobs/{job.pk}/file")) == pdf  # type: ignore[arg-type]


def test_only_ticked_stores_and_only_those_one_may_see(client: Client, chain: Chain) -> None:
    assert texts(finished(made(client, store=["LV1"]))) == addresses(chain.foreign_touchpoint)
    client.force_login(chain.area_manager)
    assert texts(finished(made(client))) == addresses(chain.touchpoint)
    assert client.post("/posters/", FORM | {"store": ["LV1"]}).status_code == 422
    page = client.get("/posters/?store=LV1").content.decode()
    assert "No touchpoint in use" in page and "Lviv" not in page


def test_the_stores_found_in_the_list_are_those_printed(client: Client, chain: Chain) -> None:
    answer = client.post(reverse("stores_bulk"), {"action": "posters", "q": "Lviv", "all": "1"})
    assert answer.status_code == 302 and answer["Location"].startswith("/posters/?")
    page = client.get(answer["Location"]).content.decode()
    assert "1 store," in page and 'name="q" value="Lviv"' in page
    assert texts(finished(made(client, q="Lviv", all="1"))) == addresses(chain.foreign_touchpoint)


def test_a_zip_has_a_pdf_for_each_store(client: Client, chain: Chain) -> None:
    second = make_touchpoint(store=chain.store, name="Second")
    data = finished(made(client, bundle="stores"))
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None and archive.namelist() == ["KY1-receipt.pdf", "LV1-receipt.pdf"]
    assert texts(archive.read("KY1-receipt.pdf")) == addresses(chain.touchpoint, second)


def sizes(pdf: bytes) -> list[tuple[int, int]]:
    """Width and height of each page in millimetres."""
    boxes = [page.mediabox for page in PdfReader(io.BytesIO(pdf)).pages]
    return [(round(float(box.width) / 72 * 25.4), round(float(box.height) / 72 * 25.4)) for box in boxes]


A4, STICKER = (210, 297), (105, 74)


def test_each_in_what_is_usual_where_it_hangs_on_pages_of_its_own_size(client: Client, chain: Chain) -> None:
    door = make_touchpoint(store=chain.store, kind=TouchpointKind.EXIT)
    job = made(client, kinds=["till", "exit"], format="usual")
    pdf = finished(job)
    assert (job.file_name, sizes(pdf)) == ("posters.pdf", [A4, STICKER, STICKER])
    assert texts(pdf) == addresses(door, chain.touchpoint, chain.foreign_touchpoint)
    marked = finished(made(client, kinds=["till", "exit"], format="usual", marks="on"))
    assert sizes(marked) == [(width + 22, height + 22) for width, height in (A4, STICKER, STICKER)]
    # A store's file is one too, whatever hangs there.
    archive = zipfile.ZipFile(
        io.BytesIO(finished(made(client, kinds=["till", "exit"], format="usual", bundle="stores")))
    )
    assert {name: sizes(archive.read(name)) for name in archive.namelist()} == {
        "KY1.pdf": [A4, STICKER],
        "LV1.pdf": [STICKER],
    }


def test_more_than_one_file_holds_come_as_a_zip_by_format_and_the_page_says_so(
    client: Client, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_touchpoint(store=chain.store, kind=TouchpointKind.EXIT)
    monkeypatch.setattr(poster_jobs, "SHEETS_PER_FILE", 2)
    archive = zipfile.ZipFile(io.BytesIO(finished(made(client, kinds=["till", "exit"], format="usual"))))
    assert archive.namelist() == ["a4-KY1-KY1.pdf", "sticker-KY1-LV1.pdf"]
    assert "up to 500 sheets" in client.get("/posters/").content.decode()


def test_what_is_retired_meanwhile_is_left_out_and_what_changes_its_kind_keeps_its_sheet(
    client: Client, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poster_jobs, "STORES_PER_STEP", 1)
    monkeypatch.setattr(poster_jobs, "_PRESSES", 1)
    monkeypatch.setattr(jobs, "SLICE_SECS", -1)
    spots = [make_touchpoint(store=make_store(node=chain.area, code=f"S{number}")) for number in range(3)]
    codes = [spot.store.code for spot in spots]
    job = made(client, store=codes, format="usual", bundle="stores")
    assert run_due() and run_due()
    # One is printed; of those that wait, one is retired and another becomes something that has another format.
    retire_touchpoint(spots[1], actor=None)
    change_touchpoint(spots[2], actor=None, kind=TouchpointKind.EXIT, name="")
    archive = zipfile.ZipFile(io.BytesIO(finished(job)))
    assert {name: sizes(archive.read(name)) for name in archive.namelist()} == {
        "S0.pdf": [STICKER],
        "S2.pdf": [STICKER],
    }
    assert job.note == "1 touchpoint was retired meanwhile and is left out."
    assert Touchpoint.objects.get(pk=spots[1].pk).poster_at is None


def test_the_file_closes_with_the_role_that_asked_for_it(client: Client, chain: Chain) -> None:
    job = made(client)
    finished(job)
    assert client.get(f"/jobs/{job.pk}/file").status_code == 200
    chain.head_office.roles.update(role=Role.AREA_MANAGER, node=chain.area)
    assert client.get(f"/jobs/{job.pk}/file").status_code == 404


def test_nothing_left_to_print_fails_with_words(client: Client, chain: Chain) -> None:
    job = made(client, store=["KY1"])
    retire_touchpoint(chain.touchpoint, actor=None)
    assert run_due()
    job.refresh_from_db()
    assert job.state == JobState.FAILED and "in use any more" in job.note


def test_what_an_older_version_asked_for_is_asked_for_again(client: Client, chain: Chain) -> None:
    job = made(client, all="1", country="UA")
    job.params = {"touchpoints": [chain.touchpoint.pk], "format": "a4", "marks": False, "per_store": False}
    job.save()
    assert run_due()
    job.refresh_from_db()
    assert job.state == JobState.FAILED and "Please ask again." in job.note
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert job.note in page and 'href="/posters/?country=UA&amp;all=1"' in page
    again = client.get(job.back_url).content.decode()
    assert 'name="country" value="UA"' in again and 'name="all" value="1"' in again


def test_a_zip_grows_over_many_steps_and_a_kill_between_them(
    client: Client, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poster_jobs, "SHEETS_PER_FILE", 2)
    monkeypatch.setattr(jobs, "SLICE_SECS", -1)
    spots = [make_touchpoint(store=make_store(node=chain.area, code=f"S{number}")) for number in range(9)]
    job = made(client, store=[f"S{number}" for number in range(9)])
    slices = 0
    while run_due():
        slices += 1
        # Every slice begins anew from what the row says, as after a kill.
        job.refresh_from_db()
        assert job.done == len(Touchpoint.objects.filter(poster_at__isnull=False))
    assert slices >= 4
    archive = zipfile.ZipFile(io.BytesIO(finished(job)))
    assert archive.testzip() is None and len(archive.namelist()) == 5
    assert [text for name in archive.namelist() for text in texts(archive.read(name))] == addresses(*spots)


def test_a_code_that_changes_meanwhile_is_printed_as_it_is_then(client: Client, chain: Chain) -> None:
    job = made(client, store=["KY1"])
    rotated = rotate_code(chain.touchpoint, actor=None, leads_for=FOR_EVER)
    assert texts(finished(job)) == addresses(rotated)


def test_a_broken_sheet_fails_loudly_and_leaves_no_half_file(chain: Chain) -> None:
    with pytest.raises(PressFailed):
        set_elsewhere({"a4": {"nothing": "of use"}}, [[("a4", [{}])]])


@pytest.mark.parametrize(
    "fields", [{"kinds": []}, {"kinds": ["call"]}, {"format": "stamp"}, {"bundle": "thousand"}, {"format": ""}]
)
def test_what_is_not_on_offer_is_refused(client: Client, chain: Chain, fields: dict[str, object]) -> None:
    assert client.post("/posters/", FORM | fields).status_code == 422
    assert not Job.objects.exists()


# --- one touchpoint -----------------------------------------------------------------------------------------------
def test_a_touchpoint_shows_all_formats_and_hands_over_one(chain: Chain) -> None:
    client = Client()
    client.force_login(chain.manager)
    address = f"/stores/KY1/posters/{chain.touchpoint.code}/"
    page = client.get(address).content.decode()
    for key in ("a4", "a5", "tent", "sticker", "receipt"):
        assert f"{address}{key}.png" in page
    assert page.index("sticker.png") < page.index("a4.png"), "what is usual at a till comes first"
    assert Touchpoint.objects.get(pk=chain.touchpoint.pk).poster_at is None, "looking makes no poster"
    picture = client.get(f"{address}receipt.png")
    assert picture["Content-Type"] == "image/png" and picture.content.startswith(b"\x89PNG")
    answer = client.post(address, {"format": "receipt"})
    assert answer["Content-Disposition"] == f'attachment; filename="KY1-receipt-{chain.touchpoint.code}.pdf"'
    assert texts(answer.content) == addresses(chain.touchpoint)
    assert Touchpoint.objects.get(pk=chain.touchpoint.pk).poster_at is not None
    assert client.post(address, {"format": "stamp"}).status_code == 404
