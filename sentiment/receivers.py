"""Connects this room to the signals above it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from core.leases import ClockNow
from core.personal import on_erase
from core.quick import insert_soon
from sentiment import rereading, work  # noqa: F401  (register their job and their steps)
from sentiment.chain import recent_words
from sentiment.lexicon import base_of, split_words
from sentiment.models import Analysis, Candidate
from sentiment.reading import read_hash, read_hashes
from sentiment.typed_latin import in_all_letters
from sentiment.urgency import find_urgency
from surveys.choices import UNHAPPY_AT_MOST, QuestionKind
from surveys.models import Response, Verbatim
from surveys.signals import response_saved

_URGENT, _UNHAPPY, _UNSCORED, _CONTENT = 0, 1, 3, 5
# A look at the words costs the shopper a tenth of a millisecond mostly, some milliseconds at most, and now and then
# a small query.
_LOOKED_AT = 2000
_UNCLAIMED: dict[str, Any] = {"last_error": "", "attempts": 0, "lease_token": None, "lease_until": None}
# Nothing is left of an earlier reading: its words are gone.
_UNREAD: dict[str, Any] = {
    **_UNCLAIMED,
    "analysed_at": None,
    "language": "",
    "language_confidence": None,
    "sentiment": "",
    "p_negative": None,
    "p_neutral": None,
    "p_positive": None,
    "confident": False,
    "alarming": False,
    "proven": False,
    "topics": [],
    "urgency": [],
    "urgency_certain": False,
    "redacted": "",
    "model_version": "",
    "embedding": b"",
    "corrected": False,
    "people_say": {},
    "model_reading": {},
}


def priority_of(response: Response, text: str) -> int:
    """Who is read first: words that cannot wait in a language to be expected, the unhappy, those without a score."""
    page = base_of(response.language)
    looked_at = split_words(in_all_letters(text[:_LOOKED_AT], page))
    if find_urgency(looked_at, (page, *response.store.languages), recent_words()).certain:
        return _URGENT
    if response.score is None:
        return _UNSCORED
    return _UNHAPPY if response.score <= UNHAPPY_AT_MOST[QuestionKind(response.headline_kind)] else _CONTENT


@receiver(response_saved)
def queue_readings(
    sender: object,
    response: Response,
    corrected: bool = False,
    verbatims: Sequence[Verbatim] | None = None,
    **_: Any,
) -> None:
    """Leave one pending reading per verbatim, in the submission's own transaction.

    Corrected words are read again, also when a worker is reading the old ones: its token no longer fits. So are the
    same words beside a score that says otherwise now, and what people said of them stays.
    """
    known: dict[int, Analysis] = {}
    if corrected:
        read = Analysis.objects.select_for_update(no_key=True).filter(verbatim__response=response).order_by("pk")
        known = {analysis.pk: analysis for analysis in read}
    new = []
    for verbatim in response.verbatims.all() if verbatims is None else verbatims:
        analysis = known.get(verbatim.pk)
        verbatim.response = response
        text_hash = read_hash(verbatim)
        priority = priority_of(response, verbatim.text)
        if not verbatim.text.strip():
            if analysis is not None:
                analysis.delete()
        elif analysis is None:
            new.append(Analysis(verbatim=verbatim, priority=priority, run_at=ClockNow(), text_hash=text_hash))
        elif analysis.text_hash != text_hash:
            same_words = analysis.text_hash in read_hashes(verbatim.text)
            Analysis.objects.filter(pk=analysis.pk).update(
                priority=priority, run_at=ClockNow(), text_hash=text_hash, **(_UNCLAIMED if same_words else _UNREAD)
            )
    insert_soon(new, ignore_conflicts=True)


@on_erase
def blank_words(response_id: UUID) -> None:
    """The shareable words go, and whatever is being read stops; sentiment and topics stay for the counts."""
    # The readings before their candidates, as whoever lets these go live takes them.
    Analysis.objects.filter(verbatim__response_id=response_id).update(
        redacted="", text_hash="", embedding=b"", last_error="", run_at=None, lease_token=None, lease_until=None
    )
    Candidate.objects.filter(analysis__verbatim__response_id=response_id).delete()
