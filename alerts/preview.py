"""What a rule would have done: run over the answers of the last thirty days and what was read into them.

The database leaves out what surely does not match; what is left is judged by the very code that judges new answers.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from alerts.book import current
from alerts.choices import Trigger
from alerts.models import Case, Rule
from alerts.opening import says_enough
from alerts.rules import Conditions, Facts, first_that_holds, trigger_of
from alerts.urgent_kinds import wholes_of
from sentiment.holding import is_by_service
from sentiment.models import Analysis
from stores.choices import NodeKind
from stores.models import Node, Store, User
from stores.queries import stores_visible_to
from surveys.choices import UNHAPPY_AT_MOST, QuestionKind
from surveys.counting import no_answer
from surveys.models import Response, Verbatim

LOOKS_BACK = timedelta(days=30)
MOST_ANSWERS = 100_000
SAMPLE = 10
_MOST_SECS = 8


@dataclass(frozen=True)
class Example:
    """An answer that the rule would have caught. Hostile text."""

    words: str
    score: int | None
    store: str
    at: datetime
    had_case: bool


@dataclass(frozen=True)
class Preview:
    """`matched` answers; `new` of them have no case today; `earlier` are an earlier rule's to decide about. `regions`
    are the most affected places with their numbers. `cut`: there were more answers than are looked at."""

    looked_at: int
    matched: int
    new: int
    earlier: int
    regions: list[tuple[str, int]]
    examples: list[Example]
    cut: bool


class TooSlow(Exception):
    """The database needed longer than anybody waits for a preview."""


@dataclass(frozen=True)
class _Place:
    above: tuple[int, ...]
    kind: str
    region: str


@dataclass
class _Row:
    """One answer, or one verbatim of one, that is looked at."""

    response: Any
    facts: Facts
    has_case: bool
    region: str
    submitted_at: datetime
    identity: str


def preview_rule(rule: Rule, reader: User, *, now: datetime | None = None) -> Preview:
    """What this rule, saved or not, would have done to the answers of the stores that the reader's roles reach.

    Raises ValidationError for conditions that cannot be read, and TooSlow.
    """
    now = now or timezone.now()
    conditions = rule.parsed
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{_MOST_SECS}s'")
            found = _preview(rule, conditions, reader, now)
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = DEFAULT")
            return found
    except OperationalError as error:
        if "timeout" in str(error):
            raise TooSlow from None
        raise


def _preview(rule: Rule, conditions: Conditions, reader: User, now: datetime) -> Preview:
    places = _places(reader)
    trigger = trigger_of(conditions)
    earlier = _earlier_rules(rule, trigger)
    since = now - LOOKS_BACK
    visible = stores_visible_to(reader)
    looked_at = Response.objects.filter(store__in=visible, submitted_at__gte=since).exclude(no_answer()).count()
    matches = {row.response: row for row in _matching(conditions, trigger, visible, places, since)}
    decided = sum(bool(first_that_holds(earlier, row.facts)) for row in matches.values()) if earlier else 0
    regions = Counter(row.region for row in matches.values())
    return Preview(
        looked_at=min(looked_at, MOST_ANSWERS),
        matched=len(matches),
        new=sum(not row.has_case for row in matches.values()),
        earlier=decided,
        regions=sorted(regions.items(), key=lambda one: (-one[1], one[0])),
        examples=_examples(list(matches.values())),
        cut=looked_at > MOST_ANSWERS,
    )


def _places(reader: User) -> dict[int, _Place]:
    """Each store's places above it, its kind and its region: the nearest node of that kind, or the one above it."""
    nodes = {node.pk: node for node in Node.objects.all()}

    def region(above: list[int]) -> str:
        named = [nodes[pk] for pk in above if pk in nodes]
        found = next((node for node in reversed(named) if node.kind == NodeKind.REGION), named[-1] if named else None)
        return found.name if found else ""

    above = {pk: (tuple(node.above), region(node.above)) for pk, node in nodes.items()}
    rows = stores_visible_to(reader).values_list("pk", "node_id", "kind")
    return {pk: _Place(above[node][0], kind, above[node][1]) for pk, node, kind in rows}


