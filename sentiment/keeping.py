"""The models that may read here, and where each is found: with the release, by its name, or kept in the database.

Nodes share no disk, and a release brings its own files. So every worker has those that it is installed with kept, and
one that is to read with others fetches them into a folder, once.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock

from django.conf import settings
from django.db import connection, transaction

from core.leases import ClockNow, from_now
from sentiment.files import (
    FILES,
    SHIPPED,
    ModelMissing,
    check_place,
    check_whole,
    compute_sum,
    exchanged,
    is_own,
    mark_of,
    sum_of,
    version_of_name,
)
from sentiment.models import ModelPart, ServedModel

OWN = "sha256:"
# A model of which nothing is left but its readings, and their version.
LOST = "lost:"
# A model that somebody still has installed was seen as lately as this.
LATELY = max(timedelta(hours=3), 3 * timedelta(seconds=settings.MODEL_KEEP_SECS))
_PART = 1 << 20
# What a process killed half-way has left; nobody takes that long.
_LEFT_SECS = 3600
_UNUSED_SECS = 7 * 24 * 3600
_SUM, _UNFINISHED = re.compile("[0-9a-f]{64}"), ".fetching-"
_fetching = Lock()
# Any number that nobody else locks by.
_KEEPING = 0x4B455054


# --- what is installed ----------------------------------------------------------------------------------------
def installed() -> list[str | None]:
    """Where this process finds what it is installed with, as `engine.read` takes it; first what the operator chose."""
    return [settings.SENTIMENT_MODEL, None] if settings.SENTIMENT_MODEL else [None]


def name_of(place: str | None) -> str:
    """The name of the ServedModel at a place; empty where the release has none."""
    folder = _folder(place)
    return OWN + sum_of(folder) if is_own(folder) else place or ""


def version_of(place: str | None) -> str:
    """What its readings will bear, but for what was learnt. Raises ModelMissing."""
    folder = _folder(place)
    if not is_own(folder):
        return version_of_name(place or "") + mark_of("")
    return _stored_version(folder) + mark_of(sum_of(folder))


def _stored_version(folder: Path) -> str:
    try:
        version: str = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_version"]
    except (OSError, KeyError, ValueError) as error:
        raise ModelMissing(f"there is no whole model in {folder}: {error}") from error
    return version


def _folder(place: str | None) -> Path:
    return SHIPPED if place is None else Path(place)


def note(place: str | None) -> ServedModel:
    """Say that it is installed here now. Raises ModelMissing."""
    folder = _folder(place)
    if place is not None and not is_own(folder):
        check_place(place)
    check_whole(folder)
    name, known = name_of(place), {"version": version_of(place), "seen_at": ClockNow()}
    # Without holding the row while another process keeps its files, or waiting for it.
    if not ServedModel.objects.filter(name=name).update(**known):
        ServedModel.objects.get_or_create(name=name, defaults=known)
    return ServedModel.objects.get(name=name)


# --- files in the database ------------------------------------------------------------------------------------
def keep(place: str | None, *, wait: bool = False) -> ServedModel:
    """Have the files kept, if they are of our own kind, and said that they are installed. All or nothing, and once: if
    another process is keeping them, it is left to do so, and with `wait` has done so on return. Raises ModelMissing,
    and OSError."""
    model = note(place)
    if model.kept or not model.name.startswith(OWN):
        return model
    with transaction.atomic():
        if not _keeps_alone(model, wait=wait):
            return model
        if not ServedModel.objects.filter(pk=model.pk, kept=True).exists():
            _store_files(model, _folder(place))
        model.kept = True
        model.save(update_fields=["kept"])
    return model


def _keeps_alone(model: ServedModel, *, wait: bool) -> bool:
    """Until the transaction ends; with `wait` as soon as nobody else does."""
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_KEEPING, model.pk])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_KEEPING, model.pk])
        (alone,) = cursor.fetchone()
    return bool(alone)


def _store_files(model: ServedModel, folder: Path) -> None:
    """In pieces that fit any worker's memory. Raises OSError where they are not, or no longer, what the name says."""
    whole = hashlib.sha256()
    for name in FILES:
        if not (folder / name).is_file():
            continue
        of_file = hashlib.sha256()
        with (folder / name).open("rb") as content:
            while part := content.read(_PART):
                at = content.tell() - len(part)
                ModelPart.objects.create(model=model, file=name, at=at, content=part)
                of_file.update(part)
        whole.update(f"{name} {of_file.hexdigest()}\n".encode())
    if OWN + whole.hexdigest() != model.name:
        raise OSError(f"the files in {folder} were exchanged after this process began")


