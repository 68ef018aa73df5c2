"""Invitations: one link for one receipt or one call, and the message that carries it.

All of it is idempotent by what the outside world calls the receipt or the call: asking again gives the same link and
sends nothing twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.tokens import keyed_hash
from customers.leaving import is_suppressed
from customers.models import Contact, ContactKind, Permission, Receipt
from customers.texting import may_be_texted
from messaging.choices import Channel
from messaging.outbox import put
from stores.choices import StoreKind
from stores.models import Store
from surveys.choices import NotAskedReason, ResponseChannel
from surveys.fairness import note_not_asked, people_of, reason_not_to_ask
from surveys.forms import email_address, phone_number
from surveys.models import Call, Invitation
from surveys.queries import version_for
from surveys.signals import days_changed
from surveys.signed import SignedReceipt, invitation_of, receipt_hash

CALL_SURVEY, RECEIPT_SURVEY = "call_survey", "receipt_survey"
# To who has answered the question by text: with what we could not read as an answer, or with one that something may be
# added to.
CALL_SURVEY_AGAIN, CALL_SURVEY_MORE = "call_survey_again", "call_survey_more"
# What permissions to ask are for; and where they were given, for what was said there only the other system knows.
ASKING = "asking"
_ON_THE_PHONE = "Given to the call centre, whose system told us with the call."
_AT_THE_TILL = "Given at the till with the e-mail address, as its system told us with the receipt."
# Whoever is asked later than this no longer remembers the call or the visit.
_WORTH_ASKING = timedelta(hours=24)
_AFTER_STAFF_ALERTS = 7


class BadAddress(ValueError):
    """The phone number or e-mail address cannot be written to; nothing was stored."""


@dataclass(frozen=True)
class Invited:
    """One receipt or call and its link.

    `not_asked` says why nobody is written to, where that was decided just now.

    `created` is False when it was known already. `survey_url` and `expires_at` are None for a caller who may not be
    asked. `invited` says whether a message with the link was put on its way, now or before.
    """

    created: bool
    survey_url: str | None
    expires_at: datetime | None
    invited: bool
    not_asked: NotAskedReason | None = None
    invitation: Invitation | None = None


def public_link(invitation: Invitation) -> str:
    """The full address of an invitation."""
    return f"{settings.PUBLIC_URL}/r/{invitation.token}/"


@transaction.atomic
def call_ended(
    external_id: str,
    store: Store,
    phone: str,
    *,
    consent: bool = True,
    ended_at: datetime | None = None,
    queue: str = "",
    agent: str = "",
    language: str = "",
    customer: str = "",
) -> Invited:
    """A call has ended: text the caller the survey CALL_SURVEY_DELAY after that.

    Whoever is not asked, because they were a short time ago or by chance, is noted with the reason. `customer` is the
    chain's own name for the person, by which they are the same one in every channel.

    `external_id` is telephony's own id of the call. `phone` is read as people in the store's country write it and is
    not kept without `consent`. An empty `language` means the store's first. A call that another store has told us of
    is known, but its link is not given away. Raises BadAddress.
    """
    number = phone_number(phone, store.country)
    if number is None:
        raise BadAddress(phone)
    ended_at = ended_at or timezone.now()
    call, created = Call.objects.get_or_create(
        external_id=external_id, defaults={"store": store, "ended_at": ended_at, "queue": queue, "agent": agent}
    )
    if not created:
        return _known(Invitation.objects.filter(call=call, store=store).first())
    people = people_of(customer=customer, address=number)
    if reason := _why_not(ResponseChannel.CALL, external_id, number, people, store, consent=consent):
        note_not_asked(store, ResponseChannel.CALL, external_id, reason)
        return Invited(created=True, survey_url=None, expires_at=None, invited=False, not_asked=reason)
    contact = Contact.create(ContactKind.PHONE, number, language=language or _language_of(store))
    _note_permission(contact, _ON_THE_PHONE, ended_at)
    call.contact = contact
    call.save(update_fields=["contact"])
    invitation = _invite(
        ResponseChannel.CALL, store, contact=contact, language=contact.language, call=call, people=people
    )
    put(
        CALL_SURVEY,
        invitation.pk,
        channel=Channel.SMS,
        contact=contact,
        dedup_key=f"{CALL_SURVEY}:{invitation.pk}",
        run_at=ended_at + settings.CALL_SURVEY_DELAY,
        expires_at=ended_at + settings.CALL_SURVEY_DELAY + _WORTH_ASKING,
        priority=_AFTER_STAFF_ALERTS,
    )
    # How many were asked is counted, too: the queues of a call centre.
    if store.kind == StoreKind.CALL_CENTRE:
        days_changed.send(sender=Call, days={(store.pk, ended_at.astimezone(ZoneInfo(store.time_zone)).date())})
    return Invited(created=True, survey_url=public_link(invitation), expires_at=invitation.expires_at, invited=True)


@transaction.atomic
def receipt_link(
    store: Store,
    number: str,
    purchased_at: datetime,
    *,
    email: str | None = None,
    language: str = "",
    customer: str = "",
) -> Invited:
    """The survey link of a receipt, for printing on it or for the e-receipt; with `email` we send it ourselves.

    Whoever is not to be written to, because they were a short time ago or by chance, is noted with the reason; the link
    is theirs all the same, and who opens it may answer. `customer` is as in `call_ended`.

    An address that comes with a later call for the same receipt is used then. `number` is kept as a keyed hash only;
    case and spaces do not matter. Raises BadAddress.
    """
    address = email_address(email.strip()) if email else None
    if email and address is None:
        raise BadAddress(email)
    language = language or _language_of(store)
    receipt, created = Receipt.objects.get_or_create(
        store=store,
        number_hash=receipt_hash(store, number),
        defaults={"purchased_at": purchased_at},
    )
    receipt = Receipt.objects.select_for_update().get(pk=receipt.pk)
    invitation = Invitation.objects.filter(receipt=receipt).first() or _invite(
        ResponseChannel.RECEIPT, store, language=language, receipt=receipt
    )
    people = people_of(customer=customer, address=address or "")
    reason = None
    if address and receipt.contact_id is None:
        reason = _why_not(ResponseChannel.RECEIPT, receipt.number_hash, address, people, store)
        if reason:
            note_not_asked(store, ResponseChannel.RECEIPT, receipt.number_hash, reason)
    if address and receipt.contact_id is None and reason is None:
        invitation.people = people
        contact = Contact.create(ContactKind.EMAIL, address, language=language)
        _note_permission(contact, _AT_THE_TILL, purchased_at)
        receipt.contact = invitation.contact = contact
        receipt.save(update_fields=["contact"])
        invitation.save(update_fields=["contact", "people"])
        put(
            RECEIPT_SURVEY,
            invitation.pk,
            channel=Channel.EMAIL,
            contact=contact,
            dedup_key=f"{RECEIPT_SURVEY}:{invitation.pk}",
            expires_at=timezone.now() + _WORTH_ASKING,
            priority=_AFTER_STAFF_ALERTS,
        )
    return Invited(
        created=created,
        survey_url=public_link(invitation),
        expires_at=invitation.expires_at,
        invited=invitation.contact_id is not None,
        not_asked=reason,
        invitation=invitation,
    )


def signed_invitation(signed: SignedReceipt, *, language: str) -> Invitation:
    """The invitation of a receipt whose link the till has signed itself, made when its first answer comes."""
    receipt_link(signed.store, signed.number, signed.purchased_at, language=language)
    found = invitation_of(signed)
    assert found is not None
    return found


def _why_not(
    channel: ResponseChannel,
    about: str,
    address: str,
    people: list[str],
    store: Store,
    *,
    consent: bool = True,
) -> NotAskedReason | None:
    """Why this address is not written to; None when it is."""
    if not consent:
        return NotAskedReason.NO_CONSENT
    if is_suppressed(keyed_hash("contact", address)):
        return NotAskedReason.SUPPRESSED
    if channel == ResponseChannel.CALL and not may_be_texted(address, store.country):
        return NotAskedReason.COUNTRY
    return reason_not_to_ask(channel, about, people)


def _note_permission(contact: Contact, wording: str, given_at: datetime) -> None:
    """Into the ledger, so that it can be withdrawn there."""
    Permission.objects.create(
        contact=contact, purpose=ASKING, wording=wording, language=contact.language, given_at=given_at
    )


def _invite(
    channel: ResponseChannel,
    store: Store,
    *,
    language: str,
    contact: Contact | None = None,
    call: Call | None = None,
    receipt: Receipt | None = None,
    people: list[str] | None = None,
) -> Invitation:
    return Invitation.objects.create(
        channel=channel,
        store=store,
        version=version_for(channel) if call else None,
        contact=contact,
        call=call,
        receipt=receipt,
        language=language,
        people=people or [],
        expires_at=timezone.now() + settings.INVITATION_LIFETIME,
    )


def _known(invitation: Invitation | None) -> Invited:
    if invitation is None:
        return Invited(created=False, survey_url=None, expires_at=None, invited=False)
    return Invited(created=False, survey_url=public_link(invitation), expires_at=invitation.expires_at, invited=True)


def _language_of(store: Store) -> str:
    return store.languages[0] if store.languages else settings.LANGUAGE_CODE
