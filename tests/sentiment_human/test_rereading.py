"""History read again: beside what is live, behind everything new, compared before it counts, and swapped in batches."""

import threading
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from alerts.models import Case, Evaluation
from core.jobs import cancel_job, run_due
from core.leases import ClockNow
from core.models import Job, JobState
from core.personal import erase_response
from core.work import drain
from reports.models import StoreDay
from sentiment import reading
from sentiment import rereading as room
from sentiment.actions import correct
from sentiment.chain import change
from sentiment.classifier import _load, get_classifier
from sentiment.comparison import agreement_of, lines_of, samples_of, total_of
from sentiment.entries import Entry
from sentiment.keeping import name_of, version_of
from sentiment.models import Analysis, Candidate, Effect, Rereading, RereadingState
from sentiment.reading import Reader, hold_reader, live_reader, own_version
from sentiment.rereading import NotNow, discard, go_live, open_rereading, resume, start_rereading
from sentiment.work import read_due
from surveys.models import Response, Verbatim
from surveys.signals import response_saved
from tests.factories import Chain
from tests.sentiment.tiny import make_tiny
from tests.sentiment_human.conftest import submit

WORDS = [
    "The staff were rude and ignored us for half an hour. Never again.",
    "Wonderful service, the assistant helped me find the perfect gift.",
    "The lounge was full of people and their dogs",
]


@pytest.fixture
def history(chain: Chain) -> list[Analysis]:
    """Three comments as an older model understood them: the first one wrongly."""
    for words in WORDS:
        submit(chain, words)
    drain(["analysis", "alerts", "facts"])
    Analysis.objects.update(model_version="old")
    first = Analysis.objects.order_by("pk")[0]
    Analysis.objects.filter(pk=first.pk).update(
        sentiment="positive", p_positive=0.9, p_negative=0.05, p_neutral=0.05, alarming=False
    )
    return list(Analysis.objects.order_by("pk"))


def work_off(limit: int = 50) -> None:
    while limit and run_due():
        limit -= 1


def fresh(rereading: Rereading) -> Rereading:
    return Rereading.objects.select_related("job").get(pk=rereading.pk)


def test_candidates_lie_beside_what_is_live_until_it_is_decided(chain: Chain, history: list[Analysis]) -> None:
    change(Entry("en", "topic", "environment", "lounge"), Effect.ADD, chain.head_office)
    correct(history[1].pk, chain.manager, field="sentiment", value="neutral")
    before = list(Analysis.objects.order_by("pk").values())
    started = start_rereading(chain.head_office)
    with pytest.raises(NotNow):
        start_rereading(chain.head_office)
    work_off()
    ready = fresh(started)
    assert ready.state == RereadingState.READY
    assert ready.job is not None
    assert (ready.job.state, ready.job.done, ready.job.total) == (JobState.DONE, 3, 3)
    assert list(Analysis.objects.order_by("pk").values()) == before
    line = total_of(lines_of(ready))
    assert (line.n, line.sentiment, line.topics, line.urgency) == (3, 1, 1, 0)
    assert agreement_of(ready)["sentiment"] == [1, 0, 0]
    found = dict(samples_of(ready, chain.head_office))
    assert [(one.text, one.before, one.after) for one in found["sentiment"]] == [(WORDS[0], "positive", "negative")]
    [other_topics] = found["topics"]
    assert other_topics.text == WORDS[2]
    assert "Store environment" in other_topics.after
    assert not any(rows for _field, rows in samples_of(ready, chain.foreign_manager))


