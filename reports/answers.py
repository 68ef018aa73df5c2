"""Answers as rows of a file: of the weeks and places of a report, or of a search for words."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Func, Q, QuerySet, TextField
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from alerts.choices import CaseState
from alerts.models import Case
from core.spreadsheets import Value
from reports.explorer import Search, rows_of
from reports.filters import POOLED, Filters, Scope, selected_stores
from reports.periods import Days, Period, Week
from sentiment.labels import language_name, sentiment_label, topic_label, urgency_label
from stores.models import Node, Store
from surveys.choices import ContactWish, Mark, QuestionKind, ResponseChannel, SampleKind
from surveys.counting import marks_left_out, no_answer
from surveys.models import Response, Verbatim

Row = Mapping[str, Any]
Place = tuple[datetime, Any]
BATCH = 4000

# What people read above the columns, by the key that programs read.
COLUMNS: dict[str, str | Promise] = {
    "answer": _("Answer"),
    "at": _("Time at the store"),
    "day": _("Day"),
    "week": _("Week"),
    "store": _("Code"),
    "store_name": _("Store"),
    "region": _("Region"),
    "channel": _("Channel"),
    "sample": _("Sample"),
    "question": _("Question"),
    "score": _("Score"),
    "counted": _("In the figures"),
    "marks": _("Marks"),
    "language": _("Language"),
    "words": _("Comment"),
    "sentiment": _("Tone"),
    "topics": _("Topics"),
    "urgency": _("Urgency"),
    "case": _("Case"),
}
# In a file only if asked for: the words as they were written, and who may be reached how.
PERSONAL: dict[str, str | Promise] = {"name": _("Name"), "wish": _("Contact wish"), "contact": _("Contact")}


@dataclass(frozen=True)
class Part:
    """A place, perhaps one way of asking, in a period. `since`: how old answers may be that are not of its days."""

    filters: Filters
    period: Period | Days
    since: date | None = None

    @property
    def days(self) -> list[str]:
        """Of which days the answers may be, from the first to the last."""
        return [(self.since or self.period.start).isoformat(), self.period.end.isoformat()]

    @property
    def place(self) -> Node | Store | None:
        return self.filters.store or self.filters.node


@dataclass(frozen=True)
class Wanted:
    """Which answers, until when they were sent, and whether names, numbers and contacts stand in the file."""

    answers: QuerySet[Any]
    of_search: bool
    personal: bool

    @property
    def columns(self) -> dict[str, str | Promise]:
        return COLUMNS | PERSONAL if self.personal else COLUMNS

    @cached_property
    def stores(self) -> Mapping[int, "_AtStore"]:
        """Every store by its key: joined to a hundred thousand answers they would take most of the time."""
        found = Store.objects.values_list("pk", "code", "name", "time_zone", "node__name")
        return {pk: _AtStore(code, name, ZoneInfo(zone), region or "") for pk, code, name, zone, region in found}

    def count(self, most: int) -> int:
        """How many there are, `most` at most."""
        return self.answers.values("pk")[:most].count()


def answers_of(scope: Scope, parts: Sequence[Part], *, until: datetime, personal: bool) -> Wanted:
    """Every answer behind a report, once; what counts in no figure is among them and says so."""
    wanted = Q(pk__in=[])
    for filters, period in ((part.filters, part.period) for part in parts):
        here = Q(store__in=selected_stores(scope, filters), local_day__range=(period.start, period.end))
        if filters.channel:
            here &= Q(channel=filters.channel)
        if filters.sample and filters.sample != POOLED:
            here &= Q(sample_kind=filters.sample)
        wanted |= here
    found = Response.objects.filter(wanted, submitted_at__lte=until).exclude(no_answer())
    return Wanted(found.order_by("-submitted_at", "-pk"), of_search=False, personal=personal)


def answers_found(scope: Scope, search: Search, *, until: datetime, personal: bool) -> Wanted:
    """The answers whose words a search finds."""
    stores = selected_stores(scope, Filters(node=search.node, store=search.store))
    return Wanted(rows_of(search, stores).filter(submitted_at__lte=until), of_search=True, personal=personal)


def batch_of(wanted: Wanted, after: Place | None) -> tuple[list[Row], Place | None]:
    """The rows after a place in the order, newest first, and the place to go on from; None at the end."""
    key = "verbatim" if wanted.of_search else "pk"
    page = wanted.answers
    if after:
        at, last = after
        page = page.filter(Q(submitted_at__lt=at) | Q(submitted_at=at, **{f"{key}__lt": last}), submitted_at__lte=at)
    fields = (*_FIELDS, *_PERSONAL_FIELDS) if wanted.personal else _FIELDS
    if not wanted.of_search:
        found = list(page.values_list(*fields)[:BATCH])
        last = found[-1] if len(found) == BATCH else None
        following = (_EPOCH + timedelta(microseconds=last[1]), last[0]) if last else None
        return list(_rows(found, wanted)), following
    places = list(page.values_list("submitted_at", "verbatim_id", _Text("verbatim__response_id"))[:BATCH])
    if more := len(places) == BATCH:
        # What else the last answer says may come next: an answer is one row.
        places = [place for place in places if place[2] != places[-1][2]] or places
    of = {
        row[0]: row
        for row in _among(Response.objects.order_by(), "id", {row[2] for row in places}).values_list(*fields)
    }
    found = [of[pk] for pk in dict.fromkeys(row[2] for row in places) if pk in of]
    return list(_rows(found, wanted)), places[-1][:2] if more else None


def _among(rows: QuerySet[Any], column: str, ids: Collection[str]) -> QuerySet[Any]:
    """Those with one of thousands of ids, which are one text: as many parameters would take longer than the rows."""
    name = f"{rows.model._meta.db_table}.{column}"
    written = f"{{{','.join(ids)}}}"
    return rows.extra(where=[f"{name} = ANY(%s::uuid[])"], params=[written])  # noqa: S610  (our own names)


class _Microseconds(Func):
    """Since 1970: a number is read in a third of the time of a moment, and, without a field, not looked at again."""

    template = "(EXTRACT(EPOCH FROM %(expressions)s) * 1000000)::bigint"


class _Text(Func):
    """A key as it is written: nothing looks into it, and a text is read in a tenth of the time."""

    template = "(%(expressions)s)::text"
    output_field = TextField()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = (
    _Text("pk"), _Microseconds("submitted_at"), "local_day", "store_id", "channel", "sample_kind", "headline_kind",
    "score", "flags", "language",
)  # fmt: skip
_PERSONAL_FIELDS = ("contact_wish", "contact__value")


@dataclass(frozen=True, slots=True)
class _AtStore:
    code: str
    name: str
    zone: ZoneInfo
    region: str


@dataclass(frozen=True, slots=True)
class _OfCase:
    state: str
    shopper: str


def _rows(found: Sequence[Sequence[Any]], wanted: Wanted) -> Iterator[Row]:
    ids = [one[0] for one in found]
    words, cases = _words(ids, personal=wanted.personal), _cases(ids)
    left_out = set(marks_left_out())
    for one in found:
        yield _row(one, wanted.stores[one[3]], cases.get(one[0]), words.get(one[0]), left_out)


def _row(
    one: Sequence[Any], store: _AtStore, case: _OfCase | None, words: list[dict[str, Any]] | None, left_out: set[str]
) -> Row:
    (pk, at, day, _store, channel, sample, question, score, flags, language, *more) = one
    written_day, week = _day(day)
    row = {
        "answer": pk,
        "at": datetime.fromtimestamp(at // 1_000_000, store.zone).isoformat(),
        "day": written_day,
        "week": week,
        "store": store.code,
        "store_name": store.name,
        "region": store.region,
        "channel": channel,
        "sample": sample,
        "question": question,
        "score": score,
        "counted": left_out.isdisjoint(flags),
        "marks": flags,
        "language": language,
        "words": "",
        "sentiment": "",
        "topics": [],
        "urgency": [],
        "case": case.state if case else "",
    }
    if words:
        row |= _together(words, language)
    if more:
        wish, contact = more
        # Whoever reads a case reads whom to answer; an answer without one shows that nowhere, and whoever has taken the
        # permission back is not to be contacted any more.
        contact = "" if wish == ContactWish.NONE else contact or ""
        row |= {"name": case.shopper, "wish": wish, "contact": contact} if case else dict.fromkeys(PERSONAL, "")
    return row


def _together(words: list[dict[str, Any]], language: str) -> dict[str, Any]:
    return {
        "language": next((said["language"] for said in words if said["language"]), language),
        "words": "\n".join(said["words"] for said in words if said["words"]),
        "sentiment": next((said["sentiment"] for said in words if said["sentiment"]), ""),
        "topics": list(dict.fromkeys(topic for said in words for topic in said["topics"])),
        "urgency": list(dict.fromkeys(kind for said in words for kind in said["urgency"])),
    }


@cache
def _day(day: date) -> tuple[str, str]:
    """As it is written, and its week."""
    return day.isoformat(), str(Week.of(day))


def _cases(ids: Sequence[str]) -> Mapping[str, _OfCase]:
    """The case that an answer opened, if any, by the answer."""
    found = _among(Case.objects.order_by(), "response_id", ids).values_list(
        _Text("response_id"), "state", "shopper_name"
    )
    return {pk: _OfCase(state, shopper or "") for pk, state, shopper in found}


def _words(ids: Sequence[str], *, personal: bool) -> Mapping[str, list[dict[str, Any]]]:
    """The words by answer. Without names they are there once they were read: what was not may hold a number."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for pk, text, redacted, read_at, sentiment, topics, urgency, language in (
        _among(Verbatim.objects.exclude(text=""), "response_id", ids)
        .order_by("pk")
        .values_list(
            _Text("response_id"),
            "text",
            "analysis__redacted",
            "analysis__analysed_at",
            "analysis__sentiment",
            "analysis__topics",
            "analysis__urgency",
            "analysis__language",
        )
    ):
        found[pk].append(
            {
                "words": text if personal else redacted if read_at else "",
                "sentiment": sentiment or "",
                "topics": [hit["topic"] for hit in topics or []],
                "urgency": urgency or [],
                "language": language or "",
            }
        )
    return found


