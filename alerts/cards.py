"""What a case looks like on a page: its clock, its score, the shopper's words and wish, in the store's own time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from alerts.choices import TO_DO, CaseState
from alerts.clock import CLOSED, WALL, StoreHours, hours_of_stores, open_spans
from alerts.models import Case
from alerts.policy import TARGET_MINUTES
from alerts.queries import is_reachable
from sentiment.models import Analysis
from surveys.choices import ContactWish
from surveys.contact_times import ContactTime, hours_of_wish, is_convenient
from surveys.models import Response

# Letters and breaks of words that are shown shortened on a phone.
_LONG, _MANY_LINES = 220, 5


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


@dataclass(frozen=True)
class Countdown:
    """The clock of a case: "running", "closed" (it stands while the store is shut), "overdue", or "stopped".

    `open_spans` are the opening hours from the rendering to the due time; countdown.js works with them, so that the
    number stays right whatever the browser's timers do.
    """

    state: str
    due_at: datetime
    minutes: int
    spans: tuple[tuple[datetime, datetime], ...]
    left: timedelta
    due: str

    @property
    def due_ms(self) -> int:
        return _ms(self.due_at)

    @property
    def open_spans(self) -> str:
        return " ".join(f"{_ms(opens)}-{_ms(closes)}" for opens, closes in self.spans)

    @property
    def number(self) -> str:
        """The same number that countdown.js will show a moment later."""
        seconds = int(self.left.total_seconds())
        sign = "−" if self.state == "overdue" else ""
        if seconds < 6000:
            return f"{sign}{seconds // 60}:{seconds % 60:02d}"
        hours = seconds // 3600
        unit, many = (self.in_hours, hours) if hours < 48 else (self.in_days, hours // 24)
        return sign + unit.replace("#", str(many))

    @property
    def in_hours(self) -> str:
        """How a number of hours is written here, # for the number."""
        return _("%(n)s h") % {"n": "#"}

    @property
    def in_days(self) -> str:
        """How a number of days is written here, # for the number."""
        return _("%(n)s d") % {"n": "#"}

    @property
    def dashes(self) -> str:
        """How much of the ring is left, out of 100."""
        if self.state != "running":
            return "none"
        return f"{min(100.0, self.left.total_seconds() / (self.minutes * 60) * 100):.2f} 100"

    @cached_property
    def texts(self) -> dict[str, str]:
        """What is said beside the ring in each state that the clock can reach while the page is open."""
        return {
            "running": _("due %(time)s") % {"time": self.due},
            "overdue": _("overdue since %(time)s") % {"time": self.due},
            "closed": _("store closed, due %(time)s") % {"time": self.due},
        }

    @property
    def text(self) -> str:
        return self.texts.get(self.state, "")


def local_moment(at: datetime, zone: ZoneInfo, now: datetime, *, dated: bool = False) -> str:
    """`14:32` today, `Mon 09:20` within a week unless `dated`, `12 Nov 09:20` otherwise, in the store's zone."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    clock = f"{local:%H:%M}"
    if local.date() == today:
        return clock
    if not dated and abs((local.date() - today).days) < 7:
        return f"{formats.date_format(local, 'D')} {clock}"
    return f"{formats.date_format(local, 'j M')} {clock}"


def countdown_of(case: Case, hours: StoreHours, now: datetime) -> Countdown:
    """The state of a case's clock at `now`. It runs until contact, or the action that stands in for it."""
    minutes = int(case.policy.get("target", TARGET_MINUTES))
    due = local_moment(case.due_at, hours.zone, now)
    stopped: bool = getattr(case, "stopped", case.state == CaseState.CONTACTED)
    if case.state not in TO_DO or stopped:
        return Countdown("stopped", case.due_at, minutes, (), timedelta(), due)
    if now >= case.due_at:
        return Countdown("overdue", case.due_at, minutes, (), now - case.due_at, due)
    # A store that is closed for weeks has a clock that runs at once, as has what is urgent, see alerts.clock.
    runs_at_once = case.hours_basis in (CLOSED, WALL)
    spans = ((now.astimezone(UTC), case.due_at),) if runs_at_once else tuple(open_spans(hours, now, case.due_at))
    left = sum((closes - opens for opens, closes in spans), timedelta())
    is_open = bool(spans) and spans[0][0] <= now
    return Countdown("running" if is_open else "closed", case.due_at, minutes, spans, left, due)


