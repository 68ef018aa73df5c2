"""A chain from a file: what it would change is shown before, all of it happens or nothing, twice is once."""

import csv
import io
import threading
import time
import zipfile
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone, translation

from core.jobs import run_due
from core.models import Job, JobState
from demo.chain_file import chain_tables, text, workbook
from messaging.models import Message
from stores import exporting
from stores.actions import change_store
from stores.choices import ImportState, Role
from stores.importing import jobs
from stores.importing.carry_out import carry_out as really
from stores.importing.jobs import check_file, import_checked
from stores.models import ConfigChange, Node, OpeningInterval, RoleAssignment, Store, StoreImport, User
from tests.factories import Chain

STORE = ["code", "name", "node", "country", "time_zone"]


def check(user: User, data: bytes, name: str = "chain.xlsx", **options: bool) -> StoreImport:
    upload = check_file(user, name, data, **({"retire_missing": False, "invite": False} | options))
    run_due()
    upload.refresh_from_db()
    return upload


def imported(user: User, data: bytes, name: str = "chain.xlsx", **options: bool) -> StoreImport:
    upload = check(user, data, name, **options)
    assert upload.report["problems"] == []
    import_checked(upload)
    run_due()
    upload.refresh_from_db()
    assert upload.job and upload.job.state == JobState.DONE, upload.job and upload.job.note
    return upload


def problems(user: User, data: bytes, name: str = "stores.csv") -> list[tuple[int, str]]:
    report = check(user, data, name).report
    return [(found["row"], found["column"]) for found in report["problems"]]


def root_of(chain: Chain) -> str:
    return chain.root.code


# --- what comes of it ---------------------------------------------------------------------------------------------
def test_a_chain_comes_from_a_workbook_and_the_same_file_again_changes_nothing(chain: Chain) -> None:
    data = workbook(chain_tables(65, root_of(chain)))
    before = Store.objects.count()
    upload = imported(chain.head_office, data)
    assert upload.state == ImportState.IMPORTED and bytes(upload.data) == b""
    assert Store.objects.count() == before + 65
    store = Store.objects.select_related("node__parent").get(code="S00064")
    assert (store.country, store.node.parent and store.node.parent.code) == ("CZ", "CZ-R0")
    assert store.contact_emails == ["s00064@shops.example"] and store.languages == ["en", "de"]
    assert [str(i) for i in store.opening_intervals.filter(weekday=5)] == ["5 10:00–02:00"]
    manager = RoleAssignment.objects.select_related("user").get(store=store)
    assert (manager.role, manager.user.name, manager.user.is_active) == (Role.STORE_MANAGER, "Manager 64", False)
    assert ConfigChange.objects.filter(store=store, actor=chain.head_office).count() == 2
    # Nobody is written to before somebody says so.
    assert not Message.objects.exists()
    again = check(chain.head_office, data)
    assert again.report["line_count"] == 0 and again.report["unchanged"] > 65


def test_people_are_written_to_when_asked(chain: Chain) -> None:
    data = text("staff", [["new@shops.example", "New", "store_manager", "KY1", "uk", ""]])
    imported(chain.head_office, data, "staff.csv", invite=True)
    run_due()
    assert Message.objects.filter(user__email="new@shops.example").count() == 1


def test_changes_moves_and_retirements_are_shown_and_done(chain: Chain) -> None:
    store = chain.store
    rows = [
        ["KY1", "Kyiv One!", chain.other_area.code, "UA", "Europe/Kyiv", ""],
        ["LV1", chain.foreign.name, chain.other_area.code, "UA", "Europe/Kyiv", "yes"],
    ]
    upload = check(chain.head_office, text("stores", rows, columns=[*STORE, "retired"]), "stores.csv")
    kinds = {line["code"]: line["kind"] for line in upload.report["lines"]}
    assert kinds == {"KY1": "moved", "LV1": "retired"}
    store.refresh_from_db()
    assert store.name == "Kyiv One"
    import_checked(upload)
    run_due()
    store.refresh_from_db()
    chain.foreign.refresh_from_db()
    assert (store.name, store.node) == ("Kyiv One!", chain.other_area) and chain.foreign.retired_at
    assert list(store.config_changes.order_by("pk").values_list("kind", flat=True))[-2:] == ["changed", "moved"]