def _earlier_rules(rule: Rule, trigger: Trigger) -> list[Rule]:
    """The active rules that are asked before this one; a new one is asked last."""
    others = [other for other in current().rules_of(trigger) if other.pk != rule.pk]
    return [other for other in others if (other.order, other.pk) < (rule.order, rule.pk)] if rule.pk else others


_OF_RESPONSE = ("headline_kind", "score", "channel", "still_here", "answers", "store_id", "submitted_at")
_OF_READING = (
    "p_negative", "p_neutral", "p_positive", "sentiment", "confident", "alarming", "proven", "urgency",
    "urgency_certain", "topics", "model_version", "language",
)  # fmt: skip


def _matching(
    conditions: Conditions, trigger: Trigger, visible: QuerySet[Store], places: dict[int, _Place], since: datetime
) -> Iterator[_Row]:
    """The newest answers for which the conditions hold."""
    without = replace(conditions, repeat=None)
    rows = _rows_of_words if trigger == Trigger.TEXT else _rows_of_scores
    found = [row for row in rows(conditions, visible, places, since) if without.hold(row.facts)]
    if trigger == Trigger.TEXT:
        found = [row for row in found if says_enough(row.facts.words)]
    if conditions.repeat is None:
        yield from found
        return
    before = _cases_by_identity({row.identity for row in found})
    for row in found:
        days = [
            (row.submitted_at - at) / timedelta(days=1) for of, at in before.get(row.identity, ()) if of != row.response
        ]
        row.facts = replace(row.facts, earlier=tuple(day for day in days if day > 0))
        if conditions.hold(row.facts):
            yield row


def _rows_of_scores(
    conditions: Conditions, visible: QuerySet[Store], places: dict[int, _Place], since: datetime
) -> Iterator[_Row]:
    found = Response.objects.filter(_narrowed(conditions, ""), store__in=visible, submitted_at__gte=since)
    found = found.exclude(no_answer())
    case = ("opened_case__pk", "appended_to__pk", "invitation__contact__value_hash")
    newest = found.order_by("-submitted_at").values_list("pk", *_OF_RESPONSE, *case)[:MOST_ANSWERS]
    for pk, *rest in newest.iterator(chunk_size=5000):
        yield _row(pk, rest, {}, places)


def _rows_of_words(
    conditions: Conditions, visible: QuerySet[Store], places: dict[int, _Place], since: datetime
) -> Iterator[_Row]:
    to = "verbatim__response__"
    readings = Analysis.objects.filter(analysed_at__isnull=False).exclude(verbatim__text="")
    found = readings.filter(
        _narrowed(conditions, to),
        _narrowed_by_words(conditions),
        verbatim__response__store__in=visible,
        verbatim__response__submitted_at__gte=since,
    )
    columns = [f"{to}{name}" for name in _OF_RESPONSE]
    case = [f"{to}{name}" for name in ("opened_case__pk", "appended_to__pk", "invitation__contact__value_hash")]
    newest = found.order_by(F("verbatim__response__submitted_at").desc())
    rows = newest.values_list(f"{to}pk", *columns, *case, "verbatim__text", *_OF_READING)[:MOST_ANSWERS]
    for pk, *rest in rows.iterator(chunk_size=5000):
        split = len(columns) + len(case)
        reading = dict(zip(("words", *_OF_READING), rest[split:], strict=True))
        reading["urgency"] = tuple(reading["urgency"])
        reading["topics"] = tuple((one["topic"], one.get("sentiment", "")) for one in reading["topics"])
        reading["by_service"] = is_by_service(reading.pop("model_version"))
        yield _row(pk, rest[:split], reading, places)


