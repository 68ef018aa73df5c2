"""What we tell a shopper about their case: only what somebody really has to keep, or has really done."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from alerts.choices import TO_DO, CaseState
from alerts.models import Case
from alerts.queries import is_reachable
from core.writing import isolated
from stores.models import Store
from surveys.choices import ContactWish
from surveys.models import Response


def store_time(moment: datetime, store: Store) -> str:
    """A moment as people in the store would say it: the time alone today, else with the day."""
    zone = ZoneInfo(store.time_zone)
    local, today = moment.astimezone(zone), timezone.now().astimezone(zone).date()
    clock = date_format(local, "H:i")
    if local.date() == today:
        return clock
    if local.date() == today + timedelta(days=1):
        return _("%(time)s tomorrow") % {"time": clock}
    return _("%(time)s on %(day)s") % {"time": clock, "day": date_format(local, pgettext("format of a date", "j E"))}


def is_on_time(case: Case) -> bool:
    """Whether the hour we named still lies ahead."""
    return case.state in TO_DO and case.due_at > timezone.now()


def promise(response: Response, case: Case | None) -> str:
    """What happens next, right after Send. An hour is named only when a case holds somebody to it."""
    store = response.store
    if response.erased_at:
        return ""
    if not is_reachable(response):
        return _("Somebody at %(store)s reads every answer.") % {"store": isolated(store.name)}
    if case is None or not is_on_time(case) or case.contacted_at:
        return _("%(store)s has your answer and knows how to reach you.") % {"store": isolated(store.name)}
    return _by_the_hour(response, case)


def _by_the_hour(response: Response, case: Case) -> str:
    sentences = {
        ContactWish.CALL: _("Somebody from %(store)s will call you by %(time)s."),
        ContactWish.TEXT: _("Somebody from %(store)s will text you by %(time)s."),
        ContactWish.EMAIL: _("Somebody from %(store)s will write you an e-mail by %(time)s."),
    }
    sentence = sentences[ContactWish(response.contact_wish)]
    return sentence % {"store": isolated(response.store.name), "time": store_time(case.due_at, response.store)}


def state_in_words(response: Response, case: Case | None) -> str:
    """Where the case stands, for the shopper's own page."""
    store = {"store": isolated(response.store.name)}
    if case is not None and case.response_id != response.pk:
        return (
            _(
                "%(store)s was already looking at something you had told us, and your answer was added to it. The "
                "conversation is on your first private page; our messages lead there."
            )
            % store
        )
    if case is None:
        return _("Your answer is with the people of %(store)s.") % store
    if case.state in {CaseState.OPEN, CaseState.ACKNOWLEDGED}:
        return _unfinished(response, case)
    sentences = {
        CaseState.CONTACTED: _("%(store)s has answered you and is still working on it."),
        CaseState.RESOLVED: _("%(store)s says that it is done. Only you can say whether that is true."),
        CaseState.UNCONFIRMED: _(
            "%(store)s says that it is done, and we have not heard from you. You can still tell us."
        ),
        CaseState.CONFIRMED: _("You told us that it is solved. Thank you."),
        CaseState.DISMISSED: _("The people of %(store)s have read what you wrote."),
    }
    return sentences[CaseState(case.state)] % store


def _unfinished(response: Response, case: Case) -> str:
    store = {"store": isolated(response.store.name)}
    if case.verifications.filter(solved=False).exists():
        head = _("You told us that it is not solved. Somebody with more say is looking at it now.")
    elif case.state == CaseState.ACKNOWLEDGED:
        head = _("Somebody at %(store)s is looking at it.") % store
    else:
        head = _("The people of %(store)s have been told.") % store
    if case.fix_only or case.contacted_at or not is_reachable(response):
        return head
    if is_on_time(case):
        return f"{head} {_by_the_hour(response, case)}"
    late = _("We wanted to reach you by %(time)s and are late. That has been passed on to the next level.")
    return f"{head} {late % {'time': store_time(case.due_at, response.store)}}"
