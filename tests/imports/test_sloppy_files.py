"""Files as people send them: each is either understood, or told with row and column what to do; never half of both."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, time, timedelta
from html import unescape
from time import process_time
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.jobs import run_due
from core.models import JobState
from demo.chain_file import text
from stores import exporting
from stores.choices import Role
from stores.importing.columns import SHEETS, columns_named, fold, sheet_named
from stores.models import ConfigChange, Node, OpeningInterval, RoleAssignment, Store, StoreImport, User
from tests.factories import Chain, make_user

STORE = ["code", "name", "node", "country", "time_zone"]
HOURS = ["store", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
STAFF = ["email", "name", "role", "place"]
DAY = "09:00–18:00"


@pytest.fixture
def client(chain: Chain) -> Client:
    signed_in = Client()
    signed_in.force_login(chain.head_office)
    return signed_in


class Told:
    """What a person is told of their file, as the page says it."""

    def __init__(self, client: Client, name: str, data: bytes, **fields: str) -> None:
        answer = client.post("/setup/import/", {"file": SimpleUploadedFile(name, data), **fields})
        if answer.status_code == 422:
            self.page, self.upload = unescape(answer.content.decode()), None
            return
        assert answer.status_code == 302, answer.status_code
        run_due()
        self.upload = StoreImport.objects.get(job=UUID(answer["Location"].rstrip("/").rpartition("/")[2]))
        assert self.upload.job and self.upload.job.state in (JobState.DONE, JobState.FAILED), self.upload.job
        answer = client.get(f"/setup/import/{self.upload.pk}/")
        assert answer.status_code == 200
        self.page = unescape(answer.content.decode())

    @property
    def refused(self) -> str:
        """Why nothing of the file was read."""
        found = re.search(r'role="alert">(.*?)</p>', self.page, re.DOTALL)
        return found[1].strip() if found and not self.problems else ""

    @property
    def problems(self) -> list[tuple[str, int, str, str]]:
        """Sheet, row, column and remedy of each problem, of which one line may name several rows."""
        name = r'<td translate="no">(.*?)</td>'
        found = re.findall(rf'<tr>{name}<td class="num"[^>]*>(.*?)</td>{name}<td>(.*?)</td>', self.page)
        return [
            (sheet, row, column, said)
            for sheet, rows, column, said in found
            for first, _dash, last in (span.partition("–") for span in rows.split(", "))
            for row in range(int(first), int(last or first) + 1)
        ]

    @property
    def wrong(self) -> list[tuple[int, str]]:
        return [(row, column) for _sheet, row, column, _said in self.problems]

    @property
    def fine(self) -> bool:
        return not self.refused and not self.problems


def book(sheets: dict[str, list[list[Any]]], change: Callable[[Any], None] = lambda book: None) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    change(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def shop(chain: Chain, code: str = "KY1", name: str = "Kyiv One", **more: str) -> list[str]:
    return list(({"code": code, "name": name, "node": chain.area.code, "country": "UA"} | more).values())


def stores(chain: Chain, *rows: list[Any], change: Callable[[Any], None] = lambda book: None) -> bytes:
    return book({"stores": [STORE[:4], *(rows or [shop(chain)])]}, change)


def rewritten(data: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """The workbook with one of its parts written otherwise."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            content = old.read(one)
            new.writestr(one.filename, change(content.decode()).encode() if one.filename == part else content)
    return out.getvalue()


SHEET1 = "xl/worksheets/sheet1.xml"


# --- what a spreadsheet makes of things -----------------------------------------------------------------------------
def test_dates_in_hours_are_named_with_what_to_do(client: Client, chain: Chain) -> None:
    row: list[Any] = ["KY1", date(2026, 5, 9), DAY, time(9), timedelta(hours=9), 0.375, DAY, None]
    told = Told(client, "hours.xlsx", book({"hours": [HOURS, row]}))
    assert told.wrong == [(2, "monday")] and "format the cells as text" in told.problems[0][3].lower()
    row[1] = DAY
    told = Told(client, "hours.xlsx", book({"hours": [HOURS, row]}))
    assert told.wrong == [(2, "wednesday"), (2, "thursday"), (2, "friday")]
    assert all("09:00–18:00" in said for *_place, said in told.problems)


