"""Devices that open cases without a sign-in: a person's phone for thirty days, and a store's own device with PINs.

A phone was enrolled from a full sign-in, and for thirty days from then on, not from its last use: who holds it must
prove anew, once a month, that they are its owner. Its cookie changes with every page (after Barry Jaspan, "Improved
Persistent Login Cookie Best Practice"). The next token is derived from the one that was shown, so that pages which are
loaded at the same moment, or an answer that is lost on the way, do no harm; a token that is older than that says that
somebody else holds the cookie too, and ends the device.
"""

import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.tokens import keyed_hash, token_hash
from stores.choices import CASE_ROLES, DeviceEnd, PersonEventKind, SecurityEventKind
from stores.models import Device, PersonEvent, Pin, Store, User
from stores.security_limits import Rate, give_back, take
from stores.security_log import browser_of, note

if TYPE_CHECKING:
    from stores.access import StaffRequest

PHONE_LIFETIME = timedelta(days=30)
SHARED_LIFETIME = timedelta(days=180)
# Pages that were asked for before the cookie changed may still arrive so long.
GRACE = timedelta(seconds=60)
# Five at once, then one every ten minutes.
PIN_TRIES = Rate("pin", 5, timedelta(minutes=10))
PIN_LENGTH = 6
_SEPARATOR = "."


class WeakPin(ValueError):
    """Anybody would guess it. The message is for the person who chose it."""


class PinRefused(Exception):
    """Not let in: a wrong PIN, or too many of them, so that it was not even looked at."""

    def __init__(self, *, again_later: bool) -> None:
        super().__init__("too many wrong PINs" if again_later else "wrong PIN")
        self.again_later = again_later


@dataclass(frozen=True)
class Shown:
    """A device that showed its cookie: `cookie` is what it shall show next, None to leave it as it is."""

    device: Device
    cookie: str | None


# --- the cookie -----------------------------------------------------------------------------------------------
def _derived(token: str, known_hash: str = "") -> str:
    """The token after this one; nobody but us can tell it. As links do, it outlives a new key by `known_hash`."""
    made = [
        hmac.new(key.encode(), f"device\x1f{token}".encode(), hashlib.sha256).hexdigest() for key in settings.LINK_KEYS
    ]
    return next((one for one in made if token_hash(one) == known_hash), made[0])


def password_stamp(user: User) -> str:
    """Changes whenever the password does, whoever changes it and how."""
    return keyed_hash("device of a password", user.password)


def set_cookie(response: HttpResponse, device: Device, value: str) -> None:
    """Have the browser keep `value` for as long as the device holds."""
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        value,
        expires=device.expires_at,
        secure=settings.SECURE,
        httponly=True,
        # Strict would hide it from the very link in the notice.
        samesite="Lax",
    )


def forget_cookie(response: HttpResponse) -> None:
    response.delete_cookie(settings.DEVICE_COOKIE_NAME, samesite="Lax")


def device_of(request: HttpRequest) -> Shown | None:
    """The device whose cookie this request shows, if it still holds. A copied cookie ends its device.

    The token changes with every use, but at most once a minute, so that a page which was asked for before the last
    change is answered too.
    """
    series, _sep, token = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "").partition(_SEPARATOR)
    if not token:
        return None
    device = (
        Device.objects.select_related("user", "store__node", "person").filter(series_hash=token_hash(series)).first()
    )
    now = timezone.now()
    if device is None or not device.is_alive(now) or device.family != browser_of(request):
        return None
    if device.store and device.store.retired_at:
        return None
    if device.user and not (device.user.is_active and device.password_stamp == password_stamp(device.user)):
        end_device(device, DeviceEnd.PASSWORD if device.user.is_active else DeviceEnd.LEFT, actor=None)
        return None
    shown = token_hash(token)
    if shown == device.next_hash:
        _move_on(device, shown, token, now)
    elif shown != device.token_hash and not (shown == device.previous_hash and now - device.rotated_at < GRACE):
        end_device(device, DeviceEnd.COPIED, actor=None)
        return None
    elif now - device.rotated_at < GRACE:
        return Shown(device, None)
    return Shown(device, f"{series}{_SEPARATOR}{_derived(token, device.next_hash)}")


