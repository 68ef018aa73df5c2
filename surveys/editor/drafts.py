"""Changing a draft and publishing it: each change is one transaction that begins with the survey's row.

Drafts are raw documents, for what is half done is no survey yet. Whoever saves names what they saw (`digest`), and is
told when somebody else has changed just that in the meantime.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from stores.models import User
from surveys.choices import OtherKind, QuestionKind, SurveyChangeKind
from surveys.documents import CHOOSING, RESERVED_KEYS, WAYS, parse
from surveys.editor.lint import Finding, Level, lint
from surveys.editor.texts import Raw, all_texts, explicit
from surveys.models import Survey, SurveyChange, SurveyDraft, SurveyVersion

RESERVED_SLUGS = {"where", "new"}
# What a fresh question begins with, so that it can be looked at before anybody has written its words.
_FIRST_KEYS = {OtherKind.TEXT: "reason", OtherKind.CONTACT: "wish"}


class Stale(Exception):
    """Somebody else has changed the same thing since it was shown. `by` is None when nobody knows who."""

    def __init__(self, by: User | None) -> None:
        super().__init__("changed in the meantime")
        self.by = by


class NotReady(Exception):
    """A draft that must not be published as it is; `findings` say why."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("not ready")
        self.findings = findings


def digest(part: object) -> str:
    """Equal for equal parts of a document."""
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:32]


def newest_version(survey: Survey) -> SurveyVersion | None:
    return survey.versions.order_by("-number").first()


def draft_of(survey: Survey) -> SurveyDraft | None:
    return SurveyDraft.objects.select_related("changed_by").filter(survey=survey).first()


def working_document(survey: Survey) -> Raw:
    """What the editor shows: the draft, else what is published now."""
    draft = draft_of(survey)
    if draft is not None:
        return deepcopy(draft.document)
    newest = newest_version(survey)
    return explicit(deepcopy(newest.document)) if newest else _empty("en")


def question_of(document: Raw, key: str) -> Raw | None:
    """The question of this key."""
    return next((question for question in document["questions"] if question["key"] == key), None)


def _empty(language: str) -> Raw:
    return {"headline": "", "languages": [language], "questions": []}


@transaction.atomic
def change(
    survey: Survey, actor: User, apply: Callable[[Raw], None], *, seen: str = "", part: Callable[[Raw], object]
) -> Raw:
    """Apply a change to the draft, which begins here if there is none, and return its document.

    `seen` is the digest of what `part` picks from a document, as it was when the form was shown; empty: whatever it is.
    Raises Stale.
    """
    Survey.objects.select_for_update().get(pk=survey.pk)
    draft = draft_of(survey)
    document = working_document(survey)
    if seen and seen != digest(part(document)):
        raise Stale(draft.changed_by if draft else None)
    apply(document)
    if draft is None:
        draft = SurveyDraft(survey=survey, based_on=newest_version(survey))
    draft.document, draft.changed_by = document, actor
    draft.save()
    return document


@transaction.atomic
def create_survey(name: str, language: str, actor: User, *, copy_of: Survey | None = None) -> Survey:
    """A survey that nobody is asked yet, empty or with the questions of another."""
    base = slugify(name)[:40] or "survey"
    slug, number = base, 2
    while slug in RESERVED_SLUGS or Survey.objects.filter(slug=slug).exists():
        slug, number = f"{base}-{number}", number + 1
    survey = Survey.objects.create(slug=slug, name=name)
    document = working_document(copy_of) if copy_of else _empty(language)
    SurveyDraft.objects.create(survey=survey, document=document, changed_by=actor)
    _record(survey, actor, SurveyChangeKind.CREATED, about=copy_of.slug if copy_of else "")
    return survey


def add_question(survey: Survey, kind: str, actor: User) -> str:
    """A question at the end, before the wish to be contacted; returns its key."""
    key = ""

    def apply(document: Raw) -> None:
        nonlocal key
        key = _fresh_key(survey, document, kind)
        question: Raw = {"key": key, "kind": kind, "text": {}, "screen": 1}
        if kind in CHOOSING:
            question["options"] = [{"key": "a", "text": {}}, {"key": "b", "text": {}}]
        if kind == OtherKind.CONTACT:
            question["ways"] = list(WAYS)
        questions = document["questions"]
        last = [i for i, one in enumerate(questions) if one["kind"] in (OtherKind.CONTACT, OtherKind.HERE)]
        place = last[0] if last and kind not in (OtherKind.CONTACT, OtherKind.HERE) else len(questions)
        if not document["headline"] and kind in QuestionKind.values:
            document["headline"], place = key, 0
        questions.insert(place, question)

    change(survey, actor, apply, part=lambda document: None)
    return key


def _fresh_key(survey: Survey, document: Raw, kind: str) -> str:
    """A key that no question of this survey ever had: it is what a trend goes by."""
    used = {question["key"] for question in document["questions"]} | RESERVED_KEYS | {"score"}
    for published in survey.versions.values_list("document", flat=True):
        used |= {question["key"] for question in published["questions"]}
    base = _FIRST_KEYS.get(OtherKind(kind), kind) if kind in OtherKind.values else kind
    names = [base, *(f"{base}_{number}" for number in range(2, len(used) + 3))]
    return next(name for name in names if name not in used)


