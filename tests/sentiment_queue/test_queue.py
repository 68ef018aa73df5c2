"""Every verbatim is queued with its response, read once, and never forgotten."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from core.leases import claim
from core.personal import erase_response
from core.retention import purge
from core.work import drain, watches
from sentiment import engine, work
from sentiment.files import ModelMissing
from sentiment.models import Analysis
from sentiment.queries import given_up, names_of_staff
from sentiment.signals import verbatim_analysed
from surveys.models import Response
from surveys.signals import response_saved
from tests.factories import Chain, make_response


def submit(chain: Chain, words: str, *, score: int | None = 9, language: str = "en") -> Response:
    response = make_response(touchpoint=chain.touchpoint, score=score, words=words, language=language)
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=False)
    return response


def analysis_of(response: Response) -> Analysis:
    return Analysis.objects.get(verbatim__response=response)


def correct(response: Response, words: str) -> None:
    response.verbatims.update(text=words)
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=True)


def due_now(analysis: Analysis) -> None:
    Analysis.objects.filter(pk=analysis.pk).update(run_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize(("score", "priority"), [(2, 1), (6, 1), (7, 5), (10, 5), (None, 3)])
def test_the_unhappy_are_read_first(chain, score, priority):
    analysis = analysis_of(submit(chain, "Something to read here.", score=score))
    assert analysis.priority == priority
    assert analysis.run_at is not None
    assert analysis.analysed_at is None


def test_a_rolled_back_submission_leaves_no_reading(chain):
    response = make_response(touchpoint=chain.touchpoint, score=3, words="Never mind.")
    with pytest.raises(RuntimeError), transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=False)
        raise RuntimeError
    assert not Analysis.objects.exists()


def test_reads_with_the_real_model_and_tells_the_rooms_below(chain, django_assert_max_num_queries):
    heard: list[tuple[int, bool]] = []

    def hear(sender, analysis, **_):
        heard.append((analysis.pk, connection.in_atomic_block))

    happy = submit(chain, "Wonderful advice, the staff were so friendly and quick.", score=10)
    angry = submit(chain, "Жахливе обслуговування, чекала сорок хвилин і пішла ні з чим.", score=1, language="uk")
    verbatim_analysed.connect(hear)
    try:
        assert drain(["analysis"]) == 2
    finally:
        verbatim_analysed.disconnect(hear)
    good, bad = analysis_of(happy), analysis_of(angry)
    assert (good.sentiment, good.language) == ("positive", "en")
    assert (bad.sentiment, bad.language) == ("negative", "uk")
    for one in (good, bad):
        assert one.run_at is None
        assert one.analysed_at is not None
        assert one.lease_token is None
        assert sum(p or 0 for p in (one.p_negative, one.p_neutral, one.p_positive)) == pytest.approx(1, abs=0.01)
        assert one.redacted
        assert one.model_version
        assert len(one.embedding) == 384
    assert (bad.alarming, bad.proven, good.alarming, good.proven) == (True, False, False, True)
    assert sorted(heard) == sorted([(good.pk, True), (bad.pk, True)])
    assert drain(["analysis"]) == 0


def test_names_of_the_stores_own_staff_are_redacted(chain):
    chain.manager.name = "Zenobia Quill"
    chain.manager.save()
    chain.foreign_manager.name = "Ottoline Marsh"
    chain.foreign_manager.save()
    names = names_of_staff([chain.store, chain.foreign])
    assert "Zenobia Quill" in names[chain.store.pk]
    assert "Zenobia Quill" not in names[chain.foreign.pk]
    assert chain.head_office.name in names[chain.store.pk]
    response = submit(chain, "Zenobia was lovely to us, please thank her for the advice.")
    drain(["analysis"])
    assert "Zenobia" not in analysis_of(response).redacted
    assert "thank her" in analysis_of(response).redacted


def test_a_corrected_text_is_read_again_and_the_same_text_is_not(chain):
    response = submit(chain, "Terrible service, never again.", score=5)
    drain(["analysis"])
    correct(response, "Terrible service, never again.")
    assert analysis_of(response).analysed_at is not None
    correct(response, "Lovely shop and very kind people.")
    reset = analysis_of(response)
    assert (reset.analysed_at, reset.sentiment, reset.redacted) == (None, "", "")
    drain(["analysis"])
    assert analysis_of(response).sentiment == "positive"


def test_a_text_corrected_while_it_is_read_discards_the_old_reading(chain, monkeypatch):
    response = submit(chain, "Terrible service, never again.", score=5)
    real = engine.read

    def read_slowly(texts, **kwargs):
        monkeypatch.setattr(engine, "read", real)
        readings = real(texts, **kwargs)
        correct(response, "Lovely shop and very kind people.")
        return readings

    monkeypatch.setattr(engine, "read", read_slowly)
    work.read_due()
    drain(["analysis"])
    assert analysis_of(response).sentiment == "positive"


def test_a_failing_text_steps_aside_and_is_given_up_in_sight_of_the_audit(chain, monkeypatch):
    poison = submit(chain, "poison pill of a text", score=1)
    submit(chain, "A fine and friendly little shop.", score=9)
    real = engine.read

    def read(texts, **kwargs):
        if any("poison" in text for text in texts):
            raise ValueError("poison pill of a text")
        return real(texts, **kwargs)

    monkeypatch.setattr(engine, "read", read)
    drain(["analysis"])
    failed = analysis_of(poison)
    assert failed.attempts == 1
    assert failed.last_error == "ValueError"  # an error's text may quote the shopper
    assert failed.run_at is not None
    assert failed.run_at > timezone.now()
    for _ in range(20):
        Analysis.objects.filter(run_at__isnull=False).update(run_at=timezone.now() - timedelta(seconds=1))
        drain(["analysis"])
    assert Analysis.objects.filter(analysed_at__isnull=False).count() == 1
    failed = analysis_of(poison)
    assert (failed.attempts, failed.run_at, failed.analysed_at) == (work.MAX_ATTEMPTS, None, None)
    watch = next(watch for watch in watches() if watch.name == "verbatims unread")
    assert watch.overdue(watch.patience_secs) == 1


def test_without_a_model_the_words_wait_in_sight_of_the_audit_and_none_is_given_up(chain, monkeypatch):
    response = submit(chain, "Not what was promised, sadly.", score=4)

    def no_model(texts, **kwargs):
        raise ModelMissing("no sentiment model")

    with monkeypatch.context() as broken:
        broken.setattr(engine, "read", no_model)
        for _ in range(work.MAX_ATTEMPTS + 2):
            Analysis.objects.update(lease_until=None, run_at=F("run_at") - timedelta(minutes=2))
            assert work.read_due() == 1
            assert work.read_due() == 0, "no loop without a pause"
    watch = next(watch for watch in watches() if watch.name == "verbatims unread")
    assert watch.overdue(watch.patience_secs) == 1
    Analysis.objects.update(lease_until=None)
    drain(["analysis"])
    assert analysis_of(response).analysed_at is not None


def test_counting_what_is_given_up_looks_at_nothing_else(chain):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        assert "analysis_left" in given_up().explain()


def test_shareable_words_are_kept_as_long_as_the_words_themselves(chain):
    old, fresh = (analysis_of(submit(chain, f"Number {number}, a fine shop.")) for number in range(2))
    Analysis.objects.update(redacted="a fine shop", embedding=b"like", analysed_at=timezone.now())
    Analysis.objects.filter(pk=old.pk).update(analysed_at=timezone.now() - timedelta(days=1100), sentiment="positive")
    purge()
    old.refresh_from_db()
    fresh.refresh_from_db()
    assert (old.redacted, old.text_hash, bytes(old.embedding), old.sentiment) == ("", "", b"", "positive")
    assert fresh.redacted and fresh.text_hash and fresh.embedding


def test_a_text_that_kills_every_worker_is_given_up_without_a_sixth_reading(chain, monkeypatch):
    analysis = analysis_of(submit(chain, "Reading this ends the process."))
    for _ in range(work.MAX_ATTEMPTS):
        due_now(analysis)
        assert claim(Analysis.objects.all(), limit=1, lease=timedelta(seconds=-1))
    monkeypatch.setattr(engine, "read", lambda *a, **k: pytest.fail("was read"))
    work.read_due()
    analysis.refresh_from_db()
    assert (analysis.run_at, analysis.analysed_at) == (None, None)
    assert analysis.last_error


def test_a_failing_receiver_leaves_no_half_stored_reading(chain):
    response = submit(chain, "Not what was promised, sadly.", score=4)

    def fail(sender, analysis, **_):
        raise RuntimeError("broken below")

    verbatim_analysed.connect(fail)
    try:
        work.read_due()
    finally:
        verbatim_analysed.disconnect(fail)
    analysis = analysis_of(response)
    assert (analysis.analysed_at, analysis.sentiment, analysis.last_error) == (None, "", "RuntimeError")
    due_now(analysis)
    drain(["analysis"])
    assert analysis_of(response).analysed_at is not None


def test_erasing_blanks_the_words_and_keeps_what_is_counted(chain):
    response = submit(chain, "The staff were rude and the queue was long.", score=2)
    drain(["analysis"])
    before = analysis_of(response)
    with transaction.atomic():
        erase_response(response.pk)
    after = analysis_of(response)
    assert (after.redacted, after.text_hash, bytes(after.embedding)) == ("", "", b"")
    assert (after.sentiment, after.topics) == (before.sentiment, before.topics)


def test_erasing_what_is_pending_ends_its_reading_quietly(chain):
    response = submit(chain, "Please forget this.")
    with transaction.atomic():
        erase_response(response.pk)
    assert drain(["analysis"]) == 0
    watch = next(watch for watch in watches() if watch.name == "verbatims unread")
    assert watch.overdue(0) == 0


def test_starting_django_loads_no_model():
    program = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'feedback.settings'; django.setup();"
        "import django.urls; django.urls.get_resolver().url_patterns;"
        "sys.exit(any(m in sys.modules for m in ('sentiment.engine', 'transformers', 'onnxruntime')))"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=300, check=False).returncode == 0


def test_praise_beside_a_score_that_belies_it_is_unsure_and_read_again_when_the_score_changes(chain):
    words = "Really wonderful service, everything was perfect, thank you."
    response = submit(chain, words, score=3)
    drain(["analysis"])
    belied = analysis_of(response)
    assert (belied.sentiment, belied.confident, belied.alarming) == ("neutral", False, False)
    assert "positive" not in {hit["sentiment"] for hit in belied.topics}
    # The scale was read from the wrong end. What a person said of the words meanwhile stays.
    Analysis.objects.update(corrected=True, people_say={"topics": {"staff": "positive"}})
    Response.objects.update(score=10)
    response.refresh_from_db()
    correct(response, words)
    assert analysis_of(response).analysed_at is not None
    drain(["analysis"])
    meant = analysis_of(response)
    assert (meant.sentiment, meant.confident, meant.run_at) == ("positive", True, None)
    assert meant.corrected and {"topic": "staff", "sentiment": "positive"} in meant.topics
    # Any other change of the score changes nothing.
    Response.objects.update(score=8)
    response.refresh_from_db()
    correct(response, words)
    assert analysis_of(response).run_at is None
