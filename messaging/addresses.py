"""The mails about another address of a member of staff: the link goes to the new one, word of it to the old one."""

from typing import Any

from django.conf import settings
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.choices import Channel
from messaging.models import Message
from messaging.outbox import Rendered, draft, put_all, register_renderer
from stores.addresses import link_of
from stores.models import AddressChange
from stores.signals import address_entered

ADDRESS_LINK, ADDRESS_NOTICE = "address_link", "address_notice"


@receiver(address_entered)
def put_mails(sender: object, change: AddressChange, **_: Any) -> None:
    """One of each for every change; neither is sent once the link is too old."""
    put_all(
        [
            draft(
                kind,
                change.pk,
                channel=Channel.EMAIL,
                user=change.user,
                dedup_key=f"{kind}:{change.pk}:{Channel.EMAIL}",
                expires_at=change.expires_at,
            )
            for kind in (ADDRESS_LINK, ADDRESS_NOTICE)
        ]
    )


def render_link(message: Message) -> Rendered | None:
    """None once it has been used, withdrawn or replaced, and for any channel but mail: the link proves who reads it."""
    change = _change_of(message)
    if change is None or not change.is_open(timezone.now()):
        return None
    text = _text("address_confirm", change, url=link_of(change))
    return Rendered(_("Please confirm your new address"), text, to=change.new)


def render_notice(message: Message) -> Rendered | None:
    """Also when the new address is confirmed already: the old one has to hear of it. None once it was withdrawn."""
    change = _change_of(message)
    if change is None or change.revoked_at:
        return None
    return Rendered(_("Your address is to be changed"), _text("address_notice", change), to=change.old)


def _change_of(message: Message) -> AddressChange | None:
    if message.channel != Channel.EMAIL:
        return None
    return AddressChange.objects.select_related("user", "created_by").filter(pk=message.subject_id).first()


def _text(template: str, change: AddressChange, **more: str) -> str:
    context = {"chain_name": settings.CHAIN_NAME, "change": change, **more}
    return render_to_string(f"people/mail/{template}.txt", context)


register_renderer(ADDRESS_LINK, render_link, title=gettext_lazy("Link to a new address"))
register_renderer(ADDRESS_NOTICE, render_notice, title=gettext_lazy("Notice about a new address"))
