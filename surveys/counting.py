"""Which answers count in headline figures: one rule for every room.

An answer that bears a mark is kept and reaches whoever it is about, and is shown apart with its number. Those of staff,
those that were never sent and what a phone sends by itself count nowhere; which others are left out says the setting
FLAGS_LEFT_OUT.
"""

from django.conf import settings
from django.db.models import Q

from surveys.choices import AUTOMATIC, STAFF_FLAG, UNSENT
from surveys.models import Response

# No answers of shoppers at all.
NO_ANSWERS = (STAFF_FLAG, UNSENT, AUTOMATIC)


def marks_left_out() -> list[str]:
    """The marks that keep an answer out of headline figures."""
    return list(dict.fromkeys([*NO_ANSWERS, *settings.FLAGS_LEFT_OUT]))


def counts(response: Response) -> bool:
    """Whether a response is in the headline figures."""
    return set(marks_left_out()).isdisjoint(response.flags)


def left_out(to_response: str = "") -> Q:
    """The responses that are not; `to_response` leads there from what is asked for, like `response__`."""
    return Q(**{f"{to_response}flags__overlap": marks_left_out()})


def no_answer(to_response: str = "") -> Q:
    """Those that are no answer of a shopper whatever the settings say: see NO_ANSWERS."""
    return Q(**{f"{to_response}flags__overlap": list(NO_ANSWERS)})
