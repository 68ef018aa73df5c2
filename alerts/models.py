"""Cases: who must act on which response, until when, and all that happened."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext

from alerts.choices import (
    TO_DO,
    CaseState,
    Dismissal,
    EntryKind,
    EventKind,
    Exemption,
    ExemptReason,
    Outcome,
    ReviewReason,
    ReviewState,
    Severity,
    StepState,
    StopsOn,
    Trigger,
)
from alerts.ladder import parse_policy, parse_targets
from alerts.rules import Conditions, parse
from core.fields import EncryptedTextField
from core.leases import Leased
from messaging.choices import Channel
from stores.models import Store, User
from surveys.models import Response, Verbatim


class CasePolicy(models.Model):
    """A clock with its ladder, by a name. `content` is `alerts.ladder.Policy` as JSON, checked on save.

    Cases carry a copy of it: what is changed here holds for new ones. Retired rather than deleted.
    """

    name = models.CharField(max_length=80)
    content = models.JSONField()
    # The one of every case whose rule names no other.
    usual = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "case policies"
        ordering = ["-usual", "name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["usual"], condition=Q(usual=True), name="one_usual_policy"),
            models.CheckConstraint(condition=Q(usual=False) | Q(retired_at=None), name="usual_policy_is_not_retired"),
        ]

    def __str__(self) -> str:
        return gettext(self.name)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises ValidationError for a policy that cannot be, or would leave a case without anybody."""
        parse_policy(self.content)
        super().save(*args, **kwargs)


class AlertGroup(models.Model):
    """People who are told together, wherever their roles reach. Retired rather than deleted."""

    name = models.CharField(max_length=80)
    members = models.ManyToManyField(User, related_name="alert_groups")
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class UrgencyRoute(models.Model):
    """The way of one kind of urgency (`sentiment.urgency`): whom it tells at once, day or night, whichever rule found
    it, which level answers, and the clock that it brings if that is the stricter one."""

    kind = models.CharField(max_length=20, unique=True)
    to = models.JSONField(default=list)
    level = models.PositiveSmallIntegerField(default=0)
    policy = models.ForeignKey(CasePolicy, models.PROTECT, null=True, blank=True, related_name="routes")

    def __str__(self) -> str:
        return self.kind

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises ValidationError when `to` names nobody that can be told."""
        parse_targets(self.to)
        super().save(*args, **kwargs)


class RuleBook(models.Model):
    """One row whose version changes with every change of the tables that `alerts.book` reads; the database sees to it,
    in the transaction of the change."""

    version = models.UUIDField()

    def __str__(self) -> str:
        return str(self.version)


class Rule(models.Model):
    """When a response becomes a case, and what kind of case. `conditions` is `alerts.rules.Conditions` as JSON, `also`
    the targets (`alerts.ladder`) that are told at once besides the ladder; both are checked on save."""

    name = models.CharField(max_length=80)
    trigger = models.CharField(max_length=10, choices=Trigger)
    order = models.PositiveSmallIntegerField(default=100)
    active = models.BooleanField(default=True)
    conditions = models.JSONField(default=dict)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.NORMAL)
    # None is the chain's usual one.
    policy = models.ForeignKey(CasePolicy, models.PROTECT, null=True, blank=True, related_name="rules")
    # Who answers for the case: 0 store, 1 area, 2 head office.
    level = models.PositiveSmallIntegerField(default=0)
    also = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def parsed(self) -> Conditions:
        """Raises ValidationError when the conditions do not parse."""
        return parse(self.conditions)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises ValidationError when the conditions do not parse, or `also` names nobody that can be told."""
        self.__dict__.pop("parsed", None)
        parse(self.conditions)
        parse_targets(self.also)
        super().save(*args, **kwargs)


