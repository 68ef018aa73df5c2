"""Ten thousand comments at once: what cannot wait is read next, and alerts are none the slower for it."""

import time

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.models import Case
from alerts.policy import ensure_defaults
from core.leases import ClockNow
from core.management.commands.work import NICE_ANALYSIS
from core.work import drain, run_once
from sentiment import work
from sentiment.chain import change, current_words
from sentiment.entries import Entry, Tracer
from sentiment.models import Analysis, Effect
from tests.factories import Chain, make_response
from tests.sentiment_human.conftest import submit

MANY, ALERTS = 10_000, 9
HURT = "Nine points, but the security guard hit my son"
HURT_DE = "Neun Punkte, aber der Wachmann hat meinen Sohn geschlagen"


def flood(chain: Chain) -> None:
    """So many content comments that wait for being read, copied from one by the database."""
    one = make_response(touchpoint=chain.touchpoint, score=9, words="Friendly and quick.")
    verbatim = one.verbatims.get()
    Analysis.objects.create(verbatim=verbatim, priority=5, run_at=ClockNow(), text_hash="x")
    of_response = "(SELECT id FROM surveys_response WHERE token_hash = n::text)"
    new = "gen_random_uuid()"
    with connection.cursor() as cursor:
        for table, key, pk, changes in (
            ("surveys_response", "id", one.pk, f"'id', {new}, 'submission_id', {new}, 'token_hash', n"),
            ("surveys_verbatim", "id", verbatim.pk, f"'id', 1000000 + n, 'response_id', {of_response}"),
            ("sentiment_analysis", "verbatim_id", verbatim.pk, "'verbatim_id', 1000000 + n"),
        ):
            cursor.execute(
                f"INSERT INTO {table} SELECT made.* FROM {table} one, generate_series(1, %s) n,"
                f" jsonb_populate_record(one, jsonb_build_object({changes})) made WHERE one.{key} = %s",
                [MANY, pk],
            )
            cursor.execute(f"ANALYZE {table}")


@pytest.mark.parametrize(
    ("words", "score", "language", "priority"),
    [
        (HURT, 9, "en", 0),
        (HURT_DE, 9, "de", 0),
        ("Nobody was hurt, all is well.", 9, "en", 5),
        ("Slow.", 2, "en", 1),
        ("Prodavchynya vkrala miy hamanets, duzhe prykro", 9, "uk", 0),
    ],
)
def test_words_that_cannot_wait_go_first_whatever_the_score(
    chain: Chain, words: str, score: int, language: str, priority: int
) -> None:
    response = submit(chain, words, score=score, language=language)
    assert Analysis.objects.get(verbatim__response=response).priority == priority


def test_so_do_the_chains_own_words_and_none_that_it_switched_off(chain: Chain) -> None:
    def priority(words: str) -> int:
        return Analysis.objects.get(verbatim__response=submit(chain, words, score=9, language="en")).priority

    assert priority("A wasp nest hangs over the trolleys") == 5
    change(Entry("en", "urgency", "safety", "wasp nest", "certain"), Effect.ADD, chain.head_office)
    assert priority("A wasp nest hangs over the trolleys") == 0
    assert priority(HURT) == 0
    # The shopper's page does not ask for the words every time.
    with CaptureQueriesContext(connection) as asked:
        priority("Slow.")
    assert not [query for query in asked.captured_queries if "sentiment_chainword" in query["sql"]]
    for found in Tracer(current_words(), ["en"]).trace(HURT):
        change(found.entry, Effect.OFF, chain.head_office)
    assert priority(HURT) == 5


def test_alerts_and_what_cannot_wait_overtake_a_flood(chain: Chain) -> None:
    ensure_defaults()
    before = alert_ms(chain)
    flood(chain)
    with_flood = alert_ms(chain)
    # Its lane looks for its own rows only, and a score opens its case with the answer itself.
    assert with_flood < max(5 * before, 1000), (before, with_flood)
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