# --- for people -----------------------------------------------------------------------------------------------
class Labels:
    """Rows in the words of the language that is active, each word looked up once."""

    def __init__(self, yes: str, no: str) -> None:
        self._say: dict[str, Callable[[Any], Value]] = {key: cache(_said(label)) for key, label in _LABELLED.items()}
        for key in ("marks", "topics", "urgency"):
            self._say[key] = _listed(self._say[key])
        self._say["counted"] = lambda counted: yes if counted else no

    def cells(self, row: Row) -> list[Value]:
        """The cells of a row in the order of its columns."""
        say = self._say
        return [say[key](value) if key in say else value for key, value in row.items()]


def _said(label: Callable[[str], object]) -> Callable[[str], Value]:
    return lambda code: str(label(code)) if code else ""


def _listed(say: Callable[[str], Value]) -> Callable[[Sequence[str]], Value]:
    return lambda codes: ", ".join(str(say(code)) for code in codes) if codes else ""


def _named(choices: Any) -> Any:
    labels = dict(choices.choices)
    return lambda code: str(labels.get(code, code))


_LABELLED: dict[str, Any] = {
    "channel": _named(ResponseChannel),
    "sample": _named(SampleKind),
    "question": _named(QuestionKind),
    "marks": _named(Mark),
    "case": _named(CaseState),
    "wish": _named(ContactWish),
    "language": language_name,
    "sentiment": sentiment_label,
    "topics": topic_label,
    "urgency": urgency_label,
}
