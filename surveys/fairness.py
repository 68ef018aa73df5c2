"""Whom we ask, and whom we leave in peace; and what marks an answer that may not be a shopper's."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from core.network import client_address, household_of
from core.quick import Together
from core.tokens import keyed_hash
from stores.choices import TouchpointKind
from stores.models import Store, Touchpoint
from stores.opening import hours_of, open_spans
from surveys.choices import CLOSED, HASTY, TRAPPED, NotAskedReason, ResponseChannel
from surveys.models import DaySalt, Invitation, NotAsked
from surveys.scan_rules import CLOSED_MARGIN

# The name of the field that no person sees.
TRAP_FIELD = "website"
MANY_AN_HOUR = 20
# Where shoppers are inside the store; an exit has a door that can be read from outside.
_INSIDE = {TouchpointKind.TILL, TouchpointKind.FITTING_ROOM, TouchpointKind.SERVICE_DESK}
# From an address to the chain's name for its owner, and on to their other addresses.
_HOPS = 2


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
    if rest and people:
        _take_turns(people)
        if Invitation.objects.filter(people__overlap=list(_known_as(people)), created_at__gt=since).exists():
            return NotAskedReason.RESTING
    return None


def _take_turns(people: Collection[str]) -> None:
    """Of two messages to one person that are decided on at once the second waits for the first transaction to end."""
    with connection.cursor() as cursor:
        for one in sorted(people):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"asked {one}"])


def _known_as(people: Collection[str]) -> set[str]:
    """By what else these were known when they were asked before: a number that once came with the chain's own name for
    the person belongs to the e-mail address that came with the same name."""
    known = set(people)
    for _hop in range(_HOPS):
        more = Invitation.objects.filter(people__overlap=list(known)).values_list("people", flat=True)
        if (found := known.union(*more)) == known:
            break
        known = found
    return known


def in_sample(channel: ResponseChannel, about: str) -> bool:
    """Whether one of a hundred receipts or calls that this one falls on is asked about."""
    share: int = settings.SAMPLE_PCT[channel]
    return int(hashlib.sha256(f"{channel} {about}".encode()).hexdigest()[:8], 16) % 100 < share


def note_not_asked(store: Store, channel: ResponseChannel, about: str, reason: NotAskedReason) -> None:
    """Keep why somebody was not asked, once for each receipt or call."""
    known = keyed_hash("not asked", f"{store.code} {about}")
    NotAsked.objects.get_or_create(channel=channel, about=known, defaults={"store": store, "reason": reason})


def marks_of(request: HttpRequest, touchpoint: Touchpoint | None, minted_at: datetime) -> list[str]:
    """What marks the answer in this request, whose page was opened at `minted_at`; never a reason to refuse it."""
    marks = []
    if request.POST.get(TRAP_FIELD, ""):
        marks.append(TRAPPED)
    if datetime.now(UTC) - minted_at < timedelta(seconds=settings.SHORTEST_ANSWER_SECS):
        marks.append(HASTY)
    if touchpoint is not None and touchpoint.kind in _INSIDE and _is_closed(touchpoint, minted_at):
        marks.append(CLOSED)
    return marks


def _is_closed(touchpoint: Touchpoint, at: datetime) -> bool:
    """Whether its store is shut, and was and will be for longer than the margin; without hours entered it is not."""
    hours = hours_of(touchpoint.store, beside=getattr(touchpoint, "hours_beside", None))
    return not hours.assumed and next(open_spans(hours, at - CLOSED_MARGIN, at + CLOSED_MARGIN), None) is None


@dataclass(frozen=True)
class Browser:
    """One browser's hour at one store. `who` says so only together with the day's salt, which is thrown away: a shop's
    wireless network shares one address, so that it says little, and it must not become a trace of anybody."""

    who: str
    hour: datetime


def browser_of(request: HttpRequest, store: Store, now: datetime | None = None) -> Browser:
    """Whose answers about this store are counted together this hour."""
    hour = (now or timezone.now()).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    address = household_of(client_address(request))
    seen = f"{_salt_of(hour.date())} {store.pk} {hour.hour} {address} {request.META.get('HTTP_USER_AGENT', '')}"
    return Browser(keyed_hash("answers in an hour", seen), hour)


_salts: dict[date, str] = {}


def _salt_of(day: date) -> str:
    """The day's salt: made by whoever needs it first, remembered for as long as the day lasts."""
    salt = _salts.get(day)
    if salt is None:
        made, _created = DaySalt.objects.get_or_create(day=day, defaults={"salt": secrets.token_hex(32)})
        salt = made.salt
        # Another thread may do so at the same moment, for the day before or after.
        _salts.clear()
        _salts[day] = salt
    return salt


_COUNT = """
    INSERT INTO surveys_answercount AS c (who, number, hour) VALUES (%s, 1, %s)
    ON CONFLICT (who) DO UPDATE SET number = c.number + 1 RETURNING number
"""


def count_answer(browser: Browser, batch: Together) -> None:
    """Count an answer of a browser, in the transaction that stores it: all processes count together."""
    batch.ask(_COUNT, [browser.who, browser.hour])


def is_one_of_many(batch: Together) -> bool:
    """Whether the answer that was counted with these statements is one of many of its browser."""
    return any(number > MANY_AN_HOUR for (number,) in batch.rows)