def drop_unused(names: set[str]) -> None:
    """Keep the files of these, and of what is installed somewhere, and no others."""
    unused = ServedModel.objects.filter(kept=True).exclude(name__in=names).exclude(seen_at__gte=from_now(-LATELY))
    with transaction.atomic():
        for model in unused.select_for_update().order_by("pk"):
            model.parts.all().delete()
            model.kept = False
            model.save(update_fields=["kept"])


# --- where it is read from ------------------------------------------------------------------------------------
def place_of(name: str) -> str | None:
    """Where `engine.read` finds a model; empty is what is installed. Raises ModelMissing."""
    if not name:
        return installed()[0]
    if name.startswith(LOST):
        raise ModelMissing(f"the files of {name.removeprefix(LOST)} were never kept")
    if not name.startswith(OWN):
        return name
    for place in installed():
        if name_of(place) == name and _folder(place) not in exchanged:
            return place
    if not _SUM.fullmatch(found := name.removeprefix(OWN)):
        raise ModelMissing(f"{name!r} is the name of no model")
    try:
        with _fetching:
            return str(_fetched(found))
    except OSError as error:
        raise ModelMissing(f"the kept model cannot be had: {error}") from error


_checked: set[Path] = set()


def _fetched(found: str) -> Path:
    """The folder with the kept files, written where it is nowhere or damaged."""
    folders = [home / found for home in _homes()]
    for folder in folders:
        if folder in _checked - exchanged and is_own(folder):
            return folder
    folder = next(filter(_is_whole, folders), None) or _fetch(found)
    with suppress(OSError):
        os.utime(folder)
    _check_layers(folder)
    _checked.add(folder)
    return folder


def _is_whole(folder: Path) -> bool:
    return is_own(folder) and compute_sum(folder) == folder.name


def _homes() -> list[Path]:
    """Folders that nobody else can have laid there, as anybody can in the temporary one."""
    homes = (settings.VAR_DIR / "kept-models", Path(tempfile.gettempdir()) / f"halfhour-models-{os.getuid()}")
    found = []
    for home in homes:
        with suppress(OSError):
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(OSError):
            at = home.lstat()
            if stat.S_ISDIR(at.st_mode) and at.st_uid in (0, os.getuid()):
                found.append(home)
    return found


def _fetch(found: str) -> Path:
    """Raises ModelMissing, and OSError."""
    home = next((home for home in _homes() if os.access(home, os.W_OK)), None)
    if home is None:
        raise ModelMissing("there is no folder to which the live model could be written")
    folder = home / found
    # The processes of one node fetch it once.
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_whole(folder):
            _clear(home)
            shutil.rmtree(folder, ignore_errors=True)
            _write(found, folder)
    return folder


def _write(found: str, folder: Path) -> None:
    model = ServedModel.objects.filter(name=OWN + found, kept=True).first()
    if model is None:
        raise ModelMissing(f"the files of the model {found[:12]} are not kept")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=_UNFINISHED) as made:
        files = Path(made) / "files"
        files.mkdir()
        for name, content in _parts(model):
            with (files / name).open("ab") as out:
                out.write(content)
        if compute_sum(files) != found:
            raise ModelMissing(f"the kept files of the model {found[:12]} are damaged")
        files.rename(folder)


def _parts(model: ServedModel) -> Iterator[tuple[str, bytes]]:
    """One after the other, so that the whole is never in memory."""
    known = model.parts.filter(file__in=FILES).order_by("file", "at")
    for pk, name in list(known.values_list("pk", "file")):
        part = ModelPart.objects.filter(pk=pk).first()
        if part is not None:
            yield name, bytes(part.content)


def _clear(home: Path) -> None:
    """Away with what was left half-way, and with what no worker has begun to read with for long."""
    now = time.time()
    for old in home.iterdir():
        unfinished = old.name.startswith(_UNFINISHED)
        if not unfinished and not _SUM.fullmatch(old.name):
            continue
        with suppress(OSError):
            if now - old.stat().st_mtime > (_LEFT_SECS if unfinished else _UNUSED_SECS):
                shutil.rmtree(old)


def _check_layers(folder: Path) -> None:
    """Raises ModelMissing where this release cannot read with what stands beside the model: it would say other things
    than were compared."""
    from sentiment import doubts, heads  # noqa: PLC0415  (loads what the web processes never need)

    version = _stored_version(folder)
    loads = {heads.FILE: heads.load_heads, **{kind.file: doubts.load_doubt for kind in doubts.KINDS}}
    for name, load in loads.items():
        try:
            if (folder / name).is_file():
                load((folder / name).read_bytes(), version)
        except heads.OtherModel:
            continue
        except (heads.HeadsMismatch, KeyError) as error:
            raise ModelMissing(f"{name} of {version} is not for this release: {error}") from error
