"""The chain's own words: kept in rows, taken by the workers from one batch to the next, tried before they count."""

import math
import time
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

import structlog
from django.db.models import Count, Q
from django.utils import timezone

from core.leases import ClockNow
from sentiment.entries import ChainWords, Entry, cleaned, finds
from sentiment.lexicon import Word, base_of, split_words
from sentiment.models import ChainWord, Effect
from sentiment.queries import readings_visible_to
from sentiment.topics import find_mentions
from sentiment.typed_latin import in_all_letters
from sentiment.urgency import find_urgency
from stores.models import User

TRIED_ON = timedelta(days=30)
MOST_TRIED = 5000
# So many that a list is no list of words any more, and every comment is read more slowly.
MOST_ENTRIES = 2000
_EXAMPLES = 5

_RECENT_SECS = 10.0

log = structlog.get_logger(__name__)
_known: tuple[tuple[int, int], ChainWords] = ((0, 0), ChainWords())
_asked_at = -math.inf
_lock = Lock()


def current_words() -> ChainWords:
    """The lists as the chain has them now. Costs one small query; the lists are built anew only where they changed."""
    global _known, _asked_at
    asked_at = time.monotonic()
    counted = ChainWord.objects.aggregate(rows=Count("pk"), ended=Count("ended_at"))
    # Rows are only added and ended, so two numbers tell every change, in whatever order they are committed.
    version = (counted["rows"], counted["ended"])
    with _lock:
        if _known[0] != version:
            _known = (version, _load())
        _asked_at = asked_at
        return _known[1]


def recent_words() -> ChainWords:
    """As they were some seconds ago, or are now if this process has changed them; mostly without a query. Enough where
    they only order what is done."""
    return _known[1] if time.monotonic() - _asked_at < _RECENT_SECS else current_words()


def _load() -> ChainWords:
    rows = list(ChainWord.objects.filter(ended_at=None).order_by("pk"))
    return ChainWords(
        added=[entry_of(row) for row in rows if row.effect == Effect.ADD and _is_still_one(row)],
        off=[entry_of(row) for row in rows if row.effect == Effect.OFF],
    )


def _is_still_one(row: ChainWord) -> bool:
    """An entry that an earlier release took may be none any more; no comment waits for it to be taken back."""
    try:
        cleaned(row.entry)
    except ValueError as error:
        log.warning("an entry of the word lists does not count", row=row.pk, language=row.language, reason=str(error))
        return False
    return True


def entry_of(row: ChainWord) -> Entry:
    assert row.kind in ("topic", "urgency")
    return Entry(row.language, "topic" if row.kind == "topic" else "urgency", row.target, row.entry, row.grade)


# --- changes --------------------------------------------------------------------------------------------------
class TooManyEntries(Exception):
    """The language has as many entries of the chain's own as it may have."""


def change(entry: Entry, effect: Effect, actor: User) -> None:
    """Add an entry, or switch a built-in one off, from the workers' next batch on. Twice is the same as once."""
    open_rows = ChainWord.objects.filter(language=entry.language, ended_at=None)
    same = {
        "kind": entry.kind, "target": entry.target, "entry": entry.text, "grade": entry.grade, "effect": effect,
    }  # fmt: skip
    if not open_rows.filter(**same).exists() and open_rows.count() >= MOST_ENTRIES:
        raise TooManyEntries
    ChainWord.objects.get_or_create(language=entry.language, ended_at=None, **same, defaults={"added_by": actor})
    _ask_again()


def take_back(row_id: int, actor: User) -> bool:
    """End an entry of the chain's own, or have a built-in one count again. False when that has happened already."""
    _ask_again()
    return bool(ChainWord.objects.filter(pk=row_id, ended_at=None).update(ended_at=ClockNow(), ended_by=actor))


def _ask_again() -> None:
    global _asked_at
    _asked_at = -math.inf


# --- trying ---------------------------------------------------------------------------------------------------
@dataclass
class Trial:
    """What an entry would change among the newest comments of its language, by the words alone.

    `matched` comments hold its words; `gained` and `lost` the topic or urgency. `examples` are (redacted text,
    gained?). `capped`: there are more comments than were looked at.
    """

    looked_at: int = 0
    matched: int = 0
    gained: int = 0
    lost: int = 0
    capped: bool = False
    examples: list[tuple[str, bool]] = field(default_factory=list)


def try_entry(user: User, entry: Entry, *, remove: bool = False) -> Trial:
    """Add an entry (or, with `remove`, leave it out) in thought, and look at what the user sees of the last weeks."""
    before = current_words()
    after = before.without_entry(entry) if remove else before.with_entry(entry)
    rows = list(
        readings_visible_to(user)
        .filter(analysed_at__isnull=False, verbatim__response__submitted_at__gte=timezone.now() - TRIED_ON)
        .filter(Q(language=entry.language) | Q(verbatim__response__language__startswith=entry.language))
        .exclude(redacted="")
        .order_by("-pk")
        .values_list("verbatim__text", "redacted", "language", "verbatim__response__language")[: MOST_TRIED + 1]
    )
    trial = Trial(looked_at=min(len(rows), MOST_TRIED), capped=len(rows) > MOST_TRIED)
    probe = finds(entry)
    for text, redacted, language, page in rows[:MOST_TRIED]:
        words = split_words(in_all_letters(text, language))
        if not probe.find(words):
            continue
        trial.matched += 1
        languages = tuple(dict.fromkeys([language, base_of(page)]))
        had, has = _is_about(entry, words, languages, before), _is_about(entry, words, languages, after)
        trial.gained += has and not had
        trial.lost += had and not has
        if had != has and len(trial.examples) < _EXAMPLES:
            trial.examples.append((redacted, has))
    return trial


def _is_about(entry: Entry, words: list[Word], languages: tuple[str, ...], chain: ChainWords) -> bool:
    if entry.kind == "topic":
        return any(mention.topic == entry.target for mention in find_mentions(words, languages, chain))
    return entry.target in find_urgency(words, languages, chain).kinds
