"""Cells: what a store's day amounts to, counted from the raw rows and never changed by hand."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.leases import Leased
from stores.models import Store
from surveys.choices import QuestionKind, ResponseChannel, SampleKind
from surveys.models import Verbatim


class StoreDay(models.Model):
    """One store, one local day, one headline question, channel and sample kind; recomputed whole.

    Responses flagged as staff's own are in `staff_responses` and in nothing else. Promoters, passives and detractors
    exist for the 0-to-10 question only, so that smileys can never become an NPS. Cases count on the day of the
    response that opened them, and once their thirty minutes are over.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="days")
    local_day = models.DateField()
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
    # {"staff": {"n": 3, "promoters": 1, "detractors": 2, "negative": 2, "positive": 1}, …}: responses with the topic.
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
        constraints = [
            models.UniqueConstraint(
                fields=["store", "local_day", "headline_kind", "channel", "sample_kind"], name="store_day_once"
            )
        ]
        indexes = [
            # A period of the whole chain.
            models.Index(fields=["local_day"], name="store_day_period"),
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.local_day}"


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
