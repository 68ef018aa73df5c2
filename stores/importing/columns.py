"""The sheets of an import file and their columns: what they are called in each language, and what stands in them.

Templates and exports name them in the reader's language. A file may name them in any of ours: whoever fills it in need
not be who made it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

# As in Ukrainian Friday; which of them depends on the keyboard.
_APOSTROPHE = re.compile("['’ʼ`]")
WEEKDAY_COLUMNS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Column:
    """`label` is its name in the reader's language, `help` says in a word or two what stands in it."""

    name: str
    label: Promise
    help: str | Promise
    required: bool = False


_HOURS_HELP = gettext_lazy("Like 09:00–13:00, 14:00–18:00; empty: closed")
SHEETS: dict[str, tuple[Column, ...]] = {
    "nodes": (
        Column("code", pgettext_lazy("column", "code"), gettext_lazy("Short and unique"), required=True),
        Column("name", pgettext_lazy("column", "name"), gettext_lazy("Country, region or area"), required=True),
        Column("kind", pgettext_lazy("column", "kind"), "chain, brand, country, region, area", required=True),
        Column("parent", pgettext_lazy("column", "parent"), gettext_lazy("Code of the node above")),
    ),
    "stores": (
        Column("code", pgettext_lazy("column", "code"), gettext_lazy("Short and unique"), required=True),
        Column("name", pgettext_lazy("column", "name"), gettext_lazy("As shoppers know it"), required=True),
        Column("node", pgettext_lazy("column", "node"), gettext_lazy("Code of the node above"), required=True),
        Column("country", pgettext_lazy("column", "country"), gettext_lazy("Two letters, like DE"), required=True),
        Column(
            "time_zone",
            pgettext_lazy("column", "time_zone"),
            gettext_lazy("Like Europe/Kyiv; may be empty where the country has one only"),
        ),
        Column("kind", pgettext_lazy("column", "kind"), "shop, call_centre"),
        Column("address", pgettext_lazy("column", "address"), gettext_lazy("Street and number")),
        Column("postcode", pgettext_lazy("column", "postcode"), gettext_lazy("Postcode")),
        Column("city", pgettext_lazy("column", "city"), gettext_lazy("City")),
        Column("subdivision", pgettext_lazy("column", "subdivision"), gettext_lazy("For public holidays, like DE-BY")),
        Column("languages", pgettext_lazy("column", "languages"), gettext_lazy("The most common first: de, en")),
        Column("phone", pgettext_lazy("column", "phone"), gettext_lazy("Phone number")),
        Column(
            "contact_emails", pgettext_lazy("column", "contact_emails"), gettext_lazy("Several with commas between")
        ),
        Column("public_review_url", pgettext_lazy("column", "public_review_url"), gettext_lazy("Begins with https://")),
        Column(
            "holiday_rule", pgettext_lazy("column", "holiday_rule"), gettext_lazy("On public holidays: open or closed")
        ),
        Column(
            "closed_from", pgettext_lazy("column", "closed_from"), gettext_lazy("Closed for a time from: 2026-12-24")
        ),
        Column(
            "closed_until",
            pgettext_lazy("column", "closed_until"),
            gettext_lazy("Last day closed; empty: until further notice"),
        ),
        Column("closed_reason", pgettext_lazy("column", "closed_reason"), gettext_lazy("Reason")),
        Column("retired", pgettext_lazy("column", "retired"), gettext_lazy("yes: closed for good")),
    ),
    "hours": (
        Column("store", pgettext_lazy("column", "store"), gettext_lazy("Code of the store"), required=True),
        Column("monday", pgettext_lazy("column", "monday"), _HOURS_HELP),
        Column("tuesday", pgettext_lazy("column", "tuesday"), _HOURS_HELP),
        Column("wednesday", pgettext_lazy("column", "wednesday"), _HOURS_HELP),
        Column("thursday", pgettext_lazy("column", "thursday"), _HOURS_HELP),
        Column("friday", pgettext_lazy("column", "friday"), _HOURS_HELP),
        Column("saturday", pgettext_lazy("column", "saturday"), _HOURS_HELP),
        Column("sunday", pgettext_lazy("column", "sunday"), _HOURS_HELP),
    ),
    "staff": (
        Column("email", pgettext_lazy("column", "email"), gettext_lazy("E-mail address"), required=True),
        Column("name", pgettext_lazy("column", "name"), gettext_lazy("Name"), required=True),
        Column(
            "role",
            pgettext_lazy("column", "role"),
            "store_manager, deputy, area_manager, head_office, call_centre_lead, operator",
            required=True,
        ),
        Column(
            "place",
            pgettext_lazy("column", "place"),
            gettext_lazy("Code of the store, or of the node"),
            required=True,
        ),
        Column("language", pgettext_lazy("column", "language"), "en, de, uk"),
        Column("phone", pgettext_lazy("column", "phone"), gettext_lazy("Phone number")),
    ),
}
SHEET_LABELS: dict[str, Promise] = {
    "nodes": pgettext_lazy("sheet", "nodes"),
    "stores": pgettext_lazy("sheet", "stores"),
    "hours": pgettext_lazy("sheet", "hours"),
    "staff": pgettext_lazy("sheet", "staff"),
}
# Explains the others in our template.
HELP_SHEET = pgettext_lazy("sheet", "help")


def label_of(sheet: str, column: str) -> str:
    """A column in the reader's language; itself if it is none of ours."""
    return next((str(one.label) for one in SHEETS.get(sheet, ()) if one.name == column), column)


def fold(name: str) -> str:
    """Names that people would call the same: "Time zone *", "time_zone" and "TIME-ZONE"."""
    return re.sub(r"[\W_]+", "_", _APOSTROPHE.sub("", name.casefold())).strip("_")


def sheet_named(name: str) -> str | None:
    """Which sheet somebody means in any of our languages; "" is the one that only explains, None is none of ours."""
    return _sheets().get(fold(name))


def columns_named(sheet: str) -> Mapping[str, str]:
    """The columns of a sheet by their folded names in each of our languages."""
    return _columns()[sheet]


@cache
def _sheets() -> Mapping[str, str]:
    found = {name: name for name in SHEETS}
    for language, _name in settings.STAFF_LANGUAGES:
        with translation.override(language):
            found |= {fold(str(label)): name for name, label in SHEET_LABELS.items()}
            found[fold(str(HELP_SHEET))] = ""
    return found


@cache
def _columns() -> Mapping[str, Mapping[str, str]]:
    found = {sheet: {column.name: column.name for column in columns} for sheet, columns in SHEETS.items()}
    for language, _name in settings.STAFF_LANGUAGES:
        with translation.override(language):
            for sheet, columns in SHEETS.items():
                found[sheet] |= {fold(str(column.label)): column.name for column in columns}
    return found
