"""Reads what a shopper sent. Everything typed is kept beside the errors, so that no page ever loses it."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Contact, ContactKind
from surveys.choices import SCORE_RANGE, ContactWish, QuestionKind
from surveys.documents import SurveyDocument

LONGEST_WORDS = 4000
# Numbers that earn their owner money when somebody is made to dial them.
_DEAR = {phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST}
_KIND_OF_WISH = {
    ContactWish.CALL: ContactKind.PHONE,
    ContactWish.TEXT: ContactKind.PHONE,
    ContactWish.EMAIL: ContactKind.EMAIL,
}


@dataclass(frozen=True)
class Wish:
    """How the shopper wants to be contacted. `address` is E.164 or lower-case e-mail; None without a wish.

    `known` is the invitation's own contact when that is the address meant.
    """

    how: ContactWish = ContactWish.NONE
    address: str | None = None
    known: Contact | None = None

    @property
    def kind(self) -> ContactKind:
        return _KIND_OF_WISH[self.how]


@dataclass(frozen=True)
class Answers:
    """Valid answers: the headline's score, the words by question key, the contact wish and "I am still here"."""

    score: int | None
    words: dict[str, str] = field(default_factory=dict)
    wish: Wish = field(default_factory=Wish)
    still_here: bool = False


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
    contact: str = ContactWish.NONE.value
    phone: str = ""
    email: str = ""
    still_here: bool = False
    problems: list[Problem] = field(default_factory=list)

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
            contact=post.get("contact", ContactWish.NONE),
            phone=tidy(post.get("phone", ""))[:60],
            email=tidy(post.get("email", ""))[:254],
            still_here=bool(post.get("still_here")),
        )

    def read(self) -> Answers | None:
        """The answers, or None with `problems` filled."""
        self.problems = []
        score = self._score()
        words = {key: text for key, text in self.words.items() if text}
        for key, text in words.items():
            if len(text) > LONGEST_WORDS:
                spare = len(text) - LONGEST_WORDS
                self.problem(
                    key,
                    ngettext(
                        "Please shorten your text by %(spare)d character.",
                        "Please shorten your text by %(spare)d characters.",
                        spare,
                    )
                    % {"spare": spare},
                )
        if score is None and not words and not self.problems:
            self.problem("score", _("Please choose an answer or write a few words."))
        wish = self.read_wish()
        return None if self.problems else Answers(score, words, wish, self.still_here)

    def read_wish(self) -> Wish:
        """The contact wish alone; `problems` grows when its address cannot be used."""
        if self.contact not in ContactWish.values or self.contact == ContactWish.NONE:
            return Wish()
        how = ContactWish(self.contact)
        kind = _KIND_OF_WISH[how]
        typed = self.phone if kind == ContactKind.PHONE else self.email
        if not typed and self.known is not None and self.known.kind == kind and self.known.value:
            return Wish(how, self.known.value, self.known)
        address = phone_number(typed, self.country) if kind == ContactKind.PHONE else email_address(typed)
        if address is None:
            self.problem("phone" if kind == ContactKind.PHONE else "email", self._address_help(kind, typed))
        return Wish(how, address)

    def _score(self) -> int | None:
        if not self.score:
            return None
        least, most = SCORE_RANGE[QuestionKind(self.document.headline.kind)]
        if self.score.isascii() and self.score.isdigit() and least <= int(self.score) <= most:
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
            ) % {"like": example_number(self.country)}
        return _("Please write the phone number we may use, or choose another way.")

    def problem(self, field_name: str, message: str) -> None:
        """Note one thing to put right."""
        self.problems.append(Problem(f"f-{field_name}", message))

    @property
    def errors(self) -> dict[str, str]:
        """The messages by field, for showing beside it."""
        return {problem.anchor.removeprefix("f-"): problem.message for problem in self.problems}


def tidy(text: str) -> str:
    """Words without carriage returns and control characters, which say nothing and break what shows them."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) != "Cc").strip()


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


def masked(contact: Contact) -> str:
    """Enough of an address for its owner to recognise it, too little for anybody else."""
    if contact.kind == ContactKind.PHONE:
        return f"…{contact.value[-3:]}"
    name, _at, domain = contact.value.partition("@")
    return f"{name[:1]}…@{domain}"
