"""What the page of a person shows of their work: the room of the stores knows no cases."""

from datetime import datetime, timedelta
from typing import Any

from django import template

from alerts.choices import TO_DO
from alerts.queries import cases_visible_to
from stores.choices import CASE_ROLES
from stores.models import Absence, User
from stores.queries import roles_of

register = template.Library()
_SHOWN = 10


@register.inclusion_tag("people/_cases.html", takes_context=True)
def cases_of(context: template.Context, person: User) -> dict[str, Any]:
    """The cases that wait for `person`, as far as the reader may see them; nothing for readers of no cases."""
    viewer = context["request"].user
    if not roles_of(viewer) & CASE_ROLES:
        return {"shown": False}
    cases = cases_visible_to(viewer).filter(owner=person, state__in=TO_DO).select_related("store").order_by("due_at")
    count = cases.count()
    return {"shown": True, "cases": cases[:_SHOWN], "more": max(count - _SHOWN, 0)}


@register.simple_tag
def last_day(absence: Absence) -> datetime:
    """The last moment of the last day, so that it reads as people say it."""
    return absence.ends_at - timedelta(seconds=1)
