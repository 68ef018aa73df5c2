"""Posters for many touchpoints at once, as a long job: one PDF, or a ZIP that grows piece by piece."""

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.utils.translation import get_language, gettext, ngettext, override

from core.jobs import JobFailed, register_job, start_job
from core.models import Job
from stores.choices import TouchpointKind
from stores.models import Touchpoint, User
from stores.posters.formats import FORMATS, USUAL
from stores.posters.press import Rows, set_elsewhere
from stores.posters.sheets import common_data, row_data
from stores.touchpoints import note_posters

KIND = "posters"
# The format that is usual where each touchpoint hangs.
EACH_ITS_OWN = "usual"
# So many sheets are one file: more would be awkward to open and to print, and take hundreds of megabytes to set.
SHEETS_PER_FILE = 500
STORES_PER_STEP = 100
_PRESSES = 2
T = TypeVar("T")
# What one PDF holds, in the order of printing: a format, and the ids of the touchpoints that are printed in it.
Document = list[tuple[str, list[int]]]


def start_posters(
    touchpoints: QuerySet[Touchpoint], *, owner: User, format: str, marks: bool, per_store: bool, back_url: str
) -> Job:
    """Ask for posters of these touchpoints.

    Which ones, and in which format, is settled now; what stands on them when they are set. Those that are retired by
    then are left out.
    """
    found = touchpoints.filter(retired_at=None).order_by("store__code", "kind", "pk")
    spots = list(found.values_list("pk", "store__code", "kind"))
    params = {
        "pieces": _pieces(spots, format, per_store=per_store),
        "named": format != EACH_ITS_OWN,
        "marks": marks,
        "per_store": per_store,
        "language": owner.language or get_language(),
    }
    count = len(spots)
    title = ngettext("%(count)s poster", "%(count)s posters", count) % {"count": count}
    return start_job(KIND, owner=owner.pk, title=title, params=params, back_url=back_url)


def _pieces(spots: list[tuple[int, str, str]], format: str, *, per_store: bool) -> list[list[Document]]:
    """The documents that one process sets at a time."""
    if per_store:
        stores = [_document(list(found), format) for _code, found in groupby(spots, key=lambda spot: spot[1])]
        return _batches(stores, STORES_PER_STEP)
    whole = _document(spots, format)
    if len(spots) <= SHEETS_PER_FILE:
        return [[whole]] if spots else []
    return [[[(form, part)]] for form, ids in whole for part in _batches(ids, SHEETS_PER_FILE)]


def _document(spots: list[tuple[int, str, str]], format: str) -> Document:
    """Sheets of one size follow each other: a printer wants its paper changed once."""
    found: dict[str, list[int]] = {}
    for pk, _code, kind in spots:
        form = USUAL[TouchpointKind(kind)] if format == EACH_ITS_OWN else format
        found.setdefault(form, []).append(pk)
    return [(form, found[form]) for form in FORMATS if form in found]


