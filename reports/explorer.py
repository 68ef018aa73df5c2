"""The explorer of verbatims: what a reader chose, the rows that leaves, and a page of them.

Every choice is in the address, so that each combination is a link.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import or_
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from alerts.choices import TO_DO, CaseState
from alerts.models import RootCause
from reports.call_cells import NAMELESS
from reports.explorer_rows import BANDS, fold
from reports.filters import POOLED, Filters, Scope, find_store
from reports.loop_cases import PARTS, cases_in
from reports.models import ExplorerRow
from reports.periods import Days, Period, Week, within_reason
from reports.recovering import scored_again
from reports.wordforms import spelled_out, ways_of
from sentiment.labels import (
    SENTIMENT_LABELS,
    TOPIC_LABELS,
    URGENCY_LABELS,
    language_name,
    sentiment_label,
    topic_label,
    urgency_label,
)
from stores.choices import TouchpointKind
from stores.models import Node, Store
from surveys.choices import Mark, QuestionKind, ResponseChannel, SampleKind
from surveys.counting import NO_ANSWERS, left_out
from surveys.models import Verbatim
from surveys.queries import BY_A_PHONE

WEEKS = (1, 4, 13, 26, 52)
DEFAULT_WEEKS = 13
# The longest quarter.
MOST_DAYS = 92
# Words are looked through a quarter at a time, the newest first (and what time zones add to it); after so long no
# further quarter is begun.
_STEP, _PATIENCE_SECS = timedelta(weeks=14), 0.7
PER_PAGE = 25
# Beyond this it is said that there are more, not how many.
MOST_COUNTED = 1000
_LONGEST_SEARCH, _MOST_TERMS = 100, 8
_LONGEST_NAME = 60
# Shorter ones are looked for at the beginning of words only: "ring" is not "during", "schlange" is "Warteschlange".
_ANYWHERE_FROM = 5
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_NUMBER = re.compile(r"[0-9]{1,18}")
_TERM = re.compile(r'"([^"]*)"|(\S+)')
# Scripts that write words after spaces and inflect at their end.
_BY_WORD = re.compile(r"[\u0000-\u052f\u1e00-\u1fff]*")
ANY = "any"


@dataclass(frozen=True)
class Search:
    """What was chosen; an empty choice leaves everything.

    `tone` is what is said of the chosen topic, whatever of all else; `urgency` is a kind or ANY; `case` is "yes",
    "no" or one of CASE_STATES, and `cause` its root cause; `loop` is the number of the closed loop that the case is
    in; `code` is the kind of touchpoint whose code was scanned; `question` is the one to which a score was given
    that counts in its figures, or bears the chosen `mark`; `queue` and `agent` are of the call that was asked
    about, NAMELESS where telephony told none; `days` stand for the weeks where a figure is of other days than whole
    weeks; `before` is where the page begins, after the last row of the one before it. Of who scored `again` the
    period is when they did.
    """

    last_week: Week
    this_week: Week
    q: str = ""
    node: Node | None = None
    store: Store | None = None
    weeks: int = DEFAULT_WEEKS
    days: Days | None = None
    channel: str = ""
    sample: str = ""
    band: str = ""
    sentiment: str = ""
    topic: str = ""
    tone: str = ""
    urgency: str = ""
    language: str = ""
    unsure: bool = False
    corrected: bool = False
    again: bool = False
    case: str = ""
    loop: str = ""
    cause: RootCause | None = None
    mark: str = ""
    code: str = ""
    question: str = ""
    queue: str = ""
    agent: str = ""
    before: tuple[datetime, int] | None = field(default=None, compare=False)
    # Whether something in the address made no sense and counts as not chosen.
    is_odd: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if not self.topic:
            # Of no topic there is nothing to be said.
            object.__setattr__(self, "tone", "")

    @property
    def period(self) -> Period | Days:
        return self.days or Period(self.last_week, self.weeks)

    @property
    def of_words(self) -> bool:
        """Whether something was chosen that only words have."""
        chosen = (self.q, self.sentiment, self.topic, self.urgency, self.language, self.unsure, self.corrected)
        return any(chosen)

    @property
    def since(self) -> date | None:
        """How old answers may be that are not of the period's days; None where all are."""
        return date.min if self.again else None

    def query(self) -> str:
        """The address after the question mark; what is at its default is left out."""
        chosen: dict[str, Any] = {
            "q": self.q,
            "node": self.node.pk if self.node else "",
            "store": self.store.code if self.store else "",
            **self._when,
            **{name: getattr(self, name) for name in _PLAIN},
            "cause": self.cause.pk if self.cause else "",
            "queue": self.queue,
            "agent": self.agent,
            "unsure": "1" if self.unsure else "",
            "corrected": "1" if self.corrected else "",
            "again": "1" if self.again else "",
            "before": cursor_of(*self.before) if self.before else "",
        }
        return "?" + urlencode({key: str(value) for key, value in chosen.items() if value})

    @property
    def _when(self) -> dict[str, Any]:
        if self.days:
            return {"from": self.days.start, "to": self.days.end}
        return {
            "weeks": self.weeks if self.weeks != DEFAULT_WEEKS else "",
            "until": self.last_week if self.last_week != self.this_week else "",
        }

    def but(self, **changes: Any) -> str:
        """The address of the first page of the same search with some choices changed."""
        return replace(self, **({"before": None} | changes)).query()


