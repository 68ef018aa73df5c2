"""Which cases each number of the closed loop is of: for the words behind it, by the rules of `count_days.sql`."""

from collections.abc import Callable

from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.choices import CaseState
from alerts.queries import said_no
from surveys.counting import left_out, no_answer

# By the word that stands for it in an address; shares, and what they are shares of.
PARTS = {
    "contactable": _("May be contacted"),
    "reached": _("Reached"),
    "attempted": _("Tried, not reached"),
    "untried": _("Not tried"),
    "fix_only": _("Without a way to answer"),
    "acted": _("Action recorded"),
    "asked": _("The shopper's word, or no word in time"),
    "confirmed": _("Confirmed by the shopper"),
    "reopened": _("Reopened at least once"),
    "unconfirmed": _("No word from the shopper"),
    "running": _("Within their thirty minutes"),
    "exempt": _("Left out"),
}


def cases_in(part: str, to_response: str) -> Q:
    """The answers that opened the cases of one of PARTS; `to_response` leads to them, like `response__`."""
    case = f"{to_response}opened_case__"
    clock = Coalesce(F(f"{case}first_due_at"), F(f"{case}due_at"))

    def of(**wanted: object) -> Q:
        return Q(**{f"{case}{name}": value for name, value in wanted.items()})

    def later(what: str) -> Q:
        return of(**{f"{what}__isnull": True}) | of(**{f"{what}__gt": clock})

    if part == "exempt":
        return of(exemption__gt="") & ~left_out(to_response)
    now = timezone.now()
    over = of(first_due_at__lte=now) | of(first_due_at__isnull=True, due_at__lte=now)
    contactable = over & of(fix_only=False)
    no = said_no(case)
    said = of(state__in=[CaseState.CONFIRMED, CaseState.UNCONFIRMED])
    parts: dict[str, Callable[[], Q]] = {
        "contactable": lambda: contactable,
        "reached": lambda: contactable & of(contacted_at__lte=clock),
        "attempted": lambda: contactable & of(attempted_at__lte=clock) & later("contacted_at"),
        "untried": lambda: contactable & later("attempted_at") & later("contacted_at"),
        "fix_only": lambda: over & of(fix_only=True),
        "acted": lambda: over & of(fix_only=True, fixed_at__lte=clock),
        "asked": lambda: of(fix_only=False) & (Q(no) | said),
        "confirmed": lambda: of(fix_only=False, state=CaseState.CONFIRMED) & ~Q(no),
        "reopened": lambda: of(fix_only=False) & Q(no),
        "unconfirmed": lambda: of(fix_only=False, state=CaseState.UNCONFIRMED) & ~Q(no),
        "running": lambda: of(first_due_at__gt=now) | of(first_due_at__isnull=True, due_at__gt=now),
    }
    return parts[part]() & of(exemption="") & ~no_answer(to_response)