def test_merged_cells_would_empty_those_below(client: Client, chain: Chain) -> None:
    Store.objects.filter(code__in=["KY1", "LV1"]).update(phone="+380441234567")
    rows: list[list[Any]] = [
        [*STORE[:4], "phone"],
        [*shop(chain), "+380441234567"],
        [*shop(chain, "LV1", "Lviv One"), None],
    ]
    told = Told(client, "a.xlsx", book({"stores": rows}, lambda made: made["stores"].merge_cells("E2:E3")))
    assert told.wrong == [(2, "")] and "split them" in told.problems[0][3]
    # A title across the columns, above their names, does no harm.
    rows = [["Our stores", None, None, None], [], STORE[:4], shop(chain)]
    told = Told(client, "a.xlsx", book({"stores": rows}, lambda made: made["stores"].merge_cells("A1:D1")))
    assert told.fine


def test_formulas_without_a_result_and_errors_are_not_taken_for_empty_cells(client: Client, chain: Chain) -> None:
    Store.objects.update(phone="+380441234567", address="Main street 1")
    rows = [[*STORE[:4], "phone", "address"], [*shop(chain), "=A2", "Main street 1"]]
    data = book({"stores": rows})
    told = Told(client, "a.xlsx", data)
    assert told.wrong == [(2, "phone")] and "open it in the spreadsheet" in told.problems[0][3]

    def computed(sheet: str) -> str:
        return re.sub(r'<c r="E2"><f>A2</f><v ?/></c>', '<c r="E2" t="e"><f>A2</f><v>#REF!</v></c>', sheet)

    told = Told(client, "a.xlsx", rewritten(data, SHEET1, computed))
    assert told.wrong == [(2, "phone")] and "error" in told.problems[0][3]

    def empty(sheet: str) -> str:
        return re.sub(r'<c r="E2"><f>A2</f><v ?/></c>', '<c r="E2" t="str"><f>A2</f><v></v></c>', sheet)

    assert Told(client, "a.xlsx", rewritten(data, SHEET1, empty)).fine, "a formula may well result in nothing"


def test_hidden_foreign_and_doubled_sheets(client: Client, chain: Chain) -> None:
    def hide(made: Any) -> None:
        made["Lists"].sheet_state = "veryHidden"

    sheets = {"stores": [STORE[:4], shop(chain)], "Lists": [["a"]], "Sheet2": []}
    assert Told(client, "a.xlsx", book(sheets, hide)).fine, "a list that nobody sees, and a sheet with nothing in it"
    told = Told(client, "a.xlsx", book(sheets))
    assert told.problems[0][:2] == ("Lists", 1) and "Or delete it." in told.problems[0][3]

    def hide_stores(made: Any) -> None:
        made["stores"].sheet_state = "hidden"

    hidden = {"hours": [HOURS, ["KY1", *[DAY] * 7]], "stores": [STORE[:4], shop(chain, name="Old name")]}
    told = Told(client, "a.xlsx", book(hidden, hide_stores))
    assert told.problems[0][:2] == ("stores", 1) and "hidden" in told.problems[0][3]
    twice = {"stores": [STORE[:4], shop(chain)], "Filialen": [STORE[:4], shop(chain, name="Other")]}
    assert Told(client, "a.xlsx", book(twice)).problems[0][0] == "Filialen"


def test_a_code_whose_zeros_were_lost_is_not_a_new_store(client: Client, chain: Chain) -> None:
    Store.objects.filter(code="KY1").update(code="0042")
    told = Told(client, "a.xlsx", stores(chain, [42, *shop(chain)[1:]]))
    assert told.wrong == [(2, "code")] and "“0042”" in told.problems[0][3]


def test_the_names_of_the_columns_may_lie_lower_and_must_be_there(client: Client, chain: Chain) -> None:
    rows = [[], ["As of May"], [], [" Code * ", "NAME", "Node", "Country"], shop(chain), shop(chain, "KY1")]
    told = Told(client, "a.xlsx", book({"stores": rows}))
    assert told.wrong == [(6, "Code *")]
    told = Told(client, "a.xlsx", book({"stores": [["KY1", "Kyiv One", "KYIV", "UA"]]}))
    assert told.wrong == [(1, "")] and "has to name the columns" in told.problems[0][3]
    told = Told(client, "a.xlsx", book({"stores": [["code", "name", "colour", "country"], shop(chain)]}))
    assert told.wrong == [(1, "colour"), (1, "node")]


