"""What a burst of comments is made of, and who cannot wait meanwhile."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import psutil
from django.conf import settings
from django.db import connection

from alerts.models import Case
from core.leases import ClockNow
from sentiment.models import Analysis
from sentiment.reading import read_hash
from surveys.models import Response, Verbatim

# A content score, so that the words alone open the case, and only once they were read.
HURT, CONTENT = "Nine points, but the security guard hit my son.", 9
_EVERY_SECS = 2.0
_NEVER_SECS = 60.0


def flood(pattern: Response, comments: int) -> None:
    """Content comments in all languages, as long as people write them, all waiting to be read. None opens a case: those
    would be alerts of their own."""
    texts = [
        (str(row["text"]), path.stem)
        for path in sorted((settings.BASE_DIR / "sentiment" / "evaluation_sets").glob("*.jsonl"))
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if row["sentiment"] == "positive" and not row["urgency"]
    ]
    kept = {field.attname: getattr(pattern, field.attname) for field in Response._meta.concrete_fields}
    for unique in ("id", "token_hash", "submission_id"):
        kept.pop(unique, None)
    chosen = [texts[n % len(texts)] for n in range(comments)]
    responses = Response.objects.bulk_create(
        [Response(**kept | {"language": code}, token_hash=f"flood {n}") for n, (_text, code) in enumerate(chosen)],
        batch_size=2000,
    )
    verbatims = Verbatim.objects.bulk_create(
        [
            Verbatim(response=response, question="reason", text=text)
            for response, (text, _code) in zip(responses, chosen, strict=True)
        ],
        batch_size=2000,
    )
    Analysis.objects.all().delete()
    Analysis.objects.bulk_create(
        [Analysis(verbatim=one, priority=5, run_at=ClockNow(), text_hash=read_hash(one)) for one in verbatims],
        batch_size=2000,
    )


@contextmanager
def urgent_shoppers(answer: Callable[[], None]) -> Iterator[None]:
    """Somebody answers with urgent words every few seconds meanwhile."""
    over = threading.Event()

    def shopper() -> None:
        while not over.wait(_EVERY_SECS):
            answer()
        connection.close()

    thread = threading.Thread(target=shopper)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def waits_of_the_urgent(since: datetime) -> list[float]:
    """Seconds from Send to the case that the words opened, ascending; a minute where none comes within that."""
    end = time.monotonic() + _NEVER_SECS
    while (waits := _waits_of_the_urgent(since)) and waits[-1] == _NEVER_SECS and time.monotonic() < end:
        time.sleep(0.5)
    return waits


def _waits_of_the_urgent(since: datetime) -> list[float]:
    said = Verbatim.objects.filter(text=HURT, response__submitted_at__gte=since)
    sent = dict(said.values_list("response", "response__submitted_at"))
    opened = dict(Case.objects.filter(response__in=sent).values_list("response", "opened_at"))
    return sorted((opened[pk] - at).total_seconds() if pk in opened else _NEVER_SECS for pk, at in sent.items())


def megabytes_of(lane: str) -> float:
    """What the work loop of a lane holds that this process has started."""
    loops = [child for child in psutil.Process().children() if child.cmdline()[-2:] == ["work", lane]]
    return max(loop.memory_info().rss for loop in loops) / 1e6
