"""The text messages about a call: the question, which can be answered by a number, and what follows its answer."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.tokens import LINK_TOKEN_LENGTH
from messaging.models import Message
from messaging.outbox import Rendered, register_renderer
from messaging.quiet import day_for_all, zones_of
from messaging.segments import segments
from surveys.choices import SCORE_RANGE, QuestionKind
from surveys.inviting import CALL_SURVEY, CALL_SURVEY_AGAIN, CALL_SURVEY_MORE, public_link
from surveys.models import Invitation, Response
from surveys.pages import piped
from surveys.queries import Asking, asking_by_text, words_key
from surveys.renderers import open_invitation

# A second part costs as much again, in Ukrainian letters from the seventieth on.
MOST_PARTS = 2


def call_survey(message: Message) -> Rendered | None:
    """The survey's own question with its scale and its link; only the link where no survey is chosen for calls."""
    invitation = open_invitation(message)
    if invitation is None:
        return None
    asking, names = asking_by_text(invitation), _names(public_link(invitation))
    if asking is None:
        return Rendered(subject="", text=_("%(chain)s: how was your call? %(link)s") % names)
    return _asked(asking, _question(), names)


def _question() -> str:
    return _("%(chain)s: %(question)s Reply with a number, %(scale)s, or: %(link)s")


def parts_of(said: str, kind: str, language: str) -> int:
    """In how many parts a question of this kind is sent, each of which the chain pays for."""
    names = _names(f"{settings.PUBLIC_URL}/r/{'a' * LINK_TOKEN_LENGTH}/")
    with translation.override(language):
        return segments(_question() % (names | {"question": said, "scale": _scale(kind)}))


def _asked(asking: Asking, text: str, names: dict[str, str]) -> Rendered:
    """The headline in its own words. Those of the NPS are long; a text message may ask the same in a few."""
    headline = asking.document.headline
    names |= {"scale": _scale(headline.kind), "question": piped(asking, headline.text)}
    long = segments(text % names) > MOST_PARTS
    if long and headline.kind == QuestionKind.NPS:
        names["question"] = _("Would you recommend us?")
    return Rendered(subject="", text=text % names)


def _scale(kind: str) -> str:
    """Its ends by name: one is the best mark in some countries."""
    least, most = SCORE_RANGE[QuestionKind(kind)]
    ends = {"least": least, "most": most}
    if kind == QuestionKind.NPS:
        return _("%(least)d (no) - %(most)d (yes)") % ends
    return _("%(least)d (bad) - %(most)d (good)") % ends


def _names(link: str) -> dict[str, str]:
    return {"chain": settings.CHAIN_NAME, "link": link}


def call_survey_again(message: Message) -> Rendered | None:
    """The one answer to a reply that we could not read."""
    invitation = open_invitation(message)
    asking = invitation and asking_by_text(invitation)
    if invitation is None or not asking:
        return None
    names = _names(public_link(invitation))
    text = _("Sorry, we did not get that. Which number, %(scale)s? Or here: %(link)s")
    return Rendered(subject="", text=text % (names | {"scale": _scale(asking.document.headline.kind)}))


def call_survey_more(message: Message) -> Rendered | None:
    """To who has answered by text: asks for the reason or for the number that is missing, or thanks, with the way to
    their own page, where they say whether we may call, or delete it all. Once its time is over nothing is asked."""
    found = Response.objects.select_related("version", "store", "invitation__contact")
    response = found.filter(invitation=UUID(message.subject_id), erased_at=None).first()
    contact = response.invitation.contact if response and response.invitation else None
    if response is None or response.invitation is None or contact is None or not contact.value:
        return None
    is_over = response.score is None and response.invitation.expires_at < timezone.now()
    asking = None if is_over else asking_by_text(response.invitation)
    names = _names(settings.PUBLIC_URL + reverse("shopper_case", args=[response.token]))
    if asking is not None and response.score is None:
        return _asked(asking, _("Thank you. %(question)s Reply with a number, %(scale)s. Your page: %(link)s"), names)
    key = words_key(asking.document, response.answers) if asking is not None else ""
    question = next((q for q in asking.document.open_questions if q.key == key), None) if asking is not None else None
    said = response.verbatims.filter(question=key).exclude(text="")
    if asking is None or question is None or said.exists():
        return Rendered(subject="", text=_("Thank you. Your answer, and how we may reach you: %(link)s") % names)
    text = _("Thank you. %(question)s Just reply. Your page: %(link)s")
    return Rendered(subject="", text=text % (names | {"question": piped(asking, question.text)}))


def not_at_night(message: Message) -> datetime | None:
    """A call late in the evening is asked about in the morning."""
    invitation = Invitation.objects.select_related("store").filter(pk=message.subject_id).first()
    if invitation is None:
        return None
    number = (message.contact.value if message.contact else "") or ""
    return day_for_all(timezone.now(), zones_of(number, invitation.store))


register_renderer(CALL_SURVEY, call_survey, title=gettext_lazy("Question after a call"), gate=not_at_night)
register_renderer(CALL_SURVEY_AGAIN, call_survey_again, title=gettext_lazy("Answer by text that could not be read"))
register_renderer(CALL_SURVEY_MORE, call_survey_more, title=gettext_lazy("Reply to an answer by text"))
