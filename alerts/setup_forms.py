"""What head office fills in: prepared replies and root causes."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts.models import ReplyTemplate, RootCause
from alerts.replies import LANGUAGES, BadText, check
from core.widgets import WordsBox
from sentiment.labels import TOPIC_LABELS, named_languages

LONGEST_REPLY = 2000


@dataclass(frozen=True)
class LanguagePart:
    """The two fields of one language on the page of a reply; `folded` ones are empty and not of the interface."""

    code: str
    name: str
    title: forms.BoundField
    text: forms.BoundField
    folded: bool


class ReplyForm(forms.Form):
    """A reply in as many languages as the chain writes to its shoppers; a language with empty fields is not there."""

    topic = forms.ChoiceField(
        label=gettext_lazy("Topic"),
        choices=[("", gettext_lazy("fits every case")), *TOPIC_LABELS.items()],
        required=False,
    )

    def __init__(self, template: ReplyTemplate | None, data: Any = None) -> None:
        texts = {text.language: text for text in template.texts.all()} if template else {}
        initial: dict[str, str] = {"topic": template.topic if template else ""}
        for code, text in texts.items():
            initial |= {f"title_{code}": text.title, f"text_{code}": text.text}
        super().__init__(data, initial=initial)
        self.written = set(texts)
        for code in LANGUAGES:
            self.fields[f"title_{code}"] = forms.CharField(
                label=gettext_lazy("Name in the list"), max_length=80, required=False, widget=_spoken(code)
            )
            self.fields[f"text_{code}"] = forms.CharField(
                label=gettext_lazy("What is sent"),
                max_length=LONGEST_REPLY,
                required=False,
                widget=WordsBox(attrs={"rows": 7, "dir": "auto", "lang": code}),
            )

    @property
    def parts(self) -> list[LanguagePart]:
        """The languages of the interface first, then what is written, then the others by name."""
        ours = [code for code, _name in settings.LANGUAGES]
        names = dict(named_languages(LANGUAGES))
        order = sorted(names, key=lambda code: (code not in ours, code not in self._used(), names[code].casefold()))
        return [
            LanguagePart(
                code,
                names[code],
                self[f"title_{code}"],
                self[f"text_{code}"],
                folded=code not in ours and code not in self._used(),
            )
            for code in order
        ]

    def _used(self) -> set[str]:
        sent = {code for code in LANGUAGES if self.data.get(f"text_{code}") or self.data.get(f"title_{code}")}
        return self.written | sent

    def clean(self) -> dict[str, Any]:
        known = super().clean() or {}
        texts: dict[str, tuple[str, str]] = {}
        for code in LANGUAGES:
            title, text = known.get(f"title_{code}", "").strip(), known.get(f"text_{code}", "").strip()
            if text and not title:
                self.add_error(f"title_{code}", _("Please give it a name for the list."))
            elif title and not text:
                self.add_error(f"text_{code}", _("Please write the text, or empty the name."))
            elif text:
                self._check(code, text)
                texts[code] = (title, text)
        if not texts and not self.errors:
            raise forms.ValidationError(_("Please write it in at least one language."))
        return known | {"texts": texts}

    def _check(self, code: str, text: str) -> None:
        try:
            check(text)
        except BadText as bad:
            if bad.blanks:
                message = _("There is no blank {%(blank)s}.") % {"blank": "}, {".join(bad.blanks)}
            else:
                message = _("A brace { or } stands alone. Write {{ or }} for a brace itself.")
            self.add_error(f"text_{code}", message)


def _spoken(code: str) -> forms.TextInput:
    return forms.TextInput(attrs={"dir": "auto", "lang": code})


class CauseForm(forms.Form):
    """A root cause by its names; the first is what all others fall back to."""

    def __init__(self, cause: RootCause | None, data: Any = None) -> None:
        initial = {f"name_{code}": _said(cause, code) for code, _name in settings.LANGUAGES} if cause else {}
        super().__init__(data, initial=initial, prefix=f"cause{cause.pk}" if cause else "new")
        self.cause = cause
        for number, (code, name) in enumerate(settings.LANGUAGES):
            self.fields[f"name_{code}"] = forms.CharField(
                label=name, max_length=80, required=number == 0, widget=_spoken(code)
            )

    @property
    def names(self) -> dict[str, str]:
        return {code: self.cleaned_data.get(f"name_{code}", "").strip() for code, _name in settings.LANGUAGES}


def _said(cause: RootCause, code: str) -> str:
    with translation.override(code):
        said = str(cause)
    return said if code == settings.LANGUAGE_CODE or said != cause.name else ""
