"""Files of what a page shows: the same figures, within one's roles, harmless in a spreadsheet, gone in time."""

import csv
import io
import json
import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.actions import withdraw_permission
from core.jobs import KEPT_FOR, JobFailed, run_due
from core.models import Job, JobChunk, JobState
from core.personal import erase_response
from core.retention import purge
from core.spreadsheets import as_typed, csv_lines, harmless
from core.work import drain
from customers.models import Contact
from reports import answers, exporting
from reports.exporting import ANSWERS, FIGURES, start_export
from reports.periods import Week
from sentiment.models import Sentiment
from stores.actions import move_stores
from stores.choices import SecurityEventKind
from stores.models import SecurityEvent, Store, User
from stores.people import take_role
from surveys.models import Response, Verbatim
from tests.factories import Chain
from tests.reports.makers import announce, answer, make_analysis, make_case
from tests.reports.test_wall import TODAY as NOW

# Noon of it is past at any hour.
TODAY = NOW - timedelta(days=2)


def ask(client: Client, user: User, page: str, query: str = "", **fields: str) -> Job:
    """The finished job of a file asked for on a page."""
    client.force_login(user)
    fields = {"of": page, "query": query, "format": "csv", "kind": ANSWERS} | fields
    response = client.post(reverse("report_files"), fields)
    assert response.status_code == 302, response.status_code
    run_due()
    return Job.objects.latest("created_at")


def content(job: Job) -> bytes:
    assert job.state == JobState.DONE, job.note
    return b"".join(job.read())


def table(job: Job) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(job).decode("utf-8-sig"))))


def told(chain: Chain, words: str, *, redacted: str, **changes: Any) -> Response:
    (response,) = answer(chain.touchpoint, 3, day=TODAY, words=words)
    make_analysis(
        response.verbatims.get(),
        sentiment=Sentiment.NEGATIVE,
        redacted=redacted,
        topics=[{"topic": "staff", "sentiment": "negative"}],
    )
    response.contact = Contact.create("phone", "+380441234567")
    response.contact_wish = "call"
    response.save()
    make_case(response, shopper_name="Olha")
    return response


def test_figures_in_a_file_are_those_of_the_page(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=12)
    answer(chain.touchpoint, 3, day=TODAY, times=4)
    answer(chain.foreign_touchpoint, 9, day=TODAY, times=7)
    lines = [
        row
        for row in table(ask(client, chain.head_office, "reports", kind=FIGURES))
        if row["Table"] == "Ways of asking"
    ]
    (line,) = lines
    assert (line["n"], line["Value"]) == ("23", "65.22")
    assert float(line["95 % from"]) < 65.22 < float(line["95 % to"])
    # A manager's file is of their store, and hides what the page hides.
    stores = table(ask(client, chain.manager, "report_stores", kind=FIGURES))
    assert [(row["Code"], row["n"], row["Value"]) for row in stores] == [(chain.store.code, "16", "50.0")]
    answer(chain.foreign_touchpoint, 9, day=TODAY, channel="call", sample_kind="verified", times=3)
    job = ask(client, chain.head_office, "reports", kind=FIGURES, format="jsonl")
    lines_of = [json.loads(line) for line in content(job).decode().splitlines()]
    (few,) = (line for line in lines_of if line["table"] == "ways" and line["n"] == 3)
    assert (few["value"], few["hidden"]) == (None, True)


@pytest.mark.parametrize(
    "page", ["report_calls", "report_topics", "report_loop", "report_asking", "report_compare", "report_change"]
)
def test_every_page_of_figures_becomes_a_workbook(client, chain, page):
    answer(chain.touchpoint, 10, day=TODAY, times=40)
    told(chain, "The staff was rude", redacted="The staff was rude")
    book = openpyxl.load_workbook(
        io.BytesIO(content(ask(client, chain.head_office, page, kind=FIGURES, format="xlsx")))
    )
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert kinds <= {"s", "n"}
    client.force_login(chain.head_office)
    assert "As a file" in client.get(reverse(page)).content.decode()


