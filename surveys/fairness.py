"""Whom we ask, and whom we leave in peace; and what marks an answer that may not be a shopper's."""

import hashlib
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock

import phonenumbers
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from core.tokens import keyed_hash
from stores.models import Store
from surveys.choices import HASTY, MANY, TRAPPED, NotAskedReason, ResponseChannel
from surveys.models import Invitation, NotAsked

# The name of the field that no person sees.
TRAP_FIELD = "website"
MANY_AN_HOUR = 20
_HOUR_SECS = 3600


def people_of(*, customer: str = "", address: str = "") -> list[str]:
    """By what one person is found again over all channels: the chain's own name for them, and their address."""
    found = [keyed_hash("customer", customer.strip())] if customer.strip() else []
    return found + ([keyed_hash("contact", address)] if address else [])


def reason_not_to_ask(
    channel: ResponseChannel, about: str, people: Collection[str], *, now: datetime | None = None
) -> NotAskedReason | None:
    """Why this person is not asked about this now; None when they may be.

    `about` is what the outside calls the receipt or the call: whether it is in the sample is the same at every try.
    """
    if not in_sample(channel, about):
        return NotAskedReason.SAMPLED
    rest = timedelta(days=settings.CONTACT_REST_DAYS)
    since = (now or timezone.now()) - rest
    if rest and people and Invitation.objects.filter(people__overlap=list(people), created_at__gt=since).exists():
        return NotAskedReason.RESTING
    return None


def in_sample(channel: ResponseChannel, about: str) -> bool:
    """Whether one of a hundred receipts or calls that this one falls on is asked about."""
    share: int = settings.SAMPLE_PCT[channel]
    return int(hashlib.sha256(f"{channel} {about}".encode()).hexdigest()[:8], 16) % 100 < share


def note_not_asked(store: Store, channel: ResponseChannel, about: str, reason: NotAskedReason) -> None:
    """Keep why somebody was not asked, once for each receipt or call."""
    known = keyed_hash("not asked", f"{store.code} {about}")
    NotAsked.objects.get_or_create(channel=channel, about=known, defaults={"store": store, "reason": reason})


def may_be_texted(number: str, country: str) -> bool:
    """Whether we send text messages to the country of a number in E.164: dear ones are how texting is abused."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    return region == country or region in settings.SMS_COUNTRIES


_answered: dict[str, int] = {}
_hour = 0
_lock = Lock()


def marks_of(request: HttpRequest, store: Store, minted_at: datetime) -> Sequence[str]:
    """What marks the answer in this request; never a reason to refuse it."""
    marks = []
    if request.POST.get(TRAP_FIELD, ""):
        marks.append(TRAPPED)
    if datetime.now(UTC) - minted_at < timedelta(seconds=settings.SHORTEST_ANSWER_SECS):
        marks.append(HASTY)
    if _count(request, store) > MANY_AN_HOUR:
        marks.append(MANY)
    return marks


def _count(request: HttpRequest, store: Store) -> int:
    """How many answers this browser has sent about this store in this hour.

    Counted in this process's memory under a hash that no other hour can repeat, and stored nowhere: a shop's wireless
    network shares one address, so that it says little, and it must not become a trace of anybody.
    """
    global _hour
    hour = int(time.time()) // _HOUR_SECS
    seen = f"{store.pk} {hour} {request.META.get('REMOTE_ADDR', '')} {request.META.get('HTTP_USER_AGENT', '')}"
    whose = keyed_hash("answers in an hour", seen)
    with _lock:
        if hour != _hour:
            _answered.clear()
            _hour = hour
        _answered[whose] = _answered.get(whose, 0) + 1
        return _answered[whose]
