"""The mail by which somebody joins: put into the outbox with the invitation, written when it is sent."""

from typing import Any

from django.conf import settings
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.choices import Channel
from messaging.models import Message
from messaging.outbox import Rendered, put, register_renderer
from stores.models import StaffInvitation
from stores.signals import invitation_made

STAFF_INVITATION = "staff_invitation"


@receiver(invitation_made)
def put_invitation(sender: object, invitation: StaffInvitation, **_: Any) -> None:
    """One mail per link; it is not sent any more once the link is too old."""
    put(
        STAFF_INVITATION,
        invitation.pk,
        channel=Channel.EMAIL,
        user=invitation.user,
        dedup_key=f"invitation:{invitation.pk}:{Channel.EMAIL}",
        expires_at=invitation.expires_at,
    )


def render_invitation(message: Message) -> Rendered | None:
    """The link, until when it holds, and who sent it. None once it has been used, withdrawn or replaced."""
    invitation = (
        StaffInvitation.objects.select_related("user", "created_by")
        .prefetch_related("user__roles__store", "user__roles__node")
        .filter(pk=message.subject_id)
        .first()
    )
    if invitation is None or not invitation.is_open(timezone.now()):
        return None
    context = {
        "chain_name": settings.CHAIN_NAME,
        "person": invitation.user,
        "roles": [f"{held.get_role_display()}, {held.place}" for held in invitation.user.roles.all()],
        "by": invitation.created_by,
        "until": date_format(invitation.expires_at, "SHORT_DATE_FORMAT"),
        "url": settings.PUBLIC_URL + reverse("join", args=[invitation.token]),
    }
    return Rendered(
        _("You are invited to %(chain)s") % {"chain": settings.CHAIN_NAME},
        render_to_string("people/mail/invitation.txt", context),
        render_to_string("people/mail/invitation.html", context),
    )


register_renderer(STAFF_INVITATION, render_invitation, title=gettext_lazy("Invitation of staff"), to_newcomers=True)