def test_answers_leave_without_names_and_numbers_unless_asked_for(client, chain, settings):
    settings.FLAGS_LEFT_OUT = ["burst"]
    told(chain, '=HYPERLINK("http://x") call Olha on 0441234567', redacted="=HYPERLINK() call [name] on [phone]")
    answer(chain.touchpoint, 9, day=TODAY + timedelta(days=1), words="Not read yet, 0441234567", flags=["burst"])
    (new, row) = table(ask(client, chain.manager, "reports"))
    assert row["Comment"] == "'=HYPERLINK() call [name] on [phone]"
    assert (row["Score"], row["Tone"], row["Topics"], row["Case"]) == ("3", "negative", "Staff", "Open")
    assert (new["Comment"], new["In the figures"]) == ("", "no")
    assert "Contact" not in row and "Olha" not in str(row)
    (new, row) = table(ask(client, chain.manager, "reports", personal="1"))
    assert (row["Name"], row["Contact"]) == ("Olha", "'+380441234567")
    assert "0441234567" in row["Comment"] and "0441234567" in new["Comment"] and new["Contact"] == ""
    sheet = openpyxl.load_workbook(io.BytesIO(content(ask(client, chain.manager, "reports", format="xlsx")))).active
    assert {cell.data_type for line in sheet.iter_rows() for cell in line if cell.value is not None} <= {"s", "n"}
    # Whoever took the permission back is not to be contacted.
    withdraw_permission(told(chain, "Late", redacted="Late").pk)
    assert [row["Contact"] for row in table(ask(client, chain.manager, "reports", personal="1"))].count("") == 2
    # Of somebody else's store nobody gets a line, whatever the address says.
    assert table(ask(client, chain.foreign_manager, "reports")) == []
    client.force_login(chain.foreign_manager)
    sent = {"of": "reports", "query": f"store={chain.store.code}", "format": "csv", "kind": ANSWERS}
    assert client.post(reverse("report_files"), sent).status_code == 404


def test_a_search_for_words_becomes_a_file_piece_by_piece(client, chain, monkeypatch):
    monkeypatch.setattr(answers, "BATCH", 3)
    for number in range(8):
        answer(chain.touchpoint, 9, day=TODAY, words=f"slow queue {number}")
    answer(chain.touchpoint, 9, day=TODAY, words="lovely")
    job = ask(client, chain.manager, "verbatims", "q=queue", format="jsonl", personal="1")
    rows = [json.loads(line) for line in content(job).decode().splitlines()]
    assert sorted(row["words"] for row in rows) == [f"slow queue {number}" for number in range(8)]
    assert job.done == job.total == 8
    # One that said it twice is one row, wherever a piece ends.
    for number, response in enumerate(Response.objects.filter(verbatims__text__contains="queue")):
        response.submitted_at += timedelta(minutes=number)
        response.save()
        Verbatim.objects.create(response=response, question="more", text="the queue again")
        announce(response)
    drain(["facts"])
    assert len(table(ask(client, chain.manager, "verbatims", "q=queue"))) == 8
    assert len(table(ask(client, chain.manager, "reports"))) == 9


def test_a_file_ends_with_its_words_and_with_the_roles_behind_it(client, chain):
    response = told(chain, "Call me, it is Olha", redacted="Call me, it is [name]")
    job = ask(client, chain.manager, "reports")
    other = ask(client, chain.manager, "reports", f"weeks=4&store={chain.store.code}", format="jsonl")
    assert client.get(reverse("report_files")).content.decode().count('/file"') == 2
    theirs = ask(client, chain.foreign_manager, "reports")
    client.force_login(chain.manager)
    assert client.get(reverse("job_file", args=[theirs.pk])).status_code == 404
    erase_response(response.pk)
    for one in (job, other):
        one.refresh_from_db()
        assert (one.state, one.chunks.count()) == (JobState.FAILED, 0) and "deleted" in one.note
        assert client.get(reverse("job_file", args=[one.pk])).status_code == 404
    half = ask(client, chain.manager, "reports")
    Job.objects.filter(pk=half.pk).update(state=JobState.CANCELLED)
    erase_response(response.pk)
    assert not half.chunks.exists()
    take_role(chain.manager.roles.get(), actor=None)
    client.post(reverse("report_files"), {"of": "reports", "query": "", "format": "csv"})
    assert client.get(reverse("report_files")).status_code == 404


def test_a_file_is_of_the_weeks_of_its_title(client, chain, monkeypatch):
    week = Week.of(NOW)
    answer(chain.touchpoint, 9, day=(week + -3).monday, times=6)
    client.force_login(chain.manager)
    asked = {"of": "reports", "query": "weeks=4", "format": "csv", "kind": ANSWERS}
    assert client.post(reverse("report_files"), asked).status_code == 302
    monkeypatch.setattr("reports.pages.latest_day", lambda zones: (week + 1).monday)
    run_due()
    assert len(table(Job.objects.latest("created_at"))) == 6


