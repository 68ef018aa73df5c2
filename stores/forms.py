"""What people enter about the tree and its stores."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator, validate_email
from django.http import QueryDict
from django.utils import formats
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.widgets import WordsBox
from stores.actions import CLOSURE_FIELDS, STORE_FIELDS
from stores.choices import NodeKind
from stores.models import Node, Store
from stores.opening import weekly_hours
from stores.public_holidays import clean_subdivision, country_names
from stores.recording import snapshot
from stores.stretches import Stretch, clashing_dates, format_stretches, overlaps, parse_stretches

_MOST_DAYS = 92
# Nobody means a date outside of these, and not every clock can count there.
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
_MOST_LANGUAGES = 8
Choices = list[tuple[str, str]]


def node_choices(nodes: Iterable[Node]) -> Choices:
    """Nodes in the order of the tree, each set in by its depth below the highest of them."""
    known = {node.pk: node for node in nodes}
    ordered = sorted(known.values(), key=lambda node: [bytes(known[pk].sort_key) for pk in node.above if pk in known])
    top = min((len(node.above) for node in ordered), default=0)
    return [(node.code, "\u2003" * (len(node.above) - top) + node.name) for node in ordered]


class _DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        # What a date field of a browser reads, whatever the language of the page.
        super().__init__(format="%Y-%m-%d")


class _DayField(forms.DateField):
    """A date that somebody may mean."""

    widget = _DateInput
    default_validators = [
        MinValueValidator(_FIRST_DAY, _("Please check the year.")),
        MaxValueValidator(_LAST_DAY, _("Please check the year.")),
    ]


class _HttpsField(forms.URLField):
    # In place of the one that also takes http, so that a slip is named once.
    default_validators = [URLValidator(schemes=["https"])]


class NodeField(forms.ChoiceField):
    """A node of those on offer; cleans to the node itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=(), **options)
        self._nodes: dict[str, Node] = {}

    def offer(self, nodes: Iterable[Node]) -> None:
        """Which nodes can be chosen."""
        found = [node for node in nodes if node.retired_at is None]
        self._nodes = {node.code: node for node in found}
        self.choices = [("", gettext("Please choose")), *node_choices(found)]

    def clean(self, value: Any) -> Any:
        return self._nodes[super().clean(value)]


class _Coded(forms.ModelForm):  # type: ignore[type-arg]
    """Of something with a code, which nothing else of its sort has, upper and lower case aside."""

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        others = type(self.instance).objects.exclude(pk=self.instance.pk)
        if code and others.filter(code__iexact=code).exists():
            raise code_taken(code)
        return code

    def refuse_code(self) -> None:
        """Somebody else was faster."""
        self.add_error("code", code_taken(self.cleaned_data["code"]))


def code_taken(code: str) -> ValidationError:
    return ValidationError(
        _("“%(code)s” already exists; upper and lower case make no difference."), params={"code": code}
    )


