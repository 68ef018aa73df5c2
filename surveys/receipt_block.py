"""The question of a receipt with its answers as links: in an e-mail of ours, or for whoever writes the e-receipt.

A link only preselects its answer on the page; nothing is sent until Send is pressed there.
"""

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from core.inline import accents
from core.look import look
from surveys.choices import FACES
from surveys.documents import said_in
from surveys.inviting import public_link
from surveys.models import Invitation
from surveys.pages import SMILEY_NAMES, piped
from surveys.queries import asking_in

# Pictures are often blocked in mail, so the faces there are characters: those that the oldest phones have too.
_FACES = ("😠", "😞", "😐", "😊", "😃")


@dataclass(frozen=True)
class Choice:
    """One answer: its value, what it is called, a face where the question has faces, and its link."""

    value: int
    name: str
    face: str
    url: str


@dataclass(frozen=True)
class ReceiptBlock:
    """What asks, in one language. `low` and `high` name the ends of a scale; `hint` says what a tap does."""

    language: str
    store: str
    question: str
    low: str
    high: str
    hint: str
    survey_url: str
    choices: tuple[Choice, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def as_html(self) -> str:
        """A piece of HTML for an e-mail or an e-receipt: tables and styles of its own, no picture, nothing loaded."""
        return render_to_string("surveys/receipt_block.html", self.context())

    def context(self) -> dict[str, Any]:
        """What the templates show."""
        worn = look()
        button, _on_dark = accents(worn.accent)
        many, faces = len(self.choices), bool(self.choices[0].face)
        # A face has its name beside it: below it, in a fifth of a narrow phone, words would break anywhere.
        wide = 1 if faces else -(-many // 2) if many > 7 else many
        return {
            "block": self,
            "rows": [self.choices[first : first + wide] for first in range(0, many, wide)],
            "chain": worn.name,
            "accent": button.fill,
            "on_accent": button.ink,
            "button_edge": button.edge,
            "edge": worn.second,
            "lang": self.language,
            "dir": "rtl" if translation.get_language_bidi() else "ltr",
        }


def block_of(invitation: Invitation) -> ReceiptBlock | None:
    """The block of an invitation in the language that is active; None when nothing is asked on its channel."""
    asking = asking_in(invitation)
    if asking is None:
        return None
    headline, link = asking.document.headline, public_link(invitation)
    language = translation.get_language() or settings.LANGUAGE_CODE
    faces = FACES.get(headline.kind, ())
    names = [str(SMILEY_NAMES[face - 1]) for face in faces] or [str(value) for value in headline.values]
    drawn = [_FACES[face - 1] for face in faces] or [""] * len(names)
    choices = tuple(
        Choice(value, name, face, f"{link}?score={value}&lang={language}")
        for value, name, face in zip(headline.values, names, drawn, strict=True)
    )
    return ReceiptBlock(
        language=language,
        store=invitation.store.name,
        question=piped(asking, headline.text),
        low=said_in(headline.low, language),
        high=said_in(headline.high, language),
        hint=_("A tap only marks your answer. Nothing is sent until you press Send on the page."),
        survey_url=f"{link}?lang={language}",
        choices=choices,
    )
