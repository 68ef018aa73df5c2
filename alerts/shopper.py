"""The shopper's own pages after Send: the thank-you page, and the private page of their answer.

A link opens them, nothing else does; every form is signed for its page. GET and HEAD change nothing.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from alerts import actions
from alerts.choices import CaseState, EntryKind, EventKind
from alerts.history import Folded
from alerts.models import Case, Thanks, Verification
from alerts.promises import promise, state_in_words, store_time
from alerts.queries import case_for_response, is_reachable
from core import nonces
from customers.models import Contact
from messaging.choices import Channel
from surveys.actions import add_contact
from surveys.choices import FACES, SCORE_RANGE, UNHAPPY_AT_MOST, ContactWish, QuestionKind
from surveys.documents import document_of
from surveys.forms import LONGEST_WORDS, AnswerForm, masked, tidy, too_long
from surveys.kept import place
from surveys.models import Response
from surveys.pages import SMILEY_NAMES, contact_context, kept_page, lost_page, page, speak_like, store_context
from surveys.queries import response_by_token
from surveys.views import public

# Of a long conversation the latest are in sight.
_SHOWN = 8


@public
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """The page after Send. An unhappy shopper without an address is offered one more way to be reached."""
    response = response_by_token(token)
    if response is None:
        return lost_page(request, link=True)
    speak_like(request, response)
    form = AnswerForm(document=document_of(response.version), country=response.store.country)
    scope, status = f"thanks {response.pk.hex}", 200
    if request.method == "POST":
        form = AnswerForm.sent(request.POST, document=form.document, country=form.country)
        wish = form.read_wish()
        if wish.how == ContactWish.NONE:
            form.problem("contact", _("Please choose how we may contact you."))
        if _ticket(request, scope) and not form.problems:
            add_contact(response.pk, wish, language=request.LANGUAGE_CODE or response.language)
            return _see(request, reverse("thanks", args=[token]))
        status = 422
    asks_again = _left_no_address(response) and is_unhappy(response)
    # Without a way to reach the shopper nobody is held to an hour, whatever case there is.
    promised = promise(response, case_for_response(response.pk) if is_reachable(response) else None)

    def context(case_url: str, nonce: str) -> dict[str, Any]:
        known = store_context(response.store) | {"promise": promised, "case_url": case_url}
        more = contact_context(form, offer_none=False) | {"nonce": nonce} if asks_again else {}
        return known | {"second_chance": asks_again} | more

    case_url = _turned(request, reverse("shopper_case", args=[token]))
    nonce = nonces.mint(scope) if asks_again else ""
    if status != 200:
        return page(request, "shopper/thanks.html", context(case_url, nonce), status=status)
    # Everybody with the same answer at the same store reads the same page, but for these two.
    key = (*store_context(response.store).values(), promised, asks_again, response.version_id)
    secrets = {"case": case_url, "nonce": nonce}
    return kept_page(request, "shopper/thanks.html", key, lambda: context(place("case"), place("nonce")), secrets)


def is_unhappy(response: Response) -> bool:
    """Whether the score alone says that something went wrong."""
    return response.score is not None and response.score <= UNHAPPY_AT_MOST[QuestionKind(response.headline_kind)]


def _left_no_address(response: Response) -> bool:
    """Nobody is asked again for what they took back or deleted."""
    return response.contact_wish == ContactWish.NONE and response.contact_id is None and not response.erased_at


@public
def shopper_case(request: HttpRequest, token: str) -> HttpResponse:
    """The private page: what was said, where it stands, the conversation, and every way to take it back."""
    response = response_by_token(token)
    if response is None:
        return lost_page(request, link=True)
    speak_like(request, response)
    problem, typed = "", ""
    reach = AnswerForm(
        document=document_of(response.version),
        country=response.store.country,
        known=_known(response),
        contact_when=response.contact_when,
        contact_language=response.contact_language,
    )
    if request.method == "POST":
        typed = tidy(request.POST.get("text", ""))
        ticket = _ticket(request, _case_scope(response))
        try:
            if ticket is None:
                raise actions.ActionRefused(
                    _("This page had been open for too long. Please press the button once more.")
                )
            if request.POST.get("do") == "contact":
                reach = AnswerForm.sent(
                    request.POST, document=reach.document, country=reach.country, known=_known(response)
                )
                _choose_contact(request, response, reach)
            # The same words from the same form are one entry; other words are another.
            _act(request, response, uuid5(ticket.form_id, typed), typed)
            return _see(request, reverse("shopper_case", args=[token]))
        except actions.ActionRefused as refused:
            problem = refused.message
    return page(
        request,
        "shopper/case.html",
        _case_context(request, response, reach, typed=typed, problem=problem),
        status=422 if problem else 200,
    )


def _act(request: HttpRequest, response: Response, form_id: UUID, typed: str) -> None:
    """Do what the pressed button says. Raises ActionRefused."""
    do = request.POST.get("do")
    if do in {"reply", "confirm", "score"} and not _is_own(case_for_response(response.pk), response):
        raise actions.ActionRefused(_("There is nothing to answer here."))
    if len(typed) > LONGEST_WORDS:
        raise actions.ActionRefused(too_long(typed))
    match do:
        case "reply":
            actions.shopper_reply(response.pk, text=typed, form_id=form_id)
        case "confirm":
            _confirm(request, response, form_id, typed)
        case "score":
            _score_again(request, response)
        case "withdraw":
            actions.withdraw_permission(response.pk)
        case "erase":
            actions.erase(response.pk)


def _known(response: Response) -> Contact | None:
    """The address that the shopper may keep while they choose another way."""
    return response.contact if is_reachable(response) else None


def _choose_contact(request: HttpRequest, response: Response, form: AnswerForm) -> None:
    """How, where and by which name to contact the shopper from now on. Raises ActionRefused."""
    wish = form.read_wish()
    if wish.how == ContactWish.NONE:
        form.problem("contact", _("Please choose how we may contact you."))
    if form.problems:
        raise actions.ActionRefused(form.problems[0].message)
    if wish.known is not None and not wish.known.invitations.exists():
        # The permission is given anew, with the words of today: so is the address it is about.
        wish = replace(wish, known=None)
    name = tidy(request.POST.get("name", ""))
    language = request.LANGUAGE_CODE or response.language
    actions.choose_contact(response.pk, wish, name=name, language=language)


def _score_again(request: HttpRequest, response: Response) -> None:
    sent = request.POST.get("score", "")
    if not (sent.isascii() and sent.isdigit() and len(sent) < 3):
        raise actions.ActionRefused(_("Please choose one of the answers."))
    actions.score_again(response.pk, score=int(sent))


def _confirm(request: HttpRequest, response: Response, form_id: UUID, typed: str) -> None:
    contacted, solved = request.POST.get("contacted"), request.POST.get("solved")
    if not _had_an_address(response):
        contacted = None
        if solved not in {"yes", "no"}:
            raise actions.ActionRefused(_("Please answer the question."))
    elif not {contacted, solved} <= {"yes", "no"}:
        raise actions.ActionRefused(_("Please answer both questions."))
    actions.confirm(
        response.pk,
        contacted=None if contacted is None else contacted == "yes",
        solved=solved == "yes",
        text=typed,
        # Another answer with the same words is another form.
        form_id=uuid5(form_id, f"{contacted} {solved}"),
    )


def _had_an_address(response: Response) -> bool:
    """Whether anybody could ever have contacted the shopper: nobody else is asked whether we did."""
    return response.contact_id is not None


@public
def shopper_erase(request: HttpRequest, token: str) -> HttpResponse:
    """The step before deleting, which says what goes and what stays."""
    response = response_by_token(token)
    if response is None:
        return lost_page(request, link=True)
    speak_like(request, response)
    case_url = reverse("shopper_case", args=[token])
    if response.erased_at:
        return _see(request, case_url)
    context = store_context(response.store) | {
        "case_url": _turned(request, case_url),
        "nonce": nonces.mint(_case_scope(response)),
    }
    return page(request, "shopper/erase.html", context)


def _case_context(
    request: HttpRequest, response: Response, reach: AnswerForm, *, typed: str, problem: str
) -> dict[str, Any]:
    case = case_for_response(response.pk)
    face = response.face
    own = case if _is_own(case, response) else None
    answerable = own is not None and own.state in actions.ANSWERABLE
    asked = own.verifications.order_by("-round").first() if own is not None else None
    conversation = Folded.of(_conversation(response, case), shown=_SHOWN)
    return (
        store_context(response.store)
        | contact_context(reach, offer_none=False)
        | {
            "said_at": store_time(response.submitted_at, response.store),
            "score": response.score,
            "best_score": response.best_score,
            "face": face,
            "face_name": SMILEY_NAMES[face - 1] if face else "",
            "words": [verbatim.text for verbatim in response.verbatims.order_by("pk") if verbatim.text],
            "erased": response.erased_at is not None,
            "state": state_in_words(response, case),
            "earlier": conversation.earlier,
            "entries": conversation.latest,
            "can_write": _is_own(case, response),
            "asks": answerable,
            "asks_contacted": _had_an_address(response),
            "settled": case is not None and case.state == CaseState.CONFIRMED,
            "contacted": request.POST.get("contacted", ""),
            "solved": request.POST.get("solved", ""),
            "choosing": bool(reach.problems),
            "name": own.shopper_name if own is not None and not reach.problems else request.POST.get("name", ""),
            "has_case": own is not None,
            "again": _again(response, asked),
            "thanked": Thanks.objects.filter(kudos=response.pk).exists(),
            # Within words that run from the right it stays in one piece (Unicode's isolates).
            "address": f"\u2066{masked(response.contact)}\u2069" if is_reachable(response) and response.contact else "",
            "erase_url": _turned(request, reverse("shopper_erase", args=[response.token])),
            "nonce": nonces.mint(_case_scope(response)),
            "problem": problem,
            "typed": typed,
        }
    )


def _again(response: Response, asked: Verification | None) -> dict[str, Any] | None:
    """The headline question once more, for who has answered whether it was solved; None before that."""
    if asked is None or asked.answered_at is None or response.erased_at:
        return None
    kind = QuestionKind(response.headline_kind)
    least, most = SCORE_RANGE[kind]
    faces = FACES.get(kind, ())
    scale: list[dict[str, Any]] = [
        {"value": value, "face": face, "name": str(SMILEY_NAMES[face - 1])}
        for value, face in enumerate(faces, start=least)
    ]
    values, ends = range(least, most + 1), {least: str(SMILEY_NAMES[0]), most: str(SMILEY_NAMES[-1])}
    return {
        "smileys": bool(faces),
        "score": asked.score,
        "scale": scale or [{"value": value, "name": str(value), "end": ends.get(value, "")} for value in values],
    }


def _conversation(response: Response, case: Case | None) -> list[dict[str, Any]]:
    """What the store answered and what the shopper wrote, oldest first; nothing of what is internal."""
    if case is None or not _is_own(case, response):
        return []
    shared = case.entries.filter(kind__in=(EntryKind.ANSWER, EntryKind.SHOPPER)).exclude(text="")
    replies = case.events.filter(kind=EventKind.REPLIED, channel=Channel.SMS)
    by_text = {event.new["entry"] for event in replies}
    return [
        {
            "mine": entry.kind == EntryKind.SHOPPER,
            # Whoever has the link may have typed somebody else's number: what its owner texts is not shown here.
            "text": _("You answered by text message.") if entry.pk in by_text else entry.text,
            "at": entry.created_at,
            "when": store_time(entry.created_at, response.store),
        }
        for entry in shared
    ]


def _is_own(case: Case | None, response: Response) -> bool:
    """Whether the response opened the case. One that was only added to it came with the same address, which anybody
    can type: it neither reads the other's conversation nor answers for them."""
    return case is not None and case.response_id == response.pk


def _case_scope(response: Response) -> str:
    return f"case {response.pk.hex}"


def _ticket(request: HttpRequest, scope: str) -> nonces.FormTicket | None:
    """What the form was minted for; None when it is not a form of ours for this page."""
    try:
        return nonces.read(scope, request.POST.get("form", ""))
    except nonces.BadNonce:
        return None


def _turned(request: HttpRequest, address: str) -> str:
    """The address in the language that the reader turned this page to."""
    wish = request.GET.get("lang")
    return f"{address}?lang={wish}" if wish in dict(settings.LANGUAGES) else address


def _see(request: HttpRequest, address: str) -> HttpResponse:
    """Go on with a GET."""
    answer = HttpResponseRedirect(_turned(request, address))
    answer.status_code = 303
    return answer
