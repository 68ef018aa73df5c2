"""Long jobs: step by step, each once, also when killed, cancelled or broken half-way; watched by who asked."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from core import audit, jobs
from core.jobs import JobFailed, cancel_job, register_job, run_due, start_job
from core.leases import from_now
from core.models import Heartbeat, Job, JobState
from tests.factories import Chain

STEPS = 5


def cancel_from_outside(job: Job) -> None:
    def cancel() -> None:
        cancel_job(job)
        connection.close()

    other = threading.Thread(target=cancel)
    other.start()
    other.join(timeout=60)


def count_up(job: Job) -> Iterator[None]:
    """Writes one line a step; what goes wrong is in the params."""
    job.total = STEPS
    if not job.cursor:
        job.add_file("lines.txt", "text/plain")
        job.cursor = {"next": 0}
    while job.cursor["next"] < STEPS:
        number = job.cursor["next"]
        job.write(f"{number}\n".encode())
        job.done, job.cursor = number + 1, {"next": number + 1}
        if job.params.get("fails_at") == number and job.attempts < job.params.get("until", 99):
            raise RuntimeError("a quoted name")
        if job.params.get("refuses_at") == number:
            raise JobFailed("Row 3 has no code.")
        if job.params.get("cancelled_at") == number:
            cancel_from_outside(job)
        yield
    job.note = "5 lines"


@pytest.fixture(autouse=True)
def kind() -> Iterator[None]:
    register_job("count up", count_up)
    yield
    del jobs._runners["count up"]


def start(owner: int | None = None, **params: object) -> Job:
    return start_job("count up", owner=owner, title="Counting", params=params)


def again() -> None:
    Job.objects.filter(run_at__isnull=False).update(run_at=from_now(timedelta(0)), lease_until=None)


def text_of(job: Job) -> str:
    return b"".join(Job.objects.get(pk=job.pk).read()).decode()


@pytest.mark.django_db
def test_a_job_runs_to_its_end_and_says_so() -> None:
    job = start()
    assert run_due() == 1
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.note, job.run_at) == (JobState.DONE, STEPS, STEPS, "5 lines", None)
    assert text_of(job) == "0\n1\n2\n3\n4\n"
    assert run_due() == 0


@pytest.mark.django_db
def test_a_slice_ends_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SLICE_SECS", -1)
    job = start()
    slices = 0
    while run_due():
        slices += 1
    assert slices == STEPS + 1
    assert text_of(job) == "0\n1\n2\n3\n4\n"


@pytest.mark.django_db
def test_a_broken_step_leaves_nothing_behind_and_is_tried_again() -> None:
    job = start(fails_at=2, until=2)
    run_due()
    job.refresh_from_db()
    assert (job.state, job.done, text_of(job)) == (JobState.RUNNING, 2, "0\n1\n")
    again()
    run_due()
    again()
    run_due()
    job.refresh_from_db()
    assert (job.state, text_of(job)) == (JobState.DONE, "0\n1\n2\n3\n4\n")


@pytest.mark.django_db
def test_a_job_that_never_works_gives_up_and_quotes_nothing() -> None:
    job = start(fails_at=2)
    for _ in range(jobs.MAX_ATTEMPTS + 2):
        again()
        run_due()
    job.refresh_from_db()
    assert (job.state, job.note, job.run_at) == (JobState.FAILED, "", None)
    assert "fault of ours" in job.outcome


@pytest.mark.django_db
def test_a_job_that_kills_its_worker_every_time_gives_up() -> None:
    job = start()
    Job.objects.filter(pk=job.pk).update(attempts=jobs.MAX_ATTEMPTS, lease_until=from_now(-timedelta(seconds=1)))
    assert run_due() == 1
    job.refresh_from_db()
    assert (job.state, job.note, job.done, job.run_at) == (JobState.FAILED, "", 0, None)
    assert "fault of ours" in job.outcome


@pytest.mark.django_db(transaction=True)
def test_a_long_step_keeps_its_job_as_long_as_it_shows_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def long_step(job: Job) -> Iterator[None]:
        monkeypatch.undo()
        job.done = 7
        jobs.show_progress(job)
        taken.append(run_due())
        yield from ()

    register_job("count up", long_step)
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=-1))
    job = start()
    run_due()
    job.refresh_from_db()
    assert (taken, job.state, job.done) == ([0], JobState.DONE, 7)


@pytest.mark.django_db
def test_a_refusal_is_told_and_not_repeated() -> None:
    job = start(refuses_at=3)
    run_due()
    job.refresh_from_db()
    assert (job.state, job.note, text_of(job)) == (JobState.FAILED, "Row 3 has no code.", "0\n1\n2\n")


@pytest.mark.django_db
def test_a_cancelled_job_does_not_begin() -> None:
    job = start()
    assert cancel_job(job)
    assert run_due() == 0 and not cancel_job(job)


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_job_undoes_the_step_it_is_in() -> None:
    job = start(cancelled_at=2)
    run_due()
    job.refresh_from_db()
    assert (job.state, job.run_at, text_of(job)) == (JobState.CANCELLED, None, "0\n1\n")


@pytest.mark.django_db
def test_asking_is_undone_with_the_transaction_around_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_q_ormq")
        before = cursor.fetchone()
    start()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_q_ormq")
        assert cursor.fetchone()[0] == before[0] + 1


@pytest.mark.django_db
def test_the_audit_does_the_job_when_django_q2_is_silent() -> None:
    job = start()
    Heartbeat.beat("qcluster")
    audit.audit()
    assert Job.objects.get(pk=job.pk).state == JobState.WAITING
    Heartbeat.objects.filter(name="qcluster").update(beat_at=from_now(-timedelta(hours=1)))
    audit.audit()
    assert Job.objects.get(pk=job.pk).state == JobState.DONE


def test_the_page_shows_progress_and_hands_over_the_file(chain: Chain) -> None:
    job = start(chain.manager.pk)
    client = Client()
    client.force_login(chain.manager)
    waiting = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "<progress" in waiting and "every 1s" in waiting
    assert client.get(f"/jobs/{job.pk}/file").status_code == 404
    run_due()
    done = client.get(f"/jobs/{job.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in done and "5 lines" in done and "every 1s" not in done
    file = client.get(f"/jobs/{job.pk}/file")
    assert b"".join(file) == b"0\n1\n2\n3\n4\n"  # type: ignore[arg-type]
    assert file["Content-Disposition"] == 'attachment; filename="lines.txt"'


def test_stop_stops(chain: Chain) -> None:
    job = start(chain.manager.pk)
    client = Client()
    client.force_login(chain.manager)
    assert client.post(f"/jobs/{job.pk}/cancel").status_code == 302
    assert Job.objects.get(pk=job.pk).state == JobState.CANCELLED