def test_line_breaks_and_invisible_signs_in_cells(client: Client, chain: Chain) -> None:
    row = ["\ufeffKY1\u200b", "09:00–13:00\n14:00–18:00", *[DAY] * 6]
    told = Told(client, "a.xlsx", book({"hours": [HOURS, row]}))
    assert told.fine and "09:00–13:00, 14:00–18:00" in told.page
    assert Told(client, "a.csv", text("stores", [shop(chain, name="Bell\x07")], columns=STORE[:4])).wrong == [
        (2, "name")
    ]
    assert Told(client, "a.csv", text("stores", [shop(chain, name="x" * 2001)], columns=STORE[:4])).wrong == [
        (2, "name")
    ]


# --- text files -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-16-le", ";"), ("utf-16-be", "|")],
)
def test_text_in_any_unicode_with_anything_between(client: Client, chain: Chain, encoding: str, delimiter: str) -> None:
    lines = text("stores", [shop(chain, name="Київ Один")], columns=STORE[:4], delimiter=delimiter).decode()
    told = Told(client, "stores.txt", (lines.replace("\n", "\r\n") + "\r\n").encode(encoding))
    assert told.fine and "Київ Один" in told.page


def test_text_that_is_not_whole(client: Client, chain: Chain) -> None:
    good = text("stores", [shop(chain)], columns=STORE[:4])
    assert Told(client, "a.csv", b"sep=;\r\n" + good.replace(b",", b";")).fine
    shifted = good + b"\nLV1,Lviv, the second,KYIV,UA"
    told = Told(client, "a.csv", shifted)
    assert (3, "") in told.wrong and "quotation marks" in " ".join(said for *_place, said in told.problems)
    assert "row 3" in Told(client, "a.csv", good + b'\n"LV1,Lviv').refused
    assert "row 3" in Told(client, "a.csv", good + "\nLV1,Lviv Süd,X,UA".encode("cp1252")).refused


def test_a_million_empty_rows(client: Client, chain: Chain) -> None:
    good = text("stores", [shop(chain)], columns=STORE[:4])
    told = Told(client, "a.csv", good + b"\n" + b",,,\n" * 1_000_000 + b"NO,,,\n")
    assert told.wrong == [(1_000_003, column) for column in ("name", "node", "country")]

    def format_down(sheet: str) -> str:
        return sheet.replace("</sheetData>", '<row r="1048576"><c r="D1048576" s="0"/></row></sheetData>')

    told = Told(client, "a.xlsx", rewritten(stores(chain), SHEET1, format_down))
    assert told.fine or "1048576" in told.refused


@pytest.mark.parametrize(
    ("name", "data", "remedy"),
    [
        ("a.csv", b"code,name,node,country" + b"," * 2_000_000, "2000004 columns"),
        ("a.csv", b"x" * 2_000_000, "row 0"),
        ("a.csv", b"code,name,node,country\n" + b'"' + b" " * 2_000_000, "row 2"),
    ],
    ids=["columns", "one word", "one cell"],
)
def test_text_that_would_take_for_ever(client: Client, chain: Chain, name: str, data: bytes, remedy: str) -> None:
    assert remedy in Told(client, name, data).refused


def test_workbooks_that_would_take_for_ever(client: Client, chain: Chain) -> None:
    def many(cells: str) -> bytes:
        return rewritten(stores(chain), SHEET1, lambda sheet: sheet.replace("</sheetData>", f"{cells}</sheetData>"))

    assert "too large" in Told(client, "a.xlsx", many("<row>" + "<c><v>1</v></c>" * 3_100_000 + "</row>")).refused
    assert "columns" in Told(client, "a.xlsx", many("<row>" + "<c><v>1</v></c>" * 2_000 + "</row>")).refused
    merged = "".join(f'<mergeCell ref="A{row}:B{row}"/>' for row in range(2, 2000))
    data = rewritten(
        stores(chain),
        SHEET1,
        lambda sheet: sheet.replace("</worksheet>", f"<mergeCells>{merged}</mergeCells></worksheet>"),
    )
    assert "split them" in Told(client, "a.xlsx", data).refused


