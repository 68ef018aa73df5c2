"""What staff fill in on a case. The forms check shapes; `alerts.actions` decides."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.actions import LONGEST_TEXT
from alerts.cards import reach_of
from alerts.models import Case, RootCause
from surveys.choices import ContactWish

_CHANNELS = {
    "call": _("by phone"),
    "sms": _("by text message"),
    "email": _("by e-mail"),
    "person": _("in person"),
}
_WISHED = {ContactWish.CALL: "call", ContactWish.TEXT: "sms", ContactWish.EMAIL: "email"}


class CaseForm(forms.Form):
    """A form of the case page. Its `form_id` makes it count once, however often it is sent."""

    action = ""
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, case: Case, data: Any = None) -> None:
        super().__init__(data, auto_id=f"{self.action}-%s", initial={"form_id": uuid.uuid4()})
        self.case = case


def _textarea(rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "dir": "auto", "maxlength": LONGEST_TEXT})


class ContactForm(CaseForm):
    action = "contact"
    channel = forms.ChoiceField(label=_("How"), choices=(), widget=forms.RadioSelect)
    reached = forms.TypedChoiceField(choices=[("yes", ""), ("no", "")], coerce=lambda value: value == "yes")
    note = forms.CharField(label=_("Note (only for us)"), required=False, widget=_textarea(2), max_length=LONGEST_TEXT)

    def __init__(self, case: Case, data: Any = None) -> None:
        super().__init__(case, data)
        reach = reach_of(case)
        wished = _WISHED.get(ContactWish(reach.contact_wish)) if reach else None
        # Only what the shopper allowed; whoever is in the store can be met.
        allowed = [wished, "person"] if wished else ["person"]
        field = self.fields["channel"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(channel, _CHANNELS[channel]) for channel in allowed]
        field.initial = "person" if case.response.still_here else allowed[0]


class AnswerForm(CaseForm):
    action = "answer"
    text = forms.CharField(label=_("Your answer to the shopper"), widget=_textarea(5), max_length=LONGEST_TEXT)


class FixForm(CaseForm):
    action = "fix"
    text = forms.CharField(label=_("What was done"), widget=_textarea(), max_length=LONGEST_TEXT)


class NoteForm(CaseForm):
    action = "note"
    text = forms.CharField(label=_("Note (only for us)"), widget=_textarea(2), max_length=LONGEST_TEXT)


class ResolveForm(CaseForm):
    action = "resolve"
    root_cause = forms.ModelChoiceField(
        label=_("Root cause"), queryset=RootCause.objects.filter(active=True), empty_label=_("Please choose")
    )
    text = forms.CharField(label=_("What was done"), required=False, widget=_textarea(), max_length=LONGEST_TEXT)


class AcknowledgeForm(CaseForm):
    action = "acknowledge"


FORMS: dict[str, type[CaseForm]] = {
    form.action: form for form in (AcknowledgeForm, ContactForm, AnswerForm, FixForm, NoteForm, ResolveForm)
}
