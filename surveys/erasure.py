"""What erasing does to a response: words and addresses go, score, day and place stay."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from core.personal import on_erase
from customers.models import Contact, Permission
from messaging.models import IncomingText
from surveys.models import Invitation, PartialAnswer, Response, ResponseRevision, Verbatim
from surveys.signals import response_erased


def forget_what_waits(response_id: UUID) -> None:
    """Delete what came by text message and nobody has heard yet, and what was entered on a page and is no answer yet;
    and hold the invitation.

    Before the response is held, and not again: whoever hears a text holds it, the invitation and the response, and
    whoever settles what was left holds that and the response, in this order. A text that comes after this waits for us,
    and then finds nothing to stand with.
    """
    IncomingText.objects.filter(answers__contact__in=_contacts_of(response_id)).delete()
    _partials_of(response_id).delete()
    list(Invitation.objects.select_for_update(no_key=True, of=("self",)).filter(response=response_id))


def _partials_of(response_id: UUID) -> QuerySet[PartialAnswer]:
    return PartialAnswer.objects.filter(Q(pk=response_id) | Q(invitation__response=response_id))


def _contacts_of(response_id: UUID) -> list[UUID]:
    """Every address by which we knew the shopper for this response."""
    theirs = Q(responses=response_id)
    for path in ("invitations", "calls__invitation", "receipts__invitation"):
        theirs |= Q(**{f"{path}__response": response_id})
    return list(Contact.objects.filter(theirs).distinct().values_list("pk", flat=True))


@on_erase
def blank_response(response_id: UUID) -> None:
    """Blank what the shopper wrote, and every address by which we knew them for this response."""
    now = timezone.now()
    Verbatim.objects.filter(response=response_id).update(text="")
    ResponseRevision.objects.filter(response=response_id).delete()
    Response.objects.filter(pk=response_id).update(answers={}, erased_at=now)
    Invitation.objects.filter(response=response_id).update(people=[])
    _partials_of(response_id).delete()
    contacts = _contacts_of(response_id)
    Permission.objects.filter(contact__in=contacts, withdrawn_at=None).update(withdrawn_at=now)
    Contact.objects.filter(pk__in=contacts).update(value="", value_hash="", erased_at=now)
    response_erased.send(sender=Response, response=Response.objects.get(pk=response_id))
