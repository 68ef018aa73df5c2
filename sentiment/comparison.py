"""Two readings of history side by side: how much differs, who agrees more with people, and what the differences are."""

from dataclasses import dataclass
from typing import Any, cast

from django.db.models import QuerySet

from core.shares import Share
from sentiment.holding import Judgement, model_said, value_of
from sentiment.labels import sentiment_label, topic_label, urgency_label
from sentiment.models import Analysis, Candidate, CorrectedField, Rereading
from stores.models import User
from stores.queries import stores_visible_to

FIELDS = ("sentiment", "topics", "urgency")
_MOST_JUDGED = 20_000
_SAMPLES = 6


@dataclass(frozen=True)
class LanguageLine:
    """How many comments of a language were read, and how many of them differ in what."""

    language: str
    n: int
    sentiment: int
    topics: int
    urgency: int


class InPoints(Share):
    """A share and its margin in whole percentage points."""

    @property
    def percent(self) -> int:
        return round(100 * (self.value or 0))

    @property
    def points(self) -> int:
        return round(100 * self.margin)


@dataclass(frozen=True)
class Agreement:
    """How often two models said of one field what people say."""

    field: str
    label: str
    live: InPoints
    candidate: InPoints

    @property
    def shares(self) -> tuple[InPoints, InPoints]:
        return self.live, self.candidate


@dataclass(frozen=True)
class Sample:
    """A comment of which the two make different things."""

    text: str
    language: str
    before: str
    after: str


def lines_of(rereading: Rereading) -> list[LanguageLine]:
    """By language, the most read first."""
    found = [
        LanguageLine(language, counts["n"], *(counts.get(name, 0) for name in FIELDS))
        for language, counts in rereading.summary.items()
    ]
    return sorted(found, key=lambda line: (-line.n, line.language))


def total_of(lines: list[LanguageLine]) -> LanguageLine:
    return LanguageLine("", *(sum(getattr(line, name) for line in lines) for name in ("n", *FIELDS)))


def agreement_of(rereading: Rereading) -> dict[str, list[int]]:
    """By field: how many judgements of people there are, and how many of them the live and the new model share.

    Of topics and urgency the question is whether the words are about it at all.
    """
    found = {field: [0, 0, 0] for field in CorrectedField.values}
    judged = rereading.candidates.filter(analysis__corrected=True).select_related("analysis").order_by("-analysis")
    for candidate in judged[:_MOST_JUDGED]:
        people = candidate.analysis.people_say
        live, new = model_said(candidate.analysis), cast(Judgement, candidate.reading)
        said = [("sentiment", "", people["sentiment"])] if people.get("sentiment") else []
        said += [("topic", key, value) for key, value in people.get("topics", {}).items()]
        said += [("urgency", key, value) for key, value in people.get("urgency", {}).items()]
        for field, key, value in said:
            found[field][0] += 1
            for place, model in ((1, live), (2, new)):
                got = value_of(model, field, key)
                found[field][place] += got == value if field == "sentiment" else bool(got) == bool(value)
    return found


def agreements(counted: dict[str, list[int]]) -> list[Agreement]:
    """For a page; fields that nobody judged are left out."""
    return [
        Agreement(field, str(CorrectedField(field).label), InPoints(live, n), InPoints(new, n))
        for field, (n, live, new) in counted.items()
        if n
    ]


def samples_of(rereading: Rereading, user: User) -> list[tuple[str, list[Sample]]]:
    """The newest comments that differ, by what they differ in first, among those that the user may read."""
    return [(field, [_sample(one, field) for one in _differing(rereading, user, field)]) for field in FIELDS]


def _differing(rereading: Rereading, user: User, field: str) -> QuerySet[Candidate]:
    return (
        rereading.candidates.filter(differs=field, analysis__verbatim__response__store__in=stores_visible_to(user))
        .exclude(analysis__redacted="")
        .select_related("analysis")
        .order_by("-analysis")[:_SAMPLES]
    )


def _sample(candidate: Candidate, field: str) -> Sample:
    analysis: Analysis = candidate.analysis
    before, after = model_said(analysis), cast(Judgement, candidate.reading)
    return Sample(analysis.redacted, analysis.language, _in_words(before, field), _in_words(after, field))


def _in_words(judgement: Judgement, field: str) -> str:
    if field == "sentiment":
        return sentiment_label(judgement["sentiment"])
    labels: list[Any] = (
        [topic_label(hit["topic"]) for hit in judgement["topics"]]
        if field == "topics"
        else [urgency_label(kind) for kind in judgement["urgency"]]
    )
    return ", ".join(labels) or "–"