def test_going_live_swaps_refreshes_reports_and_opens_no_case(chain: Chain, history: list[Analysis]) -> None:
    correct(history[1].pk, chain.manager, field="sentiment", value="neutral")
    correct(history[0].pk, chain.manager, field="topic", key="staff", value="")
    drain(["alerts", "facts"])
    read_at = list(Analysis.objects.order_by("pk").values_list("analysed_at", flat=True))
    started = start_rereading(chain.head_office)
    work_off()
    late = submit(chain, "Lovely shop and very kind people.")
    drain(["analysis", "alerts"])
    cases, judged = Case.objects.count(), Evaluation.objects.count()
    Analysis.objects.filter(verbatim__response=late).update(model_version="old", sentiment="negative")
    go_live(fresh(started), chain.head_office)
    with pytest.raises(NotNow):
        discard(fresh(started), chain.head_office)
    work_off()
    done = fresh(started)
    assert (done.state, done.decided_by) == (RereadingState.LIVE, chain.head_office)
    assert done.agreement["topic"] == [1, 0, 0]
    assert not Candidate.objects.exists()
    now = list(Analysis.objects.order_by("pk"))
    assert {one.model_version for one in now} == {done.model_version} != {"old"}
    assert now[0].sentiment == "negative"
    assert "staff" not in {hit["topic"] for hit in now[0].topics}
    assert "staff" in {hit["topic"] for hit in now[0].model_reading["topics"]}
    assert (now[1].sentiment, now[1].model_reading["sentiment"]) == ("neutral", "positive")
    assert now[3].sentiment == "positive"  # came in while nobody had decided
    assert [one.analysed_at for one in now][:3] == read_at  # words are kept no longer for being read again
    drain(["alerts", "facts"])
    assert (Case.objects.count(), Evaluation.objects.count()) == (cases, judged)
    assert StoreDay.objects.get(store=chain.store).negative == sum(one.sentiment == "negative" for one in now)


def test_discarding_leaves_everything_and_drops_the_candidates(chain: Chain, history: list[Analysis]) -> None:
    before = list(Analysis.objects.order_by("pk").values())
    started = start_rereading(chain.head_office)
    work_off()
    assert Candidate.objects.count() == 3
    discard(fresh(started), chain.head_office)
    work_off()
    assert not Candidate.objects.exists()
    assert fresh(started).state == RereadingState.DISCARDED
    assert list(Analysis.objects.order_by("pk").values()) == before
    assert open_rereading() is None
    start_rereading(chain.head_office)