class NodeForm(_Coded):
    """Name, kind and code of a node."""

    class Meta:
        model = Node
        fields = ("name", "kind", "code")
        labels = {"name": _("Name"), "kind": _("Kind"), "code": _("Code")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = _(
            "Short and unique, for files and for speaking of it. Left empty, one is made."
        )
        self.fields["kind"] = forms.ChoiceField(label=_("Kind"), choices=NodeKind.choices)


class NewNodeForm(NodeForm):
    """A node that is not there yet, and below which it will be."""

    parent = NodeField(label=_("Below"))
    field_order = ("parent", "name", "kind", "code")

    def __init__(self, nodes: Iterable[Node], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parent = self.fields["parent"]
        assert isinstance(parent, NodeField)
        parent.offer(nodes)


class PlaceForm(forms.Form):
    """Below which node something is to be put."""

    to = NodeField(label=_("New place"))

    def __init__(self, nodes: Iterable[Node], data: QueryDict | None = None) -> None:
        # Shown by an address, which may say other things, or sent.
        super().__init__(data if data and "to" in data else None)
        to = self.fields["to"]
        assert isinstance(to, NodeField)
        to.offer(nodes)


class _Unchanged(forms.Form):
    """Notices that somebody else has saved since the form was shown: `initial["shown"]` names what is stored now.

    What was typed stays; saved once more, it takes the other's place.
    """

    shown = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        shown, now = data.pop("shown", ""), self.initial.get("shown")
        if shown and now and shown != now:
            typed: Any = self.data
            typed = typed.copy()
            typed["shown"] = now
            self.data = typed
            self.add_error(
                None,
                gettext(
                    "Somebody else has saved this in the meantime. What you typed is kept: save again to put it in "
                    "place of theirs."
                ),
            )
        return data


def _name_of(values: Mapping[str, Any]) -> str:
    """Equal for equal values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


class StoreForm(_Unchanged, _Coded):
    """The master data of a store."""

    country = forms.ChoiceField(label=_("Country"), choices=())
    languages = forms.CharField(
        label=_("Languages"),
        help_text=_("What its shoppers read, the most common first: codes like de, en, uk."),
        max_length=80,
    )
    public_review_url = _HttpsField(
        label=_("Link to public reviews"),
        help_text=_("Shown to every shopper after their answer, whatever it was. Begins with https://."),
        assume_scheme="https",
        required=False,
        max_length=200,
    )
    contact_emails = forms.CharField(
        label=_("E-mail addresses of the store"),
        help_text=_("One a line. Not for cases: those go to people."),
        widget=WordsBox(attrs={"rows": 2, "autocapitalize": "off", "spellcheck": "false"}),
        required=False,
        max_length=1000,
    )

    class Meta:
        model = Store
        fields = STORE_FIELDS
        labels = {
            "code": _("Code"),
            "kind": _("Kind"),
            "name": _("Name"),
            "address": _("Street and number"),
            "postcode": _("Postcode"),
            "city": _("City"),
            "subdivision": _("Region for public holidays"),
            "time_zone": _("Time zone"),
            "phone": _("Phone number"),
            "holiday_rule": _("On public holidays"),
        }
        help_texts = {
            "code": _("Stands in addresses, files and reports."),
            "subdivision": _("Code of ISO 3166-2 like DE-BY. Empty: the holidays of the whole country."),
            "time_zone": _("Like Europe/Kyiv."),
        }
        widgets = {
            "phone": forms.TextInput(attrs={"type": "tel", "dir": "ltr"}),
            "time_zone": forms.TextInput(attrs={"list": "zones", "autocapitalize": "off", "spellcheck": "false"}),
            "subdivision": forms.TextInput(attrs={"list": "subdivisions", "autocapitalize": "characters"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country = self.fields["country"]
        assert isinstance(country, forms.ChoiceField)
        country.choices = [("", gettext("Please choose")), *country_names()]
        if self.instance.pk:
            self.initial["languages"] = ", ".join(self.instance.languages)
            self.initial["contact_emails"] = "\n".join(self.instance.contact_emails)
            self.initial["shown"] = _name_of(snapshot(self.instance, STORE_FIELDS))

    def clean_languages(self) -> list[str]:
        return read_languages(self.cleaned_data["languages"])

    def clean_contact_emails(self) -> list[str]:
        found = self.cleaned_data["contact_emails"].replace(",", " ").replace(";", " ").split()
        for address in found:
            validate_email(address)
        return list(dict.fromkeys(found))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "country" in data and "subdivision" in data:
            try:
                data["subdivision"] = clean_subdivision(data["country"], data["subdivision"])
            except ValidationError as error:
                self.add_error("subdivision", error)
        return data


class NewStoreForm(StoreForm):
    """A store that is not there yet, and where in the tree it will be."""

    node = NodeField(label=_("Below"))
    field_order = ("node", *STORE_FIELDS)

    def __init__(self, nodes: Iterable[Node], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        node = self.fields["node"]
        assert isinstance(node, NodeField)
        node.offer(nodes)


def read_languages(text: str) -> list[str]:
    """Codes of languages in the order in which somebody wrote them. Raises ValidationError for what is none."""
    known = Locale("en").languages
    found = list(dict.fromkeys(code.lower() for code in text.replace(";", ",").replace(" ", ",").split(",") if code))
    for code in found:
        if code not in known or len(code) > 3:
            raise ValidationError(_("“%(code)s” is no code of a language like de, en, uk."), params={"code": code})
    if len(found) > _MOST_LANGUAGES:
        raise ValidationError(_("At most %(n)d languages."), params={"n": _MOST_LANGUAGES})
    return found


class HoursForm(_Unchanged):
    """The weekly hours, one line of text for each day."""

    none = forms.BooleanField(
        label=_("The hours are not known: the clock runs day and night"), required=False, widget=forms.CheckboxInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day, name in WEEKDAYS.items():
            self.fields[f"day_{day}"] = forms.CharField(
                label=name,
                required=False,
                max_length=120,
                widget=forms.TextInput(attrs={"placeholder": _("closed"), "dir": "ltr", "autocomplete": "off"}),
            )

    @property
    def days(self) -> list[forms.BoundField]:
        return [self[f"day_{day}"] for day in range(7)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        week: dict[int, list[Stretch]] = {}
        for day in range(7):
            try:
                week[day] = parse_stretches(data.get(f"day_{day}", ""))
            except ValidationError as error:
                self.add_error(f"day_{day}", error)
        for clash in overlaps(week):
            self.add_error(f"day_{clash.second_day}", clash.message)
        entered = any(week.values())
        if entered and data.get("none"):
            self.add_error("none", gettext("Hours are entered below: either take them out or untick this."))
        elif not entered and not data.get("none") and not self.errors:
            self.add_error(
                None,
                gettext(
                    "Closed on all seven days? For a store that is closed for a time, enter a closure. If its hours "
                    "are not known, tick the box."
                ),
            )
        data["week"] = {day: stretches for day, stretches in week.items() if stretches}
        return data

    @staticmethod
    def initial_of(store: Store) -> dict[str, Any]:
        """What is entered now, as the fields show it."""
        week = weekly_hours([store.pk]).get(store.pk, {})
        entered = {"none": not week} | {f"day_{day}": format_stretches(found) for day, found in week.items()}
        return entered | {"shown": _name_of(entered)}


class ExceptionForm(forms.Form):
    """Dates on which the weekly hours do not hold; without a store, of several that are not looked at yet."""

    first = _DayField(label=_("Date"))
    last = _DayField(label=_("Until"), required=False, help_text=_("For several days on end; included."))
    hours = forms.CharField(
        label=_("Open from – to"),
        required=False,
        max_length=120,
        help_text=_("Like 10:00–14:00, 16:00–20:00. Empty: closed."),
        widget=forms.TextInput(attrs={"placeholder": _("closed"), "dir": "ltr", "autocomplete": "off"}),
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=80)

    def __init__(self, store: Store | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store

    def clean_hours(self) -> list[Stretch]:
        return parse_stretches(self.cleaned_data["hours"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last") or data.get("first")
        if first is None or last is None or "hours" not in data:
            return data
        data["last"] = last
        if last < first:
            self.add_error("last", gettext("This lies before the first date."))
        elif (last - first).days >= _MOST_DAYS:
            self.add_error("last", gettext("At most %(n)d days. For longer, enter a closure.") % {"n": _MOST_DAYS})
        else:
            self._refuse_clashes(first, last, data["hours"])
        return data

    def _refuse_clashes(self, first: date, last: date, stretches: list[Stretch]) -> None:
        """Against each other, and against the exceptions of the days before and after."""
        day = timedelta(days=1)
        days: dict[date, list[Stretch]] = {}
        beside = self.store.hours_exceptions.filter(date__in=[first - day, last + day]) if self.store else ()
        for one in beside:
            if one.opens is not None and one.closes is not None:
                days.setdefault(one.date, []).append((one.opens, one.closes))
        days |= {first + n * day: stretches for n in range((last - first).days + 1)}
        for before, after in clashing_dates(days)[:1]:
            if before == after:
                self.add_error("hours", gettext("These stretches overlap."))
            else:
                named = {"day": after, "before": before}
                said = {name: formats.date_format(day, "SHORT_DATE_FORMAT") for name, day in named.items()}
                self.add_error("hours", gettext("%(day)s begins before the night of %(before)s is over.") % said)


class ClosureForm(_Unchanged, forms.ModelForm):  # type: ignore[type-arg]
    """From when to when a store is closed for a time, and why."""

    class Meta:
        model = Store
        fields = CLOSURE_FIELDS
        labels = {"closed_from": _("First day"), "closed_until": _("Last day"), "closed_reason": _("Reason")}
        help_texts = {"closed_until": _("Empty: until further notice.")}
        field_classes = {"closed_from": _DayField, "closed_until": _DayField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["closed_from"].required = True
        self.initial["shown"] = _name_of(snapshot(self.instance, CLOSURE_FIELDS))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("closed_from"), data.get("closed_until")
        if first and last and last < first:
            self.add_error("closed_until", gettext("This lies before the first day."))
        return data
