"""Cells: what was counted from the raw rows by store and by node, day and week; never changed by hand."""

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from alerts.models import Case, RootCause
from core.leases import Leased
from stores.choices import Role, TouchpointKind
from stores.models import Node, Store, User
from surveys.choices import QuestionKind, ResponseChannel, SampleKind
from surveys.models import Verbatim


class Cell(models.Model):
    """The columns of every cell: one headline question, channel and sample kind, and what was counted of it.

    Responses that count in no headline figure are in `staff_responses` and in nothing else. Promoters, passives and
    detractors exist for the 0-to-10 question only, so that smileys can never become an NPS. Cases count on the day of
    the response that opened them, and once their thirty minutes are over.
    """

    headline_kind = models.CharField(max_length=10, choices=QuestionKind)
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    sample_kind = models.CharField(max_length=10, choices=SampleKind)

    responses = models.PositiveIntegerField(default=0)
    staff_responses = models.PositiveIntegerField(default=0)
    promoters = models.PositiveIntegerField(default=0)
    passives = models.PositiveIntegerField(default=0)
    detractors = models.PositiveIntegerField(default=0)
    # How often each score was given, from 0 to 10.
    score_counts = ArrayField(models.PositiveIntegerField(), size=11)

    # Verbatims by what they were read as.
    negative = models.PositiveIntegerField(default=0)
    neutral = models.PositiveIntegerField(default=0)
    positive = models.PositiveIntegerField(default=0)
    # {"staff": {"n": 3, "promoters": 1, "detractors": 2, "negative": 2, "positive": 1}, …}: responses with the
    # topic, of the 0-to-10 question only those with a score.
    topics = models.JSONField(default=dict)

    # Cases whose shopper can be reached, and those without a way to reach them.
    contactable = models.PositiveIntegerField(default=0)
    reached = models.PositiveIntegerField(default=0)
    attempted = models.PositiveIntegerField(default=0)
    fix_only = models.PositiveIntegerField(default=0)
    acted = models.PositiveIntegerField(default=0)
    running = models.PositiveIntegerField(default=0)
    # Cases whose shopper can be reached and has said whether it is solved, or let the time to say so pass.
    asked = models.PositiveIntegerField(default=0)
    confirmed = models.PositiveIntegerField(default=0)
    reopened = models.PositiveIntegerField(default=0)
    unconfirmed = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


# What a ranking of all stores reads: it need not fetch the cells themselves.
_RANKED = ("promoters", "passives", "detractors")


def _cell_of(*key: str, name: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=[*key, "headline_kind", "channel", "sample_kind"], name=name)


class StoreDay(Cell):
    """One store, one local day; recomputed whole from the raw rows. All other cells are sums of these."""

    # No index of its own, here as below: the constraint's begins with it.
    store = models.ForeignKey(Store, models.PROTECT, db_index=False, related_name="days")
    local_day = models.DateField()

    class Meta:
        constraints = [_cell_of("store", "local_day", name="store_day_once")]
        indexes = [
            # A period of the whole chain.
            models.Index(fields=["local_day"], name="store_day_period"),
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.local_day}"


class StoreWeek(Cell):
    """One store, one ISO week."""

    store = models.ForeignKey(Store, models.PROTECT, db_index=False, related_name="weeks")
    monday = models.DateField()

    class Meta:
        constraints = [_cell_of("store", "monday", name="store_week_once")]
        indexes = [
            # The first and the last week of all.
            models.Index(fields=["monday"], name="store_week_known"),
            # A period of the whole chain, store by store, for one way of asking.
            models.Index(
                fields=["headline_kind", "channel", "sample_kind", "monday"],
                include=["store", *_RANKED],
                name="store_week_ranked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.monday}"


class StoreSpan(models.Model):
    """What NPS answers one store had in four ISO weeks, from `start` on: see `reports.sums.span_of`.

    A sum of its weeks and nothing more, so that a period of the whole chain is read from fewer rows.
    """

    store = models.ForeignKey(Store, models.PROTECT, db_index=False, related_name="+")
    start = models.DateField()
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    sample_kind = models.CharField(max_length=10, choices=SampleKind)
    promoters = models.PositiveIntegerField()
    passives = models.PositiveIntegerField()
    detractors = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "start", "channel", "sample_kind"], name="store_span_once")
        ]
        indexes = [
            models.Index(
                fields=["channel", "sample_kind", "start"], include=["store", *_RANKED], name="store_span_ranked"
            )
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.start}"