def _row(pk: Any, of_response: list[Any], reading: dict[str, Any], places: dict[int, _Place]) -> _Row:
    kind, score, channel, still_here, answers, store, submitted_at, opened, appended, identity = of_response
    place = places[store]
    facts = Facts(
        kind, score, channel, still_here, answers=answers, above=place.above, store_kind=place.kind, **reading
    )
    return _Row(pk, facts, bool(opened or appended), place.region, submitted_at, identity or "")


def _narrowed(conditions: Conditions, to: str) -> Q:
    """What every match fulfils of the columns of its response, which `to` leads to. Never leaves out a match."""
    found = Q()
    kinds = QuestionKind.values
    if conditions.unhappy:
        marks = UNHAPPY_AT_MOST.items()
        found &= _any(Q(**{f"{to}headline_kind": kind, f"{to}score__lte": mark}) for kind, mark in marks)
    if conditions.scores and set(conditions.scores) <= set(kinds):
        found &= _any(
            Q(**{f"{to}headline_kind": kind, f"{to}score__range": limits}) for kind, limits in conditions.scores.items()
        ) | _any(Q(**{f"{to}answers__has_key": kind}) for kind in conditions.scores)
    if conditions.still_here is not None:
        found &= Q(**{f"{to}still_here": conditions.still_here})
    if conditions.channels:
        found &= Q(**{f"{to}channel__in": conditions.channels})
    if conditions.store_kinds:
        found &= Q(**{f"{to}store__kind__in": conditions.store_kinds})
    if conditions.nodes:
        found &= _any(Q(**{f"{to}store__node__path__contains": f"/{node}/"}) for node in conditions.nodes)
    if conditions.repeat:
        found &= Q(**{f"{to}invitation__contact__isnull": False})
    return found


def _narrowed_by_words(conditions: Conditions) -> Q:
    found = Q()
    if conditions.alarming:
        found &= Q(alarming=True, proven=True)
    for sentiment, least in (conditions.sentiment or {}).items():
        found &= Q(confident=True, proven=True, **{f"p_{sentiment}__gte": least})
    if conditions.urgency is not None:
        found &= Q(urgency__overlap=wholes_of(conditions.urgency)) if conditions.urgency else ~Q(urgency=[])
    if conditions.urgency_certain is not None:
        found &= Q(urgency_certain=conditions.urgency_certain)
    if conditions.topics:
        found &= _any(Q(topics__contains=[{"topic": topic}]) for topic in conditions.topics)
        if conditions.topics_negative:
            found &= Q(confident=True, proven=True)
    return found


def _any(parts: Iterator[Q]) -> Q:
    found = Q(pk__in=[])
    for part in parts:
        found |= part
    return found


def _cases_by_identity(identities: set[str]) -> dict[str, list[tuple[Any, datetime]]]:
    """When each verified shopper's cases were opened, and by which response."""
    found: dict[str, list[tuple[Any, datetime]]] = {}
    of = "response__invitation__contact__value_hash"
    cases = Case.objects.filter(**{f"{of}__in": identities - {""}})
    for identity, response, at in cases.values_list(of, "response_id", "opened_at"):
        found.setdefault(identity, []).append((response, at))
    return found


def _examples(matches: list[_Row]) -> list[Example]:
    """Ten answers with words, the same ones each time for the same answers."""
    shuffled = sorted(matches, key=lambda row: str(row.response))
    random.Random(len(shuffled)).shuffle(shuffled)
    had_case = {row.response: row.has_case for row in shuffled[: SAMPLE * 8]}
    words = Verbatim.objects.filter(response__in=had_case).exclude(text="").select_related("response__store")
    first = {verbatim.response_id: verbatim for verbatim in words.order_by("-pk")}
    chosen = [first[response] for response in had_case if response in first][:SAMPLE]
    return [
        Example(
            one.text, one.response.score, one.response.store.name, one.response.submitted_at, had_case[one.response_id]
        )
        for one in chosen
    ]
