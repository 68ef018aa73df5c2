"""The words of this room's messages, written when they are sent, in the recipient's language.

Mail leaves the house, so that staff are sent redacted words; the full text is behind the sign-in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alerts.choices import TO_DO, CaseState, EntryKind, EventKind, Severity
from alerts.clock import HORIZON, hours_of, open_spans
from alerts.models import Case, CaseEntry, Verification
from alerts.notices import CASE_ANSWER, CASE_ESCALATED, CASE_NOTICE, CASE_UPDATE, VERIFICATION
from alerts.queries import is_reachable
from alerts.urgent_kinds import urgency_name
from messaging.choices import BUZZING, Channel
from messaging.models import Message
from messaging.outbox import Rendered, register_renderer
from messaging.quiet import day_for_all, zones_of
from sentiment.queries import names_of_staff
from sentiment.redaction import redact
from surveys.choices import SCORE_RANGE, QuestionKind
from surveys.models import Response, Verbatim

_SMS_WORDS = 90
_AWAKE = timedelta(hours=1)


@dataclass(frozen=True)
class _Notice:
    """What the templates of staff mail are given."""

    case: Case
    headline: str
    lead: str
    store: str
    score: str
    words: list[str]
    clock: str
    due: str
    wish: str
    url: str
    severe: bool
    news: "_News | None"


@dataclass(frozen=True)
class _News:
    """What the shopper has said since: as a mark of the subject, as a sentence, and the words, redacted."""

    mark: str
    sentence: str
    words: str


def _score(response: Response) -> str:
    if response.score is None:
        return _("no score")
    most = SCORE_RANGE[QuestionKind(response.headline_kind)][1]
    return f"{response.score}/{most}"


def _clock(case: Case, now: datetime) -> str:
    """How much of the thirty minutes is left, in minutes that the wall clock counts."""
    if case.state not in (CaseState.OPEN, CaseState.ACKNOWLEDGED):
        return str(case.get_state_display())
    left = ceil((case.due_at - now).total_seconds() / 60)
    if left > 0:
        if left > 120:
            return _("due %(time)s") % {"time": _local(case)}
        return ngettext("%(n)d min left", "%(n)d min left", left) % {"n": left}
    return ngettext("%(n)d min overdue", "%(n)d min overdue", -left) % {"n": -left}


def _local(case: Case) -> str:
    """The deadline on the store's own clock."""
    return date_format(case.due_at.astimezone(ZoneInfo(case.store.time_zone)), "SHORT_DATETIME_FORMAT")


def redacted_words(responses: list[Response]) -> list[str]:
    """The shoppers' words without names and numbers: as read by the model, or redacted here when it has not yet."""
    verbatims = list(
        Verbatim.objects.filter(response__in=responses).select_related("analysis").order_by("created_at", "pk")
    )
    by_id = {response.pk: response for response in responses}
    staff: list[str] | None = None
    words = []
    for verbatim in verbatims:
        analysis = getattr(verbatim, "analysis", None)
        if analysis is not None and analysis.analysed_at and analysis.redacted:
            words.append(analysis.redacted)
        elif verbatim.text.strip():
            store = by_id[verbatim.response_id].store
            staff = names_of_staff([store])[store.pk] if staff is None else staff
            words.append(redact(verbatim.text, languages=[by_id[verbatim.response_id].language], staff_names=staff))
    return words


def _reply(message: Message, case: Case) -> _News | None:
    """What the shopper wrote, of a notice that tells of that; None of any other."""
    about, _colon, rest = message.dedup_key.partition(":")
    entry = case.entries.filter(pk=rest.partition(":")[0]).first() if about == "reply" else None
    return _News(_("The shopper has written"), _("The shopper has written:"), _words_of(entry, case)) if entry else None


def _words_of(entry: CaseEntry | None, case: Case) -> str:
    if entry is None or not entry.text:
        return ""
    staff = names_of_staff([case.store])[case.store_id]
    return redact(entry.text, languages=[case.response.language], staff_names=staff)


