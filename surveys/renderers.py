"""The messages that invite: a text after a call, an e-mail with a receipt."""

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.leaving import leave_url
from messaging.models import Message
from messaging.outbox import Rendered, register_renderer
from messaging.quiet import day_for_all, zones_of
from surveys.choices import UNSENT
from surveys.inviting import CALL_SURVEY, CALL_SURVEY_AGAIN, RECEIPT_SURVEY, public_link
from surveys.models import Invitation, Response
from surveys.receipt_block import block_of


def _open_invitation(message: Message) -> Invitation | None:
    """The invitation a message is about, unless there is nothing left to ask."""
    found = Invitation.objects.select_related("store", "contact").filter(pk=message.subject_id).first()
    if found is None or found.expires_at < timezone.now() or found.contact is None or not found.contact.value:
        return None
    answered = Response.objects.filter(invitation=found).exclude(flags__contains=[UNSENT])
    return None if answered.exists() else found


def call_survey(message: Message) -> Rendered | None:
    """One question, one link: in Ukrainian letters a text message has room for seventy characters."""
    invitation = _open_invitation(message)
    if invitation is None:
        return None
    text = _("%(chain)s: how was your call? %(link)s") % {
        "chain": settings.CHAIN_NAME,
        "link": public_link(invitation),
    }
    return Rendered(subject="", text=text)


def call_survey_again(message: Message) -> Rendered | None:
    """The one answer to who has replied by text to the question instead of opening its link."""
    invitation = _open_invitation(message)
    if invitation is None:
        return None
    text = _("%(chain)s: thank you. We cannot read your text message here, but your answer on this page: %(link)s") % {
        "chain": settings.CHAIN_NAME,
        "link": public_link(invitation),
    }
    return Rendered(subject="", text=text)


def receipt_survey(message: Message) -> Rendered | None:
    """The question of the receipt with its answers as links, which only preselect."""
    invitation = _open_invitation(message)
    block = invitation and block_of(invitation)
    if invitation is None or not block:
        return None
    context = block.context() | {"leave_url": leave_url(invitation.contact) if invitation.contact else ""}
    return Rendered(
        subject=_("Your visit to %(store)s") % {"store": invitation.store.name},
        text=render_to_string("surveys/receipt_survey.txt", context),
        html=render_to_string("surveys/receipt_survey.html", context),
    )


def not_at_night(message: Message) -> datetime | None:
    """A call late in the evening is asked about in the morning."""
    invitation = Invitation.objects.select_related("store").filter(pk=message.subject_id).first()
    if invitation is None:
        return None
    number = (message.contact.value if message.contact else "") or ""
    return day_for_all(timezone.now(), zones_of(number, invitation.store))


register_renderer(CALL_SURVEY, call_survey, title=gettext_lazy("Question after a call"), gate=not_at_night)
register_renderer(CALL_SURVEY_AGAIN, call_survey_again, title=gettext_lazy("Link instead of a text message"))
register_renderer(RECEIPT_SURVEY, receipt_survey, title=gettext_lazy("Question after a purchase"))
