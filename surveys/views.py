"""The public pages that ask. A GET or HEAD never writes, no page sets a cookie, and none needs JavaScript."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods

from core import nonces
from core.tokens import clean_typed_code
from customers.leaving import is_suppressed
from surveys import partials, scans, signed
from surveys.actions import submit, takes_late_words
from surveys.choices import STAFF_FLAG, UNSENT, WAITING, ResponseChannel
from surveys.fairness import browser_of, marks_of
from surveys.forms import AnswerForm
from surveys.inviting import signed_invitation
from surveys.link_traffic import note_link
from surveys.models import Invitation, Response
from surveys.pages import away_page, lost_page, question_page, speak
from surveys.queries import (
    Asking,
    asking_at,
    asking_in,
    former_code,
    invitation_by_token,
    touchpoint_by_code,
    touchpoint_instead_of,
    version_by_pk,
    version_for,
)

View = Callable[..., HttpResponse]


def public(view: View) -> View:
    """A shopper's page: open to everybody, signed forms in place of a cookie, and nothing lost with the database."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @gzip_page
    @wraps(view)
    def open_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (OperationalError, InterfaceError):
            return away_page(request)

    open_view.for_shoppers = True  # type: ignore[attr-defined]  # read by core.middleware.shoppers_way
    result: View = login_not_required(csrf_exempt(open_view))
    return result


@public
def find_touchpoint(request: HttpRequest) -> HttpResponse:
    """Where a person types the code that is printed beside the QR code."""
    typed = request.GET.get("code", "").strip()[:40]
    if typed and (touchpoint_by_code(typed) or former_code(typed)):
        return _redirect(request, reverse("touchpoint", args=[clean_typed_code(typed)]), status=302)
    return lost_page(request, typed=typed, asked=True, status=404 if typed else 200)


@public
def touchpoint(request: HttpRequest, code: str) -> HttpResponse:
    """What the QR code opens; once it was replaced, the way to the new one, as long as the old one leads there."""
    spot = touchpoint_by_code(code, to_answer=request.method == "POST")
    former = None if spot else former_code(code)
    spot = former.touchpoint if former else spot
    asking = spot and asking_at(spot)
    if spot is None or not asking:
        return lost_page(request)
    if request.method == "POST":
        if _only_says_seen(request):
            return _note_seen(request, asking)
        # A form that was on its way when its code ended is still an answer.
        return _take(request, asking, ended=bool(former or spot.retired_at or asking.store.retired_at))
    if asking.store.retired_at:
        return lost_page(request, closed=asking.store)
    if former:
        return (
            _redirect(request, reverse("touchpoint", args=[spot.code]), status=302)
            if former.leads()
            else lost_page(request)
        )
    if spot.replaced_by:
        return _redirect(request, reverse("touchpoint", args=[spot.replaced_by.code]), status=302)
    if spot.retired_at:
        return lost_page(request, instead=touchpoint_instead_of(spot))
    scans.note_scan(spot.pk, request)
    return question_page(request, asking, _preselected(request, asking))


# What the page's script adds to its address when it tells that it was looked at, and to its form once it has.
_SEEN = "seen"


# The page's script bears the one while it keeps what was tapped so far, and the other with Send once it has.
_STEP, _STEPPED = "step", "stepped"


def _only_says_seen(request: HttpRequest) -> bool:
    """An answer is an answer also from a page whose address bore the word."""
    return _SEEN in request.GET and request.POST.keys() <= {"form"}


def _keep_step(request: HttpRequest, asking: Asking) -> HttpResponse:
    """Keep what was tapped so far; only a page of ours can say it, and nothing is ever refused here."""
    try:
        ticket = nonces.read(asking.scope, request.POST.get("form", ""))
    except nonces.BadNonce:
        return HttpResponse(status=204)
    form = AnswerForm.sent(request.POST, document=asking.document, country=asking.store.country)
    answers, step = form.so_far(words=False), request.POST[_STEP]
    if ticket.version_id == asking.version.pk and answers and step.isascii() and step.isdigit():
        language = request.LANGUAGE_CODE or settings.LANGUAGE_CODE
        asking, flags = _invite(asking, language), _staff_flags(request)
        partials.keep(asking, ticket.form_id, answers, step=int(step[:6]), language=language, flags=flags)
    return HttpResponse(status=204)


def _invite(asking: Asking, language: str) -> Asking:
    """The same with the invitation that a link which the till signed itself has from the first answer on."""
    if asking.receipt is None or asking.invitation is not None:
        return asking
    return replace(asking, invitation=signed_invitation(asking.receipt, language=language))


def _note_seen(request: HttpRequest, asking: Asking) -> HttpResponse:
    """The page says that it was looked at; only a page of ours can, for its form is signed."""
    try:
        nonces.read(asking.scope, request.POST.get("form", ""))
    except nonces.BadNonce:
        return HttpResponse(status=204)
    if asking.touchpoint:
        scans.note_open(asking.touchpoint.pk, request)
    return HttpResponse(status=204)


