"""How a shopper's page is put together: the language, the one style and script, no cookie, no session."""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from core import nonces
from core.inline import Block, admit, page_script, page_style
from core.look import look
from core.writing import isolated
from customers.leaving import leave_url
from customers.models import ContactKind
from stores.models import Store, Touchpoint
from surveys.choices import FACES, ContactWish, OtherKind
from surveys.contact_times import ContactTime
from surveys.documents import Condition, Question, SurveyDocument, pipe, said_in
from surveys.forms import LONGEST_WORDS, AnswerForm, masked
from surveys.kept import kept, place
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


# More than these would push the question down.
_MOST_LANGUAGES = 4


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
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
    script: Block | None = None,
    style: Block | None = None,
) -> HttpResponse:
    """Render one of the shopper's pages; it may run its style and `script`, and nothing else."""
    style = style or page_style()
    html = _rendered(template, context, style=style, script=script)
    return admit(HttpResponse(html, status=status), style=style, script=script)


def _rendered(template: str, context: dict[str, Any], *, style: Block, script: Block | None) -> str:
    known: dict[str, Any] = {
        **look_context(),
        "lang": translation.get_language(),
        "dir": "rtl" if translation.get_language_bidi() else "ltr",
        **language_switch(dict(settings.LANGUAGES), ()),
        "style": style.text,
        "script": script.text if script else "",
    }
    known |= context
    known |= {name: isolated(known[name]) for name in ("chain", "store") if isinstance(known.get(name), str)}
    return get_template(template).render(known)  # without the request: no session, no csrf cookie


def look_context() -> dict[str, Any]:
    """What the head of every page shows of the chain."""
    worn = look()
    return {"chain": worn.name, "logo": worn.page_logo}


def language_switch(offered: Collection[str], near: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """The languages a page can be turned to: those that most people here read, and the others folded away.

    `near` are the store's own. They keep their places when the page is turned.
    """
    known = [(code, name) for code, name in settings.LANGUAGES if code in offered]
    own = translation.get_language()
    first = {own, settings.LANGUAGE_CODE, *(near or [code for code, _name in settings.STAFF_LANGUAGES])}
    if len(known) <= _MOST_LANGUAGES:
        return {"languages": known, "more_languages": []}
    return {
        "languages": [one for one in known if one[0] in first],
        "more_languages": [one for one in known if one[0] not in first],
    }


def kept_page(
    request: HttpRequest,
    template: str,
    key: tuple[object, ...],
    context: Callable[[], dict[str, Any]],
    secrets: Mapping[str, str],
    *,
    script: Block | None = None,
    style: Block | None = None,
) -> HttpResponse:
    """The same for a page that `kept` renders once for each `key`, which names all that `context` depends on.

    `context` has a `place` for each of the `secrets`.
    """
    style = style or page_style()
    key = (template, look(), translation.get_language(), *key)
    page = kept(key, lambda: _rendered(template, context(), style=style, script=script))
    if "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", ""):
        response = HttpResponse(page.fill_gzip(secrets))
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(page.fill(secrets))
    response.headers["Vary"] = "Accept-Encoding"
    return admit(response, style=style, script=script)


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
    style, script = style_of(asking.document), script_of(asking.document)
    if status == 200 and not expired and form == AnswerForm(document=form.document, country=form.country):
        response = _untouched_page(request, asking, form, nonce, style)
    else:
        context = question_context(asking, form, nonce) | {"expired": expired}
        response = page(request, "surveys/question.html", context, status=status, script=script, style=style)
    # Not `no-store`: Back must show this very form, so that what is sent from it corrects and doubles nothing.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _untouched_page(request: HttpRequest, asking: Asking, form: AnswerForm, nonce: str, style: Block) -> HttpResponse:
    """The page as everybody first sees it; only the nonce differs."""
    key = (
        asking.store.code,
        tuple(asking.names.items()),
        asking.touchpoint.name if asking.touchpoint else None,
        asking.channel,
        asking.in_store,
        asking.version.pk,
        tuple(asking.store.languages),
    )
    return kept_page(
        request,
        "surveys/question.html",
        key,
        lambda: question_context(asking, form, place("nonce")),
        {"nonce": nonce},
        script=script_of(asking.document),
        style=style,
    )