def test_columns_that_are_missing_leave_things_alone_and_empty_cells_empty_them(chain: Chain) -> None:
    Store.objects.filter(code="KY1").update(phone="+380441234567", city="Kyiv")
    row = ["KY1", "Kyiv One", chain.area.code, "UA", "Europe/Kyiv", ""]
    imported(chain.head_office, text("stores", [row], columns=[*STORE, "city"]), "stores.csv")
    store = Store.objects.get(code="KY1")
    assert (store.phone, store.city) == ("+380441234567", "")


def test_stores_missing_in_the_file_are_closed_only_when_asked(chain: Chain) -> None:
    row = ["KY1", "Kyiv One", chain.area.code, "UA", "Europe/Kyiv"]
    data = text("stores", [row], columns=STORE)
    imported(chain.head_office, data, "stores.csv")
    assert not Store.objects.exclude(retired_at=None).exists()
    imported(chain.head_office, data, "stores.csv", retire_missing=True)
    assert list(Store.objects.filter(retired_at=None).values_list("code", flat=True)) == ["KY1"]


def test_roles_become_those_of_the_file_and_others_stay(chain: Chain) -> None:
    deputy = chain.deputy
    rows = [[deputy.email, deputy.name, "store_manager", "KY1", "", ""], [deputy.email, deputy.name, "deputy", "LV1"]]
    rows[1] += ["", ""]
    imported(chain.head_office, text("staff", rows), "staff.csv")
    held = RoleAssignment.objects.filter(user=deputy).values_list("role", "store__code")
    assert sorted(held) == [("deputy", "LV1"), ("store_manager", "KY1")]
    assert RoleAssignment.objects.filter(user=chain.manager).count() == 1


def test_an_export_imports_cleanly(chain: Chain) -> None:
    imported(chain.head_office, workbook(chain_tables(35, root_of(chain))))
    Store.objects.filter(code="KY1").update(name="=1+1", phone="+380441234567", address="-5 °C Lane")
    # As it was once read from "9–9": entered now, it would be asked about.
    OpeningInterval.objects.filter(store=chain.foreign).delete()
    OpeningInterval.objects.create(store=chain.foreign, weekday=4, opens="09:00", closes="09:00")
    job = exporting.start_export(chain.head_office, "/")
    run_due()
    job.refresh_from_db()
    data = b"".join(job.read())
    assert job.state == JobState.DONE and job.done == job.total == Store.objects.count()
    upload = check(chain.head_office, data)
    assert (upload.report["problems"], upload.report["line_count"]) == ([], 0)
    # A spreadsheet sees text, never a formula.
    sheet = openpyxl.load_workbook(io.BytesIO(data))["stores"]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"} and "=1+1" in {cell.value for cell in cells}
    for name in ("nodes", "stores", "hours", "staff"):
        lines = "".join(exporting.csv_lines(name, chain.head_office))
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in csv.reader(io.StringIO(lines)) for cell in row)
        report = check(chain.head_office, lines.encode(), f"{name}.csv").report
        assert (report["problems"], report["line_count"]) == ([], 0), name


def test_seven_thousand_stores_in_thirty_countries(chain: Chain) -> None:
    """How long it takes by the wall is for the benchmark; here other tests run beside it."""
    begun = time.process_time()
    imported(chain.head_office, workbook(chain_tables(7000, root_of(chain))))
    assert time.process_time() - begun < 200
    assert Store.objects.filter(code__startswith="S").count() == 7000
    assert OpeningInterval.objects.filter(store__code__startswith="S").count() == 7000 * 11