@pytest.mark.parametrize(
    "row",
    [
        '<row r="900000"><c r = "ZZ900000"><v>1</v></c></row>',
        '<row r="900000"><c r="zz900000"><v>1</v></c></row>',
        '<row r="2"><c r="ABCDEF2"><v>1</v></c></row>',
        '<row r="900000">' + "<c><v>1</v></c>" * 400 + "</row>",
        '<row r="900000"/>' + "<row/>" * 9 + '<row r="3"><c r="ZZ3"><v>1</v></c></row>',
    ],
)
@pytest.mark.parametrize("folder", ["worksheets", "elsewhere"])
def test_a_cell_far_out_is_found_however_its_place_is_written(
    client: Client, chain: Chain, row: str, folder: str
) -> None:
    data = rewritten(stores(chain), SHEET1, lambda sheet: sheet.replace("</sheetData>", f"{row}</sheetData>"))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            moved = old.read(one).replace(b"worksheets/sheet1.xml", f"{folder}/sheet1.xml".encode())
            new.writestr(one.filename.replace("worksheets/", f"{folder}/"), moved)
    assert "far outside" in Told(client, "a.xlsx", out.getvalue()).refused


def test_shared_words_full_of_blanks_do_not_take_for_ever(client: Client, chain: Chain) -> None:
    name = "Kyiv" + " " * 1900 + "One"
    data = stores(chain, *(shop(chain, f"KY{number}", name) for number in range(2000)))
    begun = process_time()
    Told(client, "a.xlsx", data)
    assert process_time() - begun < 60


# --- files of other kinds -------------------------------------------------------------------------------------------
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def package(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as parts:
        for name in names:
            parts.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "remedy"),
    [
        ("protected.xlsx", OLE + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le"), "password"),
        ("old.xls", OLE + b"\0" * 500 + "Workbook".encode("utf-16-le"), ".xlsx"),
        ("page.xls", b"<html><table><tr><td>code</td></tr></table></html>", ".xlsx"),
        ("page.csv", b"<!DOCTYPE html><title>Sign in</title>", "web page"),
        ("stores.ods", package("mimetype", "content.xml", "styles.xml"), ".xlsx"),
        ("stores.numbers", package("Index/Document.iwa", "Metadata/Properties.plist"), ".xlsx"),
        ("stores.xlsb", package("xl/workbook.bin"), ".xlsx"),
        ("letter.docx", package("word/document.xml"), ".xlsx"),
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3", ".xlsx"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0", "neither a workbook nor a text file"),
        ("empty.csv", b"\n", "There is nothing in this file"),
        ("cut.xlsx", b"PK\x03\x04\x14\0\0\0", ".xlsx anew"),
        ("rows.csv", b"KY1,Kyiv One,KYIV,UA\n", "code, name, node, country"),
    ],
)
def test_other_kinds_of_files_say_what_to_do(client: Client, chain: Chain, name: str, data: bytes, remedy: str) -> None:
    assert remedy in Told(client, name, data).refused


def test_a_file_that_is_too_large_or_missing_is_refused_at_once(client: Client, chain: Chain) -> None:
    assert "20 MB" in Told(client, "a.csv", b"," * (20 * 1024 * 1024 + 1)).refused
    assert client.post("/setup/import/", {}).status_code == 422
    assert client.post("/setup/import/", {"file": "not a file"}).status_code == 422
    assert not StoreImport.objects.exists()


def test_bombs_are_refused_before_they_are_unpacked(client: Client, chain: Chain) -> None:
    good = stores(chain)

    def grow(sheet: str) -> str:
        return sheet.replace("</sheetData>", " " * 84_000_000 + "</sheetData>")

    bomb = rewritten(good, SHEET1, grow)
    assert len(bomb) < 1_000_000 and "too large when unpacked" in Told(client, "a.xlsx", bomb).refused
    # A file that says it is small and is not: no more is read than it says.
    lying = bytearray(bomb)
    at = lying.rindex(b"xl/worksheets/sheet1.xml") - 46
    assert lying[at : at + 4] == b"PK\x01\x02"
    lying[at + 24 : at + 28] = (2000).to_bytes(4, "little")
    assert Told(client, "a.xlsx", bytes(lying)).refused

    def entities(sheet: str) -> str:
        deep = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
        return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "laugh">{deep}]>' + re.sub(
            r"^<\?xml.*?\?>", "", sheet
        ).replace("Kyiv One", "&e9;")

    told = Told(client, "a.xlsx", rewritten(good, SHEET1, entities))
    assert told.refused or len(told.page) < 100_000