class Evaluation(Leased):
    """That the rules of one trigger have yet to be run on a response, or have been.

    Made in the transaction of what it is about, outside the rules' own savepoint: a broken rule costs a retry here,
    never the response.
    """

    response = models.ForeignKey(Response, models.CASCADE, related_name="evaluations")
    trigger = models.CharField(max_length=10, choices=Trigger)
    # The response's revision, or 0 for a verbatim's.
    revision = models.PositiveSmallIntegerField()
    verbatim = models.ForeignKey(Verbatim, models.CASCADE, null=True, blank=True, related_name="evaluations")
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["response", "trigger", "revision", "verbatim"],
                name="evaluation_once",
                nulls_distinct=False,
            )
        ]
        indexes = [
            models.Index(fields=["run_at"], name="evaluation_due", condition=Q(run_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.trigger} of {self.response_id}"


class RootCause(models.Model):
    """An entry of the chain's list of why things go wrong. Retired rather than deleted.

    `names` are head office's own words by language; where it has none, `name` is said in the catalogue's.
    """

    name = models.CharField(max_length=80)
    names = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(default=True)
    order = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        own: str = self.names.get(get_language() or "", "")
        return own or gettext(self.name)


class ReplyTemplate(models.Model):
    """An answer that head office has prepared: read in the manager's language, sent in the shopper's.

    `topic` is one of `sentiment.labels`; empty fits every case. Retired rather than deleted.
    """

    topic = models.CharField(max_length=20, blank=True)
    active = models.BooleanField(default=True)
    order = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return f"reply {self.pk}"


class ReplyText(models.Model):
    """One language of a template: what the list calls it, and the words with their blanks, see `alerts.replies`."""

    # No index of its own: the constraint's begins with it.
    template = models.ForeignKey(ReplyTemplate, models.CASCADE, db_index=False, related_name="texts")
    language = models.CharField(max_length=10)
    title = models.CharField(max_length=80)
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "language"], name="reply_text_once")]

    def __str__(self) -> str:
        return self.title


class Case(models.Model):
    """One unhappy shopper at one store, with the clock that runs for the people who answer for it.

    `due_at` is thirty open minutes after `opened_at`, computed once; reopening starts a new clock and keeps the first
    one in `first_due_at`. `policy` is the ladder as it stood then: later edits of rules or hours change nothing.
    `level` says who owns it now: 0 store, 1 area, 2 head office. While the shopper cannot be reached, recording an
    action stands in for contacting; `fix_only` says which of the two the case is measured by, see `judge_reach`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    store = models.ForeignKey(Store, models.PROTECT, related_name="cases")
    response = models.OneToOneField(Response, models.PROTECT, related_name="opened_case")
    rule_name = models.CharField(max_length=80)
    # The rule that opened it; none where a person did.
    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, blank=True, related_name="cases")
    trigger = models.CharField(max_length=10, choices=Trigger)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.NORMAL)
    state = models.CharField(max_length=20, choices=CaseState, default=CaseState.OPEN)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="cases")
    level = models.PositiveSmallIntegerField(default=0)
    # Counts reopenings: the steps of each round are its own.
    round = models.PositiveSmallIntegerField(default=0)
    fix_only = models.BooleanField(default=False)
    # The kinds of urgency that were found in its words by a rule that looks for them.
    urgency = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    policy = models.JSONField()
    # What the clock rests on: "entered" hours, "assumed" (none entered: always open) or "closed" (for 60 days to come).
    hours_basis = models.CharField(max_length=10, default="entered")
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    # By when somebody has taken notice, and by when it is done; None where the policy asks for neither.
    acknowledge_due_at = models.DateTimeField(null=True, blank=True)
    resolve_due_at = models.DateTimeField(null=True, blank=True)
    # None until the case is reopened. The service-level shares use it before `due_at`.
    first_due_at = models.DateTimeField(null=True, blank=True)
    # When each of these first happened, in whichever round.
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    # The first try, and the first time the shopper was really reached.
    attempted_at = models.DateTimeField(null=True, blank=True)
    contacted_at = models.DateTimeField(null=True, blank=True)
    # The first recorded action, which is what a fix-only case is measured by.
    fixed_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    root_cause = models.ForeignKey(RootCause, models.PROTECT, null=True, blank=True, related_name="cases")
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    # Left out of the store's shares and shown beside them; empty for every other case.
    exemption = models.CharField(max_length=14, choices=Exemption, blank=True)
    exempt_reason = models.CharField(max_length=12, choices=ExemptReason, blank=True)
    # How much opening time had passed since `opened_at`, by the hours of that moment: later edits change nothing.
    # None where it has not happened, or happened before this was kept.
    acknowledged_open_secs = models.PositiveIntegerField(null=True, blank=True)
    contacted_open_secs = models.PositiveIntegerField(null=True, blank=True)
    resolved_open_secs = models.PositiveIntegerField(null=True, blank=True)
    # What the shopper wants to be called, if they said it.
    shopper_name = EncryptedTextField(blank=True, default="")
    # Grows with every change: the inbox polls for it.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [
            # The inbox: what burns first.
            models.Index(
                fields=["store", "due_at"], name="case_inbox", condition=Q(state__in=[s.value for s in TO_DO])
            ),
            # The service-level shares of a period.
            models.Index(fields=["opened_at"], name="case_opened"),
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"

    @property
    def target_at(self) -> datetime:
        """When its first clock ends, by which the service-level shares judge it."""
        return self.first_due_at or self.due_at

    def judge_reach(self, *, reachable: bool, at: datetime) -> None:
        """Measure the case by contacting or by fixing, as the shopper can be reached now.

        Settled once the shopper was reached or the first clock is over: a permission taken back in anger makes no
        late case disappear from its share, and one given late puts no case there that nobody could have contacted.
        """
        if not self.contacted_at and at < self.target_at:
            self.fix_only = not reachable


class CaseResponse(models.Model):
    """A further response of the same shopper, appended to an open case instead of opening a second one."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="further_responses")
    response = models.OneToOneField(Response, models.PROTECT, related_name="appended_to")
    added_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.response_id} in {self.case_id}"


