"""What the database says became of the comments that `replay` sent."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from alerts.models import Case
from alerts.notices import CASE_NOTICE
from core.tokens import token_hash
from demo.replay import LABELS, Outcome, Sent, parts_of
from messaging.choices import MessageState
from messaging.models import Message
from sentiment.models import Analysis
from surveys.models import Response

_PIECE = 5000
_PATIENCE_STEP_SECS = 0.5


@dataclass
class Found:
    """The rows of what was sent, by the hash of its token."""

    responses: dict[str, Response]
    analyses: dict[Any, Analysis]
    cases: list[Case]
    # Seconds from Send to the first notice's leaving, of all cases and of those that the score opened.
    notified: list[float]
    notified_by_score: list[float]
    unsent: int


def wait_until_quiet(sent: Sequence[Sent], *, patience_secs: float) -> bool:
    """Wait until all words are read and all notices have left; False when that took longer than the patience."""
    end = time.monotonic() + patience_secs
    hashes = [token_hash(one.token) for one in sent]
    while time.monotonic() < end:
        if not any(_pending(piece) for piece in parts_of(hashes, _PIECE)):
            return True
        time.sleep(_PATIENCE_STEP_SECS)
    return False


def _pending(hashes: list[str]) -> bool:
    responses = Response.objects.filter(token_hash__in=hashes)
    if Analysis.objects.filter(verbatim__response__in=responses, run_at__isnull=False).exists():
        return True
    if responses.filter(evaluations__run_at__isnull=False).exists():
        return True
    cases = [str(pk) for pk in Case.objects.filter(response__in=responses).values_list("pk", flat=True)]
    return Message.objects.filter(kind=CASE_NOTICE, subject_id__in=cases, run_at__isnull=False).exists()


def find(sent: Sequence[Sent]) -> Found:
    """All rows that belong to what was sent."""
    found = Found({}, {}, [], [], [], 0)
    for hashes in parts_of([token_hash(one.token) for one in sent], _PIECE):
        responses = list(Response.objects.filter(token_hash__in=hashes))
        found.responses |= {response.token_hash: response for response in responses}
        analyses = Analysis.objects.filter(verbatim__response__in=responses).select_related("verbatim")
        found.analyses |= {analysis.verbatim.response_id: analysis for analysis in analyses}
        cases = Case.objects.filter(Q(response__in=responses) | Q(further_responses__response__in=responses))
        found.cases += cases.select_related("response").distinct()
    by_id = {str(case.pk): case for case in found.cases}
    first: dict[str, float] = {}
    for ids in parts_of(list(by_id), _PIECE):
        notices = Message.objects.filter(kind=CASE_NOTICE, subject_id__in=ids)
        found.unsent += notices.exclude(state=MessageState.SENT).count()
        for case_id, sent_at in notices.exclude(sent_at=None).values_list("subject_id", "sent_at"):
            assert sent_at is not None
            secs = (sent_at - by_id[case_id].response.submitted_at).total_seconds()
            first[case_id] = min(secs, first.get(case_id, secs))
    found.notified = sorted(first.values())
    found.notified_by_score = sorted(secs for pk, secs in first.items() if by_id[pk].trigger == "score")
    return found


def as_markdown(outcome: Outcome, found: Found) -> str:
    """The tables for people: what came in, and how well it was understood."""
    sent = outcome.sent
    same_words = sum(
        _same(one.comment.text, found.analyses[response.pk].verbatim.text)
        for one in sent
        if (response := found.responses.get(token_hash(one.token))) and response.pk in found.analyses
    )
    rows = [
        ("responses sent and thanked for", str(len(sent))),
        ("not accepted", str(len(outcome.failures))),
        ("rows stored", f"{len(found.responses)} ({'equal' if len(found.responses) == len(sent) else 'DIFFERENT'})"),
        ("with exactly the words that were sent", str(same_words)),
        ("responses per second", f"{len(sent) / outcome.secs:.1f}" if outcome.secs else "–"),
        ("page, form and thank-you page together, p50 / p95", _quantiles(sorted(one.secs for one in sent))),
        ("cases opened", f"{len(found.cases)}{_triggers(found)}"),
        ("Send to notification, p50 / p95", _quantiles(found.notified)),
        ("the same, cases opened by their score", _quantiles(found.notified_by_score)),
        ("notices that have not left", str(found.unsent)),
    ]
    lines = ["| what | figure |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
    return "\n".join(lines + _agreement(sent, found))


def _agreement(sent: Sequence[Sent], found: Found) -> list[str]:
    """Per language: how often the reading has the given label, and of positive and negative ones the right pole."""
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    poles: dict[str, list[bool]] = defaultdict(list)
    language_right: Counter[str] = Counter()
    for one in sent:
        response = found.responses.get(token_hash(one.token))
        analysis = found.analyses.get(response.pk) if response else None
        if analysis is None or analysis.analysed_at is None:
            continue
        assert analysis.p_positive is not None and analysis.p_negative is not None
        for key in (one.comment.language or "?", "all"):
            total[key] += 1
            right[key] += analysis.sentiment == one.comment.label
            language_right[key] += analysis.language == one.comment.language
            if one.comment.label != LABELS[1]:
                poles[key].append((analysis.p_positive > analysis.p_negative) == (one.comment.label == LABELS[2]))
    lines = ["| language | n | same label of three | same pole | same language |", "|---|---|---|---|---|"]
    for key in sorted(total, key=lambda key: (key == "all", key)):
        pole = f"{sum(poles[key]) / len(poles[key]):.0%}" if poles[key] else "–"
        shares = f"{right[key] / total[key]:.0%} | {pole} | {language_right[key] / total[key]:.0%}"
        lines.append(f"| {key} | {total[key]} | {shares} |")
    return lines


def _same(sent: str, stored: str) -> bool:
    return sent.split() == stored.split()


def _quantiles(values: Sequence[float]) -> str:
    if not values:
        return "–"
    return f"{_quantile(values, 0.5):.2f} s / {_quantile(values, 0.95):.2f} s (n = {len(values)})"


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def _triggers(found: Found) -> str:
    counts = Counter(case.trigger for case in found.cases)
    return f" ({counts['score']} by their score, {counts['text']} by their words)" if counts else ""
