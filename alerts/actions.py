"""What people do to a case. Each is one transaction that locks the case, records an event and bumps `version`.

The way of a case::

    open → acknowledged → contacted → resolved → confirmed
      ↑        (each may be skipped)      ├────→ unconfirmed  (silence)
      └───────── reopened, one level up ──┘      (the shopper says no, also later)

What is left out of the shares, and what is taken back, is in `settling`.
"""

from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.changing import ActionRefused as ActionRefused
from alerts.changing import AlreadyDone, Change, changing, cleaned, once, require_to_do
from alerts.choices import REOPENINGS, TO_DO, CaseState, EntryKind, EventKind, Outcome
from alerts.clock import hours_of
from alerts.models import Case, CaseEntry, ReplyTemplate, RootCause, Verification
from alerts.notices import CASE_ANSWER, VERIFICATION, add_update
from alerts.opening import begin_round, start_ladder
from alerts.queries import case_for_response, events_that_stand, is_reachable
from core.personal import erase_response
from customers.models import Contact, ContactKind, Permission
from messaging.choices import Channel, MessageState
from messaging.models import Message
from messaging.outbox import draft
from stores.models import User
from stores.queries import everybody_of, people_by_role
from surveys.actions import change_contact
from surveys.choices import SCORE_RANGE, ContactWish, QuestionKind
from surveys.erasure import forget_what_waits
from surveys.forms import Wish
from surveys.models import Response

ContactChannel = Literal["call", "sms", "email", "person"]
ANSWERABLE = (CaseState.RESOLVED, CaseState.CONFIRMED, CaseState.UNCONFIRMED)
# A shopper's link is all that guards their page.
_REPLIES_A_DAY = 20
_SCORES_A_ROUND = 5
_ANSWER_LIFETIME = timedelta(days=3)
LONGEST_NAME = 60


def acknowledge(case_id: UUID, *, actor: User, at: datetime | None = None) -> None:
    """Say that somebody has seen it. Acknowledging again, or later than acting, changes nothing."""
    with changing(case_id, actor=actor, at=at) as change:
        require_to_do(change.case)
        change.take_notice()


@once
def record_contact(
    case_id: UUID,
    *,
    actor: User,
    channel: ContactChannel,
    reached: bool,
    note: str = "",
    form_id: UUID | str,
    at: datetime | None = None,
) -> None:
    """Note that the shopper was contacted, or that it was tried in vain.

    A shopper without an address can only be met in person.
    """
    if channel not in get_args(ContactChannel):
        raise ActionRefused(_("Please choose how you contacted the shopper."))
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        case = change.case
        require_to_do(case)
        if not change.reachable and channel != "person":
            raise ActionRefused(_("This shopper left no way to be contacted."))
        change.take_notice()
        case.attempted_at = case.attempted_at or change.at
        means = {"channel": channel}
        if reached:
            case.contacted_at = case.contacted_at or change.at
            moved = change.move(CaseState.CONTACTED)
            change.event(EventKind.CONTACTED, old=moved["old"], new=moved["new"] | means)
        else:
            change.event(EventKind.ATTEMPTED, new=means)
        if words := cleaned(note, required=False):
            change.entry(EntryKind.NOTE, words)