def save_question(survey: Survey, key: str, values: Mapping[str, Any], actor: User, *, seen: str) -> Raw:
    """Put `values` in place of what the question has. Raises Stale, also when it is gone."""

    def apply(document: Raw) -> None:
        question = question_of(document, key)
        if question is None:
            raise Stale(None)
        question.update(deepcopy(dict(values)))

    return change(survey, actor, apply, seen=seen, part=lambda document: question_of(document, key))


def begin_anew(survey: Survey, key: str, actor: User, *, seen: str) -> str:
    """Give a question a new identity, because it asks something else from now on; returns its new key."""
    fresh = key

    def apply(document: Raw) -> None:
        nonlocal fresh
        question = question_of(document, key)
        if question is None:
            raise Stale(None)
        fresh = question["key"] = _fresh_key(survey, document, question["kind"])
        document["headline"] = fresh if document["headline"] == key else document["headline"]
        for other in document["questions"]:
            for condition in other.get("when", []):
                condition["question"] = fresh if condition["question"] == key else condition["question"]

    change(survey, actor, apply, seen=seen, part=lambda document: question_of(document, key))
    return fresh


def arrange(survey: Survey, key: str, what: str, actor: User, *, seen: str) -> None:
    """Move a question "up" or "down", "remove" it, or make it the "headline". Raises Stale."""

    def apply(document: Raw) -> None:
        questions = document["questions"]
        place = next((i for i, question in enumerate(questions) if question["key"] == key), None)
        if place is None:
            raise Stale(None)
        if what == "headline":
            document["headline"] = key
            questions[place] |= {"when": [], "channels": [], "stores": []}
        elif what == "remove":
            del questions[place]
            document["headline"] = "" if document["headline"] == key else document["headline"]
        else:
            other = max(0, min(len(questions) - 1, place + (-1 if what == "up" else 1)))
            questions.insert(other, questions.pop(place))
        _forget_broken_conditions(questions)

    change(survey, actor, apply, seen=seen, part=order_of)


def order_of(document: Raw) -> object:
    """What arranging depends on."""
    return [document["headline"], [question["key"] for question in document["questions"]]]


def _forget_broken_conditions(questions: Sequence[Raw]) -> None:
    """A condition on what is not asked before can never hold."""
    before: set[str] = set()
    for question in questions:
        if question.get("when"):
            question["when"] = [one for one in question["when"] if one["question"] in before]
        before.add(question["key"])


def set_languages(survey: Survey, languages: Sequence[str], actor: User) -> None:
    """The languages a draft is to speak, its own first. What is written in others stays, unseen."""

    def apply(document: Raw) -> None:
        document["languages"] = list(dict.fromkeys(languages))

    change(survey, actor, apply, part=lambda document: None)


def save_words(survey: Survey, words: Mapping[tuple[str, str], str], actor: User, *, seen: str = "") -> int:
    """Put texts in place by (path, language); returns how many differ. Unknown paths are left out. Raises Stale."""
    changed = 0

    def apply(document: Raw) -> None:
        nonlocal changed
        by_path = {text.path: text for text in all_texts(document)}
        for (path, language), said in words.items():
            if path in by_path and by_path[path].words.get(language, "") != said:
                by_path[path].words[language] = said
                changed += 1

    change(survey, actor, apply, seen=seen, part=words_of(words))
    return changed


def words_of(words: Mapping[tuple[str, str], str]) -> Callable[[Raw], object]:
    """What a document says now in just these places."""

    def part(document: Raw) -> object:
        by_path = {text.path: text for text in all_texts(document)}
        return [
            [path, language, by_path[path].words.get(language, "") if path in by_path else ""]
            for path, language in words
        ]

    return part


@transaction.atomic
def publish(survey: Survey, actor: User, *, note: str, seen: str) -> SurveyVersion:
    """Make the draft the next version, which is asked from now on. Raises Stale and NotReady."""
    Survey.objects.select_for_update().get(pk=survey.pk)
    draft = draft_of(survey)
    if draft is None or seen != digest(draft.document):
        raise Stale(draft.changed_by if draft else None)
    wrong = [finding for finding in lint(draft.document, survey) if finding.level == Level.ERROR]
    if wrong:
        raise NotReady(wrong)
    newest = newest_version(survey)
    version = SurveyVersion.objects.create(
        survey=survey,
        number=newest.number + 1 if newest else 1,
        headline_kind=parse(draft.document).headline.kind,
        document=draft.document,
        published_by=actor,
        note=note,
    )
    draft.delete()
    _record(survey, actor, SurveyChangeKind.PUBLISHED, about=str(version.number))
    return version


@transaction.atomic
def drop(survey: Survey, actor: User) -> None:
    """Forget the draft; what is published stays."""
    Survey.objects.select_for_update().get(pk=survey.pk)
    draft = draft_of(survey)
    if draft is not None:
        draft.delete()
        _record(survey, actor, SurveyChangeKind.DROPPED)


def _record(survey: Survey, actor: User, kind: SurveyChangeKind, *, about: str = "", **sides: Any) -> None:
    SurveyChange.objects.create(survey=survey, actor=actor, kind=kind, about=about, **sides)


def record_choice(survey: Survey, actor: User, *, place: str, old: str, new: str) -> None:
    """Note that a place asks another survey from now on."""
    _record(survey, actor, SurveyChangeKind.CHOSEN, about=place, old={"survey": old}, new={"survey": new})


def record_import(survey: Survey, actor: User, *, changed: int) -> None:
    """Note that translations came from a file."""
    _record(survey, actor, SurveyChangeKind.IMPORTED, new={"texts": changed})