def script_of(document: SurveyDocument) -> Block:
    """The page's script, which turns from screen to screen where there are several."""
    return page_script(screens=len(document.screens) > 1)


def question_context(asking: Asking, form: AnswerForm, nonce: str) -> dict[str, Any]:
    """What the page that asks shows: every question of this channel and store, filled with what was given before."""
    return {
        "store": asking.store.name,
        "spot": asking.touchpoint.name if asking.touchpoint else "",
        "screens": [[_drawn(asking, form, one) for one in screen] for screen in asking.document.screens],
        "longest": LONGEST_WORDS,
        "nonce": nonce,
        # Theirs alone: a page that greets somebody by their address is never kept for others.
        "leave_url": leave_url(form.known) if form.known else "",
        **language_switch(asking.document.languages, asking.store.languages),
    } | contact_context(form)


def _drawn(asking: Asking, form: AnswerForm, question: Question) -> dict[str, Any]:
    """One question as the template draws it. `name` is that of its field."""
    name = "score" if question == form.document.headline else question.key
    return {
        "kind": question.kind,
        "name": name,
        "title": piped(asking, question.text, each=isolated),
        "required": question.required,
        "error": form.errors.get(name, ""),
        "words": form.words.get(question.key, ""),
        "choices": choices_of(form, question, name),
        "faces": len(FACES.get(question.kind, ())),
        "points": len(question.values),
        "ticked": bool(form.given.get(question.key)),
    }


def contact_context(form: AnswerForm, *, offer_none: bool = True) -> dict[str, Any]:
    """What the fields for the contact wish show."""
    known = form.known
    asked = next(iter(form.document.of_kind(OtherKind.CONTACT)), None)
    ways = [(way, label) for way, label in _WAYS if (offer_none if way == ContactWish.NONE else _offers(asked, way))]
    return {
        "form": form,
        "ways": [(way.value, label, form.contact == way) for way, label in ways],
        "known_phone": masked(known) if known and known.kind == ContactKind.PHONE else "",
        "known_email": masked(known) if known and known.kind == ContactKind.EMAIL else "",
        "permission": permission_wording(),
        "times": [(*time, form.contact_when == time[0]) for time in ContactTime.choices]
        if asked and asked.asks_when
        else [],
        "tongues": [(code, name, form.contact_language == code) for code, name in _tongues(form.document)]
        if asked and asked.asks_language
        else [],
    }


def _offers(asked: Question | None, way: ContactWish) -> bool:
    return asked is None or way in asked.ways


def _tongues(document: SurveyDocument) -> list[tuple[str, str]]:
    """The languages a shopper may wish to be answered in, the page's own first."""
    names = dict(settings.LANGUAGES)
    own = translation.get_language() or settings.LANGUAGE_CODE
    return sorted(((code, names[code]) for code in document.languages if code in names), key=lambda one: one[0] != own)


def piped(asking: Asking, words: dict[str, str], *, each: Callable[[str], str] = str) -> str:
    """A question in the page's language, with the names of the store and of who leads it in their places, `each` as
    that makes it: messages and receipts have no room for what a page needs."""
    names = {place: each(name) for place, name in asking.names.items()}
    return pipe(said_in(words, translation.get_language() or "en"), names)


