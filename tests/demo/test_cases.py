"""What the demo says of a case is what `alerts.actions` would have left behind."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import actions, settling
from alerts.choices import Exemption, ExemptReason
from alerts.clock import hours_of
from alerts.models import Case, RootCause, Verification
from alerts.notices import CASE_ANSWER, STAFF_KINDS, VERIFICATION
from alerts.opening import open_case
from alerts.policy import ensure_defaults
from alerts.verdicts import Verdict
from alerts.work import climb
from customers.models import Contact, ContactKind
from demo.cases import Chronicle, Story
from messaging.models import Message
from stores.queries import people_by_role
from surveys.choices import ContactWish
from surveys.models import Response
from tests.factories import Chain, make_response

pytestmark = pytest.mark.django_db
VERDICT = Verdict("Low score", "score", "normal")
DAY = timedelta(days=1)


def response_at(chain: Chain, at: datetime, *, contact: bool) -> Response:
    response = make_response(touchpoint=chain.touchpoint, score=2, words="Slow", submitted_at=at)
    if contact:
        response.contact = Contact.create(ContactKind.EMAIL, f"{response.pk.hex}@shoppers.example", language="en")
        response.contact_wish = ContactWish.EMAIL
        response.save()
    return response


def told(response: Response) -> dict[str, Any]:
    """Everything about the case that must agree; of ids only whether they are there."""
    case = Case.objects.get(response=response)
    words = {entry.pk: (entry.kind, entry.text, entry.author_id) for entry in case.entries.all()}
    about = {(kind, str(case.pk)): "case" for kind in STAFF_KINDS}
    about |= {(VERIFICATION, str(v.pk)): f"question {v.round}" for v in case.verifications.all()}
    about |= {(CASE_ANSWER, str(pk)): f"entry {found}" for pk, found in words.items()}

    def plain(values: dict[str, Any]) -> dict[str, Any]:
        shown = {key: value for key, value in values.items() if key != "form_id"}
        return shown | ({"entry": words[shown["entry"]]} if "entry" in shown else {}) | {"form": "form_id" in values}

    messages = [m for m in Message.objects.all() if (m.kind, m.subject_id) in about]
    return {
        "columns": {
            field.name: getattr(case, field.attname)
            for field in Case._meta.concrete_fields
            if field.name not in {"id", "response"}
        },
        "events": [
            (e.kind, e.at, e.actor_id, e.recipient_id, e.channel, e.step and e.step.ordinal, plain(e.old), plain(e.new))
            for e in case.events.order_by("pk").select_related("step")
        ],
        "steps": [
            (s.round, s.ordinal, s.level, s.stops_on, s.due_at, s.state, s.run_at)
            for s in case.steps.order_by("round", "ordinal")
        ],
        "questions": list(
            case.verifications.order_by("round").values_list("asked_at", "answered_at", "contacted", "solved", "run_at")
        ),
        "messages": sorted((m.kind, m.channel, m.user_id or 0, about[m.kind, m.subject_id]) for m in messages),
    }


class Really:
    """The deeds by `alerts.actions`."""

    def __init__(self, response: Response, at: datetime) -> None:
        self.response = response
        self.case = open_case(response, VERDICT, at=at)

    def acknowledge(self, actor: Any, at: datetime) -> None:
        actions.acknowledge(self.case.pk, actor=actor, at=at)

    def contact(self, actor: Any, at: datetime, *, channel: Any, reached: bool, note: str = "") -> None:
        actions.record_contact(
            self.case.pk, actor=actor, channel=channel, reached=reached, note=note, form_id=uuid.uuid4(), at=at
        )

    def answer(self, actor: Any, at: datetime, text: str) -> None:
        actions.answer_shopper(self.case.pk, actor=actor, text=text, form_id=uuid.uuid4(), at=at)

    def fix(self, actor: Any, at: datetime, text: str) -> None:
        actions.record_action(self.case.pk, actor=actor, text=text, form_id=uuid.uuid4(), at=at)

    def leave_out(self, actor: Any, at: datetime, *, exemption: str, reason: str) -> None:
        settling.leave_out(self.case.pk, actor=actor, exemption=exemption, reason=reason, form_id=uuid.uuid4(), at=at)

    def resolve(self, actor: Any, at: datetime, *, root_cause: RootCause, text: str = "") -> Verification:
        actions.resolve(
            self.case.pk,
            actor=actor,
            root_cause_id=root_cause.pk,
            outcome="put_right",
            text=text,
            form_id=uuid.uuid4(),
            at=at,
        )
        return self.case.verifications.latest("round")

    def ask(self, verification: Verification) -> None:
        at = verification.run_at
        assert at is not None
        verification.asked_at, verification.run_at = at, at + 7 * DAY
        verification.save()
        actions.ask_shopper(verification, at=at)

    def give_up_waiting(self, verification: Verification) -> None:
        at, verification.run_at = verification.run_at, None
        verification.save()
        actions.give_up_waiting(verification, at=at)

    def confirm(self, verification: Verification, at: datetime, *, contacted: bool, solved: bool) -> None:
        actions.confirm(self.response.pk, contacted=contacted, solved=solved, at=at)

    def climb_until(self, moment: datetime) -> None:
        climb()


def quick(case: Any, chain: Chain, at: datetime, cause: RootCause) -> None:
    case.acknowledge(chain.manager, at + timedelta(minutes=3))
    case.contact(chain.manager, at + timedelta(minutes=9), channel="email", reached=True, note="Was glad.")
    question = case.resolve(chain.manager, at + timedelta(hours=1), root_cause=cause, text="Talked it through.")
    case.ask(question)
    case.confirm(question, at + 2 * DAY, contacted=True, solved=True)


def answered_at_once(case: Any, chain: Chain, at: datetime, cause: RootCause) -> None:
    case.answer(chain.manager, at + timedelta(minutes=5), "I am sorry.")
    question = case.resolve(chain.manager, at + timedelta(hours=1), root_cause=cause)
    case.ask(question)
    case.give_up_waiting(question)


def fixed_only(case: Any, chain: Chain, at: datetime, cause: RootCause) -> None:
    case.fix(chain.manager, at + timedelta(minutes=4), "Shelf mended.")
    question = case.resolve(chain.manager, at + timedelta(minutes=20), root_cause=cause)
    case.ask(question)


def said_no(case: Any, chain: Chain, at: datetime, cause: RootCause) -> None:
    case.contact(chain.manager, at + timedelta(minutes=2), channel="call", reached=False)
    question = case.resolve(chain.manager, at + timedelta(minutes=29), root_cause=cause, text="Left a message.")
    case.ask(question)
    case.confirm(question, at + 2 * DAY, contacted=False, solved=False)
    case.answer(chain.area_manager, at + 2 * DAY + timedelta(minutes=6), "Let me put it right.")
    case.resolve(chain.area_manager, at + 2 * DAY + timedelta(minutes=50), root_cause=cause)


def left_out(case: Any, chain: Chain, at: datetime, cause: RootCause) -> None:
    case.leave_out(chain.manager, at + timedelta(minutes=7), exemption=Exemption.OUTSIDE, reason=ExemptReason.BUILDING)


@pytest.mark.parametrize(
    ("walk", "contact"),
    [(quick, True), (answered_at_once, True), (fixed_only, False), (said_no, True), (left_out, True)],
)
def test_the_same_walk_leaves_the_same_rows(
    chain: Chain, walk: Callable[..., None], contact: bool, settings: Any
) -> None:
    settings.VERIFICATION_DELAY = DAY
    ensure_defaults()
    at, cause = timezone.now() - 20 * DAY, RootCause.objects.all()[0]
    real, demo = response_at(chain, at, contact=contact), response_at(chain, at, contact=contact)

    really = Really(real, at)
    # What is on its way is sent within seconds; only messages that are still waiting cross an acknowledgement.
    Message.objects.update(state="sent")
    walk(really, chain, at, cause)
    really.climb_until(timezone.now())

    chronicle = Chronicle()
    story = Story(chronicle, demo, VERDICT, at=at, hours=hours_of(chain.store), people=people_by_role(chain.store))
    walk(story, chain, at, cause)
    story.climb_until(timezone.now())
    chronicle.save()

    expected, found = told(real), told(demo)
    for part in expected:
        if part == "events" and walk is said_no:  # its second message crossed the acknowledgement
            expected[part] = [event for event in expected[part] if event[0] != "crossed"]
        assert found[part] == expected[part], part


def test_untouched_it_climbs_the_same_way(chain: Chain) -> None:
    ensure_defaults()
    at = timezone.now() - timedelta(minutes=50)
    real, demo = response_at(chain, at, contact=True), response_at(chain, at, contact=True)
    Really(real, at).climb_until(timezone.now())
    chronicle = Chronicle()
    story = Story(chronicle, demo, VERDICT, at=at, hours=hours_of(chain.store), people=people_by_role(chain.store))
    story.climb_until(timezone.now())
    chronicle.save()
    expected, found = told(real), told(demo)

    def timeless(events: list[Any]) -> list[Any]:
        return sorted(event[:1] + event[2:6] for event in events)

    assert timeless(found["events"]) == timeless(expected["events"])
    assert (found["steps"], found["messages"]) == (expected["steps"], expected["messages"])
    assert found["columns"] == expected["columns"]
