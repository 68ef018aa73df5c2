"""What people fill in about an action. The forms check shapes; `reports.actions` decides."""

import uuid
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.widgets import WordsBox
from reports.action_reads import owners_for, place_key, today_at
from reports.actions import LONGEST_DID, LONGEST_NOTE, LONGEST_TITLE, Plan
from reports.models import Action
from stores.models import Node, Store, User

_YEARS_AHEAD = 3


class PlanForm(forms.Form):
    """What is done, where, by whom and until when. `places` are those that may be chosen, by key."""

    title = forms.CharField(label=_("What is to be done"), max_length=LONGEST_TITLE)
    place = forms.ChoiceField(label=_("Where"))
    owner = forms.ModelChoiceField(label=_("Who"), queryset=User.objects.none(), empty_label=None)
    due_on = forms.DateField(label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, action: Action, places: dict[str, Node | Store], data: Any = None) -> None:
        initial = {
            "title": action.title,
            "place": place_key(action.place),
            "owner": action.owner_id,
            "due_on": action.due_on,
        }
        super().__init__(data, initial=initial, auto_id="plan-%s")
        self._action, self._places = action, places
        choices, owners = self.fields["place"], self.fields["owner"]
        assert isinstance(choices, forms.ChoiceField) and isinstance(owners, forms.ModelChoiceField)
        choices.choices = [(key, place.name) for key, place in places.items()]
        chosen = places.get(str(self["place"].value()), action.place)
        able = Q(pk__in=owners_for(chosen).order_by().values("pk"))
        if chosen == action.place:  # who has lost their role there since may keep it
            able |= Q(pk=action.owner_id)
        owners.queryset = User.objects.filter(able).order_by("sort_key", "pk")
        if any(isinstance(place, Node) for place in places.values()):
            self.fields["title"].help_text = _("Everybody below this place who reads reports sees this title.")
        self.fields["title"].widget.attrs |= {"dir": "auto", "autocomplete": "off"}

    def clean_due_on(self) -> Any:
        due_on = self.cleaned_data["due_on"]
        today = today_at(self._action.place)
        if due_on != self._action.due_on and not today <= due_on <= today.replace(
            year=today.year + _YEARS_AHEAD, day=1
        ):
            raise forms.ValidationError(_("Please choose a day from today on, within three years."))
        return due_on

    @property
    def plan(self) -> Plan:
        """Once valid."""
        found = self.cleaned_data
        return Plan(found["title"], found["owner"], found["due_on"], self._places[found["place"]])


class NoteForm(forms.Form):
    """Words for whoever reads the action later; its `form_id` makes it count once."""

    text = forms.CharField(label=_("Note"), max_length=LONGEST_NOTE, widget=WordsBox(attrs={"rows": 3, "dir": "auto"}))
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"form_id": uuid.uuid4()}, auto_id="note-%s")


class DoneForm(forms.Form):
    """What was done, as it hangs on the walls."""

    text = forms.CharField(
        label=_("We did: one sentence for the walls"),
        max_length=LONGEST_DID,
        widget=WordsBox(attrs={"rows": 2, "dir": "auto"}),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="done-%s")


class DropForm(forms.Form):
    """Why nothing is done about it any more."""

    text = forms.CharField(
        label=_("Why not"), max_length=LONGEST_NOTE, required=False, widget=WordsBox(attrs={"rows": 2, "dir": "auto"})
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="drop-%s")
