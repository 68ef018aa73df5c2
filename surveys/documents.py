"""What a survey version asks, checked: the JSON of `SurveyVersion.document`.

Where questions stand on the page, what they depend on and what names are put into them is decided here for everybody:
the page that asks, the reader of what was sent, the editor and its preview.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from surveys.choices import SCORE_RANGE, ContactWish, OtherKind, QuestionKind, ResponseChannel
from surveys.models import SurveyVersion

Words = dict[str, str]
# Names that the form of the page has other uses for, or that answers keep something else under.
RESERVED_KEYS = {
    *("form", "lang", "switch", "seen", "contact", "phone", "email", "still_here"),
    *("contact_when", "contact_language", "website", "step", "stepped"),
}
LONGEST_KEY = 40
WAYS = (ContactWish.CALL.value, ContactWish.TEXT.value, ContactWish.EMAIL.value)
CHOOSING = {OtherKind.SINGLE.value, OtherKind.MULTIPLE.value}
# These ask in the page's own words, in every language it speaks, unless the survey has words of its own for them.
SPEAKING = {OtherKind.CONTACT.value, OtherKind.HERE.value}
_SCORED = frozenset(QuestionKind.values)
_KINDS = {*_SCORED, *OtherKind.values}
_KEY = re.compile(r"[a-z][a-z0-9_]*")
# {store}, {manager}, and {manager|our team} with what is said where there is none.
_PLACE = re.compile(r"\{(\w+)(?:\|([^{}]*))?\}")
PLACES = ("store", "manager")


class DocumentError(ValueError):
    """The document is not a survey; the message says where."""


@dataclass(frozen=True)
class Option:
    """One answer to choose."""

    key: str
    text: Words


@dataclass(frozen=True)
class Condition:
    """An earlier answer that a question depends on: a score within marks, or one of some options.

    A mark of None is open. Without an answer it does not hold.
    """

    question: str
    at_least: int | None = None
    at_most: int | None = None
    any_of: tuple[str, ...] = ()

    def holds(self, answers: Mapping[str, Any]) -> bool:
        given = answers.get(self.question)
        if given is None:
            return False
        if self.any_of:
            return not set(self.any_of).isdisjoint([given] if isinstance(given, str) else given)
        low, high = self.at_least, self.at_most
        return isinstance(given, int) and (low is None or given >= low) and (high is None or given <= high)


@dataclass(frozen=True)
class Question:
    """One question. `low` and `high` name the ends of its scale; `options` are there to choose from.

    It is asked when all of `when` hold, on `channels` and in `stores` (codes); empty ones stand for every one.
    A contact wish offers `ways` and, if wanted, asks when and in which language.
    """

    key: str
    kind: str
    text: Words
    low: Words
    high: Words
    options: tuple[Option, ...] = ()
    required: bool = False
    screen: int = 1
    when: tuple[Condition, ...] = ()
    channels: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    ways: tuple[str, ...] = WAYS
    asks_when: bool = False
    asks_language: bool = False

    @property
    def scored(self) -> bool:
        return self.kind in _SCORED

    @property
    def values(self) -> range:
        """The scores of its scale; empty without one."""
        if not self.scored:
            return range(0)
        least, most = SCORE_RANGE[QuestionKind(self.kind)]
        return range(least, most + 1)

    def in_language(self, words: Words, language: str) -> str:
        """The words in `language`, else in its parent language, English, or whatever there is."""
        return said_in(words, language)

    def asked_on(self, channel: str, store_code: str, *, in_store: bool = True) -> bool:
        """Whether this channel and store ask it at all, whatever is answered before it."""
        if self.kind == OtherKind.HERE and not in_store:
            return False
        return (not self.channels or channel in self.channels) and (not self.stores or store_code in self.stores)

    def depends(self, answers: Mapping[str, Any]) -> bool:
        """Whether the answers before it let it be asked."""
        return all(condition.holds(answers) for condition in self.when)


@dataclass(frozen=True)
class SurveyDocument:
    """All questions in order; `headline` is the scored one that reports count. `languages` are those it speaks."""

    headline: Question
    questions: tuple[Question, ...]
    languages: tuple[str, ...] = ()

    @property
    def open_questions(self) -> tuple[Question, ...]:
        return self.of_kind(OtherKind.TEXT)

    def of_kind(self, kind: str) -> tuple[Question, ...]:
        return tuple(q for q in self.questions if q.kind == kind)

    def on(self, channel: str, store_code: str, *, in_store: bool = True) -> "SurveyDocument":
        """The same survey with only what this channel and store ask, whatever will be answered."""
        asked = tuple(q for q in self.questions if q.asked_on(channel, store_code, in_store=in_store))
        if len(asked) == len(self.questions):
            return self
        # One for all who ask the same: what is found out about it once, every page knows.
        return self._parts.setdefault(tuple(q.key for q in asked), replace(self, questions=asked))

    @cached_property
    def _parts(self) -> dict[tuple[str, ...], "SurveyDocument"]:
        return {}

    def reached(self, answers: Mapping[str, Any]) -> tuple[Question, ...]:
        """The questions that these answers lead to. What hangs on a question that is not reached is not either."""
        reached: list[Question] = []
        counted: dict[str, Any] = {}
        for question in self.questions:
            if question.depends(counted):
                reached.append(question)
                if question.key in answers:
                    counted[question.key] = answers[question.key]
        return tuple(reached)

    @property
    def screens(self) -> tuple[tuple[Question, ...], ...]:
        """The questions screen by screen, none of them empty."""
        numbers = sorted({question.screen for question in self.questions})
        return tuple(tuple(q for q in self.questions if q.screen == number) for number in numbers)

    @cached_property
    def places(self) -> frozenset[str]:
        """The names that are put into its texts."""
        texts = (text for question in self.questions for words in words_of(question) for text in words.values())
        return frozenset(match[1] for text in texts for match in _PLACE.finditer(text))


def said_in(words: Words, language: str) -> str:
    """The words in `language`, else in its parent language, English, or whatever there is."""
    for wish in (language, language.split("-")[0], "en"):
        if words.get(wish):
            return words[wish]
    return next((text for text in words.values() if text), "")


def words_of(question: Question) -> tuple[Words, ...]:
    """Everything a question says."""
    return (question.text, question.low, question.high, *(option.text for option in question.options))


def pipe(text: str, names: Mapping[str, str]) -> str:
    """The text with names in their places: plain text, for the template to escape.

    Where a name is empty or unknown, what the place itself says after its bar stands there, or nothing.
    """
    return _PLACE.sub(lambda place: names.get(place[1]) or (place[2] or "").strip(), text)


def places_in(text: str) -> list[tuple[str, str | None]]:
    """The places in a text: the name, and what is said without it (None when the text does not say)."""
    return [(place[1], place[2]) for place in _PLACE.finditer(text)]


def _words(value: Any, where: str) -> Words:
    if not isinstance(value, dict) or not all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()):
        raise DocumentError(f"{where} must map languages to texts.")
    return dict(value)


def _names(value: Any, where: str, allowed: Collection[str] | None = None) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise DocumentError(f"{where} must be a list of names.")
    if allowed is not None and not set(value) <= set(allowed):
        raise DocumentError(f"{where} must be among {', '.join(sorted(allowed))}.")
    return tuple(dict.fromkeys(value))


def _mark(value: Any, where: str) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise DocumentError(f"{where} must be a whole number.")
    return value


def _option(value: Any, where: str) -> Option:
    if not isinstance(value, dict) or not isinstance(value.get("key"), str) or not _KEY.fullmatch(value["key"]):
        raise DocumentError(f"{where}.key must be a simple name.")
    return Option(value["key"], _words(value.get("text"), f"{where}.text"))


def _condition(value: Any, where: str, before: Mapping[str, Question]) -> Condition:
    if not isinstance(value, dict) or value.get("question") not in before:
        raise DocumentError(f"{where} must name an earlier question.")
    asked = before[value["question"]]
    least, most = (_mark(value.get(name), f"{where}.{name}") for name in ("at_least", "at_most"))
    options = _names(value.get("any_of", []), f"{where}.any_of", [option.key for option in asked.options])
    if asked.scored == bool(options) or (asked.scored and least is None and most is None):
        raise DocumentError(f"{where} must name marks of a score, or options of a choice.")
    return Condition(asked.key, least, most, any_of=options)


def _question(value: Any, where: str, before: Mapping[str, Question]) -> Question:
    if not isinstance(value, dict):
        raise DocumentError(f"{where} must be an object.")
    key, kind = value.get("key"), value.get("kind")
    if not isinstance(key, str) or not _KEY.fullmatch(key) or len(key) > LONGEST_KEY or key in RESERVED_KEYS:
        raise DocumentError(f"{where}.key must be a simple name.")
    if kind not in _KINDS:
        raise DocumentError(f"{where}.kind must be one of {', '.join(sorted(_KINDS))}.")
    text = _words(value.get("text"), f"{where}.text")
    if not any(text.values()) and kind not in SPEAKING:
        raise DocumentError(f"{where}.text is empty.")
    low, high = (_words(value.get(end, {}), f"{where}.{end}") for end in ("low", "high"))
    options = tuple(_option(one, f"{where}.options[{i}]") for i, one in enumerate(value.get("options", [])))
    if (kind in CHOOSING) != bool(options) or len({option.key for option in options}) < len(options):
        raise DocumentError(f"{where}.options must be there to choose from, each once.")
    screen = value.get("screen", 1)
    if not isinstance(screen, int) or screen < 1:
        raise DocumentError(f"{where}.screen must count from 1.")
    return Question(
        key,
        str(kind),
        text,
        low,
        high,
        options=options,
        required=value.get("required") is True,
        screen=screen,
        when=tuple(_condition(one, f"{where}.when[{i}]", before) for i, one in enumerate(value.get("when", []))),
        channels=frozenset(_names(value.get("channels", []), f"{where}.channels", ResponseChannel.values)),
        stores=frozenset(_names(value.get("stores", []), f"{where}.stores")),
        ways=_names(value.get("ways", list(WAYS)), f"{where}.ways", WAYS),
        asks_when=value.get("asks_when") is True,
        asks_language=value.get("asks_language") is True,
    )


def _by_english(language: str) -> tuple[bool, str]:
    """English first: the first versions did not say in which language they were written."""
    return language != "en", language


def _once(questions: Collection[Question]) -> None:
    for kind in (OtherKind.CONTACT, OtherKind.HERE):
        if sum(question.kind == kind for question in questions) > 1:
            raise DocumentError(f"There is one question of the kind {kind.value}.")


def parse(document: Any) -> SurveyDocument:
    """A document as stored in JSON. Raises DocumentError."""
    if not isinstance(document, dict) or not isinstance(document.get("questions"), list):
        raise DocumentError("A survey needs a list of questions.")
    by_key: dict[str, Question] = {}
    for i, value in enumerate(document["questions"]):
        question = _question(value, f"questions[{i}]", by_key)
        if question.key in by_key:
            raise DocumentError("Two questions share a key.")
        by_key[question.key] = question
    headline = by_key.get(str(document.get("headline")))
    if headline is None or not headline.scored:
        raise DocumentError("The headline must name a question with a score.")
    if headline.when or headline.channels or headline.stores:
        raise DocumentError("The headline is asked of everybody.")
    if "languages" not in document:
        # The first versions asked how to reach the shopper without saying so.
        by_key |= {one.key: one for one in _UNSAID}
    if headline.key != "score" and "score" in by_key:
        raise DocumentError("The page calls the headline's answer score; no other question may be called so.")
    _once(by_key.values())
    if by_key[headline.key].screen != min(question.screen for question in by_key.values()):
        raise DocumentError("The headline is on the first screen.")
    languages = _names(document.get("languages", sorted(headline.text, key=_by_english)), "languages")
    return SurveyDocument(headline, tuple(by_key.values()), languages)


_UNSAID = (
    Question("here", OtherKind.HERE.value, {}, {}, {}),
    Question("wish", OtherKind.CONTACT.value, {}, {}, {}),
)

_parsed: dict[tuple[int, datetime], SurveyDocument] = {}


def document_of(version: SurveyVersion) -> SurveyDocument:
    """The parsed document of a version, remembered because versions never change; one that is not kept is not."""
    if version.pk is None:
        return parse(version.document)
    key = (version.pk, version.published_at)
    if key not in _parsed:
        if len(_parsed) > 500:
            _parsed.clear()
        _parsed[key] = parse(version.document)
    return _parsed[key]
