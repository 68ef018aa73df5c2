"""What is entered about people: who is let in, with which roles, when they are away, and PINs."""

from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from stores.choices import STORE_ROLES, Role
from stores.devices import PIN_LENGTH
from stores.forms import node_choices
from stores.models import Node, User
from stores.people import LONGEST_ABSENCE, PHONE, Invitee, zone_of
from stores.standing import RoleAt, Standing, possible_stand_ins

MOST_ROLES_AT_ONCE = 10


class RoleForm(forms.Form):
    """A role, and the store or the part of the tree where it holds. Cleans to `role_at`."""

    role = forms.ChoiceField(label=_("Role"))
    store = forms.CharField(
        label=_("Store code"),
        required=False,
        max_length=20,
        help_text=_("For roles at one store."),
        widget=forms.TextInput(attrs={"list": "store-codes", "autocomplete": "off", "data-stores": ""}),
    )
    node = forms.ChoiceField(
        label=_("Everything under"), required=False, help_text=_("For area managers, head office and operators.")
    )

    def __init__(self, standing: Standing, *args: Any, nodes: list[Node] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.standing = standing
        nodes = list(standing.nodes()) if nodes is None else nodes
        self._nodes = {node.code: node for node in nodes}
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            ("", _("Please choose")),
            *((role, Role(role).label) for role in standing.roles_to_give()),
        ]
        self.fields["node"].choices = [("", "—"), *node_choices(nodes)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        role = cleaned.get("role")
        if not role:
            return cleaned
        if role in STORE_ROLES:
            code = cleaned.get("store", "").split(" ")[0]
            store = self.standing.stores().select_related("node").filter(code__iexact=code).first()
            if store is None:
                self.add_error("store", _("No store of yours has this code."))
                return cleaned
            cleaned["role_at"] = RoleAt(role, store=store)
        else:
            node = self._nodes.get(cleaned.get("node", ""))
            if node is None:
                self.add_error("node", _("Please choose where this role holds."))
                return cleaned
            cleaned["role_at"] = RoleAt(role, node=node)
        if not self.standing.may_give(cleaned["role_at"]):
            self.add_error("role", _("You cannot give this role there."))
        return cleaned


class RolesFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """Several roles of one person; rows left empty do not count."""

    def __init__(self, standing: Standing, *args: Any, **kwargs: Any) -> None:
        kwargs["form_kwargs"] = {"standing": standing, "nodes": list(standing.nodes())}
        super().__init__(*args, **kwargs)

    def roles(self) -> list[RoleAt]:
        """After validation."""
        return [form.cleaned_data["role_at"] for form in self.forms if form.cleaned_data.get("role_at")]


def roles_formset(rows: int) -> type[RolesFormSet]:
    """With so many empty rows when it is not filled in yet."""
    made = forms.formset_factory(
        RoleForm, formset=RolesFormSet, extra=rows, max_num=MOST_ROLES_AT_ONCE, absolute_max=MOST_ROLES_AT_ONCE
    )
    return cast(type[RolesFormSet], made)


class DetailsForm(forms.Form):
    """What somebody is called, and where and in which language they are written to."""

    name = forms.CharField(
        label=pgettext_lazy("of a person", "Name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.STAFF_LANGUAGES)
    phone = forms.RegexField(
        PHONE,
        label=_("Phone"),
        max_length=20,
        required=False,
        help_text=_("For text messages. May be empty."),
        widget=forms.TextInput(attrs={"type": "tel", "dir": "ltr", "autocomplete": "off"}),
    )


class PersonForm(DetailsForm):
    """The same of somebody who is here already; the address only for whoever may change it."""

    def __init__(self, person: User, data: Any, *, with_address: bool) -> None:
        super().__init__(data, initial={name: getattr(person, name) for name in self.base_fields})
        if with_address:
            self.fields["email"].help_text = (
                _("They sign in with it. It changes once the new one is confirmed by a link that is sent there.")
                if person.is_active
                else _("The invitation is sent there anew.")
            )
        else:
            del self.fields["email"]


class InviteForm(DetailsForm):
    """Who is let in."""

    def invitee(self, roles: list[RoleAt]) -> Invitee:
        cleaned = self.cleaned_data
        return Invitee(cleaned["email"], cleaned["name"], roles, cleaned["language"], cleaned["phone"])


class JoinForm(forms.Form):
    """The password of an account that is about to become active."""

    password = forms.CharField(
        label=_("Choose a password"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 15 characters: three or four words that have nothing to do with each other."),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password


class AbsenceForm(forms.Form):
    """From the first day until the last, in the person's own time; from today means from now."""

    first = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    last = forms.DateField(label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    stand_in = forms.ModelChoiceField(
        label=_("Stand-in"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("Nobody: the deputy, then the level above"),
    )
    note = forms.CharField(
        label=_("Note"), required=False, max_length=200, help_text=_("Colleagues can read it. No reasons of health.")
    )

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone_of(person)
        self.fields["stand_in"].queryset = possible_stand_ins(person)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last day lies before the first."))
        today = timezone.now().astimezone(self.zone).date()
        if last and last < today:
            self.add_error("last", _("This lies in the past."))
        # Here too, for far out no calendar can tell the day after.
        elif last and last - today > LONGEST_ABSENCE:
            self.add_error("last", _("This is longer than a year."))
        return cleaned

    @property
    def starts_at(self) -> datetime:
        return max(self._midnight(self.cleaned_data["first"]), timezone.now())

    @property
    def ends_at(self) -> datetime:
        return self._midnight(self.cleaned_data["last"] + timedelta(days=1))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(0), self.zone)


class _PinInput(forms.PasswordInput):
    def __init__(self) -> None:
        super().__init__(
            attrs={
                "inputmode": "numeric",
                "pattern": f"[0-9]{{{PIN_LENGTH}}}",
                "maxlength": PIN_LENGTH,
                "minlength": PIN_LENGTH,
                # The browser of a store's device must not offer anybody's PIN.
                "autocomplete": "one-time-code",
                "class": "input pin__input",
            }
        )


class PinForm(forms.Form):
    """One's own PIN, typed twice."""

    pin = forms.CharField(label=_("Six digits"), widget=_PinInput())
    again = forms.CharField(label=_("Once more"), widget=_PinInput())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("pin") != cleaned.get("again"):
            raise ValidationError(_("The two are not the same."))
        return cleaned


class EnterForm(forms.Form):
    """Who is in front of a store's shared device."""

    person = forms.ModelChoiceField(
        label=_("Who are you?"), queryset=User.objects.none(), widget=forms.RadioSelect, empty_label=None
    )
    pin = forms.CharField(label=_("PIN"), widget=_PinInput())