@dataclass(frozen=True)
class Words:
    """One verbatim as it may be shown to the people of its case; `reading` is None until it was analysed."""

    text: str
    language: str
    reading: Analysis | None

    @property
    def is_long(self) -> bool:
        """Whether it would push the ways to answer off a phone's screen."""
        return len(self.text) > _LONG or self.text.count("\n") > _MANY_LINES


def words_of(response: Response) -> list[Words]:
    """The verbatims of a response whose `verbatims__analysis` is prefetched."""
    found = []
    for verbatim in sorted(response.verbatims.all(), key=lambda one: one.pk):
        analysis: Analysis | None = getattr(verbatim, "analysis", None)
        reading = analysis if analysis is not None and analysis.analysed_at else None
        language = reading.language if reading and reading.language else response.language
        if verbatim.text:
            found.append(Words(verbatim.text, language, reading))
    return found


def reach_of(case: Case) -> Response | None:
    """The response whose contact may be used: the case's own. What was added bears the same address, and whoever took
    that back once is not written to after all."""
    return case.response if is_reachable(case.response) else None


@dataclass(frozen=True)
class Card:
    """A case with everything its pages show."""

    case: Case
    countdown: Countdown
    words: list[Words]
    zone: ZoneInfo
    now: datetime

    @property
    def response(self) -> Response:
        return self.case.response

    @property
    def here(self) -> str:
        """Where the shopper still is, in words; empty when they have left."""
        if not self.response.still_here or self.case.state not in TO_DO:
            return ""
        spot = self.response.touchpoint
        return (spot.name or spot.get_kind_display()) if spot else self.case.store.name

    @property
    def wish(self) -> str:
        """How the shopper wants to hear from us."""
        if not is_reachable(self.response):
            return _("no contact wished: fix it")
        way = {
            ContactWish.CALL: _("wants a call"),
            ContactWish.TEXT: _("wants a text message"),
            ContactWish.EMAIL: _("wants an e-mail"),
        }.get(ContactWish(self.response.contact_wish), "")
        when = "" if self.response.contact_when == ContactTime.ANY else self.response.get_contact_when_display()
        tongue = dict(settings.LANGUAGES).get(self.response.contact_language, "")
        return ", ".join(filter(None, (way, when, tongue)))

    @property
    def convenient(self) -> str:
        """When the shopper wants to be reached, by the store's clock; empty when that does not matter."""
        hours = hours_of_wish(self.response.contact_when) if is_reachable(self.response) else None
        if hours is None:
            return ""
        return f"{self.response.get_contact_when_display()}, {hours[0]}:00–{hours[1]}:00"

    @property
    def is_convenient(self) -> bool:
        """Whether it is that time now."""
        return is_convenient(self.response.contact_when, self.now.astimezone(self.zone))

    @property
    def clock(self) -> str:
        """What the store's clock says now."""
        return formats.date_format(self.now.astimezone(self.zone), "H:i")

    @property
    def tongue(self) -> str:
        """The code of the language in which the shopper wants to be answered; empty when they did not say."""
        return self.response.contact_language if is_reachable(self.response) else ""

    @property
    def came_at(self) -> str:
        return local_moment(self.response.submitted_at, self.zone, self.now)


def cards_of(cases: Collection[Case], now: datetime | None = None) -> list[Card]:
    """Cards of cases that `with_everything` prepared, in a fixed number of queries."""
    now = now or timezone.now()
    hours = hours_of_stores({case.store for case in cases})
    return [
        Card(
            case=case,
            countdown=countdown_of(case, hours[case.store_id], now),
            words=words_of(case.response),
            zone=hours[case.store_id].zone,
            now=now,
        )
        for case in cases
    ]
