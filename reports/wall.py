"""The verbatim wall: what a store's shoppers said in a week and what was done, for the people who work there.

Only words that were read and redacted get here. What touches on safety, discrimination, law or data protection is
for the people of the case, not for a wall. Where words and score contradict each other, a machine that misread the
words is likelier than a shopper who did not mean the score, so neither hangs.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.utils.text import Truncator

from alerts.choices import TO_DO, EntryKind
from alerts.kudos import KudosCount, count_kudos
from alerts.models import Case, Kudos
from core.tokens import keyed_hash
from customers.models import ContactKind
from reports.action_reads import actions_about
from reports.figures import Source
from reports.models import Action, ActionState, StoreWeek, WallApproval, WallCare, WallDeedHidden, WallHidden
from reports.periods import Week, latest_day
from reports.wall_figures import WallFigure, figures_of_week, tells_of_all
from reports.writing import direction_of
from sentiment.labels import topic_label
from sentiment.models import Analysis, Sentiment
from sentiment.queries import names_of_staff
from sentiment.redaction import redact
from stores.models import Store, User
from surveys.choices import PROMOTER_AT_LEAST, UNHAPPY_AT_MOST, QuestionKind
from surveys.counting import left_out
from surveys.queries import BY_A_PHONE

MOST_PRAISES, MOST_LESSONS, MOST_DONE = 10, 3, 4
# An action hangs in the week that ended it or never, so none is left out; and so many cases hang beside however many.
_LEAST_CASES = 2
_LONGEST = 420
# Of so many the most telling are chosen where there is no week to choose from.
_NEWEST = 300
# So many words are enough for a quotation to count fully.
_TELLING_WORDS = 12
_REPEATED_TOPIC = 0.25
# Words that the model cannot judge, as in a language it has not learnt, speak by their score; this many must they be.
_WORDS_UNJUDGED = 5
_SURE_BY_SCORE = 0.5
# So sure is praise that no happy score bears out.
_PRAISE_ALONE = 0.9
# As `redact` marks it.
_PHONE = "[phone]"
_DIGITS = re.compile(r"(?<!\w)\d(?:[ \u00a0().\-–/]{0,3}\d){4,}(?!\w)")


@dataclass(frozen=True)
class Voice:
    """A shopper's words without names and numbers, and what is said about them on the wall."""

    text: str
    language: str
    day: date
    source: str
    verbatim: int = 0

    @property
    def direction(self) -> str:
        return direction_of(self.text, self.language)

    @property
    def mark(self) -> str:
        """Another one once the words change."""
        return keyed_hash("wall", f"words:{self.verbatim}\n{self.text}")


@dataclass(frozen=True)
class Done:
    """What a shopper said, if it may be shown, and what was done about it.

    Of an action there is what it was against, `about`, and whose it was: the place above the store, or empty for its
    own. `deed` names the case or the action, for who takes it off.
    """

    said: Voice | None
    did: str
    about: str = ""
    whose: str = ""
    deed: str = ""

    @property
    def direction(self) -> str:
        return direction_of(self.did)

    @property
    def mark(self) -> str:
        """Another one once the words change; what they were about is called in each reader's language."""
        return keyed_hash("wall", "\n".join([self.deed, self.said.text if self.said else "", self.did]))


@dataclass(frozen=True)
class Hidden:
    """Words that somebody keeps off the wall."""

    voice: Voice
    decision: WallHidden


@dataclass(frozen=True)
class HiddenDeed:
    """What was done, with the words it was done about, that somebody keeps off the wall."""

    done: Done
    decision: WallDeedHidden