def _move_on(device: Device, shown: str, token: str, now: datetime) -> None:
    """The token that was handed out last is the present one now."""
    values = {
        "previous_hash": device.token_hash,
        "token_hash": shown,
        "next_hash": token_hash(_derived(token)),
        "rotated_at": now,
        "last_used_at": now,
    }
    Device.objects.filter(pk=device.pk, next_hash=shown).update(**values)
    device.rotated_at = now


def _enrol(request: HttpRequest, *, user: User | None, store: Store | None, name: str, lifetime: timedelta) -> Shown:
    series, token = secrets.token_hex(16), secrets.token_hex(32)
    now = timezone.now()
    device = Device.objects.create(
        user=user,
        store=store,
        name=name,
        family=browser_of(request),
        series_hash=token_hash(series),
        token_hash=token_hash(token),
        next_hash=token_hash(_derived(token)),
        rotated_at=now,
        last_used_at=now,
        password_stamp=password_stamp(user) if user else "",
        expires_at=now + lifetime,
        created_by=request.user if request.user.is_authenticated else None,
    )
    return Shown(device, f"{series}{_SEPARATOR}{token}")


# --- a person's phone -----------------------------------------------------------------------------------------
@transaction.atomic
def enrol_phone(request: "StaffRequest") -> Shown:
    """Thirty days for the browser in front of us. The caller has made sure of a full sign-in.

    Enrolling again replaces what this browser had before.
    """
    before = device_of(request)
    if before is not None:
        end_device(before.device, DeviceEnd.REPLACED, actor=request.user)
    shown = _enrol(
        request, user=request.user, store=None, name=browser_of(request) or _("Phone"), lifetime=PHONE_LIFETIME
    )
    PersonEvent.objects.create(
        kind=PersonEventKind.DEVICE_ENROLLED, user=request.user, actor=request.user, what=shown.device.name
    )
    return shown


def phones_of(user: User) -> QuerySet[Device]:
    """Those that open something now."""
    return user.devices.filter(revoked_at=None, expires_at__gt=timezone.now(), password_stamp=password_stamp(user))


@transaction.atomic
def end_device(device: Device, why: DeviceEnd, *, actor: User | None) -> None:
    """From now on it opens nothing. Doing so twice changes nothing."""
    ended = Device.objects.filter(pk=device.pk, revoked_at=None).update(
        revoked_at=timezone.now(), ended_by=why, person=None, person_since=None, touched_at=None
    )
    concerned = device.user or device.created_by
    if ended and concerned is not None:
        PersonEvent.objects.create(
            kind=PersonEventKind.DEVICE_ENDED,
            user=concerned,
            actor=actor,
            what=f"{device.name} · {device.store.name}" if device.store else device.name,
        )


def revoke_all_of(user: User, why: DeviceEnd) -> None:
    """End every phone of a person."""
    for device in Device.objects.filter(user=user, revoked_at=None):
        end_device(device, why, actor=None)


# --- a store's shared device ----------------------------------------------------------------------------------
@transaction.atomic
def enrol_shared(request: "StaffRequest", store: Store, *, name: str) -> Shown:
    """Make the browser in front of us the store's own. The caller has made sure that this person may, and signs them
    out of it: from now on people come and go by their PINs."""
    return _enrol(
        request, user=None, store=store, name=name or browser_of(request) or store.name, lifetime=SHARED_LIFETIME
    )


def shared_devices_of(store: Store) -> QuerySet[Device]:
    return store.devices.filter(revoked_at=None, expires_at__gt=timezone.now())


def people_at(device: Device) -> QuerySet[User]:
    """Who may take their place in front of it: the store's own active people with a PIN."""
    return User.objects.filter(
        roles__store=device.store_id, roles__role__in=CASE_ROLES, is_active=True, pin__isnull=False
    ).distinct()


def person_at(device: Device) -> User | None:
    """Who is in front of a shared device now, with what they may reach there. None when nobody is, when they touched
    nothing for too long, or when they work there no more."""
    person = device.person
    if person is None or device.touched_at is None:
        return None
    idle = timezone.now() - device.touched_at > settings.SHARED_DEVICE_IDLE
    if idle or not people_at(device).contains(person):
        step_away(device)
        return None
    person.within_store_id = device.store_id
    return person


def touch(device: Device) -> None:
    """Somebody did something at it just now; never brings back a person whose time was over."""
    now = timezone.now()
    Device.objects.filter(pk=device.pk, person=device.person, touched_at__gte=now - settings.SHARED_DEVICE_IDLE).update(
        touched_at=now
    )


