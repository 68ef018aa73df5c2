"""Reads what a shopper sent. Everything typed is kept beside the errors, so that no page ever loses it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from customers.models import Contact, ContactKind
from customers.texting import may_be_texted
from surveys.choices import ContactWish, OtherKind, QuestionKind
from surveys.contact_times import ContactTime
from surveys.documents import LONGEST_KEY, WAYS, Question, SurveyDocument

LONGEST_WORDS = 4000
# What is kept of words under one key, however they came; whoever writes more only fills our pages.
MOST_WORDS = 3 * LONGEST_WORDS
# RFC 5321, 4.5.3.1.3, without the brackets.
_LONGEST_ADDRESS = 254
# Numbers that earn their owner money when somebody is made to dial them.
_DEAR = {phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST}
_MOST_SENT = 100
# Unicode's category Cc without the tabulator and the line feed.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CAN_BE_REQUIRED = {*QuestionKind.values, OtherKind.TEXT.value, OtherKind.SINGLE.value, OtherKind.MULTIPLE.value}
_KIND_OF_WISH = {
    ContactWish.CALL: ContactKind.PHONE,
    ContactWish.TEXT: ContactKind.PHONE,
    ContactWish.EMAIL: ContactKind.EMAIL,
}


@dataclass(frozen=True)
class Wish:
    """How the shopper wants to be contacted. `address` is E.164 or lower-case e-mail; None without a wish.

    `known` is the invitation's own contact when that is the address meant. An empty `language` means the page's, an
    empty `wording` that the permission was given in the words of the page.
    """

    how: ContactWish = ContactWish.NONE
    address: str | None = None
    known: Contact | None = None
    when: ContactTime = ContactTime.ANY
    language: str = ""
    wording: str = ""

    @property
    def kind(self) -> ContactKind:
        return _KIND_OF_WISH[self.how]


@dataclass(frozen=True)
class Answers:
    """Valid answers: the headline's score, the words by question key, the contact wish and "I am still here".

    `chosen` holds all others by question key: a score, the key of an option or a list of them, True for a consent.
    """

    score: int | None
    words: dict[str, str] = field(default_factory=dict)
    wish: Wish = field(default_factory=Wish)
    still_here: bool = False
    chosen: dict[str, Any] = field(default_factory=dict)

    def as_json(self, headline: str) -> dict[str, Any]:
        """All answers as one JSON document; no address is in it. `headline` is that question's key."""
        document: dict[str, Any] = {headline: self.score} if self.score is not None else {}
        document |= self.chosen | self.words
        if self.wish.how != ContactWish.NONE:
            document["contact"] = self.wish.how.value
            if self.wish.when != ContactTime.ANY:
                document["contact_when"] = self.wish.when.value
            if self.wish.language:
                document["contact_language"] = self.wish.language
        if self.still_here:
            document["still_here"] = True
        return document

    @classmethod
    def of_json(cls, kept: Mapping[str, Any], document: SurveyDocument) -> "Answers":
        """The same back, without a wish."""
        open_keys = {question.key for question in document.open_questions}
        chosen = {q.key: kept[q.key] for q in _by_key(document) if q.key in kept}
        words = {key: text for key, text in kept.items() if key in open_keys}
        return cls(kept.get(document.headline.key), words, still_here=bool(kept.get("still_here")), chosen=chosen)


class Problem(NamedTuple):
    """One thing to put right: the id of the field it is about, and what to do."""

    anchor: str
    message: str


