"""The rows that the explorer searches, made from the raw rows whenever a day is counted."""

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from core.personal import on_erase
from reports.models import ExplorerRow
from surveys.choices import PROMOTER_AT_LEAST, STAFF_FLAG, UNHAPPY_AT_MOST
from surveys.models import Verbatim

# What a score amounts to, whichever question it answers.
BANDS = {"happy": _("Happy"), "middle": _("In between"), "unhappy": _("Unhappy"), "none": _("No score")}
_WORD = re.compile(r"[^\W_]+")
# Letters that Unicode does not take apart, Arabic ones that are typed either way, and an apostrophe that passes for a
# letter. Whoever changes what folding makes of words changes the mark in _FRESH, too, so that they are folded again.
_FOLDED = str.maketrans(
    {"ʼ": "'", "ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i", "ى": "ي", "ة": "ه", "ـ": None}
)
_BATCH = 500


def fold(text: str) -> str:
    """Words as they are searched: without case, accents, vowel marks and punctuation, a space around each."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_FOLDED))
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return f" {' '.join(_WORD.findall(plain))} "


def any_score(marks: dict[Any, int], sign: str) -> str:
    """The condition that a response `r` scored beyond the mark of its question's scale, for SQL."""
    return " OR ".join(f"(r.headline_kind = '{kind.value}' AND r.score {sign} {mark})" for kind, mark in marks.items())


_COLUMNS = (
    "store_id", "submitted_at", "local_day", "channel", "sample_kind", "band", "sentiment", "topics", "urgency",
    "language", "unsure", "corrected", "has_case", "text_key",
)  # fmt: skip
_WANTED = "unnest(%(stores)s::bigint[], %(days)s::date[]) AS w(store_id, local_day)"
_HIDDEN = "(v.text = '' OR r.erased_at IS NOT NULL OR %(staff)s = ANY(r.flags))"
_FRESH = f"""
SELECT * FROM (
    SELECT v.id, r.store_id, r.submitted_at, r.local_day, r.channel, r.sample_kind,
        CASE WHEN r.score IS NULL THEN 'none' WHEN {any_score(PROMOTER_AT_LEAST, ">=")} THEN 'happy'
            WHEN {any_score(UNHAPPY_AT_MOST, "<=")} THEN 'unhappy' ELSE 'middle' END AS band,
        coalesce(a.sentiment, '') AS sentiment,
        ARRAY(SELECT t->>'topic' FROM jsonb_array_elements(a.topics) t)::varchar[] AS topics,
        coalesce(a.urgency, ARRAY[]::varchar[]) AS urgency,
        coalesce(nullif(a.language, ''), r.language) AS language,
        a.analysed_at IS NOT NULL AND NOT a.confident AS unsure, coalesce(a.corrected, false) AS corrected,
        EXISTS (SELECT FROM alerts_case c WHERE c.response_id = r.id)
            OR EXISTS (SELECT FROM alerts_caseresponse c WHERE c.response_id = r.id) AS has_case,
        md5('2' || v.text) AS text_key
    FROM {_WANTED} JOIN surveys_response r USING (store_id, local_day)
    JOIN surveys_verbatim v ON v.response_id = r.id
    LEFT JOIN sentiment_analysis a ON a.verbatim_id = v.id
    WHERE NOT {_HIDDEN}
) fresh
WHERE NOT EXISTS (
    SELECT FROM reports_explorerrow e WHERE e.verbatim_id = fresh.id
    AND ({", ".join(f"e.{name}" for name in _COLUMNS)}) IS NOT DISTINCT FROM
        ({", ".join(f"fresh.{name}" for name in _COLUMNS)})
)
"""  # noqa: S608  (our own names)
_GONE = f"""
DELETE FROM reports_explorerrow e USING {_WANTED}, surveys_response r, surveys_verbatim v
WHERE r.store_id = w.store_id AND r.local_day = w.local_day AND v.response_id = r.id AND e.verbatim_id = v.id
AND {_HIDDEN}
"""  # noqa: S608  (our own names)


def refresh_days(days: Collection[tuple[int, date]]) -> None:
    """Bring the rows of these (store id, local day) pairs up to date, in the caller's transaction.

    Only what differs is written. The caller has seen to it that nobody else refreshes these stores.
    """
    pairs = list(days)
    stores, local_days = [store for store, _ in pairs], [day for _, day in pairs]
    values: dict[str, Any] = {"stores": stores, "days": local_days, "staff": STAFF_FLAG}
    with connection.cursor() as cursor:
        cursor.execute(_GONE, values)
        cursor.execute(_FRESH, values)
        names = [column.name for column in cursor.description or ()]
        _store([dict(zip(names, found, strict=True)) for found in cursor.fetchall()])


def _store(found: list[dict[str, Any]]) -> None:
    # Whoever deletes the words waits for us, or we for them: they must not come back here.
    ids = [one["id"] for one in found]
    held = Verbatim.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    texts = {pk: text for pk, text in held.values_list("pk", "text") if text}
    ExplorerRow.objects.bulk_create(
        [ExplorerRow(verbatim_id=pk, folded=fold(texts[pk]), **one) for one in found if (pk := one.pop("id")) in texts],
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["verbatim"],
        update_fields=[*_COLUMNS, "folded"],
    )


@on_erase
def drop_rows(response_id: UUID) -> None:
    """Deleted words are found no more, at once."""
    ExplorerRow.objects.filter(verbatim__response_id=response_id).delete()
