"""Files of what report pages show: the figures of a page, or the answers behind it. Each is a long job.

Who asked is asked again when the file is made: it holds what their roles show then. It is theirs alone, for as long as
those roles hold, and goes after a week.
"""

import io
import json
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.jobs import JobFailed, register_job, show_progress, start_job
from core.leases import ClockNow
from core.models import Job, JobChunk, JobState
from core.personal import on_erase
from core.spreadsheets import XLSX, Value, csv_lines, workbook_options
from reports import tables
from reports.answers import Labels, Part, Wanted, answers_found, answers_of, batch_of
from reports.call_figures import ASKED
from reports.call_pages import of_centre
from reports.comparing import read_choice
from reports.explorer import read_search
from reports.filters import Filters
from reports.pages import Reading, read
from reports.periods import Week, written_dates
from stores.models import User
from stores.security_log import note_file
from surveys.models import Response

FIGURES, ANSWERS = "figures of reports", "answers of reports"
KINDS = (FIGURES, ANSWERS)
CSV, WORKBOOK, JSON_LINES = "csv", "xlsx", "jsonl"
FORMATS = {
    CSV: ("CSV", "text/csv; charset=utf-8"),
    WORKBOOK: ("Excel", XLSX),
    JSON_LINES: ("JSON Lines", "application/x-ndjson"),
}
# The page of words; all others are those of figures. That of two groups has the answers of both behind it.
WORDS, COMPARED = "verbatims", "report_compare"
# That of a call centre has the answers to its calls behind it.
CALLS = "report_calls"
# More is too much for one file; a workbook is written in one go.
MOST_ROWS, MOST_IN_WORKBOOK = 1_000_000, 50_000
# How many files with names and contacts one person may have in the making at a time.
MOST_PERSONAL = 2
_PIECE = 1024 * 1024
_ERASING = 0x4848_4552


class ExportRefused(Exception):
    """No such file is made; the message says why, for the person who asked."""


@transaction.atomic
def start_export(user: User, *, page: str, query: str, kind: str, form: str, personal: bool) -> Job:
    """A file of what `page`, asked for with `query`, shows. Raises Http404 for what its reader may not see, and
    ExportRefused."""
    parts = _parts(page, tables.asked(query, user))
    if personal and kind == ANSWERS:
        _refuse_many(user)
    params: dict[str, Any] = {
        "page": page,
        "query": query,
        "format": form,
        "personal": personal,
        "language": translation.get_language(),
        "week": str(read(tables.asked(query, user)).week),
        # Of which days words may be in it: erasing asks. What its title names.
        "parts": [
            {
                "days": part.days,
                "place": part.place.name if part.place else "",
                "period": [part.period.start.isoformat(), part.period.end.isoformat()],
            }
            for part in parts
        ],
    }
    job = start_job(
        kind,
        owner=user.pk,
        title=_title(kind, params),
        params=params,
        back_url=(reverse(page) + (f"?{query}" if query else ""))[:200],
    )
    return job


def _title(kind: str, params: dict[str, Any]) -> str:
    places = dict.fromkeys(part["place"] or _("Everything") for part in params["parts"])
    dates = dict.fromkeys(written_dates(*map(date.fromisoformat, part["period"])) for part in params["parts"])
    what = _("Answers") if kind == ANSWERS else _("Figures")
    return " · ".join([what, " / ".join(places), " / ".join(dates), FORMATS[params["format"]][0]])


def title_of_file(job: Job) -> str:
    """In the reader's language; of a file that was asked for before its parts were kept, as it was then."""
    told = all("period" in part for part in job.params.get("parts", [{}]))
    return _title(job.kind, job.params) if told else job.title


def _parts(page: str, request: HttpRequest, reading: Reading | None = None) -> list[Part]:
    """What a file of the page is of: one place in one period, of a comparison two."""
    reading = reading or read(request)
    if page == WORDS:
        search = read_search(request, reading.scope, reading.week)
        return [Part(Filters(node=search.node, store=search.store), search.period, search.since)]
    if page == CALLS:
        centre = of_centre(reading)
        return [Part(replace(centre.filters, channel=ASKED.channel, sample=ASKED.sample), centre.period)]
    if page == COMPARED:
        choice = read_choice(request, reading.scope, reading.filters, reading.week)
        return [Part(filters, period) for filters, period in choice.sides(reading.week)]
    return [Part(reading.filters, reading.period)]


def _refuse_many(user: User) -> None:
    # Of two requests at the same moment the second sees the first one's file.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    making = (JobState.WAITING, JobState.RUNNING)
    if Job.objects.filter(owner=user.pk, kind=ANSWERS, state__in=making, params__personal=True).count() < MOST_PERSONAL:
        return
    raise ExportRefused(
        ngettext(
            "%(n)s file with names and contacts is being made for you already. Wait until it is done, or stop it.",
            "%(n)s files with names and contacts are being made for you already. Wait until one is done, or stop one.",
            MOST_PERSONAL,
        )
        % {"n": MOST_PERSONAL}
    )


