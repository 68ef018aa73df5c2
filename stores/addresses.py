"""Another e-mail address of a person: entered by their superior, and in force once whoever reads mail there says so.

The address is the name of the account, and the way to a new password. Nobody changes their own.
"""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.leases import ClockNow
from core.tokens import token_hash
from stores.choices import DeviceEnd, PersonEventKind
from stores.devices import revoke_all_of
from stores.models import AddressChange, PersonEvent, User
from stores.people import AlreadyHere, PeopleActionRefused, locked_person, refuse_unless, send_invitation
from stores.security import end_sessions
from stores.signals import address_entered
from stores.standing import Standing

LINK_LIFETIME = timedelta(days=3)


class AddressLinkGone(Exception):
    """The link is forged, used, withdrawn or too old: which of these is nobody's business."""


@transaction.atomic
def enter_address(user: User, address: str, *, actor: User) -> AddressChange | None:
    """Ask whoever reads mail at `address` whether it is this person's, and tell the old one.

    None: it is in force at once, because they have not joined yet, or because it is the one they have. Their invitation
    then goes to the new one. Raises AlreadyHere and PeopleActionRefused.
    """
    user = locked_person(user)
    refuse_unless(Standing(actor).may_close(user))
    new = User.objects.normalize_email(address.strip()).lower()
    if user.left_at:
        raise PeopleActionRefused(_("%(name)s has left.") % {"name": user.name})
    if new == user.email:
        return None
    _refuse_known(new)
    _withdraw(user)
    if not user.is_active:
        invited = user.invitations.filter(accepted_at=None, revoked_at=None).exists()
        _set(user, new, actor)
        if invited:
            send_invitation(user, actor=actor)
        return None
    change = AddressChange(
        user=user, old=user.email, new=new, created_by=actor, expires_at=timezone.now() + LINK_LIFETIME
    )
    change.save(force_insert=True)
    PersonEvent.objects.create(kind=PersonEventKind.ADDRESS_ENTERED, user=user, actor=actor)
    address_entered.send(sender=AddressChange, change=change)
    return change


@transaction.atomic
def withdraw_address(user: User, *, actor: User) -> None:
    """The link that is out there does nothing any more. Doing so twice changes nothing."""
    user = locked_person(user)
    refuse_unless(actor == user or Standing(actor).may_close(user))
    if _withdraw(user):
        PersonEvent.objects.create(kind=PersonEventKind.ADDRESS_WITHDRAWN, user=user, actor=actor)


def open_change(user: User) -> AddressChange | None:
    """The new address that waits for its owner, if there is one."""
    waiting = user.address_changes.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
    return waiting.select_related("created_by").first()


def change_behind(token: str) -> AddressChange:
    """What a link would change; looking at it uses nothing up. Raises AddressLinkGone."""
    found = AddressChange.objects.select_related("user").filter(token_hash=token_hash(token)).first()
    if found is None or not found.is_open(timezone.now()) or not _still_fits(found, found.user):
        raise AddressLinkGone
    return found


@transaction.atomic
def confirm_address(token: str) -> User:
    """From now on the person signs in with the new address. Whoever is signed in with the old one is signed out, and
    enrolled phones end: somebody else may read mail there. Works once. Raises AddressLinkGone and AlreadyHere."""
    used = AddressChange.objects.filter(
        token_hash=token_hash(token), accepted_at=None, revoked_at=None, expires_at__gt=ClockNow()
    ).update(accepted_at=ClockNow())
    if not used:
        raise AddressLinkGone
    change = AddressChange.objects.select_related("user", "created_by").get(token_hash=token_hash(token))
    user = locked_person(change.user)
    if not _still_fits(change, user):
        raise AddressLinkGone
    _set(user, change.new, change.created_by)
    end_sessions(user)
    revoke_all_of(user, DeviceEnd.ADDRESS)
    return user


def link_of(change: AddressChange) -> str:
    """Where whoever reads mail at the new address confirms it."""
    return settings.PUBLIC_URL + reverse("confirm_address", args=[change.token])


def _still_fits(change: AddressChange, user: User) -> bool:
    return user.is_active and user.email == change.old


def _withdraw(user: User) -> int:
    return user.address_changes.filter(accepted_at=None, revoked_at=None).update(revoked_at=ClockNow())


def _refuse_known(address: str) -> None:
    if User.objects.filter(email=address).exists():
        raise AlreadyHere(_("%(email)s belongs to somebody already.") % {"email": address})


def _set(user: User, address: str, actor: User | None) -> None:
    user.email = address
    try:
        with transaction.atomic():
            user.save(update_fields=["email"])
    except IntegrityError:
        # Between the question and now somebody was let in with it.
        _refuse_known(address)
        raise
    # allauth keeps its own notes of addresses, by which the old one would still open the account.
    EmailAddress.objects.filter(user=user).delete()
    PersonEvent.objects.create(kind=PersonEventKind.ADDRESS_CHANGED, user=user, actor=actor)
