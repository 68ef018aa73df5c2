"""What staff fill in on a case. The forms check shapes; `alerts.actions` decides."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.cards import reach_of
from alerts.changing import LONGEST_TEXT
from alerts.choices import EXEMPT_REASONS, Exemption, Outcome
from alerts.models import Case, ReplyTemplate, RootCause
from core.widgets import WordsBox
from stores.queries import everybody_of
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


def _textarea(rows: int = 3) -> WordsBox:
    return WordsBox(attrs={"rows": rows, "dir": "auto"})


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
    template = forms.ModelChoiceField(
        queryset=ReplyTemplate.objects.filter(active=True), required=False, widget=forms.HiddenInput
    )


class FixForm(CaseForm):
    action = "fix"
    text = forms.CharField(label=_("What was done"), widget=_textarea(), max_length=LONGEST_TEXT)


class NoteForm(CaseForm):
    action = "note"
    text = forms.CharField(label=_("Note (only for us)"), widget=_textarea(2), max_length=LONGEST_TEXT)


class ResolveForm(CaseForm):
    action = "resolve"
    outcome = forms.ChoiceField(label=_("What came of it"), choices=[("", _("Please choose")), *Outcome.choices])
    root_cause = forms.ModelChoiceField(
        label=_("Root cause"), queryset=RootCause.objects.filter(active=True), empty_label=_("Please choose")
    )
    text = forms.CharField(label=_("What was done"), required=False, widget=_textarea(), max_length=LONGEST_TEXT)


class AcknowledgeForm(CaseForm):
    action = "acknowledge"


class StartForm(CaseForm):
    """That the way to the shopper was tapped."""

    action = "start"
    channel = forms.ChoiceField(choices=list(_CHANNELS.items()))


class HandOverForm(CaseForm):
    action = "hand_over"
    to = forms.TypedChoiceField(label=_("To"), choices=(), coerce=int)
    note = forms.CharField(label=_("Note (only for us)"), required=False, widget=_textarea(2), max_length=LONGEST_TEXT)

    def __init__(self, case: Case, data: Any = None) -> None:
        super().__init__(case, data)
        field = self.fields["to"]
        assert isinstance(field, forms.TypedChoiceField)
        people = [(one.pk, one.name) for one in everybody_of(case.store) if one.pk != case.owner_id]
        field.choices = [("", _("Please choose")), *people]


class LeaveOutForm(CaseForm):
    """`why` is a reason of either exemption; the reason says which."""

    action = "leave_out"
    why = forms.ChoiceField(
        choices=[(reason.value, reason.label) for reasons in EXEMPT_REASONS.values() for reason in reasons]
    )

    @property
    def choices_by_exemption(self) -> list[tuple[Exemption, list[tuple[str, Any]]]]:
        return [(kind, [(one.value, one.label) for one in reasons]) for kind, reasons in EXEMPT_REASONS.items()]

    def clean(self) -> dict[str, Any]:
        known = super().clean() or {}
        kinds = [kind for kind, reasons in EXEMPT_REASONS.items() if known.get("why") in reasons]
        return known | {"exemption": kinds[0].value if kinds else ""}


class AgreeForm(CaseForm):
    action = "agree"


class BringBackForm(CaseForm):
    action = "bring_back"


class UndoForm(CaseForm):
    action = "undo"


FORMS: dict[str, type[CaseForm]] = {
    form.action: form
    for form in (
        AcknowledgeForm,
        StartForm,
        ContactForm,
        AnswerForm,
        FixForm,
        NoteForm,
        HandOverForm,
        ResolveForm,
        LeaveOutForm,
        AgreeForm,
        BringBackForm,
        UndoForm,
    )
}