def _owner(job: Job) -> User:
    user = User.objects.filter(pk=job.owner or 0, is_active=True).first()
    if user is None:
        raise JobFailed(_("This account is closed."))
    return user


def _reading(job: Job, request: HttpRequest) -> Reading:
    """What its reader may see by now, of the weeks of its title: a Monday may have come since it was asked for."""
    return read(request, Week.parse(job.params["week"]))


def _in_its_language(run: Callable[[Job], Iterator[None]]) -> Callable[[Job], Iterator[None]]:
    """Each step in the language of who asked."""

    def steps(job: Job) -> Iterator[None]:
        inner = run(job)
        while True:
            with translation.override(job.params.get("language")):
                try:
                    next(inner)
                except StopIteration:
                    return
                except Http404:
                    raise JobFailed(_("Your roles do not show this any more.")) from None
            yield

    return steps


# --- figures ----------------------------------------------------------------------------------------------------
@_in_its_language
def run_figures(job: Job) -> Iterator[None]:
    """One step: a ranking of thousands of stores takes a second."""
    request = tables.asked(job.params["query"], _owner(job))
    lines = list(tables.PAGES[job.params["page"]](_reading(job, request), request))
    form = job.params["format"]
    job.add_file(f"figures.{form}", FORMATS[form][1])
    if form == WORKBOOK:
        _keep(job, figures_workbook(lines))
    elif form == CSV:
        head = [str(label) for label in tables.COLUMNS.values()]
        _keep(job, ("\ufeff" + "".join(csv_lines([head, *map(line_cells, lines)]))).encode())
    else:
        _keep(job, "".join(_json(asdict(line)) for line in lines).encode())
    job.done = job.total = len(lines)
    yield from ()


def line_cells(line: tables.Line) -> list[Value]:
    """A figure in words, in the order of tables.COLUMNS."""
    return [_said(name, getattr(line, name)) for name in tables.COLUMNS]


def _said(name: str, value: Any) -> Value:
    if isinstance(value, bool):
        return _("yes") if value else ""
    if name == "table":
        return str(tables.TABLES[value])
    if name == "unit":
        return str(tables.UNITS[value])
    return value.isoformat() if isinstance(value, date) else value


def figures_workbook(lines: Collection[tables.Line]) -> bytes:
    """A sheet for each table, with the columns that say something in it."""
    import xlsxwriter  # noqa: PLC0415 - only exports need it

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, workbook_options())
    head = book.add_format({"bold": True, "bottom": 1})
    for table, name in tables.TABLES.items():
        rows = [line_cells(line) for line in lines if line.table == table]
        if rows:
            used = [
                (place, label)
                for place, (key, label) in enumerate(tables.COLUMNS.items())
                if key != "table" and any(row[place] not in (None, "") for row in rows)
            ]
            sheet = book.add_worksheet(str(name)[:31])
            sheet.set_column(0, 0, 32)
            sheet.set_column(1, max(1, len(used) - 1), 16)
            sheet.freeze_panes(1, 1)
            for x, (_place, label) in enumerate(used):
                sheet.write_string(0, x, str(label), head)
            for y, row in enumerate(rows, start=1):
                _write(sheet, y, [row[place] for place, _label in used])
    if not lines:
        book.add_worksheet()
    book.close()
    return out.getvalue()


def _write(sheet: Any, y: int, cells: Iterable[Value]) -> None:
    for x, cell in enumerate(cells):
        if isinstance(cell, (int, float)):
            sheet.write_number(y, x, cell)
        elif cell is not None:
            # Never a formula or a link: text is written as text.
            sheet.write_string(y, x, str(cell))


def _json(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, default=str) + "\n"


def _keep(job: Job, data: bytes) -> None:
    for start in range(0, len(data), _PIECE):
        job.write(data[start : start + _PIECE])


# --- answers ----------------------------------------------------------------------------------------------------
def wanted_by(job: Job) -> Wanted:
    """Which answers, by the roles that who asked has now."""
    params, user = job.params, _owner(job)
    request = tables.asked(params["query"], user)
    reading = _reading(job, request)
    how: dict[str, Any] = {"until": job.created_at, "personal": params["personal"]}
    if params["page"] == WORDS:
        return answers_found(reading.scope, read_search(request, reading.scope, Week.parse(params["week"])), **how)
    return answers_of(reading.scope, _parts(params["page"], request, reading), **how)


