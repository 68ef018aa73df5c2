"""How a shopper's page is put together: the language, the one style and script, no cookie, no session."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from core import nonces
from core.inline import Block, admit, page_script, page_style
from customers.models import ContactKind
from stores.models import Store, Touchpoint
from surveys.choices import SCORE_RANGE, ContactWish, QuestionKind
from surveys.forms import LONGEST_WORDS, AnswerForm, masked
from surveys.models import Response
from surveys.queries import Asking
from surveys.wording import permission_wording

_RETRY_SECS = 10
SMILEY_NAMES = (_("Very unhappy"), _("Unhappy"), _("Neutral"), _("Happy"), _("Very happy"))

_WAYS = (
    (ContactWish.NONE, _("No, thank you")),
    (ContactWish.CALL, _("Call me")),
    (ContactWish.TEXT, _("Text me")),
    (ContactWish.EMAIL, _("E-mail me")),
)


def speak(request: HttpRequest, language: str) -> None:
    """Turn the page to `language`, if we have it."""
    if language in dict(settings.LANGUAGES):
        translation.activate(language)
        request.LANGUAGE_CODE = language


def speak_like(request: HttpRequest, response: Response) -> None:
    """Turn the page to the language the shopper answered in, unless its link names another."""
    if "lang" not in request.GET:
        speak(request, response.language)


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200, script: Block | None = None
) -> HttpResponse:
    """Render one of the shopper's pages; it may run its style and `script`, and nothing else."""
    style = page_style()
    known: dict[str, Any] = {
        "chain": settings.CHAIN_NAME,
        "lang": translation.get_language(),
        "dir": "rtl" if translation.get_language_bidi() else "ltr",
        "languages": settings.LANGUAGES,
        "style": style.text,
        "script": script.text if script else "",
    }
    html = get_template(template).render(known | context)  # without the request: no session, no csrf cookie
    return _dressed(html, status=status, script=script)


def _dressed(html: str, *, status: int = 200, script: Block | None = None) -> HttpResponse:
    """The response of a page that is already rendered."""
    return admit(HttpResponse(html, status=status), page_style(), *([script] if script else []))


def question_page(
    request: HttpRequest,
    asking: Asking,
    form: AnswerForm,
    *,
    nonce: str = "",
    expired: bool = False,
    status: int = 200,
) -> HttpResponse:
    """The page that asks, filled with whatever was chosen or typed before; `nonce` keeps its submission id."""
    nonce = nonce or nonces.mint(asking.scope, version_id=asking.version.pk)
    untouched = form == AnswerForm(document=form.document, country=form.country) and not expired
    if untouched:
        html = _untouched_html(request, asking, form).replace(_NONCE_PLACE, nonce)
        response = _dressed(html, status=status, script=page_script())
    else:
        context = _question_context(asking, form, nonce) | {"expired": expired}
        response = page(request, "surveys/question.html", context, status=status, script=page_script())
    # Not `no-store`: Back must show this very form, so that what is sent from it corrects and doubles nothing.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


_NONCE_PLACE = "@the-nonce-goes-here@"
_MOST_UNTOUCHED = 2000
_untouched: dict[tuple[object, ...], str] = {}


def _untouched_html(request: HttpRequest, asking: Asking, form: AnswerForm) -> str:
    """The page as everybody first sees it, rendered once for all that it says; only the nonce differs.

    The key holds everything the page depends on, so nothing ever has to be thrown away for being old: a renamed
    store or a new survey version is another key.
    """
    key = (
        asking.store.name,
        asking.touchpoint.name if asking.touchpoint else None,
        asking.in_store,
        asking.version.pk,
        settings.CHAIN_NAME,
        settings.CHAIN_ACCENT,
        translation.get_language(),
    )
    html = _untouched.get(key)
    if html is None:
        if len(_untouched) >= _MOST_UNTOUCHED:
            _untouched.clear()
        rendered = page(
            request, "surveys/question.html", _question_context(asking, form, _NONCE_PLACE), script=page_script()
        )
        html = _untouched[key] = rendered.content.decode()
    return html


def _question_context(asking: Asking, form: AnswerForm, nonce: str) -> dict[str, Any]:
    return {
        "store": asking.store.name,
        "spot": asking.touchpoint.name if asking.touchpoint else "",
        "headline": piped(asking, form.document.headline.text),
        "smileys": form.document.headline.kind == QuestionKind.SMILEY5,
        "scale": _scale(form),
        "open_questions": [
            (q.key, piped(asking, q.text), form.words.get(q.key, "")) for q in form.document.open_questions
        ],
        "longest": LONGEST_WORDS,
        "in_store": asking.in_store,
        "nonce": nonce,
    } | contact_context(form)


def contact_context(form: AnswerForm, *, offer_none: bool = True) -> dict[str, Any]:
    """What the fields for the contact wish show."""
    known = form.known
    ways = _WAYS if offer_none else _WAYS[1:]
    return {
        "form": form,
        "ways": [(way.value, label, form.contact == way) for way, label in ways],
        "known_phone": masked(known) if known and known.kind == ContactKind.PHONE else "",
        "known_email": masked(known) if known and known.kind == ContactKind.EMAIL else "",
        "permission": permission_wording(),
    }


def piped(asking: Asking, words: dict[str, str]) -> str:
    """A question in the page's language, with the store's name in it."""
    headline = asking.document.headline
    text = headline.in_language(words, translation.get_language() or "en")
    return text.replace("{store}", asking.store.name)


def _scale(form: AnswerForm) -> list[dict[str, Any]]:
    """The choices of the headline: value, name, whether chosen, and what the ends mean."""
    headline = form.document.headline
    language = translation.get_language() or "en"
    least, most = SCORE_RANGE[QuestionKind(headline.kind)]
    ends = {least: headline.in_language(headline.low, language), most: headline.in_language(headline.high, language)}
    return [
        {
            "value": value,
            "name": SMILEY_NAMES[value - 1] if headline.kind == QuestionKind.SMILEY5 else str(value),
            "end": ends.get(value, ""),
            "chosen": form.score == str(value),
        }
        for value in range(least, most + 1)
    ]


def lost_page(
    request: HttpRequest,
    *,
    invitation: bool = False,
    status: int = 404,
    typed: str = "",
    asked: bool = False,
    instead: Touchpoint | None = None,
    closed: Store | None = None,
) -> HttpResponse:
    """The same friendly page for every link that leads nowhere, which still offers a way to be heard.

    `asked`: it was opened on purpose, to type a code, and nothing went wrong unless `typed` says what. `instead`: where
    the same store still asks. `closed`: the store that is there no more.
    """
    context = {"invitation": invitation, "typed": typed, "asked": asked, "instead": instead, "closed": closed}
    return page(request, "shopper/lost.html", context, status=status)


def away_page(request: HttpRequest) -> HttpResponse:
    """While the database is away: what was sent stays in the page and goes out again, under the same submission id."""
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    response = page(request, "shopper/away.html", {"fields": fields}, status=503)
    response.headers["Retry-After"] = str(_RETRY_SECS)
    return response


def store_context(store: Store) -> dict[str, Any]:
    """What pages about one store begin with."""
    return {"store": store.name, "review_url": store.public_review_url}
