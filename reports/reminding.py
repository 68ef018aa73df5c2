"""Telling people of actions: that one is theirs now, and once that it is due."""

from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy

from messaging.models import Message
from messaging.outbox import Rendered, put, register_renderer
from messaging.preferences import channels_of
from messaging.quiet import morning_after
from reports.action_reads import owners_for, time_zone_of
from reports.models import Action, ActionEntry, ActionState
from stores.people import zone_of

DUE, GIVEN = "action due", "action given"
# On the clock of whoever is told.
_MORNING = time(8)


def remind(action: Action) -> None:
    """Have the owner told on the morning of the day it is due, once, if it is still theirs and under way then; after
    that day nobody is told that it is due today."""
    zone, there = zone_of(action.owner), time_zone_of(action.place)

    def too_late(moment: datetime) -> bool:
        return moment.astimezone(there).date() > action.due_on

    morning = datetime.combine(action.due_on, _MORNING, zone).astimezone(UTC)
    if too_late(morning):  # the day ends there before it begins here
        morning -= timedelta(days=1)
    at = max(morning, timezone.now())
    at = morning_after(at, zone) or at
    if not too_late(at):
        _put(DUE, f"{action.pk}:{action.due_on}", action, run_at=at)


def tell_owner(action: Action, entry: ActionEntry) -> None:
    """Tell the owner that somebody else's decision (`entry`) has made the action theirs; where they are it may be
    night, and it can wait until the morning."""
    _put(GIVEN, f"{action.pk}:{entry.pk}", action, run_at=morning_after(timezone.now(), zone_of(action.owner)))


def _put(kind: str, subject_id: str, action: Action, *, run_at: datetime | None = None) -> None:
    for channel in channels_of([action.owner]).get(action.owner_id, [])[:1]:
        key = f"{kind}:{subject_id}:{action.owner_id}:{channel}"
        put(kind, subject_id, channel=channel, dedup_key=key, user=action.owner, run_at=run_at)


def render_action(message: Message) -> Rendered | None:
    """Nothing any more for what is ended, somebody else's, or due on another day. It leads to the action's page where
    its owner still sees that place whole."""
    number, _colon, rest = message.subject_id.partition(":")
    action = Action.objects.filter(pk=number, state=ActionState.OPEN).select_related("store__node", "node").first()
    if action is None or action.owner_id != message.user_id:
        return None
    if message.kind == DUE and str(action.due_on) != rest:
        return None
    day = date_format(action.due_on, "SHORT_DATE_FORMAT")
    subject = (
        gettext("Due today: %(title)s") % {"title": action.title}
        if message.kind == DUE
        else gettext("Yours now, due %(day)s: %(title)s") % {"title": action.title, "day": day}
    )
    opens = owners_for(action.place).filter(pk=action.owner_id).exists()
    url = settings.PUBLIC_URL + reverse("action", args=[action.pk]) if opens else ""
    context = {
        "action": action,
        "subject": subject,
        "url": url,
        "chain_name": settings.CHAIN_NAME,
    }
    text = "\n".join(filter(None, (subject, action.place.name, url)))
    return Rendered(subject, text, render_to_string("reports/mail/action.html", context), url=url)


register_renderer(DUE, render_action, title=gettext_lazy("An action is due"))
register_renderer(GIVEN, render_action, title=gettext_lazy("An action has been given to you"))