class AgentWeek(models.Model):
    """What callers said after calls of one queue that one agent took, in one ISO week of a call centre.

    Of one headline question, the calls that were asked about, with a score. `happy` and `unhappy` are what these words
    mean on the scale of its question; either name may be empty, where telephony did not tell.
    """

    store = models.ForeignKey(Store, models.PROTECT, db_index=False, related_name="+")
    monday = models.DateField()
    queue = models.CharField(max_length=60, blank=True)
    agent = models.CharField(max_length=60, blank=True)
    headline_kind = models.CharField(max_length=10, choices=QuestionKind)
    happy = models.PositiveIntegerField()
    between = models.PositiveIntegerField()
    unhappy = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store", "monday", "queue", "agent", "headline_kind"], name="agent_week_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.monday} {self.queue}"


class QueueDay(models.Model):
    """How many callers of a queue were asked about their call of a local day, and how many of these have answered."""

    store = models.ForeignKey(Store, models.PROTECT, db_index=False, related_name="+")
    local_day = models.DateField()
    queue = models.CharField(max_length=60, blank=True)
    asked = models.PositiveIntegerField()
    answered = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "local_day", "queue"], name="queue_day_once")]

    def __str__(self) -> str:
        return f"{self.store_id} {self.local_day} {self.queue}"


class NodeDay(Cell):
    """All stores that lie under a node of the tree today, retired ones among them, on one local day."""

    node = models.ForeignKey(Node, models.CASCADE, db_index=False, related_name="days")
    local_day = models.DateField()

    class Meta:
        constraints = [_cell_of("node", "local_day", name="node_day_once")]

    def __str__(self) -> str:
        return f"{self.node_id} {self.local_day}"


class NodeWeek(Cell):
    """All stores that lie under a node of the tree today, retired ones among them, in one ISO week."""

    node = models.ForeignKey(Node, models.CASCADE, db_index=False, related_name="weeks")
    monday = models.DateField()

    class Meta:
        constraints = [_cell_of("node", "monday", name="node_week_once")]
        indexes = [
            # A period of all nodes beside each other, and the same for one way of asking.
            models.Index(fields=["monday"], name="node_week_period"),
            models.Index(
                fields=["headline_kind", "channel", "sample_kind", "monday"],
                include=["node", *_RANKED],
                name="node_week_ranked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.monday}"


class StoreTraffic(models.Model):
    """How many purchases (or calls) a store had on a local day by the channel that asks about them.

    Told by the chain's own systems, the last word holds. A day without a row is not known, which is not none.
    """

    store = models.ForeignKey(Store, models.PROTECT, db_index=False, related_name="traffic")
    local_day = models.DateField()
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    transactions = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "local_day", "channel"], name="store_traffic_once")]

    def __str__(self) -> str:
        return f"{self.store_id} {self.local_day} {self.channel}"


class TrafficWeek(models.Model):
    """The same summed over an ISO week, and of how many of its days anything is known."""

    store = models.ForeignKey(Store, models.PROTECT, db_index=False, related_name="traffic_weeks")
    monday = models.DateField()
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    transactions = models.PositiveIntegerField()
    days = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "monday", "channel"], name="traffic_week_once")]
        indexes = [
            # The weights of all stores in a period.
            models.Index(fields=["monday"], include=["store", "channel", "transactions"], name="traffic_week_period"),
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.monday} {self.channel}"


class TrafficSpan(models.Model):
    """Its weeks summed to four of them, as in a `StoreSpan`."""

    store = models.ForeignKey(Store, models.PROTECT, db_index=False, related_name="+")
    start = models.DateField()
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    transactions = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "start", "channel"], name="traffic_span_once")]
        indexes = [
            models.Index(fields=["start"], include=["store", "channel", "transactions"], name="traffic_span_period"),
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.start} {self.channel}"


class Asked(models.Model):
    """How many were asked in one ISO week by one channel, and at one kind of touchpoint where codes hang, and how far
    they came. See `reports.asking_cells` for what each column counts."""

    monday = models.DateField()
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    kind = models.CharField(max_length=20, choices=TouchpointKind, blank=True)
    invited = models.PositiveIntegerField()
    delivered = models.PositiveIntegerField()
    answered = models.PositiveIntegerField()
    scans = models.PositiveIntegerField()
    opens = models.PositiveIntegerField()
    begun = models.PositiveIntegerField()
    completed = models.PositiveIntegerField()
    with_words = models.PositiveIntegerField()

    class Meta:
        abstract = True