# --- what does not fit together -------------------------------------------------------------------------------------
@pytest.mark.parametrize("zone", ["Kyiv", "CET", "UTC+2", "(UTC+02:00) Kyiv", "FLE Standard Time", "europe/kyiv "])
def test_a_zone_that_is_none_says_how_to_write_it(client: Client, chain: Chain, zone: str) -> None:
    told = Told(client, "a.csv", text("stores", [[*shop(chain), zone]], columns=STORE))
    assert told.wrong == [(2, "time_zone")] and "Europe/Kyiv" in told.problems[0][3]


def test_a_zone_of_another_country_is_a_slip_and_the_right_ones_are_named(client: Client, chain: Chain) -> None:
    told = Told(client, "a.csv", text("stores", [[*shop(chain, "DE1"), "Europe/Berlin"]], columns=STORE))
    assert told.wrong == [(2, "time_zone")] and "Europe/Kyiv" in told.problems[0][3]
    # What was so before is the checklist's: an export imports cleanly whatever is in it.
    Store.objects.filter(code="KY1").update(time_zone="Europe/Berlin")
    assert Told(client, "a.csv", text("stores", [[*shop(chain), "Europe/Berlin"]], columns=STORE)).fine


def test_one_address_in_two_spellings_is_one_person(client: Client, chain: Chain) -> None:
    rows = [["New@Shops.example", "New", "deputy", "KY1"], ["new@shops.EXAMPLE", "New", "deputy", "LV1"]]
    told = Told(client, "staff.csv", text("staff", rows, columns=STAFF))
    assert told.fine and told.upload and told.upload.report["line_count"] == 1
    client.post(f"/setup/import/{told.upload.pk}/confirm/")
    run_due()
    assert RoleAssignment.objects.filter(user__email="new@shops.example").count() == 2
    rows[1][1] = "Somebody else"
    assert Told(client, "staff.csv", text("staff", rows, columns=STAFF)).wrong == [(3, "name")]


def test_every_role_that_one_may_not_give_is_named(client: Client, chain: Chain) -> None:
    client.force_login(chain.operator)
    place = chain.root.code
    rows = [["n@b.example", "N", "head_office", place], ["n@b.example", "N", "area_manager", chain.area.code]]
    told = Told(client, "staff.csv", text("staff", rows, columns=STAFF))
    assert told.wrong == [(2, "role"), (3, "role")]


def test_a_code_that_somebody_meant_hides_nothing_else_of_its_row(client: Client, chain: Chain) -> None:
    row = ["ky1", "One", chain.area.code, "UA", "Kyiv"]
    assert Told(client, "a.csv", text("stores", [row], columns=STORE)).wrong == [(2, "code"), (2, "time_zone")]
    columns = ["code", "name", "kind", "parent"]
    node = [chain.area.code.swapcase(), "One", chain.area.kind, "NOWHERE"]
    assert Told(client, "nodes.csv", text("nodes", [node], columns=columns)).wrong == [(2, "code"), (2, "parent")]


def test_two_rows_together_make_no_circle_either(client: Client, chain: Chain) -> None:
    one, other, root = chain.area, chain.other_area, chain.root
    columns = ["code", "name", "kind", "parent"]
    into = [[one.code, one.name, one.kind, other.code], [other.code, other.name, other.kind, one.code]]
    told = Told(client, "nodes.csv", text("nodes", into, columns=columns))
    assert told.wrong == [(3, "parent")] and "below itself" in told.problems[0][3]
    # Taken out first, it may take the other's place.
    assert Told(client, "nodes.csv", text("nodes", into[:1], columns=columns)).fine
    one.parent = other
    one.save()
    swap = [[one.code, one.name, one.kind, root.code], [other.code, other.name, other.kind, one.code]]
    told = Told(client, "nodes.csv", text("nodes", swap, columns=columns))
    assert told.fine and told.upload
    client.post(f"/setup/import/{told.upload.pk}/confirm/")
    run_due()
    moved = Node.objects.get(pk=other.pk)
    assert moved.parent_id == one.pk and Node.objects.get(pk=one.pk).parent_id == root.pk


def test_an_empty_sheet_does_not_close_the_chain(client: Client, chain: Chain) -> None:
    told = Told(client, "stores.csv", text("stores", []), retire_missing="on")
    assert told.wrong == [(1, "")] and "all of them would be closed" in told.problems[0][3]
    assert Told(client, "stores.csv", text("stores", [])).fine


