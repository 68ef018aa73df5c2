"""What is done about people: let in, given and taken roles, sent on holiday, let go. Each is one transaction.

Every action writes who did it into the person's history. `actor` None is a program, such as an import that head
office has confirmed; a person must be the superior that `stores.standing` asks for, or PeopleActionRefused is raised
with a sentence for them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.leases import ClockNow
from core.tokens import token_hash
from stores.choices import DETAILS, DeviceEnd, PersonEventKind, Role
from stores.devices import forget_person, revoke_all_of
from stores.models import Absence, PersonEvent, Pin, RoleAssignment, StaffInvitation, Store, User
from stores.queries import commonest_zone, forget_roles
from stores.security import end_sessions
from stores.signals import invitation_made, reach_lost
from stores.standing import RoleAt, Standing, possible_stand_ins, roles_held

INVITATION_LIFETIME = timedelta(days=7)
LONGEST_ABSENCE = timedelta(days=400)
PHONE = re.compile(r"^\+?[0-9 ()/-]{5,20}$")


class PeopleActionRefused(Exception):
    """It cannot be done. The message is for the person who asked, in their language."""


class AlreadyHere(PeopleActionRefused):
    """Somebody with this address is known already."""


class LastHeadOffice(PeopleActionRefused):
    """Nobody would be left who can let anybody in."""


class InvitationGone(Exception):
    """The link is forged, used, withdrawn or too old: which of these is nobody's business."""


@dataclass(frozen=True)
class Invitee:
    """Somebody to be let in. The address is compared without case."""

    email: str
    name: str
    roles: Sequence[RoleAt]
    language: str = ""
    phone: str = ""


def refuse_unless(allowed: bool) -> None:
    """Raises PeopleActionRefused."""
    if not allowed:
        raise PeopleActionRefused(_("This is for their superior to do."))


def _event(kind: str, user: User, actor: User | None, *, role: str = "", what: str = "") -> PersonEvent:
    return PersonEvent(kind=kind, user=user, actor=actor, role=role, what=what[:160], at=timezone.now())


def _place_of(held: RoleAt | RoleAssignment) -> str:
    return f"{held.store.name} ({held.store.code})" if held.store else str(held.node)


def _check_roles(roles: Iterable[RoleAt], actor: User | None) -> None:
    # Read once, however many people an import lets in.
    standing = Standing(actor) if actor else None
    for wanted in roles:
        if not wanted.fits:
            raise PeopleActionRefused(
                _("%(role)s cannot be held at %(place)s.")
                % {"role": Role(wanted.role).label, "place": wanted.store or wanted.node}
            )
        if standing is not None and not standing.may_give(wanted):
            raise PeopleActionRefused(
                _("You cannot give the role of %(role)s at %(place)s.")
                % {"role": Role(wanted.role).label, "place": wanted.store or wanted.node}
            )


# --- letting in -----------------------------------------------------------------------------------------------
@transaction.atomic
def invite_people(invitees: Sequence[Invitee], *, actor: User | None) -> list[User]:
    """Accounts that are not active yet, with their roles, in a few statements for any number. Nobody is written to:
    `send_invitation` does that. Raises AlreadyHere and PeopleActionRefused; then nobody is let in."""
    _check_roles([wanted for invitee in invitees for wanted in invitee.roles], actor)
    users = [
        User(
            email=User.objects.normalize_email(one.email.strip()).lower(),
            name=one.name.strip(),
            language=one.language,
            phone=one.phone,
            is_active=False,
            password=make_password(None),
        )
        for one in invitees
    ]
    for known in User.objects.filter(email__in=[user.email for user in users])[:1]:
        raise AlreadyHere(_("%(email)s belongs to somebody already.") % {"email": known.email})
    User.objects.bulk_create(users)
    pairs = [(user, wanted) for user, one in zip(users, invitees, strict=True) for wanted in dict.fromkeys(one.roles)]
    RoleAssignment.objects.bulk_create(
        RoleAssignment(user=user, role=wanted.role, store=wanted.store, node=wanted.node) for user, wanted in pairs
    )
    PersonEvent.objects.bulk_create(
        [_event(PersonEventKind.INVITED, user, actor) for user in users]
        + [
            _event(PersonEventKind.ROLE_GIVEN, user, actor, role=wanted.role, what=_place_of(wanted))
            for user, wanted in pairs
        ]
    )
    return users


