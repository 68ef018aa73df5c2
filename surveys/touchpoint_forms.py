"""What people enter about touchpoints."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.writing import printable
from stores.choices import TouchpointKind
from stores.models import Touchpoint
from stores.touchpoints import AT_ONCE, FOR_EVER
from surveys.models import Survey
from surveys.touchpoints import survey_of_kind

# What an old code does after a new one was made; the keys stand in the form.
GRACES: dict[str, timedelta | None] = {
    "quarter": timedelta(days=90),
    "month": timedelta(days=30),
    "ever": FOR_EVER,
    "never": AT_ONCE,
}


class TouchpointForm(forms.Form):
    """Kind, name and survey of a touchpoint. Cleans `survey` to one of them, or None for what its kind asks."""

    kind = forms.ChoiceField(label=_("Where it is"), choices=TouchpointKind.choices)
    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        required=False,
        help_text=_("As your people say: “Till 2”, “Fitting rooms upstairs”. Shoppers read it on page and poster."),
    )
    survey = forms.ChoiceField(label=_("Survey"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._surveys = {survey.slug: survey for survey in Survey.objects.order_by("name")}
        usual = {str(label): survey_of_kind(kind) for kind, label in TouchpointKind.choices}
        asks = ", ".join(f"{kind}: {gettext(survey.name)}" for kind, survey in usual.items() if survey)
        self.fields["survey"].choices = [  # type: ignore[attr-defined]
            ("", _("What all of its kind ask")),
            *((slug, gettext(survey.name)) for slug, survey in self._surveys.items()),
        ]
        self.fields["survey"].help_text = asks

    def clean_name(self) -> str:
        return " ".join(printable(self.cleaned_data["name"]).split())

    def clean_survey(self) -> Survey | None:
        return self._surveys.get(self.cleaned_data["survey"])


class RotateForm(forms.Form):
    """What happens to posters with the old code. Cleans `old` to how long it leads to the new one."""

    old = forms.ChoiceField(
        label=_("The old code"),
        widget=forms.RadioSelect,
        initial="quarter",
        choices=[
            ("quarter", _("leads to the new one for 90 days, until all posters are changed")),
            ("month", _("leads to the new one for 30 days")),
            ("ever", _("leads to the new one for ever")),
            ("never", _("is dead at once: the sticker was taken, or somebody misuses it")),
        ],
    )

    def clean_old(self) -> timedelta | None:
        return GRACES[self.cleaned_data["old"]]


class RetireForm(forms.Form):
    """Where shoppers are led who still scan the code. Cleans `instead` to a touchpoint or None."""

    instead = forms.ChoiceField(label=_("Whoever still scans its code"), required=False, widget=forms.RadioSelect)

    def __init__(self, *args: Any, others: list[Touchpoint], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._others = {str(one.pk): one for one in others}
        self.fields["instead"].choices = [  # type: ignore[attr-defined]
            ("", _("reads that it is not in use any more, and where the store still asks")),
            *((pk, _("is led to %(spot)s") % {"spot": one.title}) for pk, one in self._others.items()),
        ]

    def clean_instead(self) -> Touchpoint | None:
        return self._others.get(self.cleaned_data["instead"])


class DismissForm(forms.Form):
    """Why unusual scans need no attention."""

    reason = forms.CharField(
        label=_("Why it needs no attention"),
        max_length=200,
        help_text=_("“Late-night opening”, “we tested the code”, “people in the queue”. Nothing about shoppers."),
    )