def test_it_goes_on_where_it_was_stopped(
    chain: Chain, history: list[Analysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BATCH", 1)
    monkeypatch.setattr(room, "SWAPPED_AT_ONCE", 1)
    monkeypatch.setattr("core.jobs.SLICE_SECS", 0)  # every slice is one step
    started = start_rereading(chain.head_office)
    with pytest.raises(NotNow):
        resume(fresh(started), chain.head_office)
    assert run_due() == 1
    job = fresh(started).job
    assert job is not None
    assert (job.done, job.total) == (1, 3)
    assert cancel_job(job)
    assert run_due() == 0
    assert Candidate.objects.count() == 1
    resume(fresh(started), chain.head_office)
    work_off()
    assert fresh(started).state == RereadingState.READY
    assert Candidate.objects.count() == 3
    go_live(fresh(started), chain.head_office)
    assert run_due() == 1
    swapping = fresh(started).job
    assert swapping is not None
    assert (swapping.done, swapping.total) == (1, 3)
    assert Candidate.objects.count() == 2
    work_off()
    assert fresh(started).state == RereadingState.LIVE
    assert not Candidate.objects.exists()


def test_what_was_changed_or_erased_meanwhile_is_not_overwritten(chain: Chain, history: list[Analysis]) -> None:
    started = start_rereading(chain.head_office)
    work_off()
    assert Candidate.objects.count() == 3
    erase_response(history[0].verbatim.response_id)
    assert Candidate.objects.count() == 2
    Analysis.objects.filter(pk=history[1].pk).update(text_hash="other words", sentiment="neutral")
    Analysis.objects.filter(pk=history[2].pk).update(run_at=ClockNow())
    go_live(fresh(started), chain.head_office)
    drain(["analysis"])  # the third is read anew first
    work_off()
    now = list(Analysis.objects.order_by("pk"))
    assert (now[0].sentiment, now[0].model_version, now[0].redacted) == ("positive", "old", "")
    # The candidate was of other words; these are read once more.
    assert (now[1].sentiment, now[1].text_hash) == ("positive", "other words")
    assert now[1].model_version == now[2].model_version == fresh(started).model_version


def test_words_erased_while_they_are_read_again_leave_no_candidate(
    chain: Chain, history: list[Analysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = reading.readings_of

    def read_slowly(verbatims: list[Verbatim], reader: Reader) -> Any:
        found = real(verbatims, reader)
        erase_response(history[0].verbatim.response_id)
        Analysis.objects.filter(pk=history[1].pk).update(text_hash="other words")
        return found

    monkeypatch.setattr(room, "readings_of", read_slowly)
    start_rereading(chain.head_office)
    work_off()
    assert [one.analysis_id for one in Candidate.objects.all()] == [history[2].pk]


def test_erasing_takes_the_reading_before_its_candidate(chain: Chain, history: list[Analysis]) -> None:
    """As going live does: the other way round the two would wait for each other."""
    start_rereading(chain.head_office)
    work_off()
    with CaptureQueriesContext(connection) as queries:
        erase_response(history[0].verbatim.response_id)
    said = [query["sql"] for query in queries]
    blanked = next(i for i, sql in enumerate(said) if sql.startswith('UPDATE "sentiment_analysis"'))
    dropped = next(i for i, sql in enumerate(said) if sql.startswith('DELETE FROM "sentiment_candidate"'))
    assert blanked < dropped


def test_fresh_words_come_first(chain: Chain, history: list[Analysis], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LONGEST_WAIT_SECS", 0.0)
    monkeypatch.setattr("core.jobs.SLICE_SECS", 0)
    started = start_rereading(chain.head_office)
    submit(chain, "Nobody has read this yet.")
    assert run_due() == 1
    assert not Candidate.objects.exists()
    drain(["analysis"])
    work_off()
    assert Candidate.objects.count() == 4
    assert fresh(started).state == RereadingState.READY


def test_words_at_which_the_model_fails_are_skipped(
    chain: Chain, history: list[Analysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = reading.readings_of

    def fail(verbatims: list[Verbatim], reader: Reader) -> Any:
        if any("lounge" in verbatim.text for verbatim in verbatims):
            raise ValueError("the lounge")
        return real(verbatims, reader)

    monkeypatch.setattr(room, "readings_of", fail)
    started = start_rereading(chain.head_office)
    work_off()
    ready = fresh(started)
    assert (ready.state, ready.skipped, Candidate.objects.count()) == (RereadingState.READY, 1, 2)


def test_the_command_reads_history_with_another_model_that_then_reads_what_is_new(
    chain: Chain, history: list[Analysis], tmp_path: Path
) -> None:
    said, model = StringIO(), str(make_tiny(tmp_path / "new", "brand-new", "positive"))
    call_command("analyse", "--all", "--model", model, stdout=said)
    assert "/words/models/" in said.getvalue()
    work_off()
    ready = open_rereading()
    assert ready is not None
    version = version_of(model)
    assert version.startswith("brand-new+")
    assert (ready.state, ready.model_version, ready.started_by) == (RereadingState.READY, version, None)
    again = StringIO()
    call_command("analyse", "--all", stdout=again)
    assert "3" in again.getvalue()
    assert open_rereading() == ready
    assert live_reader() == Reader(name_of(None))
    go_live(ready, chain.head_office)
    work_off()
    assert live_reader() == Reader(name_of(model))
    submit(chain, "Lovely shop and very kind people.")
    drain(["analysis"])
    assert set(Analysis.objects.values_list("model_version", flat=True)) == {version}


def correct_words(analysis: Analysis, words: str) -> None:
    """As a shopper does within half an hour."""
    response = analysis.verbatim.response
    Verbatim.objects.filter(pk=analysis.pk).update(text=words)
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=True)


def test_what_the_old_model_read_behind_the_rereading_is_swept(
    chain: Chain, history: list[Analysis], tmp_path: Path
) -> None:
    model = str(make_tiny(tmp_path / "new", "brand-new", "positive"))
    started = start_rereading(chain.head_office, Reader(model))
    work_off()
    assert fresh(started).state == RereadingState.READY
    correct_words(history[0], "Wonderful people, I will come again.")
    drain(["analysis"])
    assert Analysis.objects.get(pk=history[0].pk).model_version.startswith(get_classifier().version)
    go_live(fresh(started), chain.head_office)
    work_off()
    assert set(Analysis.objects.values_list("model_version", flat=True)) == {version_of(model)}
    assert Analysis.objects.get(pk=history[0].pk).sentiment == "positive"
    assert not Candidate.objects.exists()


def test_a_release_with_other_word_lists_does_not_stop_what_goes_live(
    chain: Chain, history: list[Analysis], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = str(make_tiny(tmp_path / "new", "brand-new", "positive"))
    started = start_rereading(chain.head_office, Reader(model))
    work_off()
    before = fresh(started).model_version
    # No lists at all.
    monkeypatch.setattr("sentiment.files.WORDS", tmp_path)
    correct_words(history[0], "Wonderful people, I will come again.")
    drain(["analysis"])
    go_live(fresh(started), chain.head_office)
    work_off()
    _load.cache_clear()
    assert fresh(started).state == RereadingState.LIVE
    after = Analysis.objects.get(pk=history[0].pk).model_version
    assert set(Analysis.objects.values_list("model_version", flat=True)) == {before, after}
    assert before != after == version_of(model) and own_version(before) == own_version(after)


def test_what_is_being_read_when_another_model_goes_live_is_read_anew(
    chain: Chain, history: list[Analysis], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = str(make_tiny(tmp_path / "new", "brand-new", "positive"))
    started = start_rereading(chain.head_office, Reader(model))
    work_off()
    submit(chain, "Lovely shop and very kind people.")
    real = reading.readings_of

    def read_slowly(verbatims: list[Verbatim], reader: Reader) -> Any:
        found = real(verbatims, reader)
        if fresh(started).state == RereadingState.READY:
            go_live(fresh(started), chain.head_office)
            room.run(fresh(started).job)  # type: ignore[arg-type]  # a generator: nothing is done yet
        return found

    monkeypatch.setattr("sentiment.work.readings_of", read_slowly)
    assert read_due() == 1
    late = Analysis.objects.latest("pk")
    assert (late.analysed_at, late.attempts, late.lease_token) == (None, 0, None)
    drain(["analysis"])
    work_off()
    assert set(Analysis.objects.values_list("model_version", flat=True)) == {version_of(model)}


@pytest.mark.django_db(transaction=True)
def test_another_model_waits_for_a_reading_that_is_being_stored(chain: Chain, history: list[Analysis]) -> None:
    started = start_rereading(chain.head_office)
    work_off()
    decided: list[float] = []

    def decide() -> None:
        go_live(fresh(started), chain.head_office)
        decided.append(time.monotonic())
        connection.close()

    with transaction.atomic():
        hold_reader()
        thread = threading.Thread(target=decide)
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        until = time.monotonic() + 60
        with connection.cursor() as cursor:
            while time.monotonic() < until:
                cursor.execute(waiting)
                if cursor.fetchone()[0]:
                    break
                time.sleep(0.05)
        stored = time.monotonic()
        assert not decided
    thread.join()
    assert decided[0] >= stored
    assert live_reader() == Reader(name_of(None))
    assert fresh(started).state == RereadingState.GOING_LIVE


def test_while_it_is_swapped_nobody_looks_for_what_is_left_to_read(
    chain: Chain, history: list[Analysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SWAPPED_AT_ONCE", 1)
    started = start_rereading(chain.head_office)
    work_off()
    go_live(fresh(started), chain.head_office)
    with CaptureQueriesContext(connection) as queries:
        work_off()
    assert fresh(started).state == RereadingState.LIVE
    looked = [q["sql"] for q in queries if q["sql"].startswith("SELECT") and "EXISTS(" in q["sql"]]
    swaps = [q["sql"] for q in queries if q["sql"].startswith('UPDATE "sentiment_analysis"')]
    assert (len(looked), len(swaps)) == (1, len(history))


def test_what_a_service_said_of_old_words_stays_while_it_is_in_use(
    chain: Chain, history: list[Analysis], settings: LazySettings
) -> None:
    said = {"sentiment": "neutral", "p_negative": 0.1, "p_neutral": 0.8, "p_positive": 0.1}
    Analysis.objects.filter(pk=history[0].pk).update(model_version="old+service", **said)
    Analysis.objects.filter(pk=history[1].pk).update(model_version="old+service-failed", sentiment="neutral")
    settings.SENTIMENT_SERVICE_URL = "https://sentiment.example/"
    started = start_rereading(chain.head_office)
    work_off()
    go_live(fresh(started), chain.head_office)
    work_off()
    first, second, _third = Analysis.objects.order_by("pk")
    assert (first.sentiment, first.p_neutral, first.proven) == ("neutral", 0.8, True)
    assert first.model_version == fresh(started).model_version + "+service"
    assert (second.sentiment, second.model_version) == ("positive", fresh(started).model_version)
    settings.SENTIMENT_SERVICE_URL = ""
    again = start_rereading(chain.head_office)
    work_off()
    go_live(fresh(again), chain.head_office)
    work_off()
    assert Analysis.objects.get(pk=first.pk).sentiment == "negative"


def test_a_model_that_is_not_there_fails_with_words_for_the_person(chain: Chain, history: list[Analysis]) -> None:
    with override("de"):
        started = start_rereading(chain.head_office, Reader("/nowhere/at/all"))
    work_off()
    job = fresh(started).job
    assert job is not None
    assert job.state == JobState.FAILED
    assert job.note.startswith("Das Modell, das lesen soll, ist nicht zu haben.")
    discard(fresh(started), chain.head_office)
    work_off()
    assert not Job.objects.filter(run_at__isnull=False).exists()


# --- the page -------------------------------------------------------------------------------------------------
def test_head_office_starts_compares_and_decides(client: Client, chain: Chain, history: list[Analysis]) -> None:
    correct(history[0].pk, chain.manager, field="sentiment", value="negative")
    client.force_login(chain.head_office)
    page = client.get("/words/models/").content.decode()
    assert "Read old comments again" in page
    assert "Old ones were read by" not in page
    submit(chain, "Lovely shop and very kind people.")
    drain(["analysis"])
    assert "Old ones were read by <code>old</code>" in client.get("/words/models/").content.decode()
    Analysis.objects.exclude(model_version="old").delete()
    assert client.post("/words/models/", {"do": "start"}).status_code == 303
    started = open_rereading()
    assert started is not None
    assert started.started_by == chain.head_office
    page = client.get("/words/models/").content.decode()
    assert "<progress" in page
    assert "Go live" not in page
    work_off()
    page = client.get("/words/models/").content.decode()
    assert WORDS[0] in page
    assert "0 of 1" in page
    assert "1 of 1" in page
    other = str(started.pk + 1)
    assert client.post("/words/models/", {"do": "live", "of": other}).status_code == 303
    assert fresh(started).state == RereadingState.READY
    client.post("/words/models/", {"do": "live", "of": str(started.pk)})
    work_off()
    assert fresh(started).state == RereadingState.LIVE
    page = client.get("/words/models/").content.decode()
    assert fresh(started).model_version in page
    assert chain.head_office.name in page
    assert client.post("/words/models/", {"do": "nonsense"}).status_code == 400


def test_the_page_reads_again_by_the_model_that_is_live(client: Client, chain: Chain) -> None:
    Rereading.objects.create(model="somebody/elses", state=RereadingState.LIVE, decided_at=timezone.now())
    client.force_login(chain.head_office)
    client.post("/words/models/", {"do": "start"})
    started = open_rereading()
    assert started is not None
    assert started.model == "somebody/elses"


def test_the_models_are_head_offices(chain: Chain, history: list[Analysis]) -> None:
    for reader in ("manager", "area_manager", "operator", "nobody"):
        client = Client()
        client.force_login(getattr(chain, reader))
        assert client.get("/words/models/").status_code == 403
        assert client.post("/words/models/", {"do": "start"}).status_code == 403
    assert open_rereading() is None
