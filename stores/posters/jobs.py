"""Posters for many touchpoints at once, as a long job: one PDF, or a ZIP that grows piece by piece."""

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext, ngettext, override

from core.jobs import JobFailed, register_job, start_job
from core.models import Job
from stores.choices import TouchpointKind
from stores.models import Touchpoint, User
from stores.posters.formats import FORMATS, USUAL
from stores.posters.press import set_elsewhere
from stores.posters.sheets import common_data, row_data
from stores.touchpoints import note_posters

KIND = "posters"
# The format that is usual where each touchpoint hangs.
EACH_ITS_OWN = "usual"
# So many sheets are one file: more would be awkward to open and to print, and take hundreds of megabytes to set.
SHEETS_PER_FILE = 500
STORES_PER_STEP = 100
_PRESSES = 2


@dataclass(frozen=True)
class Piece:
    """What one process sets: a number of sheets in one format, as one file or as one for each store."""

    format: str
    ids: list[int]


def start_posters(
    touchpoints: QuerySet[Touchpoint], *, owner: User, format: str, marks: bool, per_store: bool, back_url: str
) -> Job:
    """Ask for posters of these touchpoints; which ones is settled now, their codes when they are set."""
    found = touchpoints.filter(retired_at=None).order_by("store__code", "kind", "pk")
    ids = list(found.values_list("pk", flat=True))
    params = {
        "touchpoints": ids,
        "format": format,
        "marks": marks,
        "per_store": per_store,
        "language": owner.language or "en",
    }
    count = len(ids)
    title = ngettext("%(count)s poster", "%(count)s posters", count) % {"count": count}
    return start_job(KIND, owner=owner.pk, title=title, params=params, back_url=back_url)


def pieces_of(params: dict[str, Any]) -> list[Piece]:
    """How the work is cut; the same for the same params, so that it goes on where it stood."""
    kinds = dict(Touchpoint.objects.filter(pk__in=params["touchpoints"]).values_list("pk", "kind"))
    wanted = params["format"]

    def format_of(pk: int) -> str:
        return USUAL[TouchpointKind(kinds[pk])] if wanted == EACH_ITS_OWN else str(wanted)

    living = [pk for pk in params["touchpoints"] if pk in kinds]
    size = STORES_PER_STEP if params["per_store"] else SHEETS_PER_FILE
    pieces = []
    for format, ids in groupby(sorted(living, key=format_of), key=format_of):
        while part := list(islice(ids, size)):
            pieces.append(Piece(format, part))
    return pieces


def print_posters(job: Job) -> Iterator[None]:
    """Two pieces a step, each by a process of its own."""
    params = job.params
    pieces = pieces_of(params)
    if not pieces:
        raise JobFailed(gettext("None of these touchpoints is in use any more."))
    single = len(pieces) == 1 and not params["per_store"]
    job.total = sum(len(piece.ids) for piece in pieces)
    if not job.cursor:
        job.add_file(*(("posters.pdf", "application/pdf") if single else ("posters.zip", "application/zip")))
        job.cursor = {"next": 0, "size": 0, "entries": []}
        yield
    while job.cursor["next"] < len(pieces):
        first = job.cursor["next"]
        step = pieces[first : first + _PRESSES]
        with ThreadPoolExecutor(_PRESSES) as presses:
            work = [_work_of(piece, params) for piece in step]
            printed = list(presses.map(lambda one: set_elsewhere(one.common, one.documents), work))
        files = [
            (name, pdf)
            for one, pdfs in zip(work, printed, strict=True)
            for name, pdf in zip(one.names, pdfs, strict=True)
        ]
        last = first + len(step) == len(pieces)
        job.write(files[0][1] if single else _zipped(job, files, last=last))
        note_posters([code for one in work for code in one.codes])
        job.done += sum(len(piece.ids) for piece in step)
        job.cursor = job.cursor | {"next": first + len(step)}
        yield


@dataclass(frozen=True)
class _Work:
    common: dict[str, Any]
    documents: list[list[dict[str, Any]]]
    names: list[str]
    codes: list[str]


def _work_of(piece: Piece, params: dict[str, Any]) -> _Work:
    """The data of a piece's sheets, with the codes as they are now."""
    rows = Touchpoint.objects.filter(pk__in=piece.ids).select_related("store").order_by("store__code", "kind", "pk")
    touchpoints = list(rows)
    with override(params["language"]):
        common = common_data(FORMATS[piece.format], marks=params["marks"])
    if params["per_store"]:
        stores = [(code, list(spots)) for code, spots in groupby(touchpoints, key=lambda spot: spot.store.code)]
        names = [f"{code}-{piece.format}.pdf" for code, _spots in stores]
        documents = [[row_data(spot) for spot in spots] for _code, spots in stores]
    else:
        codes = f"{touchpoints[0].store.code}-{touchpoints[-1].store.code}" if touchpoints else ""
        names = [f"{piece.format}-{codes}.pdf"]
        documents = [[row_data(spot) for spot in touchpoints]]
    return _Work(common, documents, names, [spot.code for spot in touchpoints])


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
