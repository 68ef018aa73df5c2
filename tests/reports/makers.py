"""Makers of rows for the tests of reports."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.choices import CaseState
from alerts.models import Case, Verification
from alerts.signals import case_changed
from core.work import drain
from sentiment.models import Analysis, Sentiment
from stores.models import Touchpoint
from surveys.choices import SCORE_RANGE, QuestionKind, ResponseChannel, SampleKind
from surveys.models import Response, Verbatim
from surveys.signals import response_saved
from tests.factories import make_response

TOPICS = ("staff", "waiting", "price")


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def make_analysis(
    verbatim: Verbatim, *, sentiment: Sentiment, topics: list[dict[str, str]] | None = None, redacted: str = ""
) -> Analysis:
    p = {one: 0.9 if one == sentiment else 0.05 for one in Sentiment}
    return Analysis.objects.update_or_create(
        verbatim=verbatim,
        defaults={
            "run_at": None,
            "analysed_at": timezone.now(),
            "language": verbatim.response.language,
            "sentiment": sentiment,
            "p_negative": p[Sentiment.NEGATIVE],
            "p_neutral": p[Sentiment.NEUTRAL],
            "p_positive": p[Sentiment.POSITIVE],
            "confident": True,
            "topics": topics or [],
            "redacted": redacted or verbatim.text,
            "model_version": "test",
        },
    )[0]


def make_case(
    response: Response,
    *,
    state: CaseState = CaseState.OPEN,
    due_in: timedelta = timedelta(hours=-1),
    fix_only: bool = False,
    said_no: bool = False,
    **changes: Any,
) -> Case:
    """A case of the response, reopened by its shopper if they `said_no`; `contacted`, `attempted` and `fixed` are
    minutes after opening; 30 are allowed."""
    due_at = timezone.now() + due_in
    opened_at = due_at - timedelta(minutes=30)
    for name in ("contacted", "attempted", "fixed"):
        minutes = changes.pop(name, None)
        if minutes is not None:
            changes[f"{name}_at"] = opened_at + timedelta(minutes=minutes)
    case = Case.objects.create(
        store=response.store,
        response=response,
        rule_name="test",
        trigger="score",
        state=state,
        fix_only=fix_only,
        policy={},
        opened_at=opened_at,
        due_at=due_at,
        **{"round": int(said_no)} | changes,
    )
    if said_no:
        Verification.objects.create(case=case, round=0, solved=False)
    return case


def announce(response: Response, case: Case | None = None) -> None:
    """Tell the rooms below, as a submission or a change of its case does."""
    with transaction.atomic():
        if case is None:
            response_saved.send(sender=Response, response=response, corrected=False)
        else:
            case_changed.send(sender=Case, case=case)


def answer(
    touchpoint: Touchpoint,
    score: int | None,
    *,
    day: date,
    times: int = 1,
    channel: str = ResponseChannel.QR,
    sample_kind: str = SampleKind.VOLUNTEER,
    headline_kind: str = QuestionKind.NPS,
    flags: list[str] | None = None,
    words: str = "",
    language: str = "en",
) -> list[Response]:
    """`times` counted responses with this score on that day."""
    made = []
    for _ in range(times):
        response = make_response(
            touchpoint=touchpoint,
            score=score,
            words=words,
            language=language,
            submitted_at=noon(day),
            channel=ResponseChannel(channel),
            sample_kind=SampleKind(sample_kind),
            headline_kind=QuestionKind(headline_kind),
        )
        if flags:
            response.flags = flags
            response.save()
        announce(response)
        made.append(response)
    drain(["facts"])
    return made


def random_history(touchpoints: list[Touchpoint], *, seed: int, responses: int) -> None:
    """Responses of every kind with readings and cases in every state, over a few days."""
    rng = random.Random(seed)
    today = timezone.now().date()
    for number in range(responses):
        kind = rng.choice(list(QuestionKind))
        low, high = SCORE_RANGE[kind]
        response = make_response(
            touchpoint=rng.choice(touchpoints),
            score=rng.choice([None, *range(low, high + 1)]),
            words=rng.choice(["", f"words {number}"]),
            submitted_at=noon(today - timedelta(days=rng.randrange(4))),
            channel=rng.choice(list(ResponseChannel)),
            sample_kind=rng.choice(list(SampleKind)),
            headline_kind=kind,
        )
        response.flags = rng.choice([[], [], [], ["staff"], ["burst"]])
        response.save()
        announce(response)
        for verbatim in response.verbatims.all():
            if rng.random() < 0.8:
                topics = [
                    {"topic": topic, "sentiment": rng.choice(["negative", "neutral", "positive"])}
                    for topic in rng.sample(TOPICS, rng.randrange(3))
                ]
                make_analysis(verbatim, sentiment=rng.choice(list(Sentiment)), topics=topics)
        if rng.random() < 0.5:
            case = make_case(
                response,
                state=rng.choice(list(CaseState)),
                due_in=timedelta(minutes=rng.choice([-300, -5, 5, 60])),
                fix_only=rng.random() < 0.3,
                contacted=rng.choice([None, 10, 30, 31, 50]),
                attempted=rng.choice([None, 10, 30, 45]),
                fixed=rng.choice([None, 10, 45]),
                said_no=rng.choice([False, False, True]),
            )
            announce(response, case)
