"""What was entered on a page whose answer is not there yet, and what becomes of it when its shopper has left.

Kept apart under the page's submission id, and gone once the answer is there. There are two kinds of it:

- **Tapped, never sent.** Choices only: words and addresses that were not sent are nobody's, and stay in the shopper's
  own browser. Half an hour after the last tap it becomes a response marked UNSENT, which opens nothing, counts in no
  figure but how many leave, and does not use up an invitation: who comes back and presses Send has answered.
- **Sent and refused**, because something was missing: a number that nobody can dial, a question that must be answered.
  It was meant to be sent, so what is valid of it, words too, becomes an answer marked UNFINISHED, after five minutes;
  its page says so. It counts and is acted on; whoever mends the page after all completes it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from core.faults import kill_point
from surveys.actions import complete, keep_unsent, submit
from surveys.choices import AUTOMATIC, UNFINISHED, UNSENT, ResponseChannel
from surveys.forms import Answers
from surveys.models import PartialAnswer
from surveys.queries import Asking

log = structlog.get_logger()
_MOST_STEPS = 1000
_BATCH = 50
RETRY_AFTER = timedelta(hours=1)

# Never over an answer that is there, nor beside the one of the same receipt or call from another tab: it would come to
# nothing; but beside what was texted about a call and lacks something. Never an earlier step over a later one that
# crossed it on the way; a page that is shown again begins to count anew. What was sent once is not taken back by a tap.
_KEEP = """
    INSERT INTO surveys_partialanswer AS p
        (id, version_id, store_id, touchpoint_id, invitation_id, channel, language, answers, refused, flags, step,
         began_at, changed_at, run_at)
    SELECT %(id)s, %(version)s, %(store)s, %(touchpoint)s, %(invitation)s, %(channel)s, %(language)s, %(answers)s,
        %(refused)s, %(flags)s::varchar[], %(step)s, %(at)s, %(at)s, %(run_at)s
    WHERE NOT EXISTS (
        SELECT FROM surveys_response WHERE (id = %(id)s OR invitation_id = %(invitation)s)
            AND NOT (%(refused)s AND (flags && %(no_answer)s::varchar[]
                OR channel = %(call)s AND %(unfinished)s = ANY(flags) AND id <> %(id)s))
    )
    ON CONFLICT (id) DO UPDATE SET
        answers = CASE WHEN p.refused AND NOT excluded.refused THEN p.answers || excluded.answers
            ELSE excluded.answers END,
        refused = p.refused OR excluded.refused, flags = excluded.flags, step = excluded.step,
        version_id = excluded.version_id, language = excluded.language, changed_at = excluded.changed_at,
        run_at = CASE WHEN p.refused AND NOT excluded.refused THEN %(soon)s ELSE excluded.run_at END
    WHERE excluded.refused OR p.step < excluded.step OR p.changed_at < excluded.changed_at - interval '10 seconds'
"""


def keep(
    asking: Asking,
    form_id: UUID,
    answers: Answers,
    *,
    language: str,
    step: int = 0,
    refused: bool = False,
    flags: Sequence[str] = (),
    now: datetime | None = None,
) -> bool:
    """Keep what has been entered so far. False when that is not news: a later step or the answer itself is there.

    `refused`: Send was pressed, and something is missing.
    """
    at = now or timezone.now()
    soon = at + settings.UNFINISHED_AFTER
    values: dict[str, Any] = {
        "id": form_id,
        "version": asking.version.pk,
        "store": asking.store.pk,
        "touchpoint": asking.touchpoint.pk if asking.touchpoint else None,
        "invitation": asking.invitation.pk if asking.invitation else None,
        "channel": asking.channel,
        "language": language,
        "answers": Jsonb(answers.as_json(asking.document.headline.key)),
        "refused": refused,
        "flags": list(flags),
        "step": min(max(step, 0), _MOST_STEPS),
        "at": at,
        "run_at": soon if refused else at + settings.UNSENT_AFTER,
        "soon": soon,
        "no_answer": [UNSENT, AUTOMATIC],
        "call": ResponseChannel.CALL,
        "unfinished": UNFINISHED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, values)
        return bool(cursor.rowcount)


def drop(form_id: UUID) -> None:
    """The answer of this id is there now."""
    PartialAnswer.objects.filter(pk=form_id).delete()


def settle_left() -> int:
    """Make the answers of those who have left, each once. Returns how many were looked at.

    One that fails steps aside, and is tried again later.
    """
    due = PartialAnswer.objects.filter(run_at__lte=timezone.now()).order_by("run_at")
    left = list(due.values_list("pk", flat=True)[:_BATCH])
    for pk in left:
        try:
            _settle(pk)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # whatever one survey's document may throw
            log.exception("an answer that was left cannot be made", partial=str(pk))
            PartialAnswer.objects.filter(pk=pk).update(run_at=timezone.now() + RETRY_AFTER)
    return len(left)


@transaction.atomic
def _settle(pk: UUID) -> None:
    """The answer is there and what was kept is gone, or neither; whoever comes second finds nothing."""
    kept = PartialAnswer.objects.select_related(
        "version", "store__node", "touchpoint", "invitation__receipt", "invitation__call"
    )
    row = kept.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk, run_at__lte=timezone.now()).first()
    if row is None:
        return
    channel = ResponseChannel(row.channel)
    asking = Asking(row.store, channel, row.version, touchpoint=row.touchpoint, invitation=row.invitation)
    answers = Answers.of_json(row.answers, asking.document)
    make = _make_answer if row.refused else keep_unsent
    make(asking, answers, form_id=row.pk, language=row.language, flags=row.flags, now=row.changed_at)
    kill_point("answer_made")
    row.delete()


def _make_answer(
    asking: Asking, answers: Answers, *, form_id: UUID, flags: Sequence[str], now: datetime, **more: Any
) -> None:
    done = submit(asking, answers, form_id=form_id, flags=[UNFINISHED, *flags], now=now, left=True, **more)
    # Whoever has sent this very page since has taken back what they left out.
    if not (done.created or done.corrected) and done.response.pk != form_id:
        complete(done.response, asking, answers, at=now)


def count_overdue(patience_secs: int) -> int:
    """What should have become an answer this long ago."""
    limit = timezone.now() - timedelta(seconds=patience_secs)
    return PartialAnswer.objects.filter(run_at__lt=limit).count()
