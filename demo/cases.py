"""How the demo's cases went: each told from its opening to now, with every row that the real way would have left.

`tests/demo/test_cases.py` takes the same steps through `alerts.actions` and compares.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import F

from alerts.actions import channel_to
from alerts.choices import (
    TO_DO,
    CaseState,
    EntryKind,
    EventKind,
    Exemption,
    ExemptReason,
    Outcome,
    Severity,
    StepState,
    StopsOn,
)
from alerts.clock import StoreHours, add_open_time, hours_of
from alerts.ladder import Policy
from alerts.models import Case, CaseEntry, CaseEvent, CaseStep, RootCause, Verification
from alerts.notices import (
    CASE_ANSWER,
    CASE_ESCALATED,
    CASE_NOTICE,
    VERIFICATION,
    Written,
    add_step_notices,
    add_update,
)
from alerts.opening import new_case, new_step, opening_facts, set_clock
from alerts.queries import is_reachable
from alerts.times import keep_times
from alerts.verdicts import Verdict
from demo.deeds import NOTES, Deed, deed_about
from messaging.choices import MessageState
from messaging.models import Message
from messaging.outbox import draft
from stores.models import Store, User
from stores.queries import people_by_role, who_answers
from surveys.choices import ContactWish
from surveys.models import Response

# A day, as in production: the demo's own setting is for those who wait in front of it.
_ASK_AFTER = timedelta(days=1)
_SENT_AFTER = timedelta(seconds=2)
_READ_AFTER = timedelta(seconds=4)
_LANGUAGE = "en"
_WORKDAY = timedelta(hours=8)
Said = TypeVar("Said")


@dataclass
class Chronicle:
    """All rows of all cases; words and questions come before the events and messages that name their ids."""

    cases: list[Case] = field(default_factory=list)
    steps: list[CaseStep] = field(default_factory=list)
    entries: list[CaseEntry] = field(default_factory=list)
    verifications: list[Verification] = field(default_factory=list)
    written: Written = field(default_factory=Written)
    # Run once the rows that they are about have their ids.
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def save(self) -> None:
        Case.objects.bulk_create(self.cases, batch_size=1000)
        CaseStep.objects.bulk_create(self.steps, batch_size=1000)
        written_at = [entry.created_at for entry in self.entries]
        CaseEntry.objects.bulk_create(self.entries, batch_size=1000)
        for entry, at in zip(self.entries, written_at, strict=True):
            entry.created_at = at
        CaseEntry.objects.bulk_update(self.entries, ["created_at"], batch_size=500)
        Verification.objects.bulk_create(self.verifications, batch_size=1000)
        for finish in self.afterwards:
            finish()
        for message in self.written.messages:
            message.state, message.attempts = MessageState.SENT, 1
            assert message.run_at is not None
            message.sent_at, message.run_at = message.run_at + _SENT_AFTER, None
        CaseEvent.objects.bulk_create(self.written.events, batch_size=1000)
        Message.objects.bulk_create(self.written.messages, batch_size=1000)
        Message.objects.exclude(sent_at=None).update(created_at=F("sent_at") - _SENT_AFTER)


@dataclass(frozen=True)
class Opening:
    """That a response became a case at `at`; `raised` is what its words, read a little later, made more of it."""

    response: Response
    words: str
    verdict: Verdict
    at: datetime
    raised: Verdict | None = None


class Story:
    """One case as it goes on. Deeds wait for their time; the ladder's steps come in between when they are due."""

    def __init__(
        self,
        chronicle: Chronicle,
        response: Response,
        verdict: Verdict,
        *,
        at: datetime,
        hours: StoreHours,
        people: dict[str, list[User]],
        form_id: Callable[[], uuid.UUID] = uuid.uuid4,
    ) -> None:
        self.chronicle, self.hours, self.people, self._form_id = chronicle, hours, people, form_id
        self.response = response
        self._fixed = False
        # The question that the shopper was asked and may still answer.
        self.unanswered: Verification | None = None
        self.case = new_case(response, verdict, at=at, hours=hours, people=people, pk=form_id())
        chronicle.cases.append(self.case)
        self._event(EventKind.OPENED, at, new=opening_facts(self.case))
        self._waiting: list[CaseStep] = []
        self._start_ladder(at)

    def open_minutes_later(self, minutes: float, since: datetime) -> datetime:
        """When that much opening time has passed."""
        whole = int(minutes)
        return add_open_time(self.hours, since, whole) + timedelta(minutes=minutes - whole)

    def climb_until(self, moment: datetime) -> None:
        """Fire or stop the steps that are due by then."""
        for step in [step for step in self._waiting if step.due_at <= moment]:
            self._waiting.remove(step)
            step.run_at, step.done_at = None, step.due_at
            if self._is_stopped(step):
                step.state = StepState.STOPPED
                continue
            step.state = StepState.FIRED
            if step.level > self.case.level:
                self._event(EventKind.ESCALATED, step.due_at, step=step, new={"level": step.level})
            self._notify(step, step.due_at)
            self.case.version += 1

    def raise_severity(self, verdict: Verdict, at: datetime) -> None:
        case = self.case
        if case.severity == Severity.SEVERE or verdict.severity != Severity.SEVERE:
            return
        new = {"severity": verdict.severity, "rule": verdict.rule_name}
        self._event(EventKind.SEVERITY_RAISED, at, old={"severity": case.severity}, new=new)
        case.severity = verdict.severity
        add_update(self.chronicle.written, case, about=f"severe:{case.pk}", at=at)
        case.version += 1

    def acknowledge(self, actor: User, at: datetime) -> None:
        self.climb_until(at)
        if self._take_notice(actor, at, {}):
            self.case.version += 1

    def contact(self, actor: User, at: datetime, *, channel: str, reached: bool, note: str = "") -> None:
        self.climb_until(at)
        form = self._form()
        self._take_notice(actor, at, form)
        self.case.attempted_at = self.case.attempted_at or at
        means = {"channel": channel} | form
        if reached:
            self.case.contacted_at = self.case.contacted_at or at
            self._move(CaseState.CONTACTED, EventKind.CONTACTED, at, actor, new=means)
        else:
            self._event(EventKind.ATTEMPTED, at, actor=actor, new=means)
        if note:
            self._entry(EntryKind.NOTE, note, actor, at, form=form)
        self.case.version += 1

    def answer(self, actor: User, at: datetime, text: str) -> None:
        """Write to a shopper who wants to be written to."""
        contact = self.response.contact
        assert contact is not None
        self.climb_until(at)
        form = self._form()
        self._take_notice(actor, at, form)
        entry = self._entry(EntryKind.ANSWER, text, actor, at, form=form)
        self.case.attempted_at = self.case.attempted_at or at
        self.case.contacted_at = self.case.contacted_at or at
        channel = channel_to(contact)
        event = self._move(CaseState.CONTACTED, EventKind.CONTACTED, at, actor, new=form, channel=channel)

        def name_entry() -> None:
            event.new["entry"] = entry.pk
            self.chronicle.written.messages.append(
                draft(
                    CASE_ANSWER,
                    entry.pk,
                    channel=channel,
                    contact=contact,
                    dedup_key=f"answer:{entry.pk}",
                    run_at=at,
                    priority=2,
                )
            )

        self.chronicle.afterwards.append(name_entry)
        self.case.version += 1

    def fix(self, actor: User, at: datetime, text: str) -> None:
        self.climb_until(at)
        form = self._form()
        self._take_notice(actor, at, form)
        self._fix(actor, at, text, form)
        self.case.version += 1

    def leave_out(self, actor: User, at: datetime, *, exemption: Exemption, reason: ExemptReason) -> None:
        self.climb_until(at)
        form = self._form()
        self._take_notice(actor, at, form)
        self.case.exemption, self.case.exempt_reason, self.case.closed_at = exemption, reason, at
        new = {"exemption": exemption.value, "reason": reason.value} | form
        self._move(CaseState.DISMISSED, EventKind.DISMISSED, at, actor, new=new)
        self.case.version += 1

    def resolve(
        self,
        actor: User,
        at: datetime,
        *,
        root_cause: RootCause,
        outcome: Outcome = Outcome.PUT_RIGHT,
        text: str = "",
    ) -> Verification:
        self.climb_until(at)
        form = self._form()
        self._take_notice(actor, at, form)
        if text:
            self._fix(actor, at, text, form)
        self.case.root_cause, self.case.outcome, self.case.resolved_at = root_cause, outcome, at
        new = {"root_cause": root_cause.pk, "outcome": outcome.value} | form
        self._move(CaseState.RESOLVED, EventKind.RESOLVED, at, actor, new=new)
        self.case.version += 1
        asked = Verification(case=self.case, round=self.case.round, run_at=at + _ASK_AFTER)
        self.chronicle.verifications.append(asked)
        return asked

    def ask(self, verification: Verification) -> None:
        """The two questions, when their time has come."""
        assert verification.run_at is not None
        at = verification.run_at
        self.climb_until(at)
        verification.asked_at, verification.run_at = at, at + settings.VERIFICATION_WINDOW
        self.unanswered = verification
        contact = self.response.contact
        if self.response.contact_wish == ContactWish.NONE or contact is None:
            return
        channel = channel_to(contact)
        self._event(EventKind.ASKED, at, new={"round": verification.round}, channel=channel)

        def name_question() -> None:
            self.chronicle.written.messages.append(
                draft(
                    VERIFICATION,
                    verification.pk,
                    channel=channel,
                    contact=contact,
                    dedup_key=f"verification:{verification.pk}",
                    run_at=at,
                    priority=3,
                )
            )

        self.chronicle.afterwards.append(name_question)
        self.case.version += 1

    def give_up_waiting(self, verification: Verification) -> None:
        assert verification.run_at is not None
        self.case.closed_at, verification.run_at = verification.run_at, None
        self.unanswered = None
        self._move(CaseState.UNCONFIRMED, EventKind.UNCONFIRMED, self.case.closed_at, None)
        self.case.version += 1

    def confirm(self, verification: Verification, at: datetime, *, contacted: bool, solved: bool) -> None:
        self.climb_until(at)
        verification.answered_at, verification.run_at = at, None
        self.unanswered = None
        verification.contacted, verification.solved = contacted, solved
        answers = {"contacted": contacted, "solved": solved}
        if solved:
            self.case.closed_at = at
            self._move(CaseState.CONFIRMED, EventKind.CONFIRMED, at, None, new=answers)
        else:
            self._reopen(at, answers)
        self.case.version += 1

    # --- how rows come about ----------------------------------------------------------------------------------
    def _reopen(self, at: datetime, answers: dict[str, Any]) -> None:
        case = self.case
        old = {
            "state": case.state,
            "level": case.level,
            "owner": case.owner_id,
            "due_at": case.due_at.isoformat(),
            "root_cause": case.root_cause_id,
        } | ({"outcome": case.outcome} if case.outcome else {})
        case.round += 1
        case.level = min(case.level + 1, 2)
        case.state = CaseState.OPEN
        case.owner = next(iter(who_answers(case.store, case.level, people=self.people)), None)
        case.first_due_at = case.first_due_at or case.due_at
        set_clock(case, Policy.of(case.policy), hours=self.hours, at=at)
        case.resolved_at = case.closed_at = case.root_cause = None
        case.outcome = ""
        new = {
            "state": case.state.value,
            "level": case.level,
            "owner": case.owner_id,
            "due_at": case.due_at.isoformat(),
            "round": case.round,
        }
        keep_times(case, self.hours)
        self._fixed = False
        self._event(EventKind.REOPENED, at, old=old, new=new | answers)
        self._start_ladder(at)

    def _start_ladder(self, at: datetime) -> None:
        for ordinal, rung in enumerate(Policy.of(self.case.policy).rungs):
            step = new_step(self.case, ordinal, rung, hours=self.hours, at=at)
            self.chronicle.steps.append(step)
            if rung.after:
                self._waiting.append(step)
            else:
                self._notify(step, at)

    def _is_stopped(self, step: CaseStep) -> bool:
        if step.round != self.case.round or self.case.state not in TO_DO:
            return True
        if step.stops_on == StopsOn.NEVER:
            return False
        if self.case.state == CaseState.CONTACTED or (self.case.fix_only and self._fixed):
            return True
        return step.stops_on == StopsOn.ACKNOWLEDGE and self.case.state != CaseState.OPEN

    def _notify(self, step: CaseStep, at: datetime) -> None:
        rung = Policy.of(self.case.policy).rungs[step.ordinal]
        kind = CASE_ESCALATED if rung.after else CASE_NOTICE
        add_step_notices(self.chronicle.written, self.case, step, rung, people=self.people, at=at, kind=kind)

    def _take_notice(self, actor: User, at: datetime, form: dict[str, Any]) -> bool:
        if self.case.state != CaseState.OPEN:
            return False
        self.case.acknowledged_at = self.case.acknowledged_at or at
        self._move(CaseState.ACKNOWLEDGED, EventKind.ACKNOWLEDGED, at, actor, new=form)
        return True

    def _fix(self, actor: User, at: datetime, text: str, form: dict[str, Any]) -> None:
        self._fixed = True
        self.case.fixed_at = self.case.fixed_at or at
        entry = self._entry(EntryKind.ACTION, text, actor, at, form=form)
        event = self._event(EventKind.FIXED, at, actor=actor, new={"round": self.case.round} | form)
        self.chronicle.afterwards.append(lambda: event.new.update(entry=entry.pk))

    def _form(self) -> dict[str, Any]:
        return {"form_id": str(self._form_id())}

    def _move(
        self,
        state: CaseState,
        kind: EventKind,
        at: datetime,
        actor: User | None,
        *,
        new: dict[str, Any] | None = None,
        channel: str = "",
    ) -> CaseEvent:
        old = {"state": self.case.state}
        self.case.state = state
        keep_times(self.case, self.hours)
        return self._event(kind, at, actor=actor, old=old, new={"state": state.value} | (new or {}), channel=channel)

    def _event(self, kind: EventKind, at: datetime, **values: Any) -> CaseEvent:
        event = CaseEvent(case=self.case, kind=kind, at=at, **values)
        self.chronicle.written.events.append(event)
        return event

    def _entry(self, kind: EntryKind, text: str, author: User, at: datetime, *, form: dict[str, Any]) -> CaseEntry:
        entry = CaseEntry(case=self.case, kind=kind, text=text, author=author, created_at=at)
        entry.form_id = uuid.UUID(form["form_id"])
        self.chronicle.entries.append(entry)
        return entry


