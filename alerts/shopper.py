"""The shopper's own pages after Send: what happens next, and the private page of the case."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from alerts.choices import TO_DO
from alerts.models import Case
from alerts.queries import case_for_response
from core import nonces
from stores.models import Store
from surveys.actions import add_contact
from surveys.choices import UNHAPPY_AT_MOST, ContactWish, QuestionKind
from surveys.documents import document_of
from surveys.forms import AnswerForm
from surveys.models import Response
from surveys.pages import contact_context, lost_page, page, speak_like, store_context
from surveys.queries import response_by_token
from surveys.views import public


def store_time(moment: datetime, store: Store) -> str:
    """A moment as people in the store would say it: the time today, else the day and the time."""
    zone = ZoneInfo(store.time_zone)
    local, today = moment.astimezone(zone), timezone.now().astimezone(zone).date()
    clock = date_format(local, "TIME_FORMAT")
    if local.date() == today:
        return clock
    if local.date() == today + timedelta(days=1):
        return _("tomorrow at %(time)s") % {"time": clock}
    return f"{date_format(local, 'l j F')}, {clock}"


def promise(response: Response, case: Case | None) -> str:
    """What we can honestly say happens next: an hour only when somebody has to keep it."""
    store = response.store
    if response.contact_wish == ContactWish.NONE:
        return _("Somebody at %(store)s reads every answer.") % {"store": store.name}
    if case is None or case.state not in TO_DO or case.due_at <= timezone.now():
        return _("%(store)s has your message and knows how to reach you.") % {"store": store.name}
    sentences = {
        ContactWish.CALL: _("Somebody from %(store)s will call you by %(time)s."),
        ContactWish.TEXT: _("Somebody from %(store)s will text you by %(time)s."),
        ContactWish.EMAIL: _("Somebody from %(store)s will write you an e-mail by %(time)s."),
    }
    values = {"store": store.name, "time": store_time(case.due_at, store)}
    return sentences[ContactWish(response.contact_wish)] % values


def is_unhappy(response: Response) -> bool:
    """Whether the score alone says that something went wrong."""
    return response.score is not None and response.score <= UNHAPPY_AT_MOST[QuestionKind(response.headline_kind)]


@public
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """The page after Send. An unhappy shopper without an address is offered one more way to be reached."""
    response = response_by_token(token)
    if response is None:
        return lost_page(request)
    speak_like(request, response)
    form = AnswerForm(document=document_of(response.version), country=response.store.country)
    scope, status = f"thanks {response.pk.hex}", 200
    if request.method == "POST":
        form = AnswerForm.sent(request.POST, document=form.document, country=form.country)
        wish = form.read_wish()
        try:
            nonces.read(scope, request.POST.get("form", ""))
            if not form.problems:
                add_contact(response.pk, wish, language=request.LANGUAGE_CODE or response.language)
                return _see(reverse("thanks", args=[token]))
        except nonces.BadNonce:
            pass
        status = 422
    asks_again = response.contact_wish == ContactWish.NONE and is_unhappy(response) and not response.erased_at
    context: dict[str, Any] = store_context(response.store) | {
        "promise": promise(response, case_for_response(response.pk)),
        "case_url": reverse("shopper_case", args=[token]),
        "second_chance": asks_again,
    }
    if asks_again:
        context |= contact_context(form) | {"nonce": nonces.mint(scope)}
    return page(request, "shopper/thanks.html", context, status=status)


def _see(address: str) -> HttpResponse:
    answer = HttpResponseRedirect(address)
    answer.status_code = 303
    return answer


@public
def shopper_case(request: HttpRequest, token: str) -> HttpResponse:
    """The shopper's private page."""
    response = response_by_token(token)
    if response is None:
        return lost_page(request)
    speak_like(request, response)
    return page(request, "shopper/case.html", store_context(response.store))
