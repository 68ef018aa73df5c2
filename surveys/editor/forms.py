"""What head office types about a survey."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.widgets import WordsBox
from stores.models import Store
from surveys.choices import (
    PROMOTER_AT_LEAST,
    SCORE_RANGE,
    UNHAPPY_AT_MOST,
    ContactWish,
    OtherKind,
    QuestionKind,
    ResponseChannel,
)
from surveys.documents import CHOOSING
from surveys.editor.texts import LONGEST_AT_ALL, Raw, has_ends
from surveys.models import Survey

_NEW_OPTIONS = 2
_MOST_OPTIONS = 20
_MOST_CONDITIONS = 2
_WAY_LABELS = [
    (ContactWish.CALL.value, _("Call")),
    (ContactWish.TEXT.value, _("Text message")),
    (ContactWish.EMAIL.value, _("E-mail")),
]
KINDS: list[tuple[str, Any]] = [*QuestionKind.choices, *OtherKind.choices]


def label_of_kind(kind: str) -> str:
    """A kind's name in the reader's language."""
    return str(dict(KINDS)[kind])


class NewSurveyForm(forms.Form):
    """A survey that is not there yet."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    language = forms.ChoiceField(label=_("Written in"), choices=settings.LANGUAGES)
    copy_of = forms.ModelChoiceField(
        Survey.objects.order_by("name"),
        label=_("Begin with the questions of"),
        to_field_name="slug",
        required=False,
        empty_label=_("None: an empty survey"),
    )


class LanguagesForm(forms.Form):
    """The languages a survey speaks, and the one it is written in."""

    first = forms.ChoiceField(label=_("Written in"), choices=settings.LANGUAGES)
    languages = forms.MultipleChoiceField(
        label=_("Also in"), choices=settings.LANGUAGES, required=False, widget=forms.CheckboxSelectMultiple
    )

    @property
    def chosen(self) -> list[str]:
        data = self.cleaned_data
        return [data["first"], *(code for code in data["languages"] if code != data["first"])]


class PublishForm(forms.Form):
    """Why there is a new version."""

    note = forms.CharField(
        label=_("What is new?"), max_length=200, required=False, help_text=_("For the list of versions. May be empty.")
    )


class QuestionForm(forms.Form):
    """One question in the language its survey is written in. Which fields there are follows from its kind."""

    def __init__(self, document: Raw, question: Raw, *args: Any, stores: Any = None, **kwargs: Any) -> None:
        self.question, self.document, self._stores = question, document, stores
        self.language = document["languages"][0]
        self.is_headline = document["headline"] == question["key"]
        super().__init__(*args, **(kwargs | {"initial": self._initial()}))
        kind = question["kind"]
        self._add_text("text", self._text_label(kind), area=True, required=False)
        if has_ends(kind):
            self._add_text("low", _("What the lowest number means"))
            self._add_text("high", _("What the highest number means"))
        if kind in CHOOSING:
            self._add_options()
        if kind == OtherKind.CONTACT:
            self._add_contact()
        if kind not in (OtherKind.CONTACT, OtherKind.HERE, OtherKind.CONSENT):
            self.fields["required"] = forms.BooleanField(label=_("An answer is required"), required=False)
        if not self.is_headline:
            self._add_place_and_conditions()

    def _text_label(self, kind: str) -> Any:
        if kind in (OtherKind.CONTACT, OtherKind.HERE):
            return _("Question (empty: as the page says it, in every language)")
        return _("What the shopper agrees to") if kind == OtherKind.CONSENT else _("Question")

    def _initial(self) -> dict[str, Any]:
        question, language = self.question, self.language
        own = {name: question.get(name, {}).get(language, "") for name in ("text", "low", "high")}
        options = {f"option_{one['key']}": one["text"].get(language, "") for one in question.get("options", [])}
        when = {f"when_{i}": _condition_name(one) for i, one in enumerate(question.get("when", []))}
        plain = {name: question.get(name) for name in ("required", "ways", "asks_when", "asks_language", "channels")}
        return (
            own
            | options
            | when
            | plain
            | {
                "screen": question.get("screen", 1),
                "stores": ", ".join(question.get("stores", [])),
            }
        )

    def _add_text(self, name: str, label: Any, *, area: bool = False, required: bool = False) -> None:
        attrs = {"lang": self.language, "dir": "auto"} | ({"rows": 2} if area else {})
        widget = WordsBox(attrs) if area else forms.TextInput(attrs)
        self.fields[name] = forms.CharField(
            label=label, required=required, max_length=LONGEST_AT_ALL, widget=widget, strip=True
        )

    def _add_options(self) -> None:
        for number, option in enumerate(self.question.get("options", []), start=1):
            self._add_text(f"option_{option['key']}", _("Answer %(n)d") % {"n": number})
        for number in range(_NEW_OPTIONS):
            self._add_text(f"new_{number}", _("Another answer"))

    def _add_contact(self) -> None:
        self.fields["ways"] = forms.MultipleChoiceField(
            label=_("Ways on offer"), choices=_WAY_LABELS, widget=forms.CheckboxSelectMultiple, required=False
        )
        self.fields["asks_when"] = forms.BooleanField(label=_("Ask when it is convenient"), required=False)
        self.fields["asks_language"] = forms.BooleanField(label=_("Ask in which language"), required=False)

    def _add_place_and_conditions(self) -> None:
        screens = max(settings.MOST_SCREENS, self.question.get("screen", 1))
        self.fields["screen"] = forms.TypedChoiceField(
            label=_("Screen"),
            coerce=int,
            choices=[(number, str(number)) for number in range(1, screens + 1)],
            help_text=_("One after the other; the last one has the button Send."),
        )
        conditions = _offered_conditions(self.document, self.question)
        if conditions:
            for number in range(_MOST_CONDITIONS):
                kept = self.initial.get(f"when_{number}", "")
                known = {name for _group, lines in conditions for name, _label in lines}
                extra = [] if not kept or kept in known else [(kept, kept)]
                self.fields[f"when_{number}"] = forms.ChoiceField(
                    label=_("Only after the answer") if number == 0 else _("and only after"),
                    required=False,
                    choices=[("", _("whatever was answered")), *extra, *conditions],
                )
        self.fields["channels"] = forms.MultipleChoiceField(
            label=_("Only on these channels"),
            choices=ResponseChannel.choices,
            widget=forms.CheckboxSelectMultiple,
            required=False,
            help_text=_("None ticked: on all."),
        )
        self.fields["stores"] = forms.CharField(
            label=_("Only in these stores"),
            required=False,
            help_text=_("Codes with commas between them. Empty: in all."),
            widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
        )

    def clean_stores(self) -> list[str]:
        codes = [code.strip() for code in self.cleaned_data["stores"].split(",") if code.strip()]
        known = set((self._stores or Store.objects).filter(code__in=codes).values_list("code", flat=True))
        if missing := [code for code in codes if code not in known]:
            raise ValidationError(gettext("There is no store with the code %(codes)s.") % {"codes": ", ".join(missing)})
        return list(dict.fromkeys(codes))

    def values(self) -> Raw:
        """What takes the place of the question's own values. Other languages keep what they say."""
        data = self.cleaned_data
        question = self.question
        texts: Raw = {
            name: question.get(name, {}) | {self.language: data[name]}
            for name in ("text", "low", "high")
            if name in data
        }
        plain: Raw = {name: data[name] for name in ("required", "ways", "asks_when", "asks_language") if name in data}
        placed: Raw = {name: data[name] for name in ("screen", "channels", "stores") if name in data}
        values: Raw = {**texts, **plain, **placed}
        if "options" in question:
            values["options"] = self._options()
        if not self.is_headline:
            whens = [data.get(f"when_{number}", "") for number in range(_MOST_CONDITIONS)]
            values["when"] = [_condition_of(name) for name in dict.fromkeys(whens) if name]
        return values

    def _options(self) -> list[Raw]:
        """The answers in their order; one whose text was emptied is gone."""
        data = self.cleaned_data
        kept = [
            option | {"text": option["text"] | {self.language: data[f"option_{option['key']}"]}}
            for option in self.question["options"]
            if data.get(f"option_{option['key']}") or not option["text"].get(self.language)
        ]
        used = {option["key"] for option in self.question["options"]}
        for number in range(_NEW_OPTIONS):
            if (said := data.get(f"new_{number}")) and len(kept) < _MOST_OPTIONS:
                key = next(name for name in _option_keys() if name not in used)
                used.add(key)
                kept.append({"key": key, "text": {self.language: said}})
        return kept