def _count(wanted: Wanted, form: str) -> int:
    """How many answers the file will have. Raises JobFailed: a file is never cut, for nobody would see that."""
    most = MOST_IN_WORKBOOK if form == WORKBOOK else MOST_ROWS
    found = wanted.count(most + 1)
    if found > most:
        raise JobFailed(
            _("More than %(most)s answers: please choose fewer weeks, a region, or another format.") % {"most": most}
        )
    return found


@_in_its_language
def run_answers(job: Job) -> Iterator[None]:
    """Some thousand answers a step; a workbook in one, since nobody can go on with half of one."""
    _let_erasing_end()
    wanted, form = wanted_by(job), job.params["format"]
    if not job.cursor:
        job.total = _count(wanted, form)
        job.add_file(f"answers.{form}", FORMATS[form][1])
    if form == WORKBOOK:
        _write_workbook(job, wanted)
        _note(job)
        return
    head = [str(label) for label in wanted.columns.values()]
    if not job.cursor and form == CSV:
        job.write(("\ufeff" + "".join(csv_lines([head]))).encode())
    labels = Labels(_("yes"), _("no"))
    after = (datetime.fromisoformat(job.cursor["at"]), job.cursor["after"]) if job.cursor else None
    while True:
        rows, after = batch_of(wanted, after)
        lines = csv_lines(map(labels.cells, rows)) if form == CSV else map(_json, rows)
        job.write("".join(lines).encode())
        job.done = min(job.total, job.done + len(rows))
        if after is None:
            break
        job.cursor = {"at": after[0].isoformat(), "after": str(after[1])}
        yield
        _let_erasing_end()
    job.done = job.total
    _note(job)


def _note(job: Job) -> None:
    """Who has shoppers' names and contacts in a file is known for longer than the file is."""
    if job.params["personal"]:
        note_file(_owner(job), scope=job.title, rows=job.done)


def _let_erasing_end() -> None:
    """Wait for those who are erasing and have looked for files already: what they delete is read by no step after
    this. Whoever begins to erase later finds this job."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ERASING])
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_ERASING])


def _write_workbook(job: Job, wanted: Wanted) -> None:
    import xlsxwriter  # noqa: PLC0415 - only exports need it

    labels, after, y = Labels(_("yes"), _("no")), None, 0
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as out:
        book = xlsxwriter.Workbook(out.name, workbook_options())
        sheet = book.add_worksheet(_("Answers"))
        head = book.add_format({"bold": True, "bottom": 1})
        sheet.set_column(0, len(wanted.columns) - 1, 16)
        sheet.freeze_panes(1, 0)
        for x, label in enumerate(wanted.columns.values()):
            sheet.write_string(0, x, str(label), head)
        while True:
            rows, after = batch_of(wanted, after)
            for row in rows:
                y += 1
                _write(sheet, y, labels.cells(row))
            job.done = min(job.total, y)
            if after is None:
                break
            show_progress(job)
        book.close()
        out.seek(0)
        while piece := out.read(_PIECE):
            job.write(piece)


@on_erase
def end_files(response_id: UUID) -> None:
    """A file that may hold deleted words is no more to be had; who wants it asks for a new one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_ERASING])
    day = Response.objects.filter(pk=response_id).values_list("local_day", flat=True).first()
    if day is None:
        return
    _end(
        [job for job in Job.objects.filter(kind=ANSWERS) if _may_hold(job, day)],
        lambda: _("A shopper whose words may be in it had them deleted. Please ask for a new file."),
    )


def end_files_by_agent() -> None:
    """When an agent is forgotten no file of figures by agent is to be had any more: of none it is known which names are
    in it. Belongs into the transaction that takes the name away."""
    _end(
        Job.objects.filter(kind=FIGURES, params__page=CALLS),
        lambda: _("An agent who may be in it was taken out. Please ask for a new file."),
    )


def _end(jobs: Iterable[Job], why: Callable[[], str]) -> None:
    ended = list(jobs)
    for job in ended:
        with translation.override(job.params.get("language")):
            note = why()
        Job.objects.filter(pk=job.pk).exclude(state__in=(JobState.FAILED, JobState.CANCELLED)).update(
            state=JobState.FAILED,
            note=note,
            file_name="",
            run_at=None,
            lease_token=None,
            lease_until=None,
            finished_at=ClockNow(),
        )
    # Last: the update waits for a step that is just being kept, and its piece goes too. Of a file that never came to
    # be there are pieces as well.
    JobChunk.objects.filter(job__in=ended).delete()


def _may_hold(job: Job, day: date) -> bool:
    """By its days alone: where a store lies today is not where it lay when the file was made."""
    parts = job.params.get("parts", [job.params])
    return any(part["days"][0] <= day.isoformat() <= part["days"][1] for part in parts)


register_job(FIGURES, run_figures, title=title_of_file)
register_job(ANSWERS, run_answers, title=title_of_file)
