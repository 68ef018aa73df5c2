"""What a draft says, text by text, and how far each language is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from surveys.choices import FACES, OtherKind, QuestionKind
from surveys.documents import SPEAKING

Raw = dict[str, Any]
# Characters that fit a phone without making the question a paragraph.
LONGEST = {"text": 120, "low": 40, "high": 40, "option": 60}
LONGEST_AT_ALL = 400


@dataclass(frozen=True)
class Text:
    """One text of a draft: where it belongs, and what it says by language.

    `part` is "text", "low", "high" or "option"; `option` names the answer it is.
    """

    question: str
    kind: str
    part: str
    words: dict[str, str]
    option: str = ""

    @property
    def path(self) -> str:
        """Its name in forms and files."""
        return ".".join(filter(None, (self.question, self.part, self.option)))

    @property
    def may_be_empty(self) -> bool:
        """Whether the page has words of its own, in every language, unless this survey has others."""
        return self.kind in SPEAKING

    @property
    def longest(self) -> int:
        return LONGEST[self.part]


def has_ends(kind: str) -> bool:
    """Whether a question's scale has numbers, whose ends need naming."""
    return kind in QuestionKind.values and kind not in FACES


def texts_of(question: Raw) -> Iterator[Text]:
    """Every text of one question, in the order in which it is read."""
    key, kind = question["key"], question["kind"]
    yield Text(key, kind, "text", question.setdefault("text", {}))
    if has_ends(kind):
        for part in ("low", "high"):
            yield Text(key, kind, part, question.setdefault(part, {}))
    for option in question.get("options", []):
        yield Text(key, kind, "option", option.setdefault("text", {}), option["key"])


def all_texts(document: Raw) -> list[Text]:
    """Every text of a draft."""
    return [text for question in document["questions"] for text in texts_of(question)]


@dataclass(frozen=True)
class Progress:
    """How many of a language's texts are there."""

    language: str
    done: int
    wanted: int

    @property
    def complete(self) -> bool:
        return self.done == self.wanted


def progress(document: Raw) -> list[Progress]:
    """How far each language of a draft is. A text that no language has, and that may be empty, is not wanted."""
    wanted = [text for text in all_texts(document) if not text.may_be_empty or any(text.words.values())]
    return [
        Progress(language, sum(bool(text.words.get(language, "").strip()) for text in wanted), len(wanted))
        for language in document["languages"]
    ]


def explicit(document: Raw) -> Raw:
    """A document of the first format with everything said that it left unsaid."""
    if "languages" in document:
        return document
    first: dict[str, str] = next(q for q in document["questions"] if q["key"] == document["headline"])["text"]
    unsaid = [
        {"key": "here", "kind": OtherKind.HERE.value, "text": {}},
        {"key": "wish", "kind": OtherKind.CONTACT.value, "text": {}},
    ]
    # The database does not keep the order of names.
    known = [code for code, _name in settings.LANGUAGES if first.get(code)]
    return document | {"languages": known or ["en"], "questions": [*document["questions"], *unsaid]}