# What may have become of the case, by the word that stands for it in an address.
CASE_STATES: dict[str, tuple[CaseState, ...]] = {
    "todo": TO_DO,
    **{state.value: (state,) for state in CaseState if state not in TO_DO},
}
# Those that an answer may bear and still be found here.
MARKS = {mark.value: mark.label for mark in Mark if mark not in NO_ANSWERS}
_CHOICES = {
    "channel": set(ResponseChannel.values),
    "sample": set(SampleKind.values),
    "band": set(BANDS),
    "sentiment": set(SENTIMENT_LABELS),
    "topic": set(TOPIC_LABELS),
    "tone": set(SENTIMENT_LABELS),
    "urgency": {*URGENCY_LABELS, ANY},
    "language": set(settings.VERBATIM_LANGUAGES),
    "case": {"yes", "no", *CASE_STATES},
    "loop": set(PARTS),
    "mark": set(MARKS),
    "code": set(TouchpointKind.values),
    "question": set(QuestionKind.values),
}
_PLAIN = tuple(_CHOICES)
_TICKS = ("unsure", "corrected", "again")


def read_search(request: HttpRequest, scope: Scope, this_week: Week) -> Search:
    """Raises Http404 for a node or store outside the scope; any other senseless value counts as not chosen."""
    chosen = request.GET
    node = store = None
    if code := chosen.get("store", ""):
        store = find_store(scope.stores, code)
        if store is None:
            raise Http404
    elif number := chosen.get("node", ""):
        node = scope.nodes.filter(pk=number).first() if _NUMBER.fullmatch(number) else None
        if node is None:
            raise Http404
    sent = {name: chosen.get(name, "") for name in (*_PLAIN, "weeks", "until", "from", "to", "cause", "before")}
    until, days = _week(sent["until"]), _days(sent["from"], sent["to"])
    cause = RootCause.objects.filter(pk=sent["cause"]).first() if _NUMBER.fullmatch(sent["cause"]) else None
    before = _read_cursor(sent["before"])
    plain = {name: sent[name] for name in _PLAIN if sent[name] in _CHOICES[name]}
    weeks = int(sent["weeks"]) if sent["weeks"] in {str(number) for number in WEEKS} else None
    made = plain | {"weeks": weeks, "until": until, "from": days, "to": days, "cause": cause, "before": before}
    return Search(
        last_week=min(until or this_week, this_week),
        this_week=this_week,
        q=" ".join(chosen.get("q", "").split())[:_LONGEST_SEARCH],
        node=node,
        store=store,
        weeks=weeks or DEFAULT_WEEKS,
        days=None if sent["weeks"] else days,
        **plain,
        cause=cause,
        queue=chosen.get("queue", "")[:_LONGEST_NAME],
        agent=chosen.get("agent", "")[:_LONGEST_NAME] if settings.AGENT_FIGURES else "",
        unsure=chosen.get("unsure") == "1",
        corrected=chosen.get("corrected") == "1",
        again=chosen.get("again") == "1",
        before=before,
        is_odd=any(sent[name] and not made.get(name) for name in sent)
        or any(chosen.get(name, "") not in ("", "1") for name in ("unsure", "corrected", "again"))
        or bool(sent["tone"] and not sent["topic"]),
    )


def _week(written: str) -> Week | None:
    try:
        return Week.parse(written)
    except ValueError:
        return None


def _days(first: str, last: str) -> Days | None:
    try:
        found = Days(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        return None
    sensible = within_reason(found.start) and within_reason(found.end)
    return found if sensible and 0 <= (found.end - found.start).days < MOST_DAYS else None


def cursor_of(at: datetime, pk: int) -> str:
    """The place of a row in the order of pages, as it stands in an address."""
    return f"{round(at.timestamp() * 1_000_000)}-{pk}"


def _read_cursor(written: str) -> tuple[datetime, int] | None:
    match = _CURSOR.fullmatch(written)
    if not match:
        return None
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(match[1])), int(match[2])
    except OverflowError:
        return None


