"""Ten thousand comments at once: what cannot wait is read next, and alerts are none the slower for it."""

import time

import pytest
from django.core.management import call_command
from django.db import connection

from alerts.models import Case
from alerts.policy import ensure_defaults
from core.leases import ClockNow
from core.management.commands.work import NICE_ANALYSIS
from core.work import drain, run_once
from sentiment import work
from sentiment.models import Analysis
from surveys.models import Response, Verbatim
from tests.factories import Chain, make_response
from tests.sentiment_human.conftest import submit

MANY, ALERTS = 10_000, 9
HURT = "Nine points, but the security guard hit my son"
HURT_DE = "Neun Punkte, aber der Wachmann hat meinen Sohn geschlagen"


def flood(chain: Chain) -> None:
    """So many content comments that wait for being read."""
    pattern = make_response(touchpoint=chain.touchpoint, score=9)
    kept = {field.attname: getattr(pattern, field.attname) for field in Response._meta.concrete_fields}
    for unique in ("id", "token_hash", "submission_id"):
        kept.pop(unique, None)
    responses = Response.objects.bulk_create(
        [Response(**kept, token_hash=f"flood {n}") for n in range(MANY)], batch_size=2000
    )
    verbatims = Verbatim.objects.bulk_create(
        [Verbatim(response=one, question="reason", text="Friendly and quick.") for one in responses], batch_size=5000
    )
    Analysis.objects.bulk_create(
        [Analysis(verbatim=one, priority=5, run_at=ClockNow(), text_hash="x") for one in verbatims], batch_size=2000
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sentiment_analysis")


@pytest.mark.parametrize(
    ("words", "score", "language", "priority"),
    [(HURT, 9, "en", 0), (HURT_DE, 9, "de", 0), ("Nobody was hurt, all is well.", 9, "en", 5), ("Slow.", 2, "en", 1)],
)
def test_words_that_cannot_wait_go_first_whatever_the_score(
    chain: Chain, words: str, score: int, language: str, priority: int
) -> None:
    response = submit(chain, words, score=score, language=language)
    assert Analysis.objects.get(verbatim__response=response).priority == priority


def test_alerts_and_what_cannot_wait_overtake_a_flood(chain: Chain) -> None:
    ensure_defaults()
    before = alert_ms(chain)
    flood(chain)
    with_flood = alert_ms(chain)
    # Its lane looks for its own rows only, and a score opens its case with the answer itself.
    assert with_flood < max(3 * before, 300), (before, with_flood)
    assert "analysis_due" in (plan := plan_of_a_look())
    assert "Sort" not in plan

    urgent = submit(chain, HURT, score=9)
    waiting = Analysis.objects.filter(run_at__isnull=False)
    total = waiting.count()
    unhappy = list(waiting.filter(priority=1))
    assert len(unhappy) == 2 * ALERTS
    assert work.read_due() == work.BATCH
    assert waiting.count() == total - work.BATCH
    assert not waiting.filter(priority__lte=1).exists()
    drain(["alerts"])
    assert Case.objects.filter(response=urgent).exists()


def alert_ms(chain: Chain) -> float:
    """What a few unhappy answers cost the lane of the alerts, from their notices to the transport: the quickest,

    since whatever else a machine does only ever adds to it.
    """
    waits = []
    for _number in range(ALERTS):
        response = submit(chain, "Waited far too long.", score=1)
        began = time.perf_counter()
        run_once(["alerts"])
        waits.append((time.perf_counter() - began) * 1000)
        assert Case.objects.filter(response=response).exists()
    return min(waits)


def plan_of_a_look() -> str:
    """How the database finds the next batch among so many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN SELECT verbatim_id FROM sentiment_analysis WHERE run_at IS NOT NULL AND attempts = 0"
            " AND run_at <= statement_timestamp() AND (lease_until IS NULL OR lease_until < statement_timestamp())"
            " ORDER BY priority, run_at LIMIT 32 FOR UPDATE SKIP LOCKED"
        )
        return "\n".join(row[0] for row in cursor.fetchall())


def test_the_process_that_reads_leaves_the_processor_to_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    monkeypatch.setattr("os.nice", asked.append)
    monkeypatch.setattr("core.management.commands.work.run_forever", lambda lanes, stop: None)
    call_command("work", "alerts", "facts")
    assert asked == []
    call_command("work", "analysis")
    assert asked == [NICE_ANALYSIS]
