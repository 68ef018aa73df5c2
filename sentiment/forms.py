"""What head office may write into the word lists."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sentiment.entries import Entry, Kind, cleaned

_WRONG = {
    "empty": _("An entry needs words, and ends and begins with one."),
    "long": _("An entry has at most eight words and 200 letters."),
    "short": _("This would be found in nearly every comment. Write more letters, or end the word with “!”."),
}


class EntryForm(forms.Form):
    """An entry for one language and one topic or kind of urgency."""

    entry = forms.CharField(label=_("Entry"), max_length=200)
    grade = forms.ChoiceField(
        label=_("How sure"),
        choices=[("certain", _("certain: may open a case")), ("possible", _("possible: a person looks"))],
        initial="possible",
    )

    def __init__(self, language: str, kind: Kind, target: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "entry-%s"} | kwargs)
        self._language, self._kind, self._target = language, kind, target
        self.fields["entry"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false", "lang": language}
        if kind == "topic":
            del self.fields["grade"]

    def clean_entry(self) -> str:
        try:
            return cleaned(self.cleaned_data["entry"])
        except ValueError as error:
            raise forms.ValidationError(_WRONG[str(error)]) from None

    @property
    def as_entry(self) -> Entry:
        """Once valid."""
        grade = self.cleaned_data.get("grade", "certain")
        return Entry(self._language, self._kind, self._target, self.cleaned_data["entry"], grade)
