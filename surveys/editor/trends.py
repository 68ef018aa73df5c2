"""Which trends a new version continues: those of questions that keep their identity, which is key, kind and answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from surveys.choices import OtherKind
from surveys.documents import Question, SurveyDocument, document_of
from surveys.models import SurveyVersion

_WITHOUT_TREND = {OtherKind.CONTACT, OtherKind.HERE, OtherKind.CONSENT, OtherKind.TEXT}


class Fate(StrEnum):
    CONTINUES = "continues"
    REWORDED = "reworded"
    FEWER = "fewer"
    BEGINS = "begins"
    ENDS = "ends"


@dataclass(frozen=True)
class Trend:
    """What becomes of one question's figures: `languages` are those in which its words changed."""

    key: str
    kind: str
    text: dict[str, str]
    fate: Fate
    headline: bool
    languages: tuple[str, ...] = ()


def compare(old: SurveyDocument | None, new: SurveyDocument) -> list[Trend]:
    """The questions with figures, in the order of the new version, and those that end with it."""
    before = {question.key: question for question in old.questions} if old else {}
    asked = [question for question in new.questions if question.kind not in _WITHOUT_TREND]
    trends = [_trend(before.get(question.key), question, headline=question == new.headline) for question in asked]
    kept = {(trend.key, trend.kind) for trend in trends}
    for question in before.values():
        if (question.key, question.kind) not in kept and question.kind not in _WITHOUT_TREND:
            ended = bool(old and question == old.headline)
            trends.append(Trend(question.key, question.kind, question.text, Fate.ENDS, ended))
    return trends


def _trend(before: Question | None, now: Question, *, headline: bool) -> Trend:
    if before is None or before.kind != now.kind:
        return Trend(now.key, now.kind, now.text, Fate.BEGINS, headline)
    if {option.key for option in before.options} != {option.key for option in now.options}:
        return Trend(now.key, now.kind, now.text, Fate.FEWER, headline)
    sides = ((before.text, now.text), (before.low, now.low), (before.high, now.high))
    changed = tuple(sorted(set().union(*(_changed(*side) for side in sides))))
    return Trend(now.key, now.kind, now.text, Fate.REWORDED if changed else Fate.CONTINUES, headline, changed)


def _changed(old: dict[str, str], new: dict[str, str]) -> set[str]:
    """Languages that had these words and have others now; a language that is added changes nothing."""
    return {language for language, said in old.items() if said and new.get(language, said) != said}


@dataclass(frozen=True)
class Break:
    """From `at` on a survey's headline is another question: its figures before and after do not compare."""

    survey: str
    at: datetime
    number: int


def breaks(versions: Iterable[SurveyVersion]) -> list[Break]:
    """Where the headline changed, of versions of any surveys in order of their numbers."""
    last: dict[int, tuple[str, str]] = {}
    found = []
    for version in versions:
        headline = document_of(version).headline
        identity = (headline.key, headline.kind)
        if last.setdefault(version.survey_id, identity) != identity:
            found.append(Break(version.survey.name, version.published_at, version.number))
        last[version.survey_id] = identity
    return found


def breaks_between(first: date, last: date) -> list[Break]:
    """The breaks from one day to another, by UTC, for whoever shows figures over them."""
    versions = SurveyVersion.objects.select_related("survey").order_by("survey_id", "number")
    return [one for one in breaks(versions) if first <= one.at.date() <= last]