# --- reads ----------------------------------------------------------------------------------------------------
def terms_of(q: str) -> list[list[str]]:
    """What the folded words must contain: of each term one of its ways of being written.

    A word stands for those that begin with it, or, if it is long or of a script that joins words, that have it
    anywhere; what is in quotation marks stands for itself, in its order.
    """
    found = []
    for quoted, word in _TERM.findall(q):
        if quoted and fold(quoted).strip():
            found.append(list(dict.fromkeys([fold(quoted), fold(spelled_out(quoted))])))
        else:
            pairs = zip(fold(quoted or word).split(), fold(spelled_out(quoted or word)).split(), strict=False)
            found += [[_part(way) for way in ways_of(plain, out)] for plain, out in pairs]
    return found[:_MOST_TERMS]


def _part(term: str) -> str:
    anywhere = len(term) >= _ANYWHERE_FROM or not _BY_WORD.fullmatch(term)
    return term if anywhere else f" {term}"


def rows_of(search: Search, stores: QuerySet[Store]) -> QuerySet[ExplorerRow]:
    """The rows that a search leaves of those of `stores`, which the reader may see; newest first."""
    period = search.period
    wanted = Q(store__in=stores)
    if search.again:
        cases = scored_again(period.start, period.end).values("case")
        wanted &= Q(verbatim__response__opened_case__in=cases)
    else:
        wanted &= Q(submitted_at__range=_bounds(search), local_day__range=(period.start, period.end))
    for name, column in {
        "channel": "channel",
        "sample": "sample_kind",
        "band": "band",
        "sentiment": "sentiment",
        "language": "language",
    }.items():
        if value := getattr(search, name):
            wanted &= Q(**{column: value})
    if search.topic:
        wanted &= Q(topics__contains=[search.topic])
        if search.tone:
            said = [{"topic": search.topic, "sentiment": search.tone}]
            wanted &= Q(verbatim__analysis__topics__contains=said)
    if search.urgency:
        wanted &= ~Q(urgency=[]) if search.urgency == ANY else Q(urgency__contains=[search.urgency])
    if search.unsure:
        wanted &= Q(unsure=True)
    if search.corrected:
        wanted &= Q(corrected=True)
    if search.case:
        wanted &= Q(has_case=search.case != "no")
    if states := CASE_STATES.get(search.case):
        wanted &= _of_case("state__in", states)
    if search.cause:
        wanted &= Q(has_case=True) & _of_case("root_cause", search.cause)
    if search.loop:
        wanted &= Q(has_case=True) & cases_in(search.loop, "verbatim__response__")
    if search.code:
        wanted &= Q(verbatim__response__touchpoint__kind=search.code, verbatim__response__invitation=None)
    for name in ("queue", "agent"):
        if value := getattr(search, name):
            wanted &= _of_call(name, value)
    if search.question:
        wanted &= Q(verbatim__response__headline_kind=search.question) & ~Q(band="none")
        if not search.mark:
            wanted &= ~left_out("verbatim__response__") & ~Q(verbatim__question=BY_A_PHONE)
    if search.mark:
        wanted &= Q(verbatim__response__flags__contains=[search.mark])
    terms = terms_of(search.q)
    for ways in terms:
        wanted &= reduce(or_, (Q(folded__contains=way) for way in ways))
    if search.q and not terms:
        # Signs alone, like an emoji, are in no folded words.
        wanted &= Q(verbatim__text__contains=search.q)
    return ExplorerRow.objects.filter(wanted).order_by("-submitted_at", "-verbatim")


def _bounds(search: Search) -> tuple[datetime, datetime]:
    """The first and last moment of the period anywhere: a store's day begins and ends within a day of UTC's."""
    start, end = (datetime.combine(day, time.min, UTC) for day in (search.period.start, search.period.end))
    return start - timedelta(days=1), end + timedelta(days=2)


def _of_case(what: str, value: object) -> Q:
    """What holds of the case that the words opened, or were added to."""
    opened, joined = (f"verbatim__response__{name}__{what}" for name in ("opened_case", "appended_to__case"))
    return Q(**{opened: value}) | Q(**{joined: value})


def _of_call(what: str, value: str) -> Q:
    """Answers to calls of a queue or agent; the explorer's rows themselves tell the channel."""
    names = [NAMELESS, ""] if value == NAMELESS else [value]
    return Q(channel=ResponseChannel.CALL, **{f"verbatim__response__invitation__call__{what}__in": names})


@dataclass(frozen=True)
class Found:
    """A page of a search. `count` is of the whole search and at most MOST_COUNTED; `more` says that there are more.

    None on all pages but the first, for counting reads everything once more. `since` is the day down to which was
    looked where the time was up before the period was through: what is older begins at `older`.
    """

    verbatims: list[Verbatim]
    count: int | None
    more: bool
    older: str
    newest: str
    since: date | None = None


