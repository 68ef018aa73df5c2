"""Digests: the figures of a place by e-mail, every week or month, as a PDF and a workbook.

A row says which issue is next and when. It moves on in the transaction that puts the message, so each issue goes out
exactly once, also when nothing ran for weeks; then those that were missed follow one another, each about its own weeks.
The message never expires: however long mail is away, it arrives once mail is back.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.http import Http404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from core.leases import Claim, ClockNow, claim, due, finish, from_now, retry_delay
from core.spreadsheets import XLSX
from core.work import register_step, register_watch
from messaging.choices import Channel
from messaging.models import Message
from messaging.outbox import Attachment, Rendered, draft, put_all, register_renderer
from reports import tables
from reports.digest_pdf import digest_pdf
from reports.exporting import figures_workbook
from reports.filters import Filters, Scope, scope_of, selected_stores
from reports.models import Digest, Rhythm
from reports.pages import Reading
from reports.periods import Period, Week
from stores.models import Node, Store, User
from stores.queries import commonest_zone

DIGEST = "digest"
# How many weeks an issue is about: the last of them alone would be noise in most stores.
WEEKS_OF = {Rhythm.WEEKLY: 4, Rhythm.MONTHLY: 13}
SENT_AT = time(7)
LEASE = timedelta(seconds=60)
# Those of seven thousand stores, all due at the same moment, take an hour on two cores: half a second each.
PATIENCE_SECS = 4 * 3600
# So many wait or are being written at most: each takes a sender a second or two in a large chain, and alerts need
# senders too.
_AT_ONCE = 5
log = structlog.get_logger()


# --- who gets what, and when ------------------------------------------------------------------------------------
def _scope(user: User) -> Scope | None:
    try:
        return scope_of(user)
    except Http404:
        return None


def _filters(digest: Digest) -> Filters:
    return Filters(node=digest.node, store=digest.store, weeks=WEEKS_OF[Rhythm(digest.rhythm)])


def reading_of(digest: Digest, week: Week) -> Reading | None:
    """What its reader may see of the place by now, up to and with `week`; None if that is nothing."""
    scope, filters = _scope(digest.user), _filters(digest)
    if scope is None:
        return None
    gone = (digest.node and not scope.nodes.filter(pk=digest.node.pk).exists()) or (
        digest.store and not scope.stores.filter(pk=digest.store.pk).exists()
    )
    return None if gone else Reading(scope, filters, selected_stores(scope, filters), Period(week, filters.weeks))


def zone_of(digest: Digest) -> ZoneInfo:
    """The zone in which most of its stores are."""
    scope = _scope(digest.user)
    found = commonest_zone(selected_stores(scope, _filters(digest))) if scope else None
    return found or ZoneInfo(settings.TIME_ZONE)


def issue_from(rhythm: str, week: Week) -> Week:
    """The next issue that is about `week` or a later one: a month's goes out on its first Monday."""
    while rhythm == Rhythm.MONTHLY and (week + 1).monday.day > 7:
        week += 1
    return week


def sent_at(zone: ZoneInfo, week: Week) -> datetime:
    """When the issue up to and with `week` goes out."""
    return datetime.combine((week + 1).monday, SENT_AT, zone).astimezone(UTC)


def subscribe(user: User, rhythm: Rhythm, *, node: Node | None = None, store: Store | None = None) -> Digest:
    """Have the figures of a place sent, from the week that is running on; asked for twice it comes once."""
    digest = Digest(user=user, rhythm=rhythm, node=node, store=store)
    zone = zone_of(digest)
    week = issue_from(rhythm, Week.of(timezone.now().astimezone(zone).date()))
    made = {"monday": week.monday, "run_at": sent_at(zone, week)}
    with transaction.atomic():
        held = Digest.objects.select_for_update()
        known, new = held.get_or_create(user=user, rhythm=rhythm, node=node, store=store, defaults=made)
        if not new:
            # Their own wish from now on: it outlives the rule that began it.
            Digest.objects.filter(pk=known.pk).update(rule=None)
            Digest.objects.filter(pk=known.pk, run_at=None).update(**made)
            known.refresh_from_db()
    return known