@once
def answer_shopper(
    case_id: UUID,
    *,
    actor: User,
    text: str,
    template: ReplyTemplate | None = None,
    form_id: UUID | str,
    at: datetime | None = None,
) -> None:
    """Write to the shopper: on their case page, with a message that leads there if they wished to be contacted.

    `template` is what it was written from. Only an answer that is sent counts as a contact; one that waits on the page
    may never be read. To somebody who asked for a call it is a try, until they write back.
    """
    words = cleaned(text)
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        case = change.case
        if case.response.erased_at:
            raise ActionRefused(_("The shopper has deleted this feedback."))
        to_do = case.state in TO_DO
        if to_do:
            change.take_notice()
        change.for_good = True
        entry = change.entry(EntryKind.ANSWER, words, template=template)
        contact = case.response.contact
        if not (change.reachable and contact):
            change.event(EventKind.NOTED, new={"entry": entry.pk, "kind": EntryKind.ANSWER})
            return
        sent_by = channel_to(contact)
        change.written.messages.append(
            draft(
                CASE_ANSWER,
                entry.pk,
                channel=sent_by,
                contact=contact,
                dedup_key=f"answer:{entry.pk}",
                run_at=change.at,
                expires_at=change.at + _ANSWER_LIFETIME,
                priority=2,
            )
        )
        case.attempted_at = case.attempted_at or change.at
        if case.response.contact_wish == ContactWish.CALL and case.state != CaseState.CONTACTED:
            change.event(EventKind.ATTEMPTED, new={"entry": entry.pk}, channel=sent_by)
            return
        case.contacted_at = case.contacted_at or change.at
        moved = change.move(CaseState.CONTACTED) if to_do else {"old": {}, "new": {}}
        change.event(EventKind.CONTACTED, old=moved["old"], new=moved["new"] | {"entry": entry.pk}, channel=sent_by)


def channel_to(contact: Contact) -> Channel:
    """How an address is written to."""
    return Channel.EMAIL if contact.kind == ContactKind.EMAIL else Channel.SMS


@once
def record_action(case_id: UUID, *, actor: User, text: str, form_id: UUID | str, at: datetime | None = None) -> None:
    """Note what was done about the cause. Of a shopper who cannot be reached this is what the clock waits for."""
    words = cleaned(text)
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        require_to_do(change.case)
        change.take_notice()
        _fix(change, words)


def _fix(change: Change, words: str) -> None:
    change.case.fixed_at = change.case.fixed_at or change.at
    entry = change.entry(EntryKind.ACTION, words)
    change.event(EventKind.FIXED, new={"entry": entry.pk, "round": change.case.round})


@once
def add_note(case_id: UUID, *, actor: User, text: str, form_id: UUID | str, at: datetime | None = None) -> None:
    """Add an internal note; the shopper never sees it."""
    words = cleaned(text)
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        entry = change.entry(EntryKind.NOTE, words)
        change.event(EventKind.NOTED, new={"entry": entry.pk, "kind": EntryKind.NOTE})


@once
def start_contact(
    case_id: UUID, *, actor: User, channel: ContactChannel, form_id: UUID | str, at: datetime | None = None
) -> None:
    """Note that somebody has tapped "call" or "text": they are on it. Whether anybody was reached is another matter."""
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        require_to_do(change.case)
        if not change.reachable or channel not in get_args(ContactChannel):
            raise ActionRefused(_("This shopper left no way to be contacted."))
        change.take_notice()
        change.event(EventKind.STARTED, new={"channel": channel})


@once
def hand_over(
    case_id: UUID, *, actor: User, to: int, note: str = "", form_id: UUID | str, at: datetime | None = None
) -> None:
    """Give the case to a colleague whose role reaches its store; they are told, and the clock runs on."""
    words = cleaned(note, required=False)
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        case = change.case
        require_to_do(case)
        person = next((one for one in everybody_of(case.store) if one.pk == to), None)
        if person is None:
            raise ActionRefused(_("Please choose a colleague who works with this store."))
        if person.pk == case.owner_id:
            raise AlreadyDone
        old, case.owner = case.owner_id, person
        change.event(EventKind.HANDED_OVER, old={"owner": old}, new={"owner": person.pk}, recipient=person)
        if words:
            change.entry(EntryKind.NOTE, words)
        if person != actor:
            about = f"handed:{case.pk}:{case.version + 1}"
            add_update(change.written, case, about=about, at=change.at, to=[person])


