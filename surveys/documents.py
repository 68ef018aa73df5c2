"""What a survey version asks, checked: the JSON of `SurveyVersion.document`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from surveys.choices import QuestionKind
from surveys.models import SurveyVersion

TEXT = "text"
_KINDS = {*QuestionKind.values, TEXT}
Words = dict[str, str]


class DocumentError(ValueError):
    """The document is not a survey; the message says where."""


@dataclass(frozen=True)
class Question:
    """One question. `low` and `high` name the ends of its scale; they are empty for open ones."""

    key: str
    kind: str
    text: Words
    low: Words
    high: Words

    def in_language(self, words: Words, language: str) -> str:
        """The words in `language`, else in its parent language, English, or whatever there is."""
        for wish in (language, language.split("-")[0], "en"):
            if wish in words:
                return words[wish]
        return next(iter(words.values()), "")


@dataclass(frozen=True)
class SurveyDocument:
    """All questions in order; `headline` is the scored one that reports count."""

    headline: Question
    questions: tuple[Question, ...]

    @property
    def open_questions(self) -> tuple[Question, ...]:
        return tuple(q for q in self.questions if q.kind == TEXT)


def _words(value: Any, where: str) -> Words:
    if not isinstance(value, dict) or not all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()):
        raise DocumentError(f"{where} must map languages to texts.")
    return dict(value)


def _question(value: Any, where: str) -> Question:
    if not isinstance(value, dict):
        raise DocumentError(f"{where} must be an object.")
    key, kind = value.get("key"), value.get("kind")
    if not isinstance(key, str) or not key.isidentifier():
        raise DocumentError(f"{where}.key must be a simple name.")
    if kind not in _KINDS:
        raise DocumentError(f"{where}.kind must be one of {', '.join(sorted(_KINDS))}.")
    text = _words(value.get("text"), f"{where}.text")
    if not text:
        raise DocumentError(f"{where}.text is empty.")
    low, high = (_words(value.get(end, {}), f"{where}.{end}") for end in ("low", "high"))
    return Question(key, str(kind), text, low, high)


def parse(document: Any) -> SurveyDocument:
    """A document as stored in JSON. Raises DocumentError."""
    if not isinstance(document, dict) or not isinstance(document.get("questions"), list):
        raise DocumentError("A survey needs a list of questions.")
    questions = tuple(_question(value, f"questions[{i}]") for i, value in enumerate(document["questions"]))
    by_key = {question.key: question for question in questions}
    if len(by_key) < len(questions):
        raise DocumentError("Two questions share a key.")
    headline = by_key.get(str(document.get("headline")))
    if headline is None or headline.kind == TEXT:
        raise DocumentError("The headline must name a question with a score.")
    if sum(question.kind != TEXT for question in questions) > 1:
        raise DocumentError("There is one scored question.")
    return SurveyDocument(headline, questions)


_parsed: dict[tuple[int, datetime], SurveyDocument] = {}


def document_of(version: SurveyVersion) -> SurveyDocument:
    """The parsed document of a version, remembered because versions never change."""
    key = (version.pk, version.published_at)
    if key not in _parsed:
        if len(_parsed) > 500:
            _parsed.clear()
        _parsed[key] = parse(version.document)
    return _parsed[key]