@dataclass(frozen=True)
class Wall:
    store: Store
    week: Week
    today: date
    praises: list[Voice]
    lessons: list[Voice]
    done: list[Done]
    figures: list[WallFigure]
    responses: int
    # Words that wait for being read.
    unread: int
    # How many shoppers were very happy that week, and for how many somebody of the team has said thank you; None where
    # that would tell of fewer answers than the figures of the week do.
    kudos: KudosCount | None
    hidden: list[Hidden] = field(default_factory=list)
    hidden_deeds: list[HiddenDeed] = field(default_factory=list)
    # Who has looked through it, if anybody has; see `looked_through` for whether it was as it hangs now.
    approval: WallApproval | None = None
    # Whether words hang here only once somebody has looked through them.
    careful: bool = False
    # How many things it leaves out for that.
    waiting: int = 0

    @property
    def in_future(self) -> bool:
        return self.week.monday > self.today

    @property
    def running(self) -> bool:
        return self.week.monday <= self.today <= self.week.sunday

    @property
    def empty(self) -> bool:
        return not (self.praises or self.lessons or self.done)

    @property
    def taken_off(self) -> int:
        return len(self.hidden) + len(self.hidden_deeds)

    @property
    def marks(self) -> list[str]:
        """One of each thing that hangs."""
        return [one.mark for one in self._hanging.things]

    @property
    def fingerprint(self) -> str:
        """Of all that hangs, to tell whether a wall is still the one that somebody had before them."""
        return keyed_hash("wall", " ".join(sorted(self.marks)))

    @property
    def looked_through(self) -> bool:
        """Whether somebody has seen all that hangs, as it hangs."""
        return self.approval is not None and not self.unseen

    @property
    def seen(self) -> set[str]:
        """The marks of all that somebody has seen of this week."""
        return _seen(self.approval)

    @property
    def unseen(self) -> int:
        """How many things nobody has looked through."""
        return len(self._hanging.unseen(self.seen))

    @property
    def _hanging(self) -> "_Hanging":
        return _Hanging(self.praises, self.lessons, self.done)

    @property
    def next_week(self) -> Week | None:
        return None if self.running or self.in_future else self.week + 1

    @property
    def last_week(self) -> Week:
        return Week.of(self.today) if self.in_future else self.week + -1


class _Hanging(NamedTuple):
    praises: list[Voice]
    lessons: list[Voice]
    done: list[Done]

    @property
    def things(self) -> list[Voice | Done]:
        return [*self.praises, *self.lessons, *self.done]

    def unseen(self, seen: set[str]) -> list[Voice | Done]:
        """The things whose marks are not among these."""
        return [one for one in self.things if one.mark not in seen]


@dataclass(frozen=True)
class _Material:
    """All of a week that could hang, and what somebody keeps off."""

    readings: list[Analysis]
    actions: list[Done]
    cases: list[Done]
    hidden: list[Hidden]
    hidden_deeds: list[HiddenDeed]

    def chosen(self, seen: set[str] | None = None) -> _Hanging:
        """What hangs of it; with `seen`, of what has one of these marks."""

        def of(deeds: list[Done]) -> list[Done]:
            return deeds if seen is None else [one for one in deeds if one.mark in seen]

        # No deed twice: the first stands.
        once = {one.did.casefold(): one for one in [*of(self.cases)[::-1], *of(self.actions)[::-1]]}
        actions = {one.did.casefold() for one in of(self.actions)}
        done = list(once.values())[::-1][: max(MOST_DONE, len(actions) + _LEAST_CASES)]
        # Words hang beside what was done about them and nowhere else, not even once that was taken off.
        told = {one.said.verbatim for one in [*done, *(off.done for off in self.hidden_deeds)] if one.said}
        fit = [one for one in self.readings if one.verbatim_id not in told]
        if seen is not None:
            fit = [one for one in fit if _voice(one).mark in seen]
        praises = telling_voices(fit, Sentiment.POSITIVE, MOST_PRAISES)
        return _Hanging(praises, telling_voices(fit, Sentiment.NEGATIVE, MOST_LESSONS), done)


def build_wall(store: Store, week: Week, *, as_hung: bool = False) -> Wall:
    """The wall of a store's week, by the store's own calendar: for who looks through it, or `as_hung` on screens, on
    paper and in mail, where words may have to wait until somebody has."""
    today = latest_day([store.time_zone])
    material, approval, careful = _material(store, week), _approval(store, week), _is_careful(store)
    hanging, waiting = material.chosen(), 0
    if as_hung and careful:
        # What was seen hangs on, also where newer words would tell more.
        seen = _seen(approval)
        waiting, hanging = len(hanging.unseen(seen)), material.chosen(seen)
    counted = StoreWeek.objects.filter(store=store, monday=week.monday).values_list("responses", flat=True)
    figures = figures_of_week(store, week, Week.of(today))
    return Wall(
        store=store,
        week=week,
        today=today,
        praises=hanging.praises,
        lessons=hanging.lessons,
        done=hanging.done,
        figures=figures,
        responses=sum(counted),
        unread=_readings(store, week.monday, week.sunday).filter(run_at__isnull=False).count(),
        kudos=kudos_between(store, week.monday, week.sunday) if tells_of_all(figures) else None,
        hidden=material.hidden,
        hidden_deeds=material.hidden_deeds,
        approval=approval,
        careful=careful,
        waiting=waiting,
    )


def things_waiting(store: Store, week: Week) -> list[Voice | Done]:
    """What of that week hangs nowhere, as nobody has looked through it."""
    return _material(store, week).chosen().unseen(_seen(_approval(store, week))) if _is_careful(store) else []