@once
def resolve(
    case_id: UUID,
    *,
    actor: User,
    root_cause_id: int,
    text: str = "",
    outcome: str,
    form_id: UUID | str,
    at: datetime | None = None,
) -> None:
    """Close the work with an outcome and a root cause; `text` says what was done and may be empty.

    Needs a contact, or at least a try; when the shopper cannot be reached a recorded action, which `text` may be. Later
    the shopper is asked whether it is solved.
    """
    words = cleaned(text, required=False)
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        case = change.case
        require_to_do(case)
        cause = RootCause.objects.filter(pk=root_cause_id, active=True).first()
        if cause is None:
            raise ActionRefused(_("Please choose a root cause."))
        if outcome not in Outcome.values:
            raise ActionRefused(_("Please say what came of it."))
        tried = _this_round(case, EventKind.CONTACTED, EventKind.ATTEMPTED)
        if change.reachable and not tried:
            raise ActionRefused(_("Please contact the shopper first, or note that you tried."))
        if not words and not tried and not _this_round(case, EventKind.FIXED):
            raise ActionRefused(_("Please note first what was done."))
        change.take_notice()
        if words:
            _fix(change, words)
        case.root_cause, case.outcome = cause, outcome
        case.resolved_at = change.at
        moved = change.move(CaseState.RESOLVED)
        said = {"root_cause": cause.pk, "outcome": outcome}
        change.event(EventKind.RESOLVED, old=moved["old"], new=moved["new"] | said)
        Verification.objects.create(case=case, round=case.round, run_at=change.at + settings.VERIFICATION_DELAY)


def _this_round(case: Case, *kinds: str, **like: Any) -> bool:
    """Whether one of these happened since the case was opened, or reopened the last time, and was not taken back."""
    events = events_that_stand(case.events.filter(kind__in=kinds, **like))
    again = case.events.filter(kind__in=REOPENINGS)
    reopened = events_that_stand(again).order_by("-pk").first() if case.round else None
    return (events.filter(pk__gt=reopened.pk) if reopened else events).exists()


def _case_of(response_id: UUID) -> Case:
    case = case_for_response(response_id)
    if case is None:
        raise ActionRefused(_("There is nothing to answer here."))
    return case


@once
def shopper_reply(
    response_id: UUID,
    *,
    text: str,
    form_id: UUID | str,
    channel: str = "",
    writer: UUID | None = None,
    automatic: bool = False,
    at: datetime | None = None,
) -> None:
    """The shopper writes, on their case page or by `channel`; whoever owns the case is told.

    Their page has them wait after so many in a day. What came by a channel is here already: it is kept, and from then
    on wakes nobody. `writer` is the response of who wrote, also one that was added to the case: with it their words
    go. What a phone sends by itself (`automatic`) does not say that anybody was reached.
    """
    words = cleaned(text)
    with changing(_case_of(response_id).pk, actor=None, at=at, form_id=form_id) as change:
        _reply(change, words, channel, writer, automatic=automatic)


def _reply(
    change: Change, words: str, channel: str = "", writer: UUID | None = None, *, automatic: bool = False
) -> None:
    many = _has_written_a_lot(change)
    entry = _said_by_shopper(change, words, channel, writer)
    case = change.case
    to_reach = not automatic and case.state in (CaseState.OPEN, CaseState.ACKNOWLEDGED)
    if to_reach and _this_round(case, EventKind.ATTEMPTED, new__has_key="entry"):
        # What was written instead of the call that they asked for has reached them.
        case.contacted_at = case.contacted_at or change.at
        moved = change.move(CaseState.CONTACTED)
        change.event(EventKind.CONTACTED, old=moved["old"], new=moved["new"] | {"replied": entry.pk})
    if not many:
        add_update(change.written, change.case, about=f"reply:{entry.pk}", at=change.at)


def _has_written_a_lot(change: Change) -> bool:
    since = change.at - timedelta(days=1)
    return change.case.entries.filter(kind=EntryKind.SHOPPER, created_at__gt=since).count() >= _REPLIES_A_DAY


def _said_by_shopper(change: Change, words: str, channel: str = "", writer: UUID | None = None) -> CaseEntry:
    if not channel and _has_written_a_lot(change):
        raise ActionRefused(_("You have written a lot today. Please give us until tomorrow to answer."))
    entry = change.entry(EntryKind.SHOPPER, words)
    added = writer is not None and writer != change.case.response_id
    change.event(
        EventKind.REPLIED, new={"entry": entry.pk} | ({"writer": str(writer)} if added else {}), channel=channel
    )
    return entry


