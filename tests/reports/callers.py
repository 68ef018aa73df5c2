"""Makers of answered calls."""

from collections.abc import Iterable
from datetime import date
from itertools import count

from django.db import transaction

from core.work import drain
from reports.facts import count_days
from stores.models import Store
from surveys.choices import QuestionKind, ResponseChannel, SampleKind
from surveys.models import Call, Invitation, Response, Verbatim
from tests.factories import make_version
from tests.reports.makers import noon

_number = count()


def calls(
    store: Store,
    scores: Iterable[int | None],
    *,
    day: date,
    queue: str = "orders",
    agent: str = "A1",
    kind: QuestionKind = QuestionKind.NPS,
    words: str = "",
    unanswered: int = 0,
    answered: date | None = None,
) -> list[Response]:
    """A call for each score, answered on the same day unless `answered` is another one, and some that nobody answered.
    Nothing is counted yet."""
    version, made = make_version(headline_kind=kind), []
    for score in [*scores, *["none"] * unanswered]:
        call = Call.objects.create(
            external_id=f"call-{next(_number)}", store=store, queue=queue, agent=agent, ended_at=noon(day)
        )
        invitation = Invitation.objects.create(
            channel=ResponseChannel.CALL, store=store, call=call, expires_at=noon(day)
        )
        if score == "none":
            continue
        response = Response(
            version=version,
            store=store,
            invitation=invitation,
            channel=ResponseChannel.CALL,
            sample_kind=SampleKind.VERIFIED,
            language="en",
            headline_kind=kind,
            score=score,
            submitted_at=noon(answered or day),
            local_day=answered or day,
        )
        response.save()
        if words:
            Verbatim.objects.create(response=response, question="reason", text=words)
        made.append(response)
    return made


def counted(store: Store) -> None:
    """Have everything of the store counted, as the work loop does."""

    days = set(Response.objects.filter(store=store).values_list("store_id", "local_day"))
    with transaction.atomic():
        count_days(days)
    drain(["facts"])