def find(search: Search, stores: QuerySet[Store]) -> Found:
    """The page that the search begins at."""
    wanted = MOST_COUNTED if search.before is None else PER_PAGE
    places, reached = _look(search, rows_of(search, stores), wanted + 1)
    page = places[:PER_PAGE]
    goes_on = page[-1] if len(places) > len(page) else (reached, 0) if reached else None
    return Found(
        verbatims=_verbatims([pk for _at, pk in page]),
        count=None if search.before else min(len(places), MOST_COUNTED),
        more=len(places) > MOST_COUNTED,
        older=replace(search, before=goes_on).query() if goes_on else "",
        newest=search.but() if search.before else "",
        since=reached.date() if reached else None,
    )


def _look(
    search: Search, rows: QuerySet[ExplorerRow], wanted: int
) -> tuple[list[tuple[datetime, int]], datetime | None]:
    """The places of the newest `wanted` rows from where the page begins, and, where the time was up before there were
    so many, since when all were looked at."""
    if search.before is not None:
        at, pk = search.before
        rows = rows.filter(Q(submitted_at__lt=at) | Q(submitted_at=at, verbatim__lt=pk), submitted_at__lte=at)
    places = rows.values_list("submitted_at", "verbatim_id")
    if search.again:
        return list(places[:wanted]), None
    first, end = _bounds(search)
    if search.before is not None:
        end = min(end, search.before[0] + timedelta(microseconds=1))
    found: list[tuple[datetime, int]] = []
    give_up = monotonic() + _PATIENCE_SECS
    while len(found) < wanted and first < end:
        begin = max(first, end - _STEP)
        found += places.filter(submitted_at__gte=begin, submitted_at__lt=end)[: wanted - len(found)]
        end = begin
        if monotonic() > give_up:
            break
    return found, end if len(found) < wanted and first < end else None


def newest(filters: Filters, stores: QuerySet[Store], week: Week, *, limit: int = 6) -> list[Verbatim]:
    """The latest words up to a week that a reader's choice of reports leaves, of as many weeks as are read at once."""
    search = Search(
        last_week=week,
        this_week=week,
        channel=filters.channel,
        sample="" if filters.sample == POOLED else filters.sample,
    )
    found = _shown().filter(pk__in=rows_of(search, stores).values("verbatim")[:limit])
    return list(found.order_by("-response__submitted_at", "-pk"))


def _verbatims(ids: list[int]) -> list[Verbatim]:
    found = _shown().in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def _shown() -> QuerySet[Verbatim]:
    """Words with all that is shown beside them."""
    related = ("response__store", "response__opened_case", "response__appended_to__case", "analysis")
    return Verbatim.objects.select_related(*related).exclude(text="")


def case_choices() -> list[tuple[str, str]]:
    """What may be said of a case, with its words."""
    return [
        ("yes", _("With a case")),
        ("no", _("Without a case")),
        ("todo", _("Case to do")),
        *((state.value, str(state.label)) for state in CaseState if state not in TO_DO),
    ]


def said_name(name: str) -> str:
    """The name of a queue or agent for reading."""
    return _("not named") if name in ("", NAMELESS) else name


@dataclass(frozen=True)
class Chip:
    """A choice that holds, and the address of the search without it."""

    label: str
    without: str


def chips_of(search: Search) -> list[Chip]:
    """The choices that hold, in words."""
    labels = {
        "q": f"“{search.q}”",
        "node": search.node.name if search.node else "",
        "store": search.store.name if search.store else "",
        "channel": str(dict(ResponseChannel.choices).get(search.channel, "")),
        "sample": str(dict(SampleKind.choices).get(search.sample, "")),
        "band": str(BANDS.get(search.band, "")),
        "sentiment": sentiment_label(search.sentiment),
        "topic": topic_label(search.topic),
        "tone": _("About the topic: %(sentiment)s") % {"sentiment": sentiment_label(search.tone)},
        "urgency": _("Urgent") if search.urgency == ANY else urgency_label(search.urgency),
        "language": language_name(search.language) if search.language else "",
        "unsure": _("Model unsure"),
        "corrected": _("Corrected by a person"),
        "again": _("Scored again"),
        "case": dict(case_choices()).get(search.case, ""),
        "loop": str(PARTS.get(search.loop, "")),
        "cause": str(search.cause) if search.cause else "",
        "mark": str(MARKS.get(search.mark, "")),
        "code": str(TouchpointKind(search.code).label) if search.code else "",
        "question": str(QuestionKind(search.question).label) if search.question else "",
        "queue": _("Queue: %(name)s") % {"name": said_name(search.queue)},
        "agent": _("Agent: %(name)s") % {"name": said_name(search.agent)},
        "days": search.days.dates if search.days else "",
    }
    empty = {"days": None, "node": None, "store": None, "cause": None, **dict.fromkeys(_TICKS, False)}
    return [
        Chip(label, search.but(**{name: empty.get(name, "")}))
        for name, label in labels.items()
        if getattr(search, name)
    ]