class Chronicler:
    """Decides how each case went, and stops where the present begins."""

    # How the latest cases stand, so that the inboxes show every state at any hour.
    _LATEST = ("untouched", "usual") * 8
    # The same of the latest shoppers who can be reached and whose store had an hour of its opening time for them.
    _RIPE = ("contacted", "acknowledged", "attempted") * 3
    _RIPE_AFTER_MINUTES = 60

    def __init__(self, rng: random.Random, *, now: datetime) -> None:
        self.rng, self.now = rng, now
        self.chronicle = Chronicle()
        self.root_causes = {cause.name: cause for cause in RootCause.objects.all()}
        self._known: dict[int, tuple[StoreHours, dict[str, list[User]]]] = {}

    def tell(self, opened: list[Opening]) -> Chronicle:
        """Every case, oldest first."""
        hows = self._how_the_latest_stand(opened)
        stories = []
        for number, opening in enumerate(opened):
            response, at = opening.response, opening.at
            hours, people = self._of(response.store)
            story = Story(
                self.chronicle, response, opening.verdict, at=at, hours=hours, people=people, form_id=self._uuid
            )
            if opening.raised:
                story.raise_severity(opening.raised, at + _READ_AFTER)
            self._go_on(story, deed_about(opening.words), hows.get(number, "usual"), at)
            story.climb_until(self.now)
            stories.append(story)
        self._dispute(stories)
        return self.chronicle

    def _how_the_latest_stand(self, opened: list[Opening]) -> dict[int, str]:
        """By place in the list; the others go on as usual."""
        latest = dict(zip(range(len(opened) - 1, -1, -1), self._LATEST, strict=False))
        # Nobody leaves a shopper alone overnight.
        hows = {n: how for n, how in latest.items() if how == "usual" or self.now - opened[n].at <= _WORKDAY}
        ripe = (n for n in range(len(opened) - 1, -1, -1) if self._is_ripe(opened[n]))
        return hows | dict(zip(ripe, self._RIPE, strict=False))

    def _is_ripe(self, opening: Opening) -> bool:
        if not is_reachable(opening.response):
            return False
        hours, _people = self._of(opening.response.store)
        return add_open_time(hours, opening.at, self._RIPE_AFTER_MINUTES) <= self.now

    def _dispute(self, stories: list[Story]) -> None:
        """Let the last two shoppers who were asked say no just now, so that somebody above the store has a clock."""
        asked = [story for story in stories if story.unanswered and not story.case.fix_only]
        for minutes, story in zip((4, 9), asked[-2:], strict=False):
            assert story.unanswered is not None
            story.confirm(story.unanswered, self.now - timedelta(minutes=minutes), contacted=True, solved=False)

    def _of(self, store: Store) -> tuple[StoreHours, dict[str, list[User]]]:
        if store.pk not in self._known:
            self._known[store.pk] = hours_of(store), people_by_role(store)
        return self._known[store.pk]

    def _go_on(self, story: Story, deed: Deed, how: str, since: datetime) -> None:
        """One round: acknowledge, contact or fix, resolve, hear from the shopper."""
        rng, case = self.rng, story.case
        # Stores differ: some look at once, some when somebody asks why not.
        pace = 4 + (case.store_id * 7 % 13)
        at_most = 300 if how == "usual" else self._RIPE_AFTER_MINUTES // 2
        noticed = story.open_minutes_later(min(rng.expovariate(1 / pace) + 0.5, at_most), since)
        if how == "untouched" or noticed > self.now or case.owner is None:
            return
        actor = case.owner
        story.acknowledge(actor, noticed)
        acted = story.open_minutes_later(min(rng.expovariate(1 / 9) + 1, at_most), noticed)
        if how == "acknowledged" or acted > self.now:
            return
        if how == "usual" and case.round == 0 and rng.random() < 0.02:
            story.leave_out(actor, acted, exemption=Exemption.OUTSIDE, reason=ExemptReason.BUILDING)
            return
        self._act(story, deed, actor, acted, how)
        resolved = story.open_minutes_later(rng.uniform(10, 300), acted)
        if how in {"contacted", "attempted"} or resolved > self.now:
            return
        action = _in(case.store.languages[0], deed.action)
        verification = story.resolve(
            actor, resolved, root_cause=self.root_causes[deed.cause], outcome=_outcome(case), text=action
        )
        self._hear(story, deed, verification)

    def _act(self, story: Story, deed: Deed, actor: User, at: datetime, how: str) -> None:
        rng, case = self.rng, story.case
        if case.fix_only:
            story.fix(actor, at, _in(case.store.languages[0], deed.action))
        elif how != "attempted" and rng.random() < 0.45 and story.response.contact_wish != ContactWish.CALL:
            story.answer(actor, at, _in(story.response.language, deed.answer))
        else:
            channel = {"call": "call", "text": "sms", "email": "email"}[story.response.contact_wish]
            reached = how == "contacted" or (how == "usual" and rng.random() < 0.85)
            notes = _in(actor.language, NOTES)
            note = rng.choice(notes) if rng.random() < 0.4 else ""
            story.contact(actor, at, channel=channel, reached=reached, note=note)

    def _hear(self, story: Story, deed: Deed, verification: Verification) -> None:
        rng, case = self.rng, story.case
        assert verification.run_at is not None
        if verification.run_at > self.now:
            return
        story.ask(verification)
        asked_at, answers = verification.run_at - settings.VERIFICATION_WINDOW, rng.random()
        answered_at = asked_at + timedelta(hours=rng.uniform(0.2, 60))
        if answers < (0.08 if case.fix_only else 0.55):
            if answered_at > self.now:
                return
            solved = rng.random() < 0.8 or case.round > 0
            contacted = case.contacted_at is not None
            story.confirm(verification, answered_at, contacted=contacted, solved=solved)
            if not solved:
                self._go_on(story, deed, "usual", answered_at)
        elif verification.run_at <= self.now:
            story.give_up_waiting(verification)

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.rng.getrandbits(128), version=4)


def _outcome(case: Case) -> Outcome:
    """What the store says came of it."""
    if case.fix_only:
        return Outcome.PUT_RIGHT
    if not case.contacted_at:
        return Outcome.NOT_REACHED
    return Outcome.PUT_RIGHT if case.pk.int % 3 else Outcome.EXPLAINED


def _in(language: str, phrases: dict[str, Said]) -> Said:
    return phrases.get(language, phrases[_LANGUAGE])