def _material(store: Store, week: Week) -> _Material:
    found = fit_to_hang(_readings(store, week.monday, week.sunday)).select_related("verbatim__wall_hidden__by")
    readings = list(found.order_by("pk"))
    staff = names_of_staff([store])[store.pk]
    actions, cases = _actions(store, week, staff), _closed_cases(store, week, staff)
    kept_off = {one.deed: one for one in WallDeedHidden.objects.filter(store=store).select_related("by")}
    return _Material(
        readings=[one for one in readings if not hasattr(one.verbatim, "wall_hidden")],
        actions=[one for one in actions if one.deed not in kept_off],
        cases=[one for one in cases if one.deed not in kept_off],
        hidden=[
            Hidden(_voice(one), one.verbatim.wall_hidden) for one in readings if hasattr(one.verbatim, "wall_hidden")
        ],
        hidden_deeds=[HiddenDeed(one, kept_off[one.deed]) for one in [*actions, *cases] if one.deed in kept_off],
    )


def _approval(store: Store, week: Week) -> WallApproval | None:
    return WallApproval.objects.filter(store=store, monday=week.monday).select_related("by").first()


def _seen(approval: WallApproval | None) -> set[str]:
    return set(approval.seen) if approval else set()


def _is_careful(store: Store) -> bool:
    return WallCare.objects.filter(node__in=store.node.above).exists()


def kudos_between(store: Store, first: date, last: date) -> KudosCount:
    """Of the answers of these days."""
    days = (first, last)
    return count_kudos(Kudos.objects.filter(store=store, response__local_day__range=days, response__erased_at=None))


def praise_of(store: Store, first: date, last: date, *, limit: int) -> list[Voice]:
    """What may be passed on of the newest praise of these days, as it would hang on the wall."""
    fit = fit_to_hang(_readings(store, first, last)).filter(verbatim__wall_hidden=None)
    return telling_voices(fit.order_by("-pk")[:_NEWEST], Sentiment.POSITIVE, limit)


def _readings(store: Store, first: date, last: date) -> QuerySet[Analysis]:
    found = Analysis.objects.filter(verbatim__response__store=store, verbatim__response__local_day__range=(first, last))
    return found.exclude(left_out("verbatim__response__")).exclude(verbatim__question=BY_A_PHONE)


def fit_to_hang(readings: QuerySet[Analysis]) -> QuerySet[Analysis]:
    """Those that were read and freed of names, and are not for the people of a case alone."""
    fit = readings.filter(analysed_at__isnull=False, urgency=[], verbatim__response__erased_at=None)
    return with_shopper(fit.exclude(redacted=""))


def with_shopper(readings: QuerySet[Analysis]) -> QuerySet[Analysis]:
    """With the case of their shopper, who may have said their name only after the words were read; and whether the
    model knew them, which no operator's own model tells."""
    known = ExpressionWrapper(~Q(embedding=b""), BooleanField())
    return readings.select_related("verbatim__response__opened_case").defer("embedding").annotate(readable=known)


def telling_voices(readings: Iterable[Analysis], wanted: Sentiment, limit: int) -> list[Voice]:
    """The clearest and most telling words of one sentiment, preferring topics not yet on the wall."""
    left = {one.redacted.strip().casefold(): one for one in readings if _sentiment(one) == wanted}
    candidates, seen, chosen = list(left.values()), Counter[str](), list[Analysis]()

    def worth(one: Analysis) -> float:
        read = (one.p_positive if wanted == Sentiment.POSITIVE else one.p_negative) or 0
        sure = read if one.confident else _SURE_BY_SCORE
        telling = min(1.0, len(one.redacted.split()) / _TELLING_WORDS)
        repeated = max((seen[hit["topic"]] for hit in one.topics), default=0)
        return sure * telling - _REPEATED_TOPIC * repeated

    while candidates and len(chosen) < limit:
        best = max(candidates, key=worth)
        candidates.remove(best)
        chosen.append(best)
        seen.update(hit["topic"] for hit in best.topics)
    return [_voice(one) for one in chosen]