@once
def confirm(
    response_id: UUID,
    *,
    contacted: bool | None,
    solved: bool,
    text: str = "",
    form_id: UUID | str | None = None,
    at: datetime | None = None,
) -> None:
    """The shopper's two answers. Yes closes the case for good, No reopens it one level up.

    `contacted` is None when that was not asked: nobody could. The same answer again changes nothing; a No after a Yes,
    or after the silence, still reopens. The `text` of a No goes out with the notice of the reopening, any other is a
    reply; it needs a `form_id`.
    """
    words = cleaned(text, required=False)
    form = form_id if words else None
    with changing(_case_of(response_id).pk, actor=None, at=at, form_id=form) as change:
        case = change.case
        answers = {"contacted": contacted, "solved": solved}
        last = case.verifications.order_by("-round").first()
        if case.state not in ANSWERABLE or last is None:
            again = last is not None and last.answered_at and last.solved is False and not solved
            if not again:
                raise ActionRefused(_("We are still working on this. Please answer once it is done."))
        else:
            again = case.state == CaseState.CONFIRMED and solved
        if again or last is None:
            if not words:
                raise AlreadyDone
            _reply(change, words)
            return
        Verification.objects.filter(pk=last.pk).update(
            answered_at=change.at, run_at=None, lease_token=None, lease_until=None, **answers
        )
        if solved:
            case.closed_at = change.at
            moved = change.move(CaseState.CONFIRMED)
            change.event(EventKind.CONFIRMED, old=moved["old"], new=moved["new"] | answers)
            if words:
                _reply(change, words)
        else:
            said = {"words": _said_by_shopper(change, words).pk} if words else {}
            _reopen(change, answers | said)


def _reopen(change: Change, answers: dict[str, Any]) -> None:
    """The shopper says no: a new round one level up."""
    start_round(change, EventKind.REOPENED, rise=1, said=answers)


def start_round(change: Change, kind: str, *, rise: int, said: dict[str, Any]) -> None:
    """A new round `rise` levels up: its own owner, clock and ladder, whose first notice goes out at once."""
    case = change.case
    people = people_by_role(case.store)
    hours = hours_of(case.store)
    old, new = begin_round(case, level=case.level + rise, hours=hours, people=people, at=change.at)
    change.event(kind, old=old, new=new | said)
    start_ladder(change.written, case, hours=hours, people=people, at=change.at)


def give_up_waiting(verification: Verification, *, at: datetime | None = None) -> None:
    """Nobody answered the two questions in time: unconfirmed, which is never counted as success."""
    with changing(verification.case_id, actor=None, at=at) as change:
        if change.case.state == CaseState.RESOLVED and change.case.round == verification.round:
            change.case.closed_at = change.at
            moved = change.move(CaseState.UNCONFIRMED)
            change.event(EventKind.UNCONFIRMED, **moved)


def ask_shopper(verification: Verification, *, at: datetime | None = None) -> None:
    """Send the two questions, if the shopper can be reached and the case still waits for them."""
    with changing(verification.case_id, actor=None, at=at) as change:
        contact = change.case.response.contact
        waiting = change.case.state == CaseState.RESOLVED and change.case.round == verification.round
        if not (waiting and change.reachable and contact):
            return
        change.event(EventKind.ASKED, new={"round": verification.round}, channel=channel_to(contact))
        change.written.messages.append(
            draft(
                VERIFICATION,
                verification.pk,
                channel=channel_to(contact),
                contact=contact,
                dedup_key=f"verification:{verification.pk}",
                run_at=change.at,
                expires_at=change.at + _ANSWER_LIFETIME,
                priority=3,
            )
        )


def _hold(response_id: UUID) -> Response:
    """The locked response. Not as if its key might change: a reading that is being stored refers to it, and would wait
    for us while we wait for the reading."""
    held = Response.objects.select_for_update(of=("self",), no_key=True)
    return held.select_related("contact").get(pk=response_id)