def _reopening(case: Case) -> _News | None:
    """The last time that the shopper said No; None of a case that was never reopened."""
    event = case.events.filter(kind=EventKind.REOPENED).order_by("-pk").first() if case.round else None
    if event is None:
        return None
    contacted = {
        True: _("They say that they were contacted."),
        False: _("They say that they were not contacted."),
    }.get(event.new.get("contacted"), "")
    mark = _("Reopened: the shopper says it is not solved")
    entry = case.entries.filter(pk=event.new.get("words", 0)).first()
    return _News(mark, f"{mark}. {contacted}".strip(), _words_of(entry, case))


def _case(message: Message) -> Case | None:
    return (
        Case.objects.select_related("store__node", "response__contact", "response__store__node", "response__touchpoint")
        .filter(pk=message.subject_id)
        .first()
    )


def _headline(case: Case) -> str:
    """What leads the notice: the urgency that was named, or that it is severe."""
    if case.urgency:
        return f"{_('Urgent')}: {', '.join(urgency_name(kind) for kind in case.urgency)}"
    return _("Severe") if case.severity == Severity.SEVERE else ""


def _notice(case: Case, message: Message) -> _Notice:
    response = case.response
    further = list(Response.objects.filter(appended_to__case=case).select_related("store__node").order_by("pk"))
    lead = ""
    if response.still_here and not case.round:
        spot = response.touchpoint.name or response.touchpoint.get_kind_display() if response.touchpoint else ""
        lead = (
            _("Still in the store, at: %(spot)s. May someone come?") % {"spot": spot}
            if spot
            else _("Still in the store. May someone come?")
        )
    return _Notice(
        case=case,
        headline=_headline(case),
        lead=lead,
        store=case.store.name,
        score=_score(response),
        words=redacted_words([response, *further]),
        clock=_clock(case, timezone.now()),
        due=_local(case),
        wish=response.get_contact_wish_display() if is_reachable(response) else "",
        url=settings.PUBLIC_URL + reverse("case", args=[case.pk]),
        severe=case.severity == Severity.SEVERE,
        news=_reply(message, case) or (_reopening(case) if case.state in TO_DO else None),
    )


def _to_staff(message: Message, opening: str, *, kind: str) -> Rendered | None:
    case = _case(message)
    if case is None or (case.state not in TO_DO and kind != CASE_UPDATE):
        return None
    notice = _notice(case, message)
    news = notice.news
    marks = [
        news.mark if news else "",
        notice.headline,
        _("still here") if notice.lead else "",
        notice.score,
        notice.store,
        notice.clock,
    ]
    subject = " · ".join(mark for mark in marks if mark)
    said = [news.words, *notice.words] if news else notice.words
    if message.channel == Channel.SMS:
        words = Truncator(" ".join(" ".join(said).split())).chars(_SMS_WORDS)
        return Rendered("", " ".join(part for part in (f"{subject}.", notice.lead, words, notice.url) if part))
    if message.channel in (Channel.PUSH, Channel.CHAT):
        return Rendered(subject, "\n".join(part for part in (notice.lead, *said, notice.wish) if part), url=notice.url)
    if news:
        opening = news.sentence if kind == CASE_NOTICE else f"{opening} {news.sentence}"
    context = {"notice": notice, "opening": opening, "chain_name": settings.CHAIN_NAME}
    return Rendered(
        subject,
        render_to_string("alerts/mail/case_notice.txt", context),
        render_to_string("alerts/mail/case_notice.html", context),
    )


def render_notice(message: Message) -> Rendered | None:
    """The first notice: cancelled when the case is closed before it could be sent."""
    return _to_staff(message, _("A shopper is unhappy and waits for you."), kind=CASE_NOTICE)


def render_escalated(message: Message) -> Rendered | None:
    """A later step of the ladder."""
    return _to_staff(message, _("Nobody has taken care of this shopper yet."), kind=CASE_ESCALATED)