def test_every_change_is_shown_and_one_mistake_in_many_rows_is_one(chain: Chain) -> None:
    client = Client()
    client.force_login(chain.head_office)
    rows = [[f"N{n:03}", f"New {n}", chain.area.code, "UA", "Europe/Kyiv"] for n in range(150)]
    upload = check(chain.head_office, text("stores", rows, columns=STORE), "stores.csv")
    pages = [client.get(f"/setup/import/{upload.pk}/?page={n}").content.decode() for n in (1, 2)]
    assert [page.count("<del>") + page.count('translate="no">N') for page in pages] == [100, 50]
    assert "N149" in pages[1] and "1 of 2" in pages[0]
    for row in (*rows[3:6], rows[9], rows[11]):
        row[4] = "Kyiv"
    rows[20][2] = "NOWHERE"
    upload = check(chain.head_office, text("stores", rows, columns=STORE), "stores.csv")
    assert len(upload.report["problems"]) == 6
    page = client.get(f"/setup/import/{upload.pk}/")
    assert [(one["rows"], one["column"]) for one in page.context["problems"]] == [
        ("5–7, 11, 13", "time_zone"),
        ("22", "node"),
    ]


# --- what is wrong ------------------------------------------------------------------------------------------------
GOOD = {"code": "X1", "name": "X", "node": "KYIV", "country": "UA", "time_zone": "Europe/Kyiv"}


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        ({"code": ""}, "code"),
        ({"code": "a b"}, "code"),
        ({"code": "ky1"}, "code"),
        ({"name": "x" * 200}, "name"),
        ({"node": "NOWHERE"}, "node"),
        ({"country": "Ukraine"}, "country"),
        ({"time_zone": "Kyiv"}, "time_zone"),
        ({"kind": "kiosk"}, "kind"),
        ({"languages": "klingon"}, "languages"),
        ({"contact_emails": "nobody"}, "contact_emails"),
        ({"public_review_url": "http://maps.example"}, "public_review_url"),
        ({"holiday_rule": "maybe"}, "holiday_rule"),
        ({"closed_from": "24.12."}, "closed_from"),
        ({"closed_until": "2026-12-24"}, "closed_until"),
        ({"retired": "perhaps"}, "retired"),
    ],
)
def test_every_mistake_is_named_by_row_and_column(chain: Chain, wrong: dict[str, str], column: str) -> None:
    cells = GOOD | {"node": chain.area.code} | wrong
    data = text("stores", [list(cells.values())], columns=list(cells))
    assert (2, column) in problems(chain.head_office, data)
    assert not Store.objects.filter(code="X1").exists()


def test_all_that_is_wrong_with_a_row_is_said_at_once(chain: Chain) -> None:
    good = ["KY9", "Name", chain.area.code, "UA", "Europe/Kyiv", "uk", "yes"]
    bad = ["KY9", "", "NOWHERE", "Ukraine", "Mars/City", "klingon", "perhaps"]
    data = text("stores", [good, bad], columns=[*STORE, "languages", "retired"])
    columns = ["code", "country", "languages", "name", "node", "retired", "time_zone"]
    assert sorted(problems(chain.head_office, data)) == [(3, column) for column in columns]
    data = text("nodes", [["", "", "kiosk", "NOWHERE"], ["N1", "", "kiosk", "NOWHERE"]])
    found = [
        *((2, column) for column in ("code", "kind", "name")),
        *((3, column) for column in ("kind", "name", "parent")),
    ]
    assert sorted(problems(chain.head_office, data)) == [one for one in found if one != (2, "kind")]
    data = text(
        "staff", [["nobody", "", "boss", "NOWHERE", "xx", "call me"], ["a@b.example", "", "deputy", "NO", "", ""]]
    )
    columns = ["email", "language", "name", "phone", "role"]
    assert sorted(problems(chain.head_office, data)) == [*((2, one) for one in columns), (3, "name"), (3, "place")]
    data = text("hours", [["NO", "9 to 99", *["-"] * 5, "9-9"]])
    assert sorted(problems(chain.head_office, data)) == [(2, "monday"), (2, "store"), (2, "sunday")]


def test_a_report_speaks_the_language_of_the_page_it_was_asked_on(chain: Chain) -> None:
    """Also of somebody who has never chosen a language."""
    User.objects.filter(pk=chain.head_office.pk).update(language="")
    client = Client()
    client.force_login(chain.head_office)
    row = ["X1", "", chain.area.code, "UA", "Europe/Kyiv"]
    file = SimpleUploadedFile("stores.csv", text("stores", [row], columns=STORE))
    with translation.override("en"):
        client.post("/setup/import/", {"file": file}, headers={"accept-language": "de"})
    run_due()
    [problem] = StoreImport.objects.get().report["problems"]
    assert problem["sheet"] == "Filialen" and "nicht leer" in problem["message"]