class AskedWeek(Asked):
    """Of one store."""

    store = models.ForeignKey(Store, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "monday", "channel", "kind"], name="asked_week_once"),
        ]
        indexes = [
            # A week of the whole chain, summed by node.
            models.Index(fields=["monday"], name="asked_week_known"),
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.monday} {self.channel}"


class AskedNodeWeek(Asked):
    """Of the stores that lie right below a node today."""

    node = models.ForeignKey(Node, models.CASCADE, db_index=False, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "monday", "channel", "kind"], name="asked_node_week_once"),
        ]
        indexes = [
            # A period of the whole chain.
            models.Index(fields=["monday"], name="asked_node_week_period"),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.monday} {self.channel}"


class AskedCount(models.Model):
    """When a week of all stores was last counted; `summed`: whether its nodes are those of today's tree."""

    monday = models.DateField(primary_key=True)
    counted_at = models.DateTimeField()
    summed = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.monday} {self.counted_at:%Y-%m-%d %H:%M}"


class StaleMark(Leased):
    """That something about a store's day has changed, or will at `run_at`: its cells have to be counted again.

    Written in the transaction of the change and deleted with the new cells; never updated by anyone else.
    """

    store = models.ForeignKey(Store, models.CASCADE, related_name="+")
    local_day = models.DateField()

    class Meta:
        indexes = [
            # The facts step of the work loop, twice a second.
            models.Index(fields=["run_at"], name="stale_due", condition=Q(run_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.local_day}"


class StaleSum(Leased):
    """That a node's stores have changed, so that its week and those of the nodes above it have to be summed again.

    Like a StaleMark: written in the transaction of the change, deleted with the new sums. No `monday` is every week: it
    is taken apart once the change is there to be seen.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="+")
    monday = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [
            # The facts step of the work loop, twice a second.
            models.Index(fields=["run_at"], name="stale_sum_due", condition=Q(run_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.monday}"


class PeriodKind(models.TextChoices):
    """What head office publishes figures of."""

    WEEK = "week", _("Week")
    MONTH = "month", _("Month")
    QUARTER = "quarter", _("Quarter")


class PublishedPeriod(models.Model):
    """That the figures from `first` to `last` were frozen as they were at `published_at`. The database refuses changes.

    What the cells say later stands beside it as a restated figure, see `reports.published`.
    """

    kind = models.CharField(max_length=10, choices=PeriodKind)
    first = models.DateField()
    last = models.DateField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-last", "-first"]
        constraints = [models.UniqueConstraint(fields=["kind", "first"], name="published_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.first}"


class PublishedNode(Cell):
    """What was published of a node, by the tree and under the name it had then; `shown`: with its score, decided then
    beside all that had been published before (`reports.disclosure`)."""

    period = models.ForeignKey(PublishedPeriod, models.CASCADE, db_index=False, related_name="nodes")
    node = models.ForeignKey(Node, models.PROTECT, db_index=False, related_name="+")
    name = models.CharField(max_length=120)
    shown = models.BooleanField(default=False)

    class Meta:
        constraints = [_cell_of("period", "node", name="published_node_once")]

    def __str__(self) -> str:
        return f"{self.period_id} {self.name}"


class PublishedStore(models.Model):
    """What a store had answered by then, and the ids of the nodes above it: what later differences are traced to."""

    period = models.ForeignKey(PublishedPeriod, models.CASCADE, db_index=False, related_name="stores")
    store = models.ForeignKey(Store, models.PROTECT, db_index=False, related_name="+")
    path = models.CharField(max_length=1000)
    headline_kind = models.CharField(max_length=10, choices=QuestionKind)
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    sample_kind = models.CharField(max_length=10, choices=SampleKind)
    responses = models.PositiveIntegerField()
    promoters = models.PositiveIntegerField()
    passives = models.PositiveIntegerField()
    detractors = models.PositiveIntegerField()

    class Meta:
        constraints = [_cell_of("period", "store", name="published_store_once")]

    def __str__(self) -> str:
        return f"{self.period_id} {self.store_id}"


class Rebuild(models.Model):
    """That all cells are counted again: of `weeks`, Mondays, the first `done` are."""

    began_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    weeks = models.JSONField()
    done = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.done} of {len(self.weeks)}"


class CellCheck(models.Model):
    """What comparing cells with the rows behind them found. `differences` says where, in words of the code."""

    at = models.DateTimeField(auto_now_add=True)
    cells = models.PositiveIntegerField()
    differences = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {len(self.differences)} of {self.cells}"


class ExplorerRow(models.Model):
    """One verbatim with everything the explorer filters by, so that a search reads one narrow table.

    Made again with the cells of its day, from the raw rows: corrections, cases, erasure and moves reach it the same
    way. Staff's own responses and deleted words have none. `band` is a name of `explorer_rows.BANDS`.
    """

    verbatim = models.OneToOneField(Verbatim, models.CASCADE, primary_key=True, related_name="explorer_row")
    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()
    local_day = models.DateField()
    channel = models.CharField(max_length=10)
    sample_kind = models.CharField(max_length=10)
    band = models.CharField(max_length=10)
    # Empty until the words were read.
    sentiment = models.CharField(max_length=10, blank=True)
    topics = ArrayField(models.CharField(max_length=20), default=list)
    urgency = ArrayField(models.CharField(max_length=20), default=list)
    language = models.CharField(max_length=10, blank=True)
    unsure = models.BooleanField(default=False)
    corrected = models.BooleanField(default=False)
    has_case = models.BooleanField(default=False)
    # The words as they are searched, see `explorer_rows.fold`, and which words these were.
    folded = models.TextField()
    text_key = models.CharField(max_length=32)

    class Meta:
        indexes = [
            # The newest of the chain, page by page; the newest of a few stores.
            models.Index(fields=["-submitted_at", "-verbatim"], name="explorer_newest"),
            models.Index(fields=["store", "-submitted_at"], name="explorer_store"),
        ]

    def __str__(self) -> str:
        return f"explorer row {self.pk}"


class HideReason(models.TextChoices):
    """Why words stay off the wall."""

    NAMES_SOMEBODY = "names", _("Somebody can be recognised")
    OFFENDS = "offends", _("It offends or insults")
    WRONG_PLACE = "place", _("It is not about this store")
    MISREAD = "misread", _("It was misunderstood by the machine")
    NOT_READABLE = "unreadable", _("It cannot be understood")


class WallHidden(models.Model):
    """That somebody keeps a shopper's words off the wall, and why; deleted when they may hang again."""

    verbatim = models.OneToOneField(Verbatim, models.CASCADE, primary_key=True, related_name="wall_hidden")
    reason = models.CharField(max_length=10, choices=HideReason)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.verbatim_id} {self.reason}"


class WallApproval(models.Model):
    """That somebody has looked through the wall of a store's week and lets it hang as it was then: `seen` holds a mark
    of each thing that hung there, see `reports.wall`."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="wall_approvals")
    monday = models.DateField()
    seen = ArrayField(models.CharField(max_length=43), default=list)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "monday"], name="wall_approved_once")]

    def __str__(self) -> str:
        return f"{self.store_id} {self.monday}"


class WallCare(models.Model):
    """That at the stores at or below a node words hang only once somebody has looked through them."""

    node = models.OneToOneField(Node, models.CASCADE, primary_key=True, related_name="+")
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"walls at {self.node_id} wait for being looked through"


class WallRound(Leased):
    """When a store is sent its next wall: that of the week which began on `monday`, at `run_at`."""

    store = models.OneToOneField(Store, models.CASCADE, primary_key=True, related_name="wall_round")
    monday = models.DateField()

    class Meta:
        indexes = [
            # The step of the work loop, twice a second.
            models.Index(fields=["run_at"], name="wall_due", condition=Q(run_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.monday}"


class WallScreen(models.Model):
    """The link by which a screen in a store's back office shows its wall without a sign-in. A new one ends the old."""

    store = models.OneToOneField(Store, models.CASCADE, primary_key=True, related_name="wall_screen")
    serial = models.UUIDField(default=uuid4)
    token_hash = models.CharField(max_length=64, unique=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"screen of {self.store_id}"


class ActionState(models.TextChoices):
    OPEN = "open", _("Under way")
    DONE = "done", pgettext_lazy("of an action", "Done")
    DROPPED = "dropped", _("Dropped")


class Action(models.Model):
    """What is done about a cause of bad visits at a place, by whom and until when.

    `cause` and `topic` say against what, at most one of them; `case` is what it was made from. `did` is the sentence
    that hangs on the walls of its stores once it is done. Words are kept without contacts and numbers.
    """

    title = models.CharField(max_length=120)
    cause = models.ForeignKey(RootCause, models.PROTECT, null=True, blank=True, related_name="actions")
    # One of `sentiment.labels`.
    topic = models.CharField(max_length=20, blank=True)
    case = models.ForeignKey(Case, models.SET_NULL, null=True, blank=True, related_name="actions")
    node = models.ForeignKey(Node, models.PROTECT, null=True, blank=True, related_name="actions")
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="actions")
    owner = models.ForeignKey(User, models.PROTECT, related_name="actions")
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=ActionState, default=ActionState.OPEN)
    did = models.CharField(max_length=240, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # When it was done or dropped.
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(node=None, store__isnull=False) | Q(node__isnull=False, store=None),
                name="action_of_one_place",
            ),
            models.CheckConstraint(condition=Q(cause=None) | Q(topic=""), name="action_against_one_thing"),
            models.CheckConstraint(
                condition=Q(state="open", ended_at=None) | (~Q(state="open") & Q(ended_at__isnull=False)),
                name="action_ended_when",
            ),
        ]

    def __str__(self) -> str:
        return f"action {self.pk}"

    @property
    def place(self) -> Node | Store:
        found = self.store or self.node
        assert found is not None  # see action_of_one_place
        return found