def render_update(message: Message) -> Rendered | None:
    """Something new in a case that is known: another response, graver words, the shopper's reply."""
    return _to_staff(message, _("There is something new in this case."), kind=CASE_UPDATE)


def _to_shopper(response: Response, template: str, subject: str, short: str, channel: str) -> Rendered | None:
    if not is_reachable(response):
        return None
    url = settings.PUBLIC_URL + reverse("shopper_case", args=[response.token])
    if channel == Channel.SMS:
        return Rendered("", f"{short} {url}")
    context = {"store": response.store.name, "chain_name": settings.CHAIN_NAME, "url": url, "subject": subject}
    return Rendered(
        subject,
        render_to_string(f"alerts/mail/{template}.txt", context),
        render_to_string(f"alerts/mail/{template}.html", context),
    )


def render_answer(message: Message) -> Rendered | None:
    """Tells the shopper that there is an answer; the answer itself is on their page."""
    entry = (
        CaseEntry.objects.select_related("case__response__contact", "case__response__store")
        .filter(pk=message.subject_id)
        .first()
    )
    if entry is None or not entry.text:
        return None
    response = entry.case.response
    store = {"store": response.store.name}
    return _to_shopper(
        response,
        "case_answer",
        _("%(store)s has answered you") % store,
        _("%(store)s has answered your feedback:") % store,
        message.channel,
    )


def render_verification(message: Message) -> Rendered | None:
    """The two questions; the link leads to them and answers nothing by itself."""
    verification = (
        Verification.objects.select_related("case__response__contact", "case__response__store")
        .filter(pk=message.subject_id)
        .first()
    )
    if verification is None or verification.answered_at or verification.case.state != CaseState.RESOLVED:
        return None
    response = verification.case.response
    store = {"store": response.store.name}
    return _to_shopper(
        response,
        "verification",
        _("Two questions from %(store)s") % store,
        _("%(store)s: did we contact you, and was it solved? Please tell us:") % store,
        message.channel,
    )


# --- when ---------------------------------------------------------------------------------------------------------
def while_closed(message: Message) -> datetime | None:
    """Nobody's phone buzzes while their store is closed, unless it is severe; the clock stands still as well."""
    if message.channel not in BUZZING or message.priority == 0:
        return None
    case = _case(message)
    if case is None or case.severity == Severity.SEVERE:
        return None
    now = timezone.now()
    opening = next(open_spans(hours_of(case.store), now, now + HORIZON), None)
    return opening[0] if opening and opening[0] > now else None


def _at_night(response: Response, message: Message) -> datetime | None:
    if message.channel != Channel.SMS:
        return None
    number = (message.contact.value if message.contact else "") or ""
    return day_for_all(timezone.now(), zones_of(number, response.store))


def answer_at_night(message: Message) -> datetime | None:
    """Whoever has written within the hour is awake and waits for the answer."""
    entry = CaseEntry.objects.select_related("case__response__store").filter(pk=message.subject_id).first()
    if entry is None:
        return None
    lately = timezone.now() - _AWAKE
    written = entry.case.entries.filter(kind=EntryKind.SHOPPER, created_at__gt=lately).exists()
    if written or entry.case.response.submitted_at > lately:
        return None
    return _at_night(entry.case.response, message)


def question_at_night(message: Message) -> datetime | None:
    """The two questions wait for the morning."""
    asked = Verification.objects.select_related("case__response__store").filter(pk=message.subject_id).first()
    return _at_night(asked.case.response, message) if asked else None


register_renderer(CASE_NOTICE, render_notice, title=gettext_lazy("New case"), gate=while_closed)
register_renderer(CASE_ESCALATED, render_escalated, title=gettext_lazy("Escalated case"), gate=while_closed)
register_renderer(CASE_UPDATE, render_update, title=gettext_lazy("News of a case"), gate=while_closed)
register_renderer(CASE_ANSWER, render_answer, title=gettext_lazy("Answer to a shopper"), gate=answer_at_night)
register_renderer(VERIFICATION, render_verification, title=gettext_lazy("Was it solved?"), gate=question_at_night)
