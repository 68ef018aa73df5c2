"""How often each rule cried wolf in a week: cases that people closed as no complaint, beside all that it opened.

Weeks are those of ISO 8601, from Monday to Sunday in UTC; a case counts in the week in which it was opened.
"""

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts.choices import Exemption
from alerts.models import Case
from core.shares import Share
from messaging.choices import Channel
from messaging.models import Message
from messaging.outbox import Rendered, draft, put_all, register_renderer
from messaging.preferences import channels_of
from stores.choices import Role
from stores.models import User
from stores.queries import stores_visible_to

FALSE_ALARMS = "false_alarms"
WEEK = timedelta(days=7)
# A report that nobody could be sent for so long is followed by the next.
_LIFETIME = timedelta(days=3)


@dataclass(frozen=True)
class RuleAlarms:
    """What one rule opened in a week. `false` were no complaints, `outside` were none of ours to help."""

    name: str
    opened: int
    false: int
    outside: int

    @property
    def share(self) -> Share:
        """False alarms of all cases."""
        return Share(self.false, self.opened)

    @property
    def percent(self) -> str:
        """The share with its margin; of fewer than five cases only the numbers speak."""
        share = self.share
        if share.n < 5 or share.value is None:
            return "–"
        return f"{share.value:.0%} ± {share.margin * 100:.0f}"


def week_begin(at: datetime) -> datetime:
    """The Monday of a moment's week, at midnight UTC."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def week_name(begin: datetime) -> str:
    """As in 2026-W47."""
    year, week, _day = begin.isocalendar()
    return f"{year}-W{week:02d}"


def week_of(name: str) -> datetime | None:
    """The Monday of a week by its name; None for what is no week, or none that had cases or will."""
    try:
        begin = datetime.strptime(f"{name}-1", "%G-W%V-%u").replace(tzinfo=UTC)
    except ValueError:
        return None
    # At the ends of the calendar there is no week before or after.
    return begin if MINYEAR + 1 < begin.year < MAXYEAR - 1 else None


def alarms_of(begin: datetime, reader: User) -> list[RuleAlarms]:
    """Each rule that opened a case in the week at the stores of this reader, most false alarms first."""
    cases = Case.objects.filter(
        store__in=stores_visible_to(reader), opened_at__gte=begin, opened_at__lt=begin + WEEK
    ).exclude(rule_name="")
    rows = cases.values("rule_name").annotate(
        opened=Count("pk"),
        false=Count("pk", filter=Q(exemption=Exemption.NOT_COMPLAINT)),
        outside=Count("pk", filter=Q(exemption=Exemption.OUTSIDE)),
    )
    columns = rows.values_list("rule_name", "opened", "false", "outside")
    found = [RuleAlarms(str(_(name)), opened, false, outside) for name, opened, false, outside in columns]
    return sorted(found, key=lambda one: (-one.false, -one.opened, one.name))


def send_weekly() -> int:
    """Tell head office about the week that has ended; sent once, however often this runs. Returns the messages put."""
    now = timezone.now()
    week = week_name(week_begin(now) - WEEK)
    readers = list(User.objects.filter(is_active=True, roles__role=Role.HEAD_OFFICE).distinct())
    plan = channels_of(readers)
    messages = [
        draft(
            FALSE_ALARMS,
            week,
            channel=Channel.EMAIL,
            user=reader,
            dedup_key=f"{FALSE_ALARMS}:{week}:{reader.pk}:{Channel.EMAIL}",
            expires_at=now + _LIFETIME,
        )
        for reader in readers
        if Channel.EMAIL in plan[reader.pk]
    ]
    put_all(messages)
    return len(messages)


def render_weekly(message: Message) -> Rendered | None:
    """The report of a week; cancelled when no rule opened anything."""
    begin = week_of(message.subject_id)
    if begin is None or message.user is None:
        return None
    rules = alarms_of(begin, message.user)
    if not rules:
        return None
    subject = _("False alarms in week %(week)s: %(false)s of %(opened)s cases") % {
        "week": message.subject_id,
        "false": sum(rule.false for rule in rules),
        "opened": sum(rule.opened for rule in rules),
    }
    context = {
        "rules": rules,
        "subject": subject,
        "chain_name": settings.CHAIN_NAME,
        "url": f"{settings.PUBLIC_URL}{reverse('false_alarms')}?week={message.subject_id}",
    }
    return Rendered(
        subject,
        render_to_string("alerts/mail/false_alarms.txt", context),
        render_to_string("alerts/mail/false_alarms.html", context),
    )


register_renderer(FALSE_ALARMS, render_weekly, title=gettext_lazy("False alarms of a week"))