@dataclass
class AnswerForm:
    """The fields as they were sent. After `read()`, either its result or `problems` says more."""

    document: SurveyDocument
    # The country whose way of writing phone numbers is understood without a prefix.
    country: str
    known: Contact | None = None
    score: str = ""
    words: dict[str, str] = field(default_factory=dict)
    # What was sent for every other question, by its key.
    given: dict[str, list[str]] = field(default_factory=dict)
    contact: str = ContactWish.NONE.value
    contact_when: str = ContactTime.ANY.value
    contact_language: str = ""
    phone: str = ""
    email: str = ""
    still_here: bool = False
    problems: list[Problem] = field(default_factory=list)
    # Whether what is valid of it is kept, to become the answer of a shopper who leaves it at that.
    kept: bool = False

    @classmethod
    def sent(
        cls, post: Mapping[str, str], *, document: SurveyDocument, country: str, known: Contact | None = None
    ) -> "AnswerForm":
        """The form as filled in, with line ends and invisible control characters tidied."""
        return cls(
            document=document,
            country=country,
            known=known,
            score=post.get("score", "")[:4],
            words={q.key: tidy(post.get(q.key, "")) for q in document.open_questions},
            given={q.key: sent for q in _by_key(document) if (sent := _all_sent(post, q))},
            contact=post.get("contact", ContactWish.NONE),
            contact_when=post.get("contact_when", ContactTime.ANY),
            contact_language=post.get("contact_language", "")[:10],
            phone=tidy(post.get("phone", "")),
            email=tidy(post.get("email", "")),
            still_here=bool(post.get("still_here")),
        )

    def read(self) -> Answers | None:
        """The answers, or None with `problems` filled.

        A choice that its question's conditions rule out is left out, as the page hides it. Words never are.
        """
        self.problems = []
        score = self._score()
        chosen = {q.key: value for q in _by_key(self.document) if (value := self._chosen(q)) is not None}
        words = self._words()
        answers = chosen | words | ({} if score is None else {self.document.headline.key: score})
        reached = self.document.reached(answers)
        chosen = {question.key: chosen[question.key] for question in reached if question.key in chosen}
        if score is None and not words and not chosen and not self.problems:
            self.problem("score", _("Please choose an answer or write a few words."))
        for question in missing(self.document, answers):
            field_name = "score" if question == self.document.headline else question.key
            if field_name not in self.errors:
                self.problem(field_name, _("Please answer this question."))
        offers_contact = any(question.kind == OtherKind.CONTACT for question in reached)
        wish = self.read_wish() if offers_contact else Wish()
        still_here = self.still_here and any(question.kind == OtherKind.HERE for question in reached)
        return None if self.problems else Answers(score, words, wish, still_here, chosen)

    def so_far(self, *, words: bool) -> Answers | None:
        """What is valid of what was entered, whatever is missing yet; None when nothing is.

        Neither a consent nor a wish is among it: they are given by Send.
        """
        form = replace(self, problems=[])
        score = form._score()
        chosen = {
            q.key: value
            for q in _by_key(form.document)
            if q.kind != OtherKind.CONSENT and (value := form._chosen(q)) is not None
        }
        said = {key: text[:MOST_WORDS] for key, text in form.words.items() if text} if words else {}
        reached = form.document.reached(chosen | said | ({} if score is None else {form.document.headline.key: score}))
        chosen = {question.key: chosen[question.key] for question in reached if question.key in chosen}
        here = form.still_here and any(question.kind == OtherKind.HERE for question in reached)
        found = Answers(score, said, Wish(), here, chosen)
        return found if found.as_json(form.document.headline.key) else None

    def read_wish(self) -> Wish:
        """The contact wish alone; `problems` grows when its address cannot be used."""
        asked = next(iter(self.document.of_kind(OtherKind.CONTACT)), None)
        if self.contact not in (asked.ways if asked else WAYS):
            return Wish()
        how = ContactWish(self.contact)
        when = ContactTime(self.contact_when) if self.contact_when in ContactTime.values else ContactTime.ANY
        language = self.contact_language if self.contact_language in self.document.languages else ""
        kind = _KIND_OF_WISH[how]
        typed = self.phone if kind == ContactKind.PHONE else self.email
        if not typed and self.known is not None and self.known.kind == kind and self.known.value:
            return Wish(how, self.known.value, self.known, when, language)
        address = phone_number(typed, self.country) if kind == ContactKind.PHONE else email_address(typed)
        if how == ContactWish.TEXT and address is not None and not may_be_texted(address, self.country):
            self.problem("phone", _("We cannot send text messages to this country. Please choose another way."))
        if address is None:
            self.problem("phone" if kind == ContactKind.PHONE else "email", self._address_help(kind, typed))
        return Wish(how, address, None, when, language)

    def _words(self) -> dict[str, str]:
        words = {key: text for key, text in self.words.items() if text}
        for key, text in words.items():
            if len(text) > LONGEST_WORDS:
                self.problem(key, too_long(text))
        return words

    def _chosen(self, question: Question) -> Any:
        """The answer to a question other than the headline and the open ones; None without a valid one."""
        sent = self.given.get(question.key, [])
        if question.kind == OtherKind.CONSENT:
            return True if sent else None
        allowed = [str(value) for value in question.values] or [option.key for option in question.options]
        valid = [value for value in allowed if value in sent]
        if sent and not valid:
            self.problem(question.key, _("Please choose one of the answers."))
        if not valid:
            return None
        if question.kind == OtherKind.MULTIPLE:
            return valid
        return int(valid[0]) if question.scored else valid[0]

    def _score(self) -> int | None:
        if not self.score:
            return None
        if self.score.isascii() and self.score.isdigit() and int(self.score) in self.document.headline.values:
            return int(self.score)
        self.score = ""
        self.problem("score", _("Please choose one of the answers."))
        return None

    def _address_help(self, kind: ContactKind, typed: str) -> str:
        if kind == ContactKind.EMAIL:
            if typed:
                return _("This e-mail address is not complete. It looks like name@example.com.")
            return _("Please write the e-mail address we may answer to, or choose another way.")
        if typed:
            return _(
                "We cannot dial this number. Please check it; with a country code it begins with +, like %(like)s."
            ) % {"like": _in_one_piece(example_number(self.country))}
        return _("Please write the phone number we may use, or choose another way.")

    def problem(self, field_name: str, message: str) -> None:
        """Note one thing to put right."""
        self.problems.append(Problem(f"f-{field_name}", message))

    @property
    def errors(self) -> dict[str, str]:
        """The messages by field, for showing beside it."""
        return {problem.anchor.removeprefix("f-"): problem.message for problem in self.problems}