def _option_keys() -> Sequence[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [*letters, *(first + second for first in letters for second in letters)]


def _condition_name(condition: Raw) -> str:
    """A condition as one word of a form."""
    if condition.get("any_of"):
        return f"{condition['question']}:is:{'+'.join(condition['any_of'])}"
    low, high = condition.get("at_least"), condition.get("at_most")
    return f"{condition['question']}:{'' if low is None else low}:{'' if high is None else high}"


def _condition_of(name: str) -> Raw:
    key, first, second = name.split(":")
    if first == "is":
        return {"question": key, "any_of": second.split("+")}
    marks = {"at_least": first, "at_most": second}
    return {"question": key} | {side: int(mark) for side, mark in marks.items() if mark}


def _offered_conditions(document: Raw, question: Raw) -> list[tuple[str, list[tuple[str, str]]]]:
    """By earlier question: the answers that something may hang on."""
    groups = []
    language = document["languages"][0]
    for earlier in document["questions"]:
        if earlier["key"] == question["key"]:
            break
        title = earlier["text"].get(language) or earlier["key"]
        if earlier["kind"] in QuestionKind.values:
            groups.append((title, _bands(earlier)))
        elif earlier["kind"] in CHOOSING:
            lines = [
                (f"{earlier['key']}:is:{option['key']}", option["text"].get(language) or option["key"])
                for option in earlier["options"]
            ]
            groups.append((title, lines))
    return groups


def _bands(earlier: Raw) -> list[tuple[str, str]]:
    """Unhappy, in between, happy, and each end together with what is in between."""
    kind = QuestionKind(earlier["kind"])
    least, most = SCORE_RANGE[kind]
    unhappy, happy = UNHAPPY_AT_MOST[kind], PROMOTER_AT_LEAST[kind]
    bands = [
        (_("unhappy"), least, unhappy),
        (_("not happy"), least, happy - 1),
        (_("in between"), unhappy + 1, happy - 1),
        (_("not unhappy"), unhappy + 1, most),
        (_("happy"), happy, most),
    ]
    return [
        (f"{earlier['key']}:{'' if low == least else low}:{'' if high == most else high}", f"{label} ({low}–{high})")
        for label, low, high in bands
    ]


def condition_in_words(document: Raw, condition: Raw) -> str:
    """What a question depends on, for the list of questions."""
    language = document["languages"][0]
    earlier = next((one for one in document["questions"] if one["key"] == condition["question"]), None)
    if earlier is None:
        return ""
    title = earlier["text"].get(language) or earlier["key"]
    if condition.get("any_of"):
        names = {option["key"]: option["text"].get(language) or option["key"] for option in earlier["options"]}
        return f"{title}: {', '.join(names.get(key, key) for key in condition['any_of'])}"
    least, most = SCORE_RANGE[QuestionKind(earlier["kind"])]
    return f"{title}: {condition.get('at_least', least)}–{condition.get('at_most', most)}"