def test_words_for_kinds_roles_and_yes_are_understood_in_every_language(client: Client, chain: Chain) -> None:
    rows = [["a@b.example", "A", "Filialleitung", "KY1"], ["c@d.example", "C", "Store manager", "KY1"]]
    with_german = Told(client, "staff.csv", text("staff", rows, columns=STAFF))
    assert with_german.fine, with_german.problems
    row = ["N1", "One", "Region", chain.root.code]
    assert Told(client, "nodes.csv", text("nodes", [row], columns=["code", "name", "kind", "parent"])).fine


def test_nothing_of_a_sloppy_file_is_kept(client: Client, chain: Chain) -> None:
    before = [model.objects.count() for model in (Store, Node, User, OpeningInterval, ConfigChange)]
    rows = [[*shop(chain, code), "Europe/Kyiv"] for code in ("NEW1", "NEW2", "NEW3")]
    rows[2][3] = "Ukraine"
    told = Told(client, "a.xlsx", book({"stores": [STORE, *rows]}))
    assert told.wrong == [(4, "country")] and told.upload and "Carry it out" not in told.page
    client.post(f"/setup/import/{told.upload.pk}/confirm/")
    while run_due():
        pass
    assert before == [model.objects.count() for model in (Store, Node, User, OpeningInterval, ConfigChange)]


# --- languages ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("language", "sheets", "column"),
    [
        ("en", ["nodes", "stores", "hours", "staff", "help"], "time_zone"),
        ("de", ["Knoten", "Filialen", "Öffnungszeiten", "Personal", "Hilfe"], "Zeitzone"),
        ("uk", ["вузли", "магазини", "години", "персонал", "довідка"], "часовий_пояс"),
    ],
)
def test_templates_speak_the_readers_language_and_import_whoever_reads_them(
    client: Client, chain: Chain, language: str, sheets: list[str], column: str
) -> None:
    User.objects.filter(pk=chain.head_office.pk).update(language=language)
    template = openpyxl.load_workbook(io.BytesIO(client.get("/setup/import/template.xlsx").content))
    assert template.sheetnames == sheets
    header = [cell.value for cell in template[sheets[1]][1]]
    assert column in header and column in client.get("/setup/import/").content.decode()
    filled = dict(zip(SHEETS["stores"], header, strict=True))
    cells = {str(filled[one]): "" for one in filled}
    names = {one.name: str(label) for one, label in filled.items()}
    good = {"code": "KY1", "name": "Kyiv One", "node": chain.area.code, "country": "UA", "time_zone": "Nowhere"}
    template[sheets[1]].append(list((cells | {names[name]: value for name, value in good.items()}).values()))
    out = io.BytesIO()
    template.save(out)
    # Sent by somebody who reads another language; what is wrong is named as the file names it.
    User.objects.filter(pk=chain.head_office.pk).update(language="en" if language != "en" else "uk")
    told = Told(client, "template.xlsx", out.getvalue())
    assert [problem[:3] for problem in told.problems] == [(sheets[1], 2, column)]


@pytest.mark.parametrize("language", ["de", "uk"])
def test_an_export_in_any_language_imports_cleanly_in_another(client: Client, chain: Chain, language: str) -> None:
    User.objects.filter(pk=chain.head_office.pk).update(language=language)
    chain.head_office.refresh_from_db()
    job = exporting.start_export(chain.head_office, "/")
    run_due()
    job.refresh_from_db()
    lines = b"".join(client.get("/setup/export/stores.csv").streaming_content)  # type: ignore[attr-defined]
    assert b"country" not in lines
    other = make_user(email="other@example.org", role=Role.HEAD_OFFICE, node=chain.root)
    client.force_login(other)
    for name, data in (("stores.xlsx", b"".join(job.read())), ("stores.csv", lines)):
        told = Told(client, name, data)
        assert told.fine and told.upload and told.upload.report["line_count"] == 0


def test_no_two_columns_of_a_sheet_share_a_name_in_any_language() -> None:
    for sheet, columns in SHEETS.items():
        assert set(columns_named(sheet).values()) == {column.name for column in columns}
        assert len(columns_named(sheet)) >= 3 * len(columns) - 8, "each has a name of its own in each language"
    assert sheet_named("FILIALEN ") == "stores" and sheet_named("Hilfe") == "" and sheet_named("Anderes") is None
    assert {fold("п'ятниця"), fold("п’ятниця")} == {fold("пʼятниця")}