def test_the_title_of_a_file_is_in_the_language_of_who_reads_it(client, chain):
    job = ask(client, chain.manager, "reports", "weeks=4", kind=FIGURES)
    assert job.title.startswith("Figures · Everything · ")
    chain.manager.language = "de"
    chain.manager.save()
    for page in (reverse("report_files"), reverse("job", args=[job.pk])):
        shown = client.get(page).content.decode()
        assert "Zahlen · Alles · " in shown and job.title not in shown
    # Of one from before the parts of its title were kept.
    Job.objects.update(params={**job.params, "parts": [{"days": job.params["parts"][0]["days"]}]})
    assert job.title in client.get(reverse("report_files")).content.decode()


def test_what_is_too_much_for_one_file_is_counted_by_its_job_and_said_on_its_page(client, chain, monkeypatch):
    answer(chain.touchpoint, 9, day=TODAY, times=3)
    monkeypatch.setattr(exporting, "MOST_IN_WORKBOOK", 2)
    client.force_login(chain.manager)
    asked = {"of": "reports", "query": "weeks=4", "format": "xlsx", "kind": ANSWERS, "personal": "1"}
    with CaptureQueriesContext(connection) as queries:
        client.post(reverse("report_files"), asked)
    # Nobody waits for a million answers to be counted, least of all holding a lock.
    assert not any("surveys_response" in query["sql"] for query in queries)
    run_due()
    job = Job.objects.get()
    assert job.state == JobState.FAILED and not job.chunks.exists()
    page = client.get(reverse("job", args=[job.pk])).content.decode()
    assert "More than 2 answers" in page and "weeks=4" in page
    # Nor is one cut that answers were added to meanwhile.
    with pytest.raises(JobFailed, match="More than 2 answers"):
        list(exporting.run_answers(job))


def test_a_file_ends_with_its_words_though_their_store_has_moved(client, chain):
    (response,) = answer(chain.touchpoint, 3, day=TODAY, words="It is Olha")
    job = ask(client, chain.head_office, "reports", f"node={chain.area.pk}")
    assert job.state == JobState.DONE
    move_stores(Store.objects.filter(pk=chain.store.pk), to=chain.other_area, actor=None)
    erase_response(response.pk)
    job.refresh_from_db()
    assert (job.state, job.chunks.count()) == (JobState.FAILED, 0)


def test_behind_a_comparison_are_the_answers_of_both_sides(client, chain):
    answer(chain.touchpoint, 9, day=TODAY, times=6)
    answer(chain.foreign_touchpoint, 2, day=TODAY, times=5)
    answer(chain.touchpoint, 4, day=TODAY - timedelta(weeks=13), times=2)
    answer(chain.touchpoint, 4, day=TODAY - timedelta(weeks=52), times=1)
    two = f"node={chain.area.pk}&against=group&node2={chain.other_area.pk}"
    for query, scores in ((two, "22222999999"), ("", "2222244999999"), ("against=year", "222224999999")):
        job = ask(client, chain.head_office, "report_compare", query)
        assert "".join(sorted(row["Score"] for row in table(job))) == scores
    erase_response(Response.objects.filter(store=chain.foreign)[0].pk)
    assert {job.state for job in Job.objects.all()} == {JobState.FAILED}
    for response in Response.objects.filter(score__in=(9, 2)):
        announce(response, make_case(response))
    drain(["facts"])
    client.force_login(chain.head_office)
    page = client.get(reverse("report_compare") + "?" + two)
    for row in [*page.context["comparison"].scores, *page.context["comparison"].shares]:
        for words, place in ((row.words, chain.area), (row.other_words, chain.other_area)):
            assert f"node={place.pk}" in words
            assert f'href="{reverse("verbatims")}{words.replace("&", "&amp;")}"' in page.content.decode()