def end(digests: QuerySet[Digest]) -> None:
    """Send these no more. They stay, so that no rule of head office begins them anew."""
    # Whoever is sending one at this moment lets go of it.
    digests.update(run_at=None, lease_token=None, lease_until=None)


# --- sending ----------------------------------------------------------------------------------------------------
def send_due() -> int:
    """Put the messages of the issues that are due; returns how many digests were taken."""
    digests = Digest.objects.filter(run_at__isnull=False).select_related("user", "node", "store")
    if not due(digests).exists():
        return 0
    room = _AT_ONCE - Message.objects.filter(kind=DIGEST, run_at__lte=ClockNow()).count()
    claims = claim(digests, limit=room, lease=LEASE) if room > 0 else []
    for one in claims:
        try:
            _send(one)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # one reader's trouble is not the others'
            log.error("digest not sent", digest=one.row.pk, error=repr(error))
            finish(one, run_at=from_now(retry_delay(one.row.attempts)))
    return len(claims)


def _send(claimed: Claim[Digest]) -> None:
    digest = claimed.row
    week = Week(digest.monday)
    following = issue_from(digest.rhythm, week + 1)
    with transaction.atomic():
        moved = finish(claimed, run_at=sent_at(zone_of(digest), following), monday=following.monday, attempts=0)
        if moved and digest.user.is_active:
            put_all(
                [
                    draft(
                        DIGEST,
                        f"{digest.pk}:{week}",
                        channel=Channel.EMAIL,
                        user=digest.user,
                        dedup_key=f"{DIGEST}:{digest.pk}:{week}:{Channel.EMAIL}",
                        priority=9,
                    )
                ]
            )


def render_digest(message: Message) -> Rendered | None:
    """The issue, by what its reader may see when it is written; nothing once they want or may see it no more."""
    number, _, written = message.subject_id.partition(":")
    wanted = Digest.objects.filter(pk=number, run_at__isnull=False)
    digest = wanted.select_related("user", "node", "store").first()
    reading = reading_of(digest, Week.parse(written)) if digest else None
    if digest is None or reading is None:
        return None
    where = reading.filters.store or reading.filters.node
    name = where.name if where else settings.CHAIN_NAME
    overview = list(tables.overview_lines(reading))
    lines = [
        *overview,
        *tables.store_lines(reading),
        *tables.topic_lines(reading),
        *(line for line in tables.loop_lines(reading) if line.table != "loop"),
    ]
    subject = gettext("%(place)s: figures up to week %(week)s") % {"place": name, "week": reading.week.number}
    context = {
        "subject": subject,
        "dates": reading.period.dates,
        "ways": [line for line in overview if line.table == "ways"],
        "chain_name": settings.CHAIN_NAME,
        "url": settings.PUBLIC_URL + _page_of(reading),
        "digests_url": settings.PUBLIC_URL + reverse("digests"),
    }
    file = f"figures-{reading.week}"
    return Rendered(
        subject,
        render_to_string("reports/mail/digest.txt", context),
        render_to_string("reports/mail/digest.html", context),
        attachments=(
            Attachment(f"{file}.pdf", digest_pdf(name, reading, lines), "application/pdf"),
            Attachment(f"{file}.xlsx", figures_workbook(lines), XLSX),
        ),
    )


def _page_of(reading: Reading) -> str:
    """Where somebody who runs this place begins: the screen of a store, the ranking of an area's stores."""
    store, node = reading.filters.store, reading.filters.node
    if store:
        return reverse("store_view", args=[store.code])
    ranked = node is not None and reading.stores.filter(node=node).exists()
    return reverse("report_stores" if ranked else "reports") + reading.filters.query()


def digests_overdue(patience_secs: int) -> int:
    """How many digests have waited for their issue longer than that."""
    return Digest.objects.filter(run_at__lt=from_now(timedelta(seconds=-patience_secs))).count()


register_step("facts", "digests", send_due)
register_watch("digests not sent", PATIENCE_SECS, digests_overdue)
register_renderer(DIGEST, render_digest, title=gettext_lazy("The figures of a place"))