class EntryOfAction(models.TextChoices):
    """What happened to an action."""

    MADE = "made", _("Begun")
    NOTE = "note", _("Note")
    TITLE = "title", _("Renamed")
    OWNER = "owner", _("Owner changed")
    DUE = "due", _("Due date changed")
    PLACE = "place", _("Place changed")
    DONE = "done", pgettext_lazy("of an action", "Done")
    DROPPED = "dropped", _("Dropped")
    REOPENED = "reopened", _("Taken up again")


class ActionEntry(models.Model):
    """A note, or a change with what was before and after. Rows are only ever added: the database refuses changes, but
    for blanking words."""

    action = models.ForeignKey(Action, models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=10, choices=EntryOfAction)
    text = models.TextField(blank=True)
    old = models.CharField(max_length=200, blank=True)
    new = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    # Minted into the form: the same form sent twice is one entry.
    form_id = models.UUIDField(unique=True, default=uuid4)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} of action {self.action_id}"


class WallDeedHidden(models.Model):
    """That somebody keeps what was done, in a case or as an action, off the walls of a store, with the words it was
    done about; deleted when it may hang again."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="+")
    case = models.ForeignKey(Case, models.CASCADE, null=True, blank=True, related_name="+")
    action = models.ForeignKey(Action, models.CASCADE, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=10, choices=HideReason)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(case__isnull=False, action=None) | Q(case=None, action__isnull=False),
                name="wall_deed_one_thing",
            ),
            models.UniqueConstraint(fields=["store", "case", "action"], name="wall_deed_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.reason}"

    @property
    def deed(self) -> str:
        return f"case:{self.case_id}" if self.case_id else f"action:{self.action_id}"


class Rhythm(models.TextChoices):
    """How often a digest comes."""

    WEEKLY = "weekly", _("Every week")
    MONTHLY = "monthly", _("Every month")


class DigestRule(models.Model):
    """That everybody who holds a role at a node or below it gets figures by e-mail, each those of their own place."""

    role = models.CharField(max_length=20, choices=Role)
    node = models.ForeignKey(Node, models.CASCADE, related_name="+")
    rhythm = models.CharField(max_length=10, choices=Rhythm)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role", "node", "rhythm"], name="digest_rule_once")]

    def __str__(self) -> str:
        return f"{self.rhythm} digest of each {self.role} at {self.node_id}"


class Digest(Leased):
    """That somebody wants the figures of a place by e-mail; no place is everything they may see.

    The next issue is about the weeks up to and with the one that begins on `monday`, and goes out at `run_at`. None
    says that its reader wants it no more, whatever rules say. `rule` has begun it and ends it; else they asked for it.
    """

    rule = models.ForeignKey(DigestRule, models.CASCADE, null=True, blank=True, related_name="digests")

    user = models.ForeignKey(User, models.CASCADE, db_index=False, related_name="digests")
    rhythm = models.CharField(max_length=10, choices=Rhythm)
    node = models.ForeignKey(Node, models.CASCADE, null=True, blank=True, related_name="+")
    store = models.ForeignKey(Store, models.CASCADE, null=True, blank=True, related_name="+")
    monday = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "rhythm", "node", "store"], name="digest_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(node=None) | Q(store=None), name="digest_of_one_place"),
        ]
        indexes = [
            # The step of the work loop, twice a second.
            models.Index(fields=["run_at"], name="digest_due", condition=Q(run_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.rhythm} digest of {self.user_id}"