def _batches(items: list[T], size: int) -> list[list[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def print_posters(job: Job) -> Iterator[None]:
    """Two pieces a step, each by a process of its own."""
    params = job.params
    if "pieces" not in params:
        with override(params.get("language")):
            raise JobFailed(gettext("These were asked for before an update and cannot be finished. Please ask again."))
    pieces: list[list[Document]] = params["pieces"]
    single = len(pieces) == 1 and not params["per_store"]
    job.total = _sheets_of(pieces)
    if not job.cursor:
        job.add_file(*(("posters.pdf", "application/pdf") if single else ("posters.zip", "application/zip")))
        job.cursor = {"next": 0, "size": 0, "entries": [], "printed": 0}
        yield
    while job.cursor["next"] < len(pieces):
        first = job.cursor["next"]
        step = pieces[first : first + _PRESSES]
        work = [_work_of(piece, params) for piece in step]
        with ThreadPoolExecutor(_PRESSES) as presses:
            printed = list(presses.map(lambda one: set_elsewhere(one.forms, one.documents), work))
        files = [
            (name, pdf)
            for one, pdfs in zip(work, printed, strict=True)
            for name, pdf in zip(one.names, pdfs, strict=True)
        ]
        codes = [code for one in work for code in one.codes]
        last = first + len(step) == len(pieces)
        job.cursor = job.cursor | {"next": first + len(step), "printed": job.cursor["printed"] + len(codes)}
        if last:
            _note_left_out(job)
        job.write(files[0][1] if single else _zipped(job, files, last=last))
        note_posters(codes)
        job.done += _sheets_of(step)
        yield


def _sheets_of(pieces: list[list[Document]]) -> int:
    return sum(len(ids) for piece in pieces for document in piece for _form, ids in document)


def _note_left_out(job: Job) -> None:
    """Say how many were retired between asking and printing. Raises JobFailed if all of them were."""
    with override(job.params["language"]):
        if not job.cursor["printed"]:
            raise JobFailed(gettext("None of these touchpoints is in use any more."))
        if count := job.total - job.cursor["printed"]:
            job.note = ngettext(
                "%(count)s touchpoint was retired meanwhile and is left out.",
                "%(count)s touchpoints were retired meanwhile and are left out.",
                count,
            ) % {"count": count}


@dataclass(frozen=True)
class _Work:
    forms: dict[str, dict[str, Any]]
    documents: list[Rows]
    names: list[str]
    codes: list[str]


def _work_of(piece: list[Document], params: dict[str, Any]) -> _Work:
    """The data of a piece's sheets, with what stands on them as it is now."""
    wanted = [pk for document in piece for _form, ids in document for pk in ids]
    spots = Touchpoint.objects.filter(retired_at=None).select_related("store").in_bulk(wanted)
    documents, names = [], []
    for document in piece:
        living = [(form, found) for form, ids in document if (found := [spots[pk] for pk in ids if pk in spots])]
        if living:
            names.append(_name(living, params))
            documents.append([(form, [row_data(spot) for spot in found]) for form, found in living])
    with override(params["language"]):
        used = {form for document in documents for form, _rows in document}
        forms = {form: common_data(FORMATS[form], marks=params["marks"]) for form in used}
    return _Work(forms, documents, names, [spot.code for spot in spots.values()])


def _name(document: list[tuple[str, list[Touchpoint]]], params: dict[str, Any]) -> str:
    """What the file of a document is called in the ZIP."""
    form, spots = document[0]
    code = spots[0].store.code
    if params["per_store"]:
        return f"{code}-{form}.pdf" if params["named"] else f"{code}.pdf"
    return f"{form}-{code}-{spots[-1].store.code}.pdf"


class _Tail(io.BytesIO):
    """The end of a file whose beginning has been written elsewhere."""

    def __init__(self, begins_at: int) -> None:
        super().__init__()
        self._begins_at = begins_at

    def tell(self) -> int:
        return self._begins_at + super().tell()

    def seekable(self) -> bool:
        return False

    def seek(self, *_: Any) -> int:
        raise io.UnsupportedOperation("seek")


def _zipped(job: Job, files: list[tuple[str, bytes]], *, last: bool) -> bytes:
    """The next bytes of the ZIP; its table of contents, kept in the cursor until then, comes with the last."""
    tail = _Tail(job.cursor["size"])
    archive = zipfile.ZipFile(tail, "w", zipfile.ZIP_STORED)
    for name, offset, crc, size in job.cursor["entries"]:
        known = zipfile.ZipInfo(name)
        known.header_offset, known.CRC, known.file_size, known.compress_size = offset, crc, size, size
        known.flag_bits = _SIZES_FOLLOW
        archive.filelist.append(known)
    taken = {known.filename for known in archive.filelist}
    for name, pdf in files:
        archive.writestr(zipfile.ZipInfo(_free(name, taken)), pdf)
    job.cursor = job.cursor | {
        "size": tail.tell(),
        "entries": [[one.filename, one.header_offset, one.CRC, one.file_size] for one in archive.filelist],
    }
    if last:
        archive.close()
    else:
        archive.fp = None  # or it would write its table of contents when it is collected
    return tail.getvalue()


_SIZES_FOLLOW = 0x08


def _free(name: str, taken: set[str]) -> str:
    """The name, or the next like it that no file of the archive has yet."""
    stem = name.removesuffix(".pdf")
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{stem}-{number}.pdf"
    taken.add(free)
    return free


register_job(KIND, print_posters)