def withdraw_permission(response_id: UUID, *, at: datetime | None = None) -> None:
    """The shopper no longer wants to be contacted: nothing more is sent, and an action stands in for contacting.

    A response without a case is possible; a second withdrawal changes nothing.
    """
    with transaction.atomic():
        response = _hold(response_id)
        now = at or timezone.now()
        was_reachable = is_reachable(response)
        Response.objects.filter(pk=response_id).update(contact_wish=ContactWish.NONE)
        if response.contact:
            Permission.objects.filter(contact=response.contact, withdrawn_at=None).update(withdrawn_at=now)
            _cancel_messages_to(response.contact)
        case = case_for_response(response_id)
        if case is None or not was_reachable:
            return
        with changing(case.pk, actor=None, at=now) as change:
            change.event(
                EventKind.PERMISSION_WITHDRAWN,
                old={"fix_only": change.case.fix_only},
                new={"fix_only": _reach_changed(change)},
            )


def choose_contact(response_id: UUID, wish: Wish, *, name: str, language: str, at: datetime | None = None) -> None:
    """The shopper says how, where and by which name to contact them from now on; the case's people are told.

    Without a wish nobody contacts them any more, see `withdraw_permission`.
    """
    if wish.how == ContactWish.NONE:
        withdraw_permission(response_id, at=at)
        return
    with transaction.atomic():
        response = _hold(response_id)
        now = at or timezone.now()
        if response.erased_at:
            raise ActionRefused(_("You have deleted what you told us."))
        if response.contact:
            _cancel_messages_to(response.contact)
        old = response.contact_wish
        change_contact(response, wish, language=language, now=now)
        case = case_for_response(response_id)
        if case is None or case.response_id != response_id:
            return
        with changing(case.pk, actor=None, at=now) as change:
            before = change.case.fix_only
            change.case.shopper_name = name[:LONGEST_NAME]
            reach = {"fix_only": _reach_changed(change), "wish": wish.how.value}
            change.event(EventKind.CONTACT_CHOSEN, old={"fix_only": before, "wish": old}, new=reach)
            if change.case.state in TO_DO:
                add_update(change.written, change.case, about=f"chosen:{case.pk}:{case.version}", at=change.at)


@once
def score_again(response_id: UUID, *, score: int, at: datetime | None = None) -> None:
    """The shopper answers the headline question once more, after the two questions: recovery, never part of an NPS.

    Only the last of several counts, and after some nothing changes it any more.
    """
    with changing(_case_of(response_id).pk, actor=None, at=at) as change:
        asked = change.case.verifications.order_by("-round").first()
        least, most = SCORE_RANGE[QuestionKind(change.case.response.headline_kind)]
        if asked is None or asked.answered_at is None:
            raise ActionRefused(_("Please answer the question."))
        if not least <= score <= most:
            raise ActionRefused(_("Please choose one of the answers."))
        if asked.score == score:
            raise AlreadyDone
        before = change.case.events.filter(kind=EventKind.SCORED_AGAIN, new__round=asked.round)
        if before.count() >= _SCORES_A_ROUND:
            raise ActionRefused(_("You have changed this often enough: your last score stays."))
        Verification.objects.filter(pk=asked.pk).update(score=score, scored_at=change.at)
        new = {"round": asked.round, "score": score}
        change.event(EventKind.SCORED_AGAIN, old={"score": asked.score}, new=new)


def erase(response_id: UUID, *, at: datetime | None = None) -> None:
    """The shopper deletes their words and address everywhere; scores, times and counts stay."""
    with transaction.atomic():
        forget_what_waits(response_id)
        response = _hold(response_id)
        if response.erased_at:
            return
        if response.contact:
            _cancel_messages_to(response.contact)
        erase_response(response_id)
        Response.objects.filter(pk=response_id, erased_at=None).update(erased_at=at or timezone.now())
        case = case_for_response(response_id)
        if case is not None:
            with changing(case.pk, actor=None, at=at) as change:
                change.event(
                    EventKind.ERASED, old={"fix_only": change.case.fix_only}, new={"fix_only": _reach_changed(change)}
                )


def _reach_changed(change: Change) -> bool:
    change.case.judge_reach(reachable=change.reachable, at=change.at)
    return change.case.fix_only


def _cancel_messages_to(contact: Contact) -> None:
    Message.objects.filter(contact=contact, state=MessageState.PENDING).update(
        state=MessageState.CANCELLED, run_at=None, lease_token=None, lease_until=None
    )
