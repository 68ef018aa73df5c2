"""The message that invites with a receipt; those about a call are in `surveys.call_texts`."""

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.leaving import leave_url
from messaging.models import Message
from messaging.outbox import Rendered, register_renderer
from surveys.choices import AUTOMATIC, UNSENT
from surveys.inviting import RECEIPT_SURVEY
from surveys.models import Invitation, Response
from surveys.receipt_block import block_of


def open_invitation(message: Message) -> Invitation | None:
    """The invitation a message is about, unless there is nothing left to ask."""
    found = Invitation.objects.select_related("store", "contact").filter(pk=message.subject_id).first()
    if found is None or found.expires_at < timezone.now() or found.contact is None or not found.contact.value:
        return None
    answered = Response.objects.filter(invitation=found).exclude(flags__overlap=[UNSENT, AUTOMATIC])
    return None if answered.exists() else found


def receipt_survey(message: Message) -> Rendered | None:
    """The question of the receipt with its answers as links, which only preselect."""
    invitation = open_invitation(message)
    block = invitation and block_of(invitation)
    if invitation is None or not block:
        return None
    context = block.context() | {"leave_url": leave_url(invitation.contact) if invitation.contact else ""}
    return Rendered(
        subject=_("Your visit to %(store)s") % {"store": invitation.store.name},
        text=render_to_string("surveys/receipt_survey.txt", context),
        html=render_to_string("surveys/receipt_survey.html", context),
    )


register_renderer(RECEIPT_SURVEY, receipt_survey, title=gettext_lazy("Question after a purchase"))
