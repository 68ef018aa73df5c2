"""What is done to many stores or people at once: so many at each step of a long job, watched and easily stopped."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import connection
from django.utils.translation import get_language, gettext, override

from core.jobs import JobFailed, start_job
from core.models import Job
from stores.models import User


def start_many(kind: str, ids: Iterable[int], *, owner: User, title: str, back_url: str, **params: Any) -> Job:
    """Ask for a job about these rows, in this order. Which ones is settled now; what may be done to them is not."""
    language = owner.language or get_language()
    known = {"ids": list(ids), "language": language} | params
    return start_job(kind, owner=owner.pk, title=title, params=known, back_url=back_url)


def in_steps(
    job: Job, *, size: int, do: Callable[[User, list[int]], int], say: Callable[[int, int], str]
) -> Iterator[None]:
    """Have `do` take the next ids for the job's owner, `size` at a time; it returns how many things it has done.

    `say` puts into words how many that are by now, of how many ids. Begun anew, the job goes on after its last step.
    """
    assert job.owner is not None
    ids: list[int] = job.params["ids"]
    job.total, job.cursor = len(ids), job.cursor or {"made": 0}
    while job.done < len(ids):
        batch = ids[job.done : job.done + size]
        with override(job.params["language"]):
            owner = User.objects.get(pk=job.owner)
            if not owner.is_active:
                raise JobFailed(gettext("Stopped: whoever asked for it has left."))
            made = job.cursor["made"] + do(owner, batch)
            job.done += len(batch)
            job.cursor, job.note = {"made": made}, say(made, job.done)
        yield


def count_anew() -> None:
    """To be done where thousands of stores, people or touchpoints came at once.

    What the planner of the database knows of these tables may be that they are empty: until it looks by itself, each
    list of stores would take seconds or minutes.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE stores_store, stores_openinginterval, stores_touchpoint, stores_user, stores_roleassignment"
        )
