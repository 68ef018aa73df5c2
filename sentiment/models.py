"""What a verbatim was understood to mean."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from core.leases import Leased
from surveys.models import Verbatim


class Sentiment(models.TextChoices):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Analysis(Leased):
    """The reading of one verbatim: pending while `run_at` is set, done once `analysed_at` is.

    Made with the verbatim, in the same transaction, so that no words go unread. `priority` lets low scores go first.
    """

    verbatim = models.OneToOneField(Verbatim, models.CASCADE, primary_key=True, related_name="analysis")
    priority = models.PositiveSmallIntegerField(default=5)
    analysed_at = models.DateTimeField(null=True, blank=True)
    # Keyed, of the words that were queued: corrected words are read again, the same words are not.
    text_hash = models.CharField(max_length=43, blank=True)
    language = models.CharField(max_length=10, blank=True)
    language_confidence = models.FloatField(null=True)
    sentiment = models.CharField(max_length=10, choices=Sentiment, blank=True)
    p_negative = models.FloatField(null=True)
    p_neutral = models.FloatField(null=True)
    p_positive = models.FloatField(null=True)
    # False when the words were too few or too strange: such a reading never opens a case.
    confident = models.BooleanField(default=False)
    # The model's own judgement that the words are a reason to act, and whether it was measured in their language: in
    # any other a person looks first. See `engine.Reading`.
    alarming = models.BooleanField(default=False)
    proven = models.BooleanField(default=False)
    # [{"topic": "staff", "sentiment": "negative"}, …]
    topics = models.JSONField(default=list)
    urgency = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    # True when pattern and model agree, so that the urgency may escalate by itself.
    urgency_certain = models.BooleanField(default=False)
    # The words without names, numbers and addresses: all that may be shared or printed.
    redacted = models.TextField(blank=True)
    model_version = models.CharField(max_length=60, blank=True)
    # What the words are like, see `engine.Reading`; empty when there is nothing to compare. Erased with the words,
    # which could be guessed from it.
    embedding = models.BinaryField(default=b"", blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            # The analysis step of the work loop, twice a second.
            models.Index(fields=["priority", "run_at"], name="analysis_due", condition=models.Q(run_at__isnull=False)),
            # What is given up, which the audit counts: a few of very many.
            models.Index(fields=["priority"], name="analysis_left", condition=models.Q(run_at=None, analysed_at=None)),
        ]

    def __str__(self) -> str:
        return f"analysis {self.pk}"
