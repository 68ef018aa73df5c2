"""Every store's wall on Monday at opening: one row per store says which week's wall goes out next, and when.

The row moves on to the next week in the transaction that puts the messages, so each wall goes out exactly once, also
when nothing ran for weeks; then the walls that were missed follow one another. Its messages never expire: however
long mail is away, each arrives once it is back.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from core.leases import Claim, claim, finish, from_now, retry_delay
from core.work import register_step, register_watch
from messaging.choices import Channel
from messaging.models import Message
from messaging.outbox import Attachment, Rendered, draft, put_all, register_renderer
from reports.models import WallRound
from reports.pdf import wall_pdf
from reports.periods import Week
from reports.wall import build_wall
from stores.choices import REPORT_ROLES, STORE_ROLES
from stores.models import Store, User
from stores.opening import StoreHours, hours_of, hours_of_stores
from stores.queries import people_by_role, stores_visible_to

WALL = "wall"
USUAL_OPENING = time(8)
LEASE = timedelta(seconds=60)
PATIENCE_SECS = 2 * 3600
# So many walls may wait to be written: each takes a sender a moment, and alerts need senders too.
_AT_ONCE = 20
_NEWCOMERS = 500
# What waits for longer is the trouble of one mailbox, or of all mail; neither may hold up all other walls for ever.
_COUNTED_FOR = timedelta(days=1)
log = structlog.get_logger()


def opening_after(hours: StoreHours, week: Week) -> datetime:
    """When a store first opens in the week after `week`, in UTC; at USUAL_OPENING where it opens at midnight or no
    hours are known, and on Monday then where it stays closed all week: its people may want to read all the same."""
    days = [(week + 1).monday + timedelta(days=number) for number in range(7)]
    openings = [(day, hours.on(day)[0][0]) for day in days if hours.on(day)]
    day, opens = openings[0] if openings else (days[0], USUAL_OPENING)
    at = USUAL_OPENING if opens == time.min else opens
    return datetime.combine(day, at, hours.zone).astimezone(UTC)


def begin_rounds() -> int:
    """Give stores that have none the row of their next wall: that of the week which is running."""
    new = list(Store.objects.filter(wall_round=None, retired_at=None).order_by("pk")[:_NEWCOMERS])
    if not new:
        return 0
    hours, now = hours_of_stores(new), timezone.now()
    rounds = []
    for store in new:
        week = Week.of(now.astimezone(ZoneInfo(store.time_zone)).date())
        rounds.append(WallRound(store=store, monday=week.monday, run_at=opening_after(hours[store.pk], week)))
    WallRound.objects.bulk_create(rounds, ignore_conflicts=True)
    return len(rounds)


def send_due() -> int:
    """Put the messages of the walls that are due; returns how many stores were taken."""
    waiting = Message.objects.filter(kind=WALL, run_at__isnull=False, created_at__gt=from_now(-_COUNTED_FOR))
    if waiting[:_AT_ONCE].count() >= _AT_ONCE:
        return 0
    claims = claim(
        WallRound.objects.filter(run_at__isnull=False).select_related("store__node"), limit=_AT_ONCE, lease=LEASE
    )
    for one in claims:
        try:
            _send(one)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # one store's trouble is not its neighbours'
            log.error("wall not sent", store=one.row.store_id, error=repr(error))
            finish(one, run_at=from_now(retry_delay(one.row.attempts)))
    return len(claims)


def _send(claimed: Claim[WallRound]) -> None:
    row, store = claimed.row, claimed.row.store
    hours, week = hours_of(store), Week(row.monday)
    opening = opening_after(hours, week)
    if opening > timezone.now():
        # Its hours were changed meanwhile.
        finish(claimed, run_at=opening, attempts=0)
        return
    following = opening_after(hours, week + 1)
    with transaction.atomic():
        if not finish(claimed, run_at=following, monday=(week + 1).monday, attempts=0):
            return
        if store.retired_at is None:
            put_all([_message(store, week, person) for person in readers_of(store)])


def readers_of(store: Store) -> list[User]:
    """Who is mailed a store's wall: those who run it, or who stand in for them."""
    people = people_by_role(store)
    found = {person.pk: person for role in STORE_ROLES for person in people.get(role, [])}
    return [person for person in found.values() if person.email]


def _message(store: Store, week: Week, reader: User) -> Message:
    return draft(
        WALL,
        f"{store.pk}:{week}",
        channel=Channel.EMAIL,
        user=reader,
        dedup_key=f"{WALL}:{store.pk}:{week}:{reader.pk}:{Channel.EMAIL}",
        priority=9,
    )


def render_wall(message: Message) -> Rendered | None:
    """The wall as a file, and a link to it; nothing for a week in which nobody answered, nor for a reader who, while
    mail was away, has lost the store."""
    number, _, written = message.subject_id.partition(":")
    store = Store.objects.select_related("node").filter(pk=number, retired_at=None).first()
    if store is None or not _still_reads(message.user, store):
        return None
    week = Week.parse(written)
    wall = build_wall(store, week, as_hung=True)
    if not wall.responses and wall.empty and not wall.waiting:
        return None
    subject = gettext("%(store)s: what your shoppers said in week %(week)s") % {
        "store": store.name,
        "week": week.number,
    }
    context = {
        "wall": wall,
        "subject": subject,
        "chain_name": settings.CHAIN_NAME,
        "url": settings.PUBLIC_URL + reverse("wall", args=[store.code, str(week)]),
    }
    return Rendered(
        subject,
        render_to_string("reports/mail/wall.txt", context),
        render_to_string("reports/mail/wall.html", context),
        attachments=(Attachment(f"wall-{store.code}-{week}.pdf", wall_pdf(wall), "application/pdf"),),
    )


def _still_reads(reader: User | None, store: Store) -> bool:
    if reader is None:
        return False
    return stores_visible_to(reader, roles=REPORT_ROLES).filter(pk=store.pk).exists() or reader in readers_of(store)


def rounds_overdue(patience_secs: int) -> int:
    """How many stores have waited for their wall longer than that."""
    return WallRound.objects.filter(run_at__lt=from_now(timedelta(seconds=-patience_secs))).count()


register_step("facts", "walls begin", begin_rounds)
register_step("facts", "walls", send_due)
register_watch("walls not sent", PATIENCE_SECS, rounds_overdue)
register_renderer(WALL, render_wall, title=gettext_lazy("The verbatim wall of a week"))