class CaseStep(Leased):
    """One rung of a case's ladder: at `run_at`, tell its people, unless `stops_on` happened before.

    What is told again until it is stopped is a row of its own each time; `repetition` counts them. `level` is the
    highest that it tells.
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="steps")
    round = models.PositiveSmallIntegerField(default=0)
    ordinal = models.PositiveSmallIntegerField()
    repetition = models.PositiveIntegerField(default=0)
    level = models.PositiveSmallIntegerField()
    stops_on = models.CharField(max_length=12, choices=StopsOn)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=StepState, default=StepState.PENDING)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "round", "ordinal", "repetition"], name="step_once")]
        indexes = [models.Index(fields=["run_at"], name="step_due", condition=Q(run_at__isnull=False))]

    def __str__(self) -> str:
        return f"step {self.ordinal} of {self.case_id}"


class CaseEvent(models.Model):
    """What happened to a case, by whom, from what to what. Append-only: the database refuses changes.

    Holds ids and states, never words; words are `CaseEntry` rows, which can be blanked.
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=24, choices=EventKind)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    step = models.ForeignKey(CaseStep, models.CASCADE, null=True, blank=True, related_name="events")
    recipient = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel, blank=True)
    old = models.JSONField(default=dict)
    new = models.JSONField(default=dict)
    # What an UNDONE event takes back: it happened, and counts no more.
    undoes = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="undone_by")

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            # Exactly one event per case, step, recipient and channel (a step belongs to one case).
            models.UniqueConstraint(
                fields=["step", "recipient", "channel"], condition=Q(kind="notified"), name="notified_once"
            )
        ]
        indexes = [
            # The inbox: whether something was done, without reading all that ever happened.
            models.Index(fields=["case"], name="case_fixed", condition=Q(kind="fixed")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class CaseEntry(models.Model):
    """Words in a case: an internal note, an answer to the shopper, the shopper's reply, what was done."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=10, choices=EntryKind)
    text = models.TextField()
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    # What it was written from, however much was changed.
    template = models.ForeignKey(ReplyTemplate, models.SET_NULL, null=True, blank=True, related_name="entries")
    # Minted into the form: the same form sent twice is one entry.
    form_id = models.UUIDField(unique=True, default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LastStep(models.Model):
    """The last thing that a person did to a case, so that they may take it back at once.

    `version` is the case's right after it: once anything else happens it cannot be undone. `before` holds the columns
    of the case that it changed, `label` the kind of the event that names it.
    """

    case = models.OneToOneField(Case, models.CASCADE, primary_key=True, related_name="last_step")
    actor = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    version = models.PositiveIntegerField()
    label = models.CharField(max_length=24, choices=EventKind)
    before = models.JSONField(default=dict)
    # Ids of the events that it wrote.
    events = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.label} of {self.case_id}"

    @staticmethod
    def plain(value: Any) -> Any:
        """A column's value as JSON has it."""
        return value.isoformat() if isinstance(value, datetime) else value


class Verification(Leased):
    """The two questions after a case was resolved: "Did we contact you?" and "Was it solved?".

    `run_at` is when to ask; after asking, when silence begins to count as unconfirmed. One per round of a case.
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="verifications")
    round = models.PositiveSmallIntegerField()
    asked_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    contacted = models.BooleanField(null=True)
    solved = models.BooleanField(null=True)
    # The same headline question once more, afterwards: reported as recovery, never part of an NPS.
    score = models.SmallIntegerField(null=True, blank=True)
    scored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "round"], name="verification_once")]
        indexes = [
            models.Index(fields=["run_at"], name="verification_due", condition=Q(run_at__isnull=False)),
            # How shoppers of the whole chain scored again in some weeks.
            models.Index(fields=["scored_at"], name="verification_scored", condition=Q(scored_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"verification {self.round} of {self.case_id}"


class Review(Leased):
    """Words that open no case by themselves and that a person should read: one per verbatim.

    `run_at` is when it expires unread. `revision` is the response's when the words were judged: what was settled is
    asked again only once they were corrected.
    """

    verbatim = models.OneToOneField(Verbatim, models.CASCADE, related_name="review")
    response = models.ForeignKey(Response, models.CASCADE, related_name="reviews")
    store = models.ForeignKey(Store, models.PROTECT, related_name="reviews")
    reason = models.CharField(max_length=10, choices=ReviewReason)
    state = models.CharField(max_length=10, choices=ReviewState, default=ReviewState.PENDING)
    revision = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField()
    # When and by whom it left the queue; nobody when it expired or a case came by another way.
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    dismissal = models.CharField(max_length=10, choices=Dismissal, blank=True)
    case = models.ForeignKey(Case, models.SET_NULL, null=True, blank=True, related_name="reviews")

    class Meta:
        indexes = [
            models.Index(fields=["run_at"], name="review_due", condition=Q(run_at__isnull=False)),
            # The queue of a store, and how long it is.
            models.Index(fields=["store", "created_at"], name="review_queue", condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"review {self.pk}"


class ReviewEvent(models.Model):
    """What happened to a review, by whom. Append-only: the database refuses changes. `state` is the one it led to."""

    review = models.ForeignKey(Review, models.CASCADE, related_name="events")
    state = models.CharField(max_length=10, choices=ReviewState)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    # Ids and reasons, never words.
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.state} {self.at:%Y-%m-%d %H:%M}"


class Kudos(models.Model):
    """Very happy words that reach the team of their store at once: one per response."""

    response = models.OneToOneField(Response, models.CASCADE, primary_key=True, related_name="kudos")
    store = models.ForeignKey(Store, models.PROTECT, related_name="kudos")
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            # The feed of a store, newest first.
            models.Index(fields=["store", "-created_at"], name="kudos_feed"),
        ]
        verbose_name_plural = "kudos"

    def __str__(self) -> str:
        return f"kudos {self.pk}"


class Thanks(models.Model):
    """A member of staff says thank you for kudos, once."""

    kudos = models.ForeignKey(Kudos, models.CASCADE, db_index=False, related_name="thanks")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kudos", "user"], name="thanks_once")]
        verbose_name_plural = "thanks"

    def __str__(self) -> str:
        return f"thanks for {self.kudos_id}"