@transaction.atomic
def invite_person(invitee: Invitee, *, actor: User | None, send: bool = True) -> User:
    """An account that is not active yet and, unless `send` is False, the mail with the link that makes it so."""
    [user] = invite_people([invitee], actor=actor)
    if send:
        send_invitation(user, actor=actor)
    return user


@transaction.atomic
def send_invitation(user: User, *, actor: User | None) -> StaffInvitation:
    """Write them a link, for the first time or again; an earlier one is worth nothing from now on."""
    user = locked_person(user)
    refuse_unless(actor is None or Standing(actor).may_close(user))
    if user.is_active:
        raise PeopleActionRefused(_("%(name)s has joined already.") % {"name": user.name})
    if user.left_at:
        raise PeopleActionRefused(_("%(name)s has left.") % {"name": user.name})
    _withdraw_links(user)
    invitation = StaffInvitation(user=user, created_by=actor, expires_at=timezone.now() + INVITATION_LIFETIME)
    invitation.save(force_insert=True)
    _event(PersonEventKind.LINK_SENT, user, actor).save()
    invitation_made.send(sender=StaffInvitation, invitation=invitation)
    return invitation


@transaction.atomic
def revoke_invitation(user: User, *, actor: User | None) -> None:
    """The link that is out there opens nothing any more. Doing so twice changes nothing."""
    user = locked_person(user)
    refuse_unless(actor is None or Standing(actor).may_close(user))
    if _withdraw_links(user):
        _event(PersonEventKind.LINK_REVOKED, user, actor).save()


def _withdraw_links(user: User) -> int:
    return user.invitations.filter(accepted_at=None, revoked_at=None).update(revoked_at=ClockNow())


def open_invitation(token: str) -> StaffInvitation:
    """The invitation that a link opens, unused as long as it is only looked at. Raises InvitationGone."""
    found = StaffInvitation.objects.select_related("user").filter(token_hash=token_hash(token)).first()
    if found is None or not found.is_open(timezone.now()) or found.user.left_at:
        raise InvitationGone
    return found


@transaction.atomic
def accept_invitation(token: str, *, password: str) -> User:
    """Join: the account becomes active with the chosen password (validated by the caller). A link works once, also
    when it is used twice at the same moment. Raises InvitationGone."""
    used = StaffInvitation.objects.filter(
        token_hash=token_hash(token), accepted_at=None, revoked_at=None, expires_at__gt=ClockNow()
    ).update(accepted_at=ClockNow())
    if not used:
        raise InvitationGone
    user = locked_person(StaffInvitation.objects.select_related("user").get(token_hash=token_hash(token)).user)
    if user.left_at:
        raise InvitationGone
    user.set_password(password)
    _activate(user)
    return user


@transaction.atomic
def join_by_single_sign_on(user: User) -> bool:
    """The chain's own identity provider vouches for somebody who was invited: no link is needed any more.

    False, and nothing changes, for whoever has left or was never sent a link.
    """
    user = locked_person(user)
    if user.is_active or user.left_at or not user.invitations.filter(accepted_at=None, revoked_at=None).exists():
        return user.is_active
    user.invitations.filter(accepted_at=None, revoked_at=None).update(accepted_at=ClockNow())
    _activate(user)
    return True


def _activate(user: User) -> None:
    user.is_active = True
    user.save(update_fields=["password", "is_active"])
    _event(PersonEventKind.JOINED, user, user).save()


def locked_person(user: User) -> User:
    """The locked row: of two who do something about a person one comes first, and the other sees it."""
    return User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)