def step_away(device: Device) -> None:
    """Nobody is in front of it any more."""
    Device.objects.filter(pk=device.pk, person=device.person).update(person=None, person_since=None, touched_at=None)
    device.person = None


def forget_person(user: User) -> None:
    """Wherever they stand in front of a shared device, they do not any more."""
    Device.objects.filter(person=user).update(person=None, person_since=None, touched_at=None)


def enter(request: HttpRequest, device: Device, person_id: int, pin: str) -> User:
    """Take one's place in front of a shared device. Raises PinRefused.

    Tries are limited for the device and never for a person: nobody can shut a colleague out of their account. A try is
    taken before the PIN is looked at, in one statement, and given back to who is right, but those that failed before
    are not: one's own PIN does not pay for guessing another's.
    """
    if not take(PIN_TRIES, device.pk):
        note(request, SecurityEventKind.TOO_MANY_TRIES, detail="pin")
        raise PinRefused(again_later=True)
    person = people_at(device).filter(pk=person_id).select_related("pin").first()
    if not is_right_pin(person, pin) or person is None:
        note(request, SecurityEventKind.WRONG_CODE, person, detail="pin")
        raise PinRefused(again_later=False)
    give_back(PIN_TRIES, device.pk)
    now = timezone.now()
    Device.objects.filter(pk=device.pk, revoked_at=None).update(
        person=person, person_since=now, touched_at=now, last_used_at=now
    )
    note(request, SecurityEventKind.SIGNED_IN, person, detail="pin")
    return person


# --- PINs -----------------------------------------------------------------------------------------------------
_STRAIGHT = "01234567890", "09876543210"
# Straight and diagonal lines of the keypad, and what else is on every list.
_KNOWN = {
    *("147258", "258369", "369258", "258147", "741852", "852963", "963852", "789456", "456789", "456123", "123789"),
    *("789123", "147369", "159357", "159753", "357159", "357951", "753159", "951357", "951753", "142536", "152637"),
    *("102030", "131313", "520131", "314159", "271828", "112358", "248163"),
}


def check_strength(pin: str) -> None:
    """Raises WeakPin unless these are six digits that are no pattern and no date."""
    if not re.fullmatch(rf"[0-9]{{{PIN_LENGTH}}}", pin):
        raise WeakPin(_("A PIN has six digits."))
    repeated = any(pin == pin[:n] * (PIN_LENGTH // n) for n in (1, 2, 3))
    straight = any(pin in line or (pin[:3] in line and pin[3:] in line) for line in _STRAIGHT)
    pairs = pin[0::2] == pin[1::2]
    mirrored = pin == pin[::-1]
    if repeated or straight or pairs or mirrored or len(set(pin)) < 3 or pin in _KNOWN or _is_date(pin):
        raise WeakPin(_("Anybody would try this one: no repetitions, rows or dates, please."))


def _is_date(pin: str) -> bool:
    """As day, month and year or the year first; four-digit years of a birth too."""
    for layout in ("%d%m%y", "%m%d%y", "%y%m%d", "%m%Y", "%Y%m"):
        with suppress(ValueError):
            # Only whether there is such a date, of no zone at all.
            year = datetime.strptime(pin, layout).year  # noqa: DTZ007
            if 1930 <= year <= timezone.now().year + 5:
                return True
    return False


@transaction.atomic
def set_pin(user: User, pin: str) -> None:
    """Choose the PIN of one's own account, whichever store's device it is used at. Raises WeakPin."""
    check_strength(pin)
    Pin.objects.update_or_create(user=user, defaults={"hash": make_password(_keyed(user, pin))})
    forget_person(user)
    PersonEvent.objects.create(kind=PersonEventKind.PIN_SET, user=user, actor=user)


@transaction.atomic
def remove_pin(user: User, *, actor: User) -> None:
    """From now on shared devices do not know this person."""
    if Pin.objects.filter(user=user).delete()[0]:
        forget_person(user)
        PersonEvent.objects.create(kind=PersonEventKind.PIN_REMOVED, user=user, actor=actor)


def is_right_pin(person: User | None, pin: str) -> bool:
    """Takes the same time whether or not there is such a person."""
    kept = person.pin.hash if person else make_password("nobody's")
    return check_password(_keyed(person, pin), kept) and person is not None


def _keyed(person: User | None, pin: str) -> str:
    """A million PINs are tried through in no time where hashes leak, but not without our key."""
    return keyed_hash("pin", f"{person.pk if person else 0} {pin}")