@public
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What the link of a receipt or of a text message after a call opens. `?score=` only preselects."""
    if signed.is_signed(token):
        return _signed_receipt(request, token)
    invited = invitation_by_token(token)
    asking = invited and asking_in(invited)
    if invited is None or not asking:
        return lost_page(request, link=True)
    return _invited(request, invited, asking)


def _invited(request: HttpRequest, invited: Invitation, asking: Asking) -> HttpResponse:
    known = getattr(invited, "response", None)
    if known is not None and (UNSENT in known.flags or _lacks_score(known)):
        known = None
    if known is not None and timezone.now() - known.submitted_at > settings.CORRECTION_WINDOW:
        if request.method == "POST" and _is_ours(asking, request):
            # What was missing may come however late, and so may words beside texted ones; whatever else was sent is
            # there.
            if takes_late_words(known) and not _only_says_seen(request):
                return _take(request, asking)
            return _redirect(request, reverse("thanks", args=[known.token]))
        # Whoever finds a receipt or a forwarded mail must not find what its owner said.
        return lost_page(request, link=True)
    if request.method == "POST":
        return _note_seen(request, asking) if _only_says_seen(request) else _take(request, asking)
    if known is not None:
        return _redirect(request, reverse("thanks", args=[known.token]), status=302)
    if invited.expires_at < timezone.now():
        return lost_page(request, link=True)
    note_link(asking, request)
    return question_page(request, asking, _preselected(request, asking))


def _lacks_score(known: Response) -> bool:
    """Whether a text message about a call brought words and no score: maybe a phone wrote it by itself, and its owner
    has yet to answer."""
    unscored = known.score is None and known.erased_at is None and not WAITING.isdisjoint(known.flags)
    return unscored and known.channel == ResponseChannel.CALL


def _signed_receipt(request: HttpRequest, token: str) -> HttpResponse:
    """The same for a link that a till has signed itself. Its invitation is made when an answer is sent."""
    is_sent = request.method == "POST"
    # A form that was open when its link's time ended is still an answer.
    receipt = signed.read(token, late=nonces.FORM_LIFETIME if is_sent else timedelta(0))
    # Asked also when the link is worth nothing, so that it takes as long.
    version = version_for(ResponseChannel.RECEIPT)
    invited = signed.invitation_of(receipt) if receipt else None
    if receipt is None or version is None:
        return lost_page(request, link=True)
    asking = Asking(receipt.store, ResponseChannel.RECEIPT, version, invitation=invited, receipt=receipt)
    if invited is not None:
        return _invited(request, invited, asking)
    if is_sent:
        ended = receipt.expires_at < timezone.now()
        return HttpResponse(status=204) if _only_says_seen(request) else _take(request, asking, ended=ended)
    note_link(asking, request)
    return question_page(request, asking, _preselected(request, asking))


def _is_ours(asking: Asking, request: HttpRequest) -> bool:
    """Whether a form that is sent late was given out here."""
    try:
        nonces.read(asking.scope, request.POST.get("form", ""))
    except nonces.BadNonce:
        return False
    return True


def _preselected(request: HttpRequest, asking: Asking) -> AnswerForm:
    return AnswerForm(
        document=asking.document,
        country=asking.store.country,
        known=_known_contact(asking.invitation),
        score=request.GET.get("score", "")[:2],
    )


def _known_contact(invited: Invitation | None) -> Any:
    """The address an invitation went to, unless its owner wants no more messages."""
    contact = invited.contact if invited else None
    if contact is None or not contact.value:
        return None
    return None if is_suppressed(contact.value_hash) else contact


def _take(request: HttpRequest, asking: Asking, *, ended: bool = False) -> HttpResponse:
    """Store what was sent, or show it again with what is missing.

    `ended`: nothing is asked here any more, so only a form that we gave out is taken.
    """
    if _STEP in request.POST:
        return _keep_step(request, asking)
    nonce, ticket, version = request.POST.get("form", ""), None, asking.version
    try:
        ticket = nonces.read(asking.scope, nonce)
    except nonces.BadNonce:
        if ended:
            return lost_page(request)
        nonce = ""
    if ticket and ticket.version_id != version.pk:
        version = version_by_pk(ticket.version_id) or version
        asking = replace(asking, version=version)
    form = AnswerForm.sent(
        request.POST,
        document=asking.document,
        country=asking.store.country,
        known=_known_contact(asking.invitation),
    )
    switch = request.POST.get("switch")
    if switch:
        speak(request, switch)
        return question_page(request, asking, form, nonce=nonce)
    if ticket is None:
        return question_page(request, asking, form, expired=True, status=422)
    answers, language = form.read(), request.LANGUAGE_CODE or settings.LANGUAGE_CODE
    flags = _staff_flags(request) + marks_of(request, asking.touchpoint, ticket.minted_at)
    if answers is None:
        if so_far := form.so_far(words=True):
            # Not over an answer that is there: it stays as it was until Send is not refused.
            kept = partials.keep(
                _invite(asking, language), ticket.form_id, so_far, language=language, refused=True, flags=flags
            )
            # "As it is" is promised of no text so long that its end is not kept.
            form.kept = kept and form.words.items() >= so_far.words.items()
        return question_page(request, asking, form, nonce=nonce, status=422)
    asking = _invite(asking, language)
    browser = browser_of(request, asking.store)
    done = submit(asking, answers, form_id=ticket.form_id, language=language, flags=flags, browser=browser)
    if _STEPPED in request.POST:
        partials.drop(ticket.form_id)
    if done.created and asking.touchpoint and _SEEN not in request.POST:
        scans.note_open(asking.touchpoint.pk, request)
    return _redirect(request, reverse("thanks", args=[done.response.token]))


def _staff_flags(request: HttpRequest) -> list[str]:
    """The mark of what people of the chain send who are signed in; asks only when there is a session's cookie."""
    is_staff = settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
    return [STAFF_FLAG] if is_staff else []


def _redirect(request: HttpRequest, address: str, *, status: int = 303) -> HttpResponse:
    if status == 302 and request.GET.get("lang") in dict(settings.LANGUAGES):
        address += f"?lang={request.GET['lang']}"
    response = HttpResponseRedirect(address)
    response.status_code = status
    return response