# --- roles ----------------------------------------------------------------------------------------------------
@transaction.atomic
def give_role(user: User, wanted: RoleAt, *, actor: User | None) -> None:
    """One more role. Giving it twice changes nothing."""
    _check_roles([wanted], actor)
    user = locked_person(user)
    if user.left_at:
        raise PeopleActionRefused(_("%(name)s has left.") % {"name": user.name})
    _held_role, new = RoleAssignment.objects.get_or_create(
        user=user, role=wanted.role, store=wanted.store, node=wanted.node
    )
    if new:
        _forget_if_own(actor, user)
        _event(PersonEventKind.ROLE_GIVEN, user, actor, role=wanted.role, what=_place_of(wanted)).save()


@transaction.atomic
def take_role(held: RoleAssignment, *, actor: User | None) -> None:
    """One role less; the person's enrolled phones end with it, for they were given to somebody with more.

    Raises LastHeadOffice.
    """
    refuse_unless(actor is None or Standing(actor).may_take(held))
    user = locked_person(held.user)
    with _head_office_stays(user):
        deleted, _by_model = RoleAssignment.objects.filter(pk=held.pk).delete()
    if not deleted:
        return
    _forget_if_own(actor, user)
    _event(PersonEventKind.ROLE_TAKEN, user, actor, role=held.role, what=_place_of(held)).save()
    revoke_all_of(user, DeviceEnd.ROLES)
    reach_lost.send(sender=User, person=user, actor=actor)


def _forget_if_own(actor: User | None, user: User) -> None:
    if actor is not None and actor == user:
        forget_roles(actor)


@transaction.atomic
def change_details(user: User, *, name: str, language: str, phone: str, actor: User | None) -> None:
    """Another name, language or number to write to; by themselves or by their superior. The history says which."""
    refuse_unless(actor is None or actor == user or Standing(actor).is_superior_of(user))
    user = locked_person(user)
    wanted = {"name": name, "phone": phone, "language": language}
    changed = [field for field in DETAILS if getattr(user, field) != wanted[field]]
    if not changed:
        return
    for field in changed:
        setattr(user, field, wanted[field])
    user.save(update_fields=changed)
    _event(PersonEventKind.DETAILS, user, actor, what=" ".join(changed)).save()


@transaction.atomic
def set_roles(user: User, roles: Sequence[RoleAt], *, actor: User | None) -> bool:
    """Have a person hold exactly these roles, as an import says; those that are not the actor's to take stay.

    Returns whether anything changed.
    """
    standing = Standing(actor) if actor else None
    before = list(RoleAssignment.objects.filter(user=user).select_related("user", "store__node", "node"))
    known = {(held.role, held.store_id, held.node_id) for held in before}
    wanted = {(one.role, one.store and one.store.pk, one.node and one.node.pk): one for one in roles}
    for key in wanted.keys() - known:
        give_role(user, wanted[key], actor=actor)
    surplus = [
        held
        for held in before
        if (held.role, held.store_id, held.node_id) not in wanted and (standing is None or standing.may_take(held))
    ]
    for held in surplus:
        take_role(held, actor=actor)
    return bool(surplus or wanted.keys() - known)


class _head_office_stays:
    """Around whatever may take the whole chain's last active head office: two who do so at once wait for each other.

    Nothing is asked about people who are not head office.
    """

    def __init__(self, user: User) -> None:
        self.user = user

    def __enter__(self) -> None:
        whole = RoleAssignment.objects.filter(role=Role.HEAD_OFFICE, node__parent=None)
        self.concerned = self.user.is_active and self.user.pk in {
            held.user_id for held in whole.select_for_update(of=("self",)).order_by("pk")
        }

    def __exit__(self, kind: object, *_more: object) -> None:
        if kind is not None or not self.concerned:
            return
        left = RoleAssignment.objects.filter(role=Role.HEAD_OFFICE, node__parent=None, user__is_active=True)
        if not left.exists():
            raise LastHeadOffice(_("This is the last head office: nobody else could let anybody in."))