def test_one_mistake_and_nothing_is_imported(chain: Chain) -> None:
    tables = chain_tables(40, root_of(chain))
    tables["hours"][20][3] = "9 to 5"
    upload = check(chain.head_office, workbook(tables))
    [problem] = upload.report["problems"]
    assert (problem["sheet"], problem["row"], problem["column"]) == ("hours", 22, "wednesday")
    assert "09:00–17:00" in problem["message"]
    assert import_checked(upload).state == ImportState.CHECKED
    assert not Store.objects.filter(code="S00000").exists()


def test_a_failure_half_way_leaves_nothing_behind(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    from stores.importing import carry_out
    from stores.people import PeopleActionRefused

    def refuse(*_: object, **__: object) -> None:
        raise PeopleActionRefused("the last step says no")

    upload = check(chain.head_office, workbook(chain_tables(40, root_of(chain))))
    monkeypatch.setattr(carry_out, "_people", refuse)
    import_checked(upload)
    run_due()
    upload.refresh_from_db()
    assert upload.job and upload.job.state == JobState.FAILED and "the last step says no" in upload.job.note
    assert not Store.objects.filter(code="S00000").exists() and not Node.objects.filter(code="AT").exists()


def test_what_changed_after_the_check_is_not_overwritten(chain: Chain) -> None:
    row = ["KY1", "New name", chain.area.code, "UA", "Europe/Kyiv"]
    upload = check(chain.head_office, text("stores", [row], columns=STORE), "stores.csv")
    Store.objects.filter(code="KY1").update(name="Changed meanwhile")
    import_checked(upload)
    run_due()
    upload.refresh_from_db()
    assert upload.job and upload.job.state == JobState.FAILED and "since the check" in upload.job.note
    assert Store.objects.get(code="KY1").name == "Changed meanwhile"


def test_twice_in_a_file_overlapping_hours_and_unknown_people(chain: Chain) -> None:
    row = ["KY9", "Name", chain.area.code, "UA", "Europe/Kyiv"]
    assert problems(chain.head_office, text("stores", [row, row], columns=STORE)) == [(3, "code")]
    day = ["09:00–18:00"] * 7
    rows = [["KY1", "09:00–12:00; 11:00–18:00", *day[1:]], ["NO", *day]]
    assert problems(chain.head_office, text("hours", rows)) == [(2, "monday"), (3, "store")]
    rows = [
        ["a@b.example", "A", "boss", "KY1", "", ""],
        ["not-an-address", "B", "deputy", "KY1", "", ""],
        ["c@d.example", "C", "deputy", "NO", "", ""],
        ["e@f.example", "E", "area_manager", "KY1", "", ""],
        ["g@h.example", "G", "deputy", "KY1", "xx", ""],
        ["i@j.example", "I", "deputy", "KY1", "de", "+380441234567"],
        ["I@J.example", "J", "store_manager", "KY1", "uk", "+380440000000"],
        ["anna@", "K", "deputy", "KY1", "", ""],
    ]
    wanted = [(2, "role"), (3, "email"), (4, "place"), (5, "place"), (6, "language")]
    wanted += [(8, "name"), (8, "language"), (8, "phone"), (9, "email")]
    assert problems(chain.head_office, text("staff", rows)) == wanted


@pytest.mark.parametrize(
    ("wrong", "column"),
    [({"name": "x" * 200}, "name"), ({"phone": "+380 44 123 45 67 ext. 12"}, "phone"), ({"phone": "call"}, "phone")],
)
def test_what_an_account_cannot_hold_is_named_too(chain: Chain, wrong: dict[str, str], column: str) -> None:
    cells = {"email": "new@shops.example", "name": "N", "role": "deputy", "place": "KY1", "phone": ""} | wrong
    data = text("staff", [list(cells.values())], columns=list(cells))
    assert (2, column) in problems(chain.head_office, data)


def test_who_gave_somebody_another_name_is_on_record_also_before_they_joined(chain: Chain) -> None:
    User.objects.filter(pk=chain.deputy.pk).update(is_active=False)
    row = [chain.deputy.email.upper(), "Another Name", "deputy", "KY1", "de", "+49 30 1234567"]
    imported(chain.head_office, text("staff", [row]), "staff.csv")
    chain.deputy.refresh_from_db()
    assert (chain.deputy.name, chain.deputy.phone, chain.deputy.is_active) == ("Another Name", "+49 30 1234567", False)
    assert [(one.kind, one.actor) for one in chain.deputy.events.all()] == [("details", chain.head_office)]


def test_a_store_retired_with_its_node_is_no_problem_and_others_get_a_remedy(chain: Chain) -> None:
    now = timezone.now()
    Store.objects.filter(code="LV1").update(retired_at=now)
    Node.objects.filter(pk=chain.other_area.pk).update(retired_at=now)
    name = chain.foreign.name
    rest, back = (["LV1", name, chain.other_area.code, "UA", "Europe/Kyiv", retired] for retired in ("yes", ""))
    columns = [*STORE, "retired"]
    assert problems(chain.head_office, text("stores", [rest], columns=columns)) == []
    assert problems(chain.head_office, text("stores", [rest[:5]], columns=STORE)) == []
    assert problems(chain.head_office, text("stores", [back], columns=columns)) == [(2, "node")]
    new = ["LV2", *rest[1:]]
    assert problems(chain.head_office, text("stores", [new], columns=columns)) == [(2, "node")]


def test_whoever_left_imports_nothing_any_more(chain: Chain) -> None:
    row = ["KY1", "New name", chain.area.code, "UA", "Europe/Kyiv"]
    upload = check(chain.head_office, text("stores", [row], columns=STORE), "stores.csv")
    import_checked(upload)
    User.objects.filter(pk=chain.head_office.pk).update(is_active=False)
    run_due()
    upload.refresh_from_db()
    assert upload.job and upload.job.state == JobState.FAILED and "has left" in upload.job.note
    assert Store.objects.get(code="KY1").name == "Kyiv One"


@pytest.mark.django_db(transaction=True)
def test_a_change_beside_the_import_waits_for_it_and_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain()
    row = ["KY1", "From the file", chain.area.code, "UA", "Europe/Kyiv"]
    upload = check(chain.head_office, text("stores", [row], columns=STORE), "stores.csv")
    import_checked(upload)

    def beside() -> None:
        change_store(chain.store, actor=chain.head_office, city="Changed beside")
        connection.close()

    other = threading.Thread(target=beside)

    def slowly(*args: Any, **kwargs: Any) -> Any:
        other.start()
        other.join(timeout=1)
        yield from really(*args, **kwargs)

    monkeypatch.setattr(jobs, "carry_out", slowly)
    run_due()
    other.join(timeout=60)
    store = Store.objects.get(code="KY1")
    assert (store.name, store.city) == ("From the file", "Changed beside")


def test_nodes_make_no_circles_and_have_a_place(chain: Chain) -> None:
    area, root = chain.area, root_of(chain)
    rows = [
        [root, "Chain", "chain", area.code],
        ["N1", "One", "region", "NOWHERE"],
        ["N2", "Two", "planet", root],
        ["N3", "Three", "region", ""],
        [area.code.lower(), "Alike", "area", root],
    ]
    found = problems(chain.head_office, text("nodes", rows))
    assert found == [(2, "parent"), (3, "parent"), (4, "kind"), (5, "parent"), (6, "code")]


def test_a_link_that_is_wrong_is_named_once(chain: Chain) -> None:
    cells = GOOD | {"node": chain.area.code, "public_review_url": "javascript:alert(1)"}
    found = problems(chain.head_office, text("stores", [list(cells.values())], columns=list(cells)))
    assert found == [(2, "public_review_url")]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.xlsx", b"PK\x03\x04broken"),
        ("a.xls", b"\xd0\xcf\x11\xe0old"),
        ("a.csv", b""),
        ("a.csv", b"colour,size\nred,1"),
        ("a.csv", "code,name\n1,Ä".encode("cp1252")),
        ("a.csv", b"code\0"),
        ("a.csv", b'code,name,node,country\n"1,2'),
    ],
)
def test_files_that_cannot_be_read_say_what_to_do(chain: Chain, name: str, data: bytes) -> None:
    upload = check(chain.head_office, data, name)
    assert upload.job and upload.job.state == JobState.FAILED and len(upload.job.note) > 20