def _sentiment(one: Analysis) -> Sentiment | None:
    """What words and score agree on; None where they contradict each other or say nothing."""
    response = one.verbatim.response
    kind, score = QuestionKind(response.headline_kind), response.score
    happy = score is not None and score >= PROMOTER_AT_LEAST[kind]
    unhappy = score is not None and score <= UNHAPPY_AT_MOST[kind]
    if not one.confident:
        if len(one.redacted.split()) < _WORDS_UNJUDGED:
            return None
        # Words that the model knows and is still unsure of may be irony: no score makes them praise. Praise that denies
        # something bad and is doubted as a complaint goes with them: the wall shows what is surely meant.
        praise = happy and not one.readable  # type: ignore[attr-defined]  # by with_shopper
        return Sentiment.POSITIVE if praise else Sentiment.NEGATIVE if unhappy else None
    if (one.sentiment == Sentiment.POSITIVE and unhappy) or (one.sentiment == Sentiment.NEGATIVE and happy):
        return None
    if one.sentiment == Sentiment.POSITIVE and not happy and (one.p_positive or 0) < _PRAISE_ALONE:
        # A complaint without a hard word reads like this.
        return None
    return Sentiment(one.sentiment)


def _voice(one: Analysis) -> Voice:
    response = one.verbatim.response
    source = Source(response.channel, response.sample_kind)
    case: Case | None = getattr(response, "opened_case", None)
    text = one.redacted
    if case and case.shopper_name:
        text = redact(text, languages=[one.language], staff_names=[case.shopper_name])
    return Voice(_shortened(text), one.language, response.local_day, source.name, one.verbatim_id)


def _shortened(text: str) -> str:
    return Truncator(text.strip()).chars(_LONGEST)


def _closed_cases(store: Store, week: Week, staff: list[str]) -> list[Done]:
    """Those with the shopper's words first, then the latest."""
    start, end = week.bounds(store.time_zone)
    cases = (
        Case.objects.filter(store=store, resolved_at__gte=start, resolved_at__lt=end, entries__kind=EntryKind.ACTION)
        .exclude(state__in=TO_DO)
        .exclude(left_out("response__"))
        .exclude(response__verbatims__analysis__urgency__len__gt=0)
        .exclude(response__verbatims__wall_hidden__isnull=False)
        .distinct()
        .order_by("-resolved_at")
        .select_related("response__contact")
    )
    found: list[Done] = []
    for case in cases[: 10 * MOST_DONE]:
        readings = Analysis.objects.filter(verbatim__response=case.response_id, analysed_at__isnull=False)
        reading = with_shopper(readings.exclude(verbatim__question=BY_A_PHONE)).first()
        entries = list(case.entries.select_related("author").order_by("pk"))
        entry = next((one for one in reversed(entries) if one.kind == EntryKind.ACTION and one.text), None)
        if entry is not None:
            said = _voice(reading) if reading and reading.redacted else None
            names = [*staff, *(one.author.name for one in entries if one.author)]
            did = _without_names(entry.text, store, names, entry.author, case)
            found.append(Done(said, did, deed=f"case:{case.pk}"))
    return sorted(found, key=lambda one: one.said is None)


def _actions(store: Store, week: Week, staff: list[str]) -> list[Done]:
    """The latest first."""
    start, end = week.bounds(store.time_zone)
    done = actions_about(store).filter(state=ActionState.DONE, ended_at__gte=start, ended_at__lt=end)
    done = done.exclude(left_out("case__response__")).exclude(case__response__verbatims__analysis__urgency__len__gt=0)
    done = done.select_related("case__response__contact", "case__store__node").prefetch_related("entries__by")
    done = done.order_by("-ended_at")
    of_stores = names_of_staff({one.case.store for one in done if one.case})

    def names(one: Action) -> list[str]:
        there = of_stores[one.case.store_id] if one.case else []
        return [*staff, *there, one.owner.name, *(entry.by.name for entry in one.entries.all())]

    return [
        Done(
            said=None,
            did=_without_names(one.did or one.title, store, names(one), one.owner, one.case),
            about=str(one.cause) if one.cause else topic_label(one.topic) if one.topic else "",
            whose=one.node.name if one.node else "",
            deed=f"action:{one.pk}",
        )
        for one in done
    ]


def _without_names(text: str, store: Store, staff: list[str], author: User | None, case: Case | None) -> str:
    """What one of ours wrote, without the names of our `staff` and without the shopper's name and number. Who reads the
    wall makes no difference."""
    names = [*staff, case.shopper_name] if case else staff
    contact = case.response.contact if case else None
    if contact and contact.kind == ContactKind.PHONE:
        text = _without_number(text, contact.value)
    languages = [author.language, *store.languages] if author else store.languages
    return _shortened(redact(text, languages=languages, staff_names=names))


def _without_number(text: str, phone: str) -> str:
    """Numbers that are the end of this one, as people write their own without the country."""

    def marked(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group()).lstrip("0")
        return _PHONE if phone.endswith(digits) else match.group()

    return _DIGITS.sub(marked, text)