# --- going and coming back ------------------------------------------------------------------------------------
@transaction.atomic
def let_go(user: User, *, actor: User | None) -> None:
    """Leaving: sessions, devices, the PIN and links are worth nothing from now on, and their cases go to whoever
    answers now. Roles and name stay, so that history reads as it was. Raises LastHeadOffice."""
    refuse_unless(actor is None or Standing(actor).may_close(user))
    user = locked_person(user)
    if user.left_at:
        return
    with _head_office_stays(user):
        user.is_active, user.left_at = False, timezone.now()
        # Whatever session is still out there was made with another password.
        user.set_unusable_password()
        user.save(update_fields=["is_active", "left_at", "password"])
    _withdraw_links(user)
    end_sessions(user)
    revoke_all_of(user, DeviceEnd.LEFT)
    forget_person(user)
    Pin.objects.filter(user=user).delete()
    _event(PersonEventKind.LEFT, user, actor).save()
    reach_lost.send(sender=User, person=user, actor=actor)


@transaction.atomic
def take_back(user: User, *, actor: User | None) -> StaffInvitation:
    """Somebody who left is here again, with the roles they had; a new link lets them choose a password."""
    refuse_unless(actor is None or Standing(actor).may_close(user))
    user = locked_person(user)
    if not user.left_at:
        raise PeopleActionRefused(_("%(name)s has not left.") % {"name": user.name})
    user.left_at = None
    user.save(update_fields=["left_at"])
    _event(PersonEventKind.RETURNED, user, actor).save()
    return send_invitation(user, actor=actor)


# --- absences -------------------------------------------------------------------------------------------------
def zone_of(person: User) -> ZoneInfo:
    """Where their days begin: the time of their store, or of most stores under their node."""
    for held in roles_held(person):
        at = {"pk": held.store_id} if held.store_id else {"node__path__startswith": held.path}
        if zone := commonest_zone(Store.objects.filter(**at)):
            return zone
    return ZoneInfo(settings.TIME_ZONE)


def _days(absence: Absence) -> str:
    """First and last day, as the person counts them."""
    zone = zone_of(absence.user)
    last = absence.ends_at - timedelta(seconds=1)
    return f"{absence.starts_at.astimezone(zone):%Y-%m-%d} – {last.astimezone(zone):%Y-%m-%d}"


@transaction.atomic
def enter_absence(
    user: User,
    *,
    starts_at: datetime,
    ends_at: datetime,
    stand_in: User | None = None,
    note: str = "",
    actor: User | None,
) -> Absence:
    """From `starts_at` until `ends_at` somebody else answers. Entered by themselves or by their superior."""
    refuse_unless(actor is None or actor == user or Standing(actor).is_superior_of(user))
    if ends_at <= starts_at:
        raise PeopleActionRefused(_("The last day lies before the first."))
    if ends_at <= timezone.now():
        raise PeopleActionRefused(_("This lies in the past."))
    if ends_at - starts_at > LONGEST_ABSENCE:
        raise PeopleActionRefused(_("This is longer than a year."))
    if stand_in is not None and not possible_stand_ins(user).contains(stand_in):
        raise PeopleActionRefused(_("%(name)s has no role where you answer.") % {"name": stand_in.name})
    absence = Absence.objects.create(
        user=user, starts_at=starts_at, ends_at=ends_at, stand_in=stand_in, note=note.strip(), created_by=actor
    )
    _event(PersonEventKind.AWAY, user, actor, what=_days(absence)).save()
    return absence


@transaction.atomic
def cancel_absence(absence: Absence, *, actor: User | None) -> None:
    """They are there after all. Doing so twice changes nothing."""
    refuse_unless(actor is None or actor == absence.user or Standing(actor).is_superior_of(absence.user))
    if Absence.objects.filter(pk=absence.pk, cancelled_at=None).update(cancelled_at=ClockNow()):
        _event(PersonEventKind.BACK, absence.user, actor, what=_days(absence)).save()