def _by_key(document: SurveyDocument) -> list[Question]:
    """The questions whose answers are sent under their own key and are no words."""
    kinds = {OtherKind.SINGLE, OtherKind.MULTIPLE, OtherKind.CONSENT}
    return [q for q in document.questions if q.kind in kinds or (q.scored and q is not document.headline)]


def missing(document: SurveyDocument, answers: Mapping[str, Any]) -> list[Question]:
    """The questions that these answers lead to and that must be answered, but are not."""
    reached = document.reached(answers)
    return [q for q in reached if q.required and q.key not in answers and q.kind in _CAN_BE_REQUIRED]


def _all_sent(post: Mapping[str, str], question: Question) -> list[str]:
    if isinstance(post, MultiValueDict):
        sent = post.getlist(question.key)[:_MOST_SENT]
    else:
        sent = [post[question.key]] if question.key in post else []
    return [str(value)[:LONGEST_KEY] for value in sent]


def tidy(text: str) -> str:
    """Words without carriage returns and control characters, which say nothing and break what shows them."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def too_long(text: str) -> str:
    """What somebody is told who wrote more than LONGEST_WORDS."""
    asked, counted = _("Please shorten your text."), _("Characters: {n} of {most} at most.")
    return f"{asked} {counted.format(n=len(text), most=LONGEST_WORDS)}"


def phone_number(typed: str, country: str) -> str | None:
    """The number in E.164, read as people in `country` write it; None when nobody could, or should, dial it."""
    try:
        number = phonenumbers.parse(typed, country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) in _DEAR:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email_address(typed: str) -> str | None:
    """The address in lower case; None when no mail could reach it."""
    if len(typed) > _LONGEST_ADDRESS:
        return None
    try:
        validate_email(typed)
    except ValidationError:
        return None
    return typed.lower()


def example_number(country: str) -> str:
    """A number of the country, written internationally, to show what one looks like."""
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if number is None:
        return "+44 20 7946 0123"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _in_one_piece(shown: str) -> str:
    """A number or an address as it is read in the middle of a sentence: on one line where it fits, and left to right in
    every language."""
    for mark in ("…", "-"):
        shown = shown.replace(mark, f"{mark}\u2060")
    return "\u2066" + shown.replace(" ", "\u00a0") + "\u2069"


def masked(contact: Contact) -> str:
    """Enough of an address for its owner to recognise it, too little for anybody else."""
    if contact.kind == ContactKind.PHONE:
        return _in_one_piece(f"…{contact.value[-3:]}")
    name, _at, domain = contact.value.partition("@")
    return _in_one_piece(f"{name[:1]}…@{domain}")
