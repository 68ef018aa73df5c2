"""What was tapped on a page before Send: kept apart under the page's submission id, and gone once the answer is there.

Choices only. Words and addresses that were not sent are nobody's, and stay in the shopper's own browser.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from surveys.forms import AnswerForm
from surveys.models import PartialAnswer
from surveys.queries import Asking

_MOST_STEPS = 1000

# Never over an answer that is there, and never an earlier step over a later one.
_KEEP = """
    INSERT INTO surveys_partialanswer AS p
        (id, version_id, store_id, touchpoint_id, channel, language, answers, step, began_at, changed_at)
    SELECT %(id)s, %(version)s, %(store)s, %(touchpoint)s, %(channel)s, %(language)s, %(answers)s, %(step)s,
        %(at)s, %(at)s
    WHERE NOT EXISTS (SELECT FROM surveys_response WHERE id = %(id)s)
    ON CONFLICT (id) DO UPDATE SET answers = excluded.answers, step = excluded.step, language = excluded.language,
        changed_at = excluded.changed_at
    WHERE p.step < excluded.step
"""


def choices_of(form: AnswerForm) -> dict[str, Any]:
    """The answers of a form that are choices."""
    kept: dict[str, Any] = {}
    if form.score.isascii() and form.score.isdigit() and int(form.score) in form.document.headline.values:
        kept[form.document.headline.key] = int(form.score)
    for question in form.document.questions:
        options = {option.key for option in question.options}
        if chosen := [value for value in form.given.get(question.key, []) if value in options]:
            kept[question.key] = chosen
    if form.still_here:
        kept["still_here"] = True
    return kept


def keep(
    asking: Asking,
    form_id: UUID,
    answers: Mapping[str, Any],
    *,
    step: int,
    language: str,
    now: datetime | None = None,
) -> bool:
    """Keep what has been tapped so far. False when that is not news: a later step or the answer itself is there."""
    values: dict[str, Any] = {
        "id": form_id,
        "version": asking.version.pk,
        "store": asking.store.pk,
        "touchpoint": asking.touchpoint.pk if asking.touchpoint else None,
        "channel": asking.channel,
        "language": language,
        "answers": Jsonb(dict(answers)),
        "step": min(max(step, 0), _MOST_STEPS),
        "at": now or timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, values)
        return bool(cursor.rowcount)


def drop(form_id: UUID) -> None:
    """The answer of this id is there now."""
    PartialAnswer.objects.filter(pk=form_id).delete()
