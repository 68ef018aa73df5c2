"""A draft as shoppers will see it: the very page that asks, in any language, light or dark, at any kind of place."""

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.utils import translation
from django.utils.translation import gettext as _

from core.inline import Block
from stores.choices import TouchpointKind
from stores.models import Store, Touchpoint
from surveys.choices import QuestionKind, ResponseChannel
from surveys.documents import DocumentError, parse
from surveys.editor.texts import Raw, all_texts
from surveys.forms import AnswerForm
from surveys.models import Survey, SurveyVersion
from surveys.pages import look_context, question_context, style_of
from surveys.queries import Asking

LOOKS = ("light", "dark")
ONE_BY_ONE = [str(number) for number in range(1, 10)]
# Nothing runs or is sent in there; only our own page may show it.
_POLICY = (
    "default-src 'none'; style-src {style}; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox"
)
_BY_BROWSER = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")


@dataclass(frozen=True)
class Look:
    """What a preview is asked to show. `place` is a channel, or a kind of touchpoint after "qr-".

    `screen` counts from 1; 0: all of them below each other, as a browser without JavaScript shows them.
    """

    language: str
    dark: bool
    place: str
    screen: int = 0

    @classmethod
    def wanted(cls, given: Any, document: Raw) -> "Look":
        """As an address says it; what it does not say, or says wrongly, is the first there is."""
        languages, places = document["languages"], [name for name, _label in places_on_offer()]
        language, place = given.get("language", ""), given.get("place", "")
        return cls(
            language if language in languages else languages[0],
            given.get("look") == "dark",
            place if place in places else places[0],
            int(screen) if (screen := given.get("screen", "")) in ONE_BY_ONE else 0,
        )

    @property
    def query(self) -> str:
        return f"language={self.language}&look={LOOKS[self.dark]}&place={self.place}&screen={self.screen}"

    @property
    def channel(self) -> ResponseChannel:
        return ResponseChannel(self.place.split("-")[0])

    @property
    def touchpoint_kind(self) -> str:
        return self.place.partition("-")[2]


def places_on_offer() -> list[tuple[str, str]]:
    """The kinds of touchpoints, and the channels without one."""
    kinds = [
        (f"{ResponseChannel.QR.value}-{kind.value}", str(kind.label))
        for kind in TouchpointKind
        if kind not in (TouchpointKind.RECEIPT, TouchpointKind.CALL)
    ]
    channels = [(one.value, str(one.label)) for one in ResponseChannel if one != ResponseChannel.QR]
    return kinds + channels


def preview_page(request: HttpRequest, survey: Survey, document: Raw, look: Look, store: Store) -> HttpResponse:
    """The page, or what still keeps it from being one."""
    document = _filled(document)
    try:
        parsed = parse(document)
    except DocumentError:
        return framed(_not_yet(look), Block.of(in_scheme("", dark=look.dark)))
    version = SurveyVersion(survey=survey, number=0, document=document, headline_kind=parsed.headline.kind)
    spot = Touchpoint(store=store, kind=look.touchpoint_kind, name="") if look.touchpoint_kind else None
    asking = Asking(store, look.channel, version, touchpoint=spot)
    rules = _one_screen(look.screen, len(asking.document.screens)) if look.screen else ""
    style = Block.of(in_scheme(style_of(asking.document).text, dark=look.dark) + rules)
    form = AnswerForm(document=asking.document, country=store.country)
    with translation.override(look.language):
        context = question_context(asking, form, "") | {
            **look_context(),
            "lang": look.language,
            "dir": "rtl" if translation.get_language_bidi() else "ltr",
            "style": style.text,
            "script": "",
        }
        return framed(get_template("surveys/question.html").render(context), style)


def _one_screen(number: int, of: int) -> str:
    """What the page's script does there: the other screens away, and Continue instead of Send before the last."""
    number = min(number, of)
    rules = f".screen:not(#screen-{number}){{display:none}}"
    return rules if number == of else rules + "#last{display:none}#next{display:block!important}"


def _filled(document: Raw) -> Raw:
    """What is not written yet stands there as dots, so that the rest can be looked at."""
    document = deepcopy(document)
    scored = [question["key"] for question in document["questions"] if question["kind"] in QuestionKind.values]
    document["headline"] = document["headline"] or next(iter(scored), "")
    for text in all_texts(document):
        if not text.may_be_empty and not any(said.strip() for said in text.words.values()):
            text.words["en"] = "…"
    return document


def in_scheme(css: str, *, dark: bool) -> str:
    """The style as a phone that is set to light or dark shows it."""
    scheme = f":root{{color-scheme:{LOOKS[dark]}}}"
    return scheme + _BY_BROWSER.sub("@media all" if dark else "@media not all", css).replace(
        "color-scheme:light dark", f"color-scheme:{LOOKS[dark]}"
    )


def _not_yet(look: Look) -> str:
    said = _("There is nothing to show yet: write the questions, and choose the headline.")
    style = in_scheme("", dark=look.dark)
    return get_template("surveys/editor/not_yet.html").render({"style": Block.of(style).text, "said": said})


def framed(html: str, style: Block) -> HttpResponse:
    """A page that only a page of ours may show, in which nothing runs and from which nothing is sent."""
    response = HttpResponse(html)
    response.headers["Content-Security-Policy"] = _POLICY.format(style=style.source)
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
