"""The two long jobs of an import: check a file, then carry out what the check has shown."""

from collections.abc import Iterator
from typing import Any, TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from core.jobs import JobFailed, register_job, show_progress, start_job
from core.models import Job
from stores.actions import CodeTaken, PlaceInUse
from stores.choices import ImportState
from stores.importing.carry_out import carry_out
from stores.importing.plan import Plan
from stores.importing.planning import Planner
from stores.importing.reading import read_file
from stores.importing.sheets import File, FileUnreadable
from stores.inviting import start_inviting
from stores.many import count_anew
from stores.models import Store, StoreImport, TreeError, User, lock_tree
from stores.people import PeopleActionRefused

CHECK, IMPORT = "check import", "import"


class Report(TypedDict):
    """What the page shows of a plan. Of too many problems only the first are kept; `problem_count` has them all."""

    counts: dict[str, int]
    lines: list[dict[str, Any]]
    line_count: int
    unchanged: int
    problems: list[dict[str, Any]]
    problem_count: int


@transaction.atomic
def check_file(owner: User, name: str, data: bytes, *, retire_missing: bool, invite: bool) -> StoreImport:
    """Take a file and have it checked. Nothing of the chain is changed."""
    upload = StoreImport.objects.create(
        owner=owner, file_name=name[-120:], data=data, retire_missing=retire_missing, invite=invite
    )
    return _start(upload, CHECK, _("Checking %(file)s"), ImportState.CHECKING)


@transaction.atomic
def import_checked(upload: StoreImport) -> StoreImport:
    """Carry out what the check has shown. Asking twice is asking once."""
    upload = StoreImport.objects.select_for_update().get(pk=upload.pk)
    if upload.state != ImportState.CHECKED or upload.report["problem_count"]:
        return upload
    return _start(upload, IMPORT, _("Importing %(file)s"), ImportState.IMPORTING)


def _start(upload: StoreImport, kind: str, title: str, state: ImportState) -> StoreImport:
    upload.job = start_job(
        kind,
        owner=upload.owner_id,
        title=title % {"file": upload.file_name},
        params={"import": str(upload.pk), "language": upload.owner.language or translation.get_language()},
        back_url=reverse("store_import", args=[upload.pk]),
    )
    upload.state = state
    upload.save(update_fields=["job", "state"])
    return upload


def _held(job: Job) -> StoreImport:
    return StoreImport.objects.select_related("owner").get(pk=UUID(job.params["import"]))


def _planner(upload: StoreImport) -> Planner:
    """Raises JobFailed for a file that cannot be read."""
    try:
        file = read_file(upload.file_name, bytes(upload.data))
    except FileUnreadable as error:
        raise JobFailed(str(error)) from error
    return Planner(file, upload.owner, retire_missing=upload.retire_missing)


def run_check(job: Job) -> Iterator[None]:
    """One step: what it compares with may change from one transaction to the next."""
    upload = _held(job)
    with translation.override(job.params.get("language")):
        planner = _planner(upload)
        job.total = planner.total
        for job.done in planner.run():
            show_progress(job)
        plan = planner.plan
        upload.report, upload.digest = dict(_report(plan, planner.file)), plan.digest
        upload.state = ImportState.CHECKED
        upload.save(update_fields=["report", "digest", "state"])
        job.done = job.total
        job.note = _("Problems: %(n)d") % {"n": upload.report["problem_count"]} if plan.problems else _("No problems.")
    yield from ()


def run_import(job: Job) -> Iterator[None]:
    """All of it or nothing: one step."""
    upload = _held(job)
    with translation.override(job.params.get("language")):
        if not upload.owner.is_active:
            raise JobFailed(_("Nothing was imported: whoever asked for it has left."))
        lock_tree()
        # What a person saves between the plan and the import would be lost without a word.
        list(Store.objects.order_by("pk").select_for_update(no_key=True).values_list("pk"))
        planner = _planner(upload)
        for _done in planner.run():
            pass
        plan = planner.plan
        if plan.problems or plan.digest != upload.digest:
            raise JobFailed(_("The chain has changed since the check. Nothing was imported: check the file again."))
        job.total = len(plan.lines)
        try:
            for job.done in carry_out(plan, actor=upload.owner):
                show_progress(job)
        except PeopleActionRefused as refused:
            raise JobFailed(_("Nothing was imported: %(reason)s") % {"reason": refused}) from refused
        except (PlaceInUse, CodeTaken, TreeError, IntegrityError) as error:
            raise JobFailed(
                _("The chain has changed since the check. Nothing was imported: check the file again.")
            ) from error
        count_anew()
        if upload.invite:
            _invite(plan, upload)
        upload.state, upload.data = ImportState.IMPORTED, b""
        upload.save(update_fields=["state", "data"])
        job.note = _("Everything was imported.")
    yield from ()


def _invite(plan: Plan, upload: StoreImport) -> None:
    """By a job of its own: thousands of links take minutes, for which nobody else should wait."""
    new = User.objects.filter(email__in=[one.user.email for one in plan.people if one.is_new])
    if ids := list(new.values_list("pk", flat=True)):
        start_inviting(ids, owner=upload.owner, back_url=reverse("invitations"))


def _report(plan: Plan, file: File) -> Report:
    return {
        "counts": plan.counts(),
        "lines": [vars(line) for line in plan.lines],
        "line_count": len(plan.lines),
        "unchanged": plan.unchanged,
        "problems": [vars(file.as_written(problem)) for problem in plan.problems],
        "problem_count": len(plan.problems) + plan.more_problems,
    }


register_job(CHECK, run_check)
register_job(IMPORT, run_import)