def test_a_zip_bomb_is_not_unpacked(chain: Chain) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/worksheets/sheet1.xml", b"0" * (301 * 1024 * 1024))
    upload = check(chain.head_office, out.getvalue())
    assert upload.job and "unpacked" in upload.job.note


def test_one_stray_cell_far_out_does_not_take_all_memory(chain: Chain) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "stores"
    sheet["A1"], sheet["XFD1048576"] = "code", "x"
    out = io.BytesIO()
    book.save(out)
    upload = check(chain.head_office, out.getvalue())
    assert upload.job and "far outside" in upload.job.note


def test_other_spellings_are_understood(chain: Chain) -> None:
    for delimiter, encoding in ((";", "utf-8-sig"), ("\t", "utf-16")):
        row = ["KY1", "Київ Один", chain.area.code, "ua", "Europe/Kyiv"]
        data = text("stores", [row], delimiter=delimiter, columns=["Code", "NAME *", "Node", "Country", "Time zone"])
        imported(chain.head_office, data.decode().encode(encoding), "stores.csv")
        assert Store.objects.get(code="KY1").name == "Київ Один"
        Store.objects.filter(code="KY1").update(name="Other")


# --- whose ----------------------------------------------------------------------------------------------------------
def test_nobody_imports_beyond_their_part_of_the_tree(chain: Chain) -> None:
    regional = User.objects.create_user("regional@example.org", name="Regional")
    RoleAssignment.objects.create(user=regional, role=Role.HEAD_OFFICE, node=chain.area)
    stranger = ["LV1", "Mine now", chain.other_area.code, "UA", "Europe/Kyiv"]
    assert problems(regional, text("stores", [stranger], columns=STORE)) == [(2, "code"), (2, "node")]
    new = ["KY9", "New", chain.other_area.code, "UA", "Europe/Kyiv"]
    assert problems(regional, text("stores", [new], columns=STORE)) == [(2, "node")]
    role = ["x@y.example", "X", "head_office", root_of(chain), "", ""]
    assert problems(regional, text("staff", [role])) == [(2, "role")]
    assert problems(regional, text("hours", [["LV1", *[""] * 7]])) == [(2, "store")]
    codes = {line.split(",")[0] for line in exporting.csv_lines("stores", regional)}
    assert "LV1" not in codes and "KY1" in codes