def choices_of(form: AnswerForm, question: Question, name: str) -> list[dict[str, Any]]:
    """The answers to choose from: value, id, name, whether chosen, the face drawn, and what the ends mean.

    The first bears the id of its question, which a complaint leads to.
    """
    language = translation.get_language() or "en"
    sent = [form.score] if name == "score" else form.given.get(question.key, [])
    faces = FACES.get(question.kind, ())
    least, most = (question.values[0], question.values[-1]) if question.scored else (0, 0)
    ends = {least: said_in(question.low, language), most: said_in(question.high, language)}
    offered: list[tuple[str, str, int, str]] = [
        (str(value), str(SMILEY_NAMES[face - 1]), face, "") for value, face in enumerate(faces, start=1)
    ]
    if not faces:
        offered = [(str(value), str(value), 0, ends.get(value, "")) for value in question.values]
        offered += [(option.key, said_in(option.text, language), 0, "") for option in question.options]
    return [
        {
            "value": value,
            "id": choice_id(name, value, first=number == 0),
            "name": label,
            "face": face,
            "end": end,
            "chosen": value in sent,
        }
        for number, (value, label, face, end) in enumerate(offered)
    ]


def choice_id(name: str, value: str, *, first: bool) -> str:
    """The id of one answer's field."""
    if first:
        return f"f-{name}"
    return f"f-{name}{value}" if value.isdigit() else f"f-{name}-{value}"


@lru_cache(maxsize=500)
def _style_with(style: Block, rules: str) -> Block:
    return Block.of(style.text + rules)


def style_of(document: SurveyDocument) -> Block:
    """The page's style, with a rule for each question that depends on an earlier answer.

    Without such an answer the question is not seen; a browser too old for `:has()` shows it, and what is chosen there
    needlessly is left out when it is read.
    """
    rules = "".join(_hiding(document, question) for question in document.questions if question.when)
    return _style_with(page_style(), rules) if rules else page_style()


def _hiding(document: SurveyDocument, question: Question) -> str:
    by_key = {one.key: one for one in document.questions}
    hidden = []
    for condition in question.when:
        asked = by_key.get(condition.question)
        ids = [f"#{one}:checked" for one in _answers_of(condition, asked, document)] if asked else []
        hidden.append(f"#ask:not(:has({','.join(ids)})) #q-{question.key}" if ids else f"#q-{question.key}")
    return "@supports selector(:has(*)){" + ",".join(hidden) + "{display:none}}"


def _answers_of(condition: Condition, asked: Question, document: SurveyDocument) -> list[str]:
    """The ids of the answers that let a condition hold."""
    name = "score" if asked == document.headline else asked.key
    if asked.scored:
        values: list[Any] = list(asked.values)
        held = [value for value in values if condition.holds({asked.key: value})]
    else:
        values = [option.key for option in asked.options]
        held = [value for value in values if condition.holds({asked.key: [value]})]
    return [choice_id(name, str(value), first=value == values[0]) for value in held]


def lost_page(
    request: HttpRequest,
    *,
    link: bool = False,
    leaving: bool = False,
    status: int = 404,
    typed: str = "",
    asked: bool = False,
    instead: Touchpoint | None = None,
    closed: Store | None = None,
) -> HttpResponse:
    """The same friendly page for every link that leads nowhere, which still offers a way to be heard.

    `link`: a link of somebody's own, as in a message; `leaving`: one to get no more of them, where nobody is asked for
    an answer. `asked`: it was opened on purpose, to type a code, and nothing went wrong unless `typed` says what.
    `instead`: where the same store still asks. `closed`: the store that is there no more.
    """
    why = {"link": link or leaving, "leaving": leaving, "typed": typed, "asked": asked}
    store = closed or (instead.store if instead else None)
    place = {"instead": instead, "closed": closed, "store": store.name if store else ""}
    return page(request, "shopper/lost.html", why | place, status=status)


def away_page(request: HttpRequest) -> HttpResponse:
    """While the database is away: what was sent stays in the page and goes out again, under the same submission id."""
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    response = page(request, "shopper/away.html", {"fields": fields}, status=503)
    response.headers["Retry-After"] = str(_RETRY_SECS)
    return response


def store_context(store: Store) -> dict[str, Any]:
    """What pages about one store begin with."""
    return {"store": store.name, "review_url": store.public_review_url}