def test_a_file_of_a_comparison_tells_what_its_page_tells(client, chain):
    for day, topic in ((TODAY, "price"), (TODAY - timedelta(weeks=13), "staff")):
        for response in answer(chain.touchpoint, 2, day=day, times=12, words="So dear and so late"):
            topics = [{"topic": topic, "sentiment": "negative"}, {"topic": "waiting", "sentiment": "negative"}]
            make_analysis(response.verbatims.get(), sentiment=Sentiment.NEGATIVE, topics=topics)
            announce(response)
    drain(["facts"])
    client.force_login(chain.head_office)
    page = client.get(reverse("report_compare")).context["comparison"]
    rows = table(ask(client, chain.head_office, "report_compare", "", kind=FIGURES))
    (score, before) = (row for row in rows if row["Way of asking"] == page.scores[0].name)
    assert (score["To day"], before["To day"]) == (str(page.first.span.end), str(page.second.span.end))
    changed = [row for row in page.topics if row.change]
    assert {row.stands for row in changed} == {True, False}
    for row in changed:
        one, other = (line for line in rows if line["Way of asking"] == row.name)
        assert float(one["Change"]) == pytest.approx(row.change.points, abs=0.01)
        assert (one["More than chance"] == "yes") == row.stands and other["Change"] == ""


def test_who_takes_names_and_contacts_is_limited_and_known(client, chain):
    told(chain, "Call me", redacted="Call me")
    asked = {"of": "reports", "query": "", "format": "csv", "kind": ANSWERS, "personal": "1"}
    client.force_login(chain.manager)
    for _ in range(exporting.MOST_PERSONAL):
        assert client.post(reverse("report_files"), asked).status_code == 302
    page = client.post(reverse("report_files"), asked, follow=True).content.decode()
    assert "are being made for you already" in page
    assert Job.objects.count() == exporting.MOST_PERSONAL
    # Of those without names there may be more, and so may be of somebody else's.
    client.post(reverse("report_files"), asked | {"personal": ""})
    client.force_login(chain.deputy)
    client.post(reverse("report_files"), asked)
    assert Job.objects.count() == exporting.MOST_PERSONAL + 2
    assert not SecurityEvent.objects.filter(kind=SecurityEventKind.PERSONAL_FILE).exists()
    while run_due():
        pass
    found = SecurityEvent.objects.filter(kind=SecurityEventKind.PERSONAL_FILE)
    assert Counter(event.user for event in found) == {chain.manager: 2, chain.deputy: 1}
    assert {event.rows for event in found} == {1} and all("CSV" in event.scope for event in found)
    with pytest.raises(DatabaseError), transaction.atomic():
        found.update(rows=0)
    # The files are gone after a week, and who took them is still known.
    Job.objects.update(created_at=timezone.now() - KEPT_FOR - timedelta(hours=1))
    purge()
    assert not Job.objects.exists() and not JobChunk.objects.exists()
    client.force_login(chain.head_office)
    page = client.get(reverse("security_events"), {"kind": "personal_file"}).content.decode()
    assert page.count("1 answer</span>") == 3


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_begun_while_words_are_erased_does_not_hold_them():
    chain = Chain()
    (response,) = answer(chain.touchpoint, 3, day=TODAY, words="It is Olha")
    looked, go_on = threading.Event(), threading.Event()

    def erase() -> None:
        with transaction.atomic():
            erase_response(response.pk)
            looked.set()
            go_on.wait(timeout=60)
        connection.close()

    def make() -> None:
        run_due()
        connection.close()

    eraser, maker = threading.Thread(target=erase), threading.Thread(target=make)
    eraser.start()
    assert looked.wait(timeout=60)
    # The erasure has looked for files, and is not committed.
    job = start_export(chain.manager, page="reports", query="", kind=ANSWERS, form="csv", personal=True)
    maker.start()
    maker.join(timeout=1)
    go_on.set()
    eraser.join(timeout=60)
    maker.join(timeout=60)
    job.refresh_from_db()
    assert [row["Comment"] for row in table(job)] == [""]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1", "\n=1", "＝1", "\ufeff=1"])
def test_no_text_is_a_formula(cell):
    assert harmless(cell) == f"'{cell}" and as_typed(harmless(cell)) == cell
    assert harmless("a=1") == "a=1" and as_typed("'tis") == "'tis"


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("\n=1", "'\n'=1"),
        ("slow;=1+1;bye", "slow;'=1+1;bye"),
        ('slow; "=1+1', "slow; \"'=1+1"),
        ("slow\n=1", "slow\n'=1"),
        ("- slow\n- dear\tbut", "'- slow\n'- dear\tbut"),
        ("thanks ;-) a=1; b", "thanks ;-) a=1; b"),
    ],
)
def test_nor_is_it_where_a_spreadsheet_parts_cells_at_semicolons(cell, kept):
    (row,) = csv.reader(io.StringIO("".join(csv_lines([[cell, -1, cell]])), newline=""))
    assert row == [kept, "-1", kept] and as_typed(kept) == cell