def test_the_pages_lead_from_the_file_to_the_stores(chain: Chain) -> None:
    client = Client()
    client.force_login(chain.head_office)
    assert client.get("/setup/import/").status_code == 200
    assert client.post("/setup/import/").status_code == 422
    assert (
        openpyxl.load_workbook(io.BytesIO(client.get("/setup/import/template.xlsx").content)).sheetnames[-1] == "help"
    )
    file = SimpleUploadedFile("chain.xlsx", workbook(chain_tables(31, root_of(chain))))
    answer: Any = client.post("/setup/import/", {"file": file}, follow=True)
    assert "<progress" in answer.content.decode()
    run_due()
    upload = StoreImport.objects.get()
    page = client.get(f"/setup/import/{upload.pk}/").content.decode()
    assert "Carry it out" in page and "Shop 1" in page
    client.post(f"/setup/import/{upload.pk}/confirm/")
    client.post(f"/setup/import/{upload.pk}/confirm/")
    assert Job.objects.count() == 2
    run_due()
    assert "Everything was imported" in client.get(f"/setup/import/{upload.pk}/").content.decode()
    stranger = Client()
    stranger.force_login(chain.operator)
    assert stranger.get(f"/setup/import/{upload.pk}/").status_code == 404
    assert stranger.post(f"/setup/import/{upload.pk}/confirm/").status_code == 404
