"""The outbox: every message that leaves is a row before it is a message."""

import uuid

from django.db import models
from django.db.models import Q

from core.leases import Leased
from customers.models import Contact
from messaging.choices import Channel, MessageState
from stores.models import User


class Message(Leased):
    """One message to one recipient over one channel.

    It holds a `kind` and the id of what it is about; the room that owns the kind renders it after the claim, in the
    recipient's language. `dedup_key` makes it exactly one row. To staff it may be repeated with the same Message-ID;
    to a shopper there is at most one call of the provider, and an ambiguous outcome stays `unknown`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    channel = models.CharField(max_length=10, choices=Channel)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="+")
    contact = models.ForeignKey(Contact, models.CASCADE, null=True, blank=True, related_name="+")
    dedup_key = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=10, choices=MessageState, default=MessageState.PENDING)
    # Lower goes first: alerts to staff before surveys to shoppers.
    priority = models.PositiveSmallIntegerField(default=5)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    provider_id = models.CharField(max_length=120, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, contact=None) | Q(user=None, contact__isnull=False),
                name="message_one_recipient",
            )
        ]
        indexes = [
            # The outbox step of the work loop, twice a second.
            models.Index(fields=["run_at"], name="message_due", condition=Q(run_at__isnull=False)),
            models.Index(fields=["kind", "subject_id"], name="message_subject"),
            # What the audit and /readyz count: messages that a person has to settle.
            models.Index(fields=["created_at"], name="message_trouble", condition=Q(state__in=["unknown", "dead"])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} by {self.channel}"

    @property
    def to_staff(self) -> bool:
        return self.user_id is not None


class CaughtMessage(models.Model):
    """A message that the demo's catcher received, shown in its mailbox. Empty in production."""

    channel = models.CharField(max_length=10, choices=Channel)
    sender = models.CharField(max_length=320)
    recipient = models.CharField(max_length=320)
    subject = models.CharField(max_length=998, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    message_id = models.CharField(max_length=998, blank=True)
    caught_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"caught {self.channel} {self.pk}"
