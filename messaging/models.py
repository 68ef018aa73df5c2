"""The outbox: every message that leaves is a row before it is a message."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.fields import EncryptedTextField
from core.leases import Leased
from customers.models import Contact
from messaging.choices import Channel, ChatStyle, MessageState
from stores.models import Node, Store, User


class ChatHook(models.Model):
    """A room of a team's chat that is told of every case at one store or under one node. Who has the address may
    write there: it is kept as ciphertext and never shown again."""

    name = models.CharField(max_length=80)
    style = models.CharField(max_length=10, choices=ChatStyle, default=ChatStyle.SLACK)
    url = EncryptedTextField()
    store = models.ForeignKey(Store, models.CASCADE, null=True, blank=True, related_name="chat_hooks")
    node = models.ForeignKey(Node, models.CASCADE, null=True, blank=True, related_name="chat_hooks")
    language = models.CharField(max_length=10, default="en")
    severe_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(store=None, node__isnull=False) | Q(store__isnull=False, node=None),
                name="chat_hook_at_a_store_or_a_node",
            )
        ]

    def __str__(self) -> str:
        return self.name


class AlertPreference(models.Model):
    """By which channels a member of staff is told, the first choice first; the next one follows when the first fails.

    Without a row: push if a device takes it, then e-mail, then text.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="alert_preference")
    channels = ArrayField(models.CharField(max_length=10, choices=Channel), default=list)

    def __str__(self) -> str:
        return f"{self.user_id}: {', '.join(self.channels)}"


class PushDevice(models.Model):
    """A phone or browser that takes push messages for one person (RFC 8030, keys by RFC 8291)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="push_devices")
    name = models.CharField(max_length=80)
    endpoint = models.TextField(unique=True)
    p256dh = models.CharField(max_length=120)
    auth = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=120, blank=True)
    # The push service says that nobody listens there any more, or the person has switched it off.
    gone_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Buzz(models.Model):
    """When a person's phone last buzzed: below severe once in a while, the rest goes along with the next."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} {self.at}"


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
    hook = models.ForeignKey(ChatHook, models.CASCADE, null=True, blank=True, related_name="+")
    dedup_key = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=10, choices=MessageState, default=MessageState.PENDING)
    # Lower goes first: alerts to staff before surveys to shoppers.
    priority = models.PositiveSmallIntegerField(default=5)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    provider_id = models.CharField(max_length=120, blank=True)
    # The provider's last word about a text message, see `messaging.provider`; empty before any.
    provider_state = models.CharField(max_length=12, blank=True)
    # When to ask the provider what became of it.
    ask_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    # When to try another channel, set once this one has failed a member of staff.
    failover_at = models.DateTimeField(null=True, blank=True)
    # The message to a member of staff that this one stands in for, by another channel.
    stands_in_for = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, related_name="stand_in", editable=False
    )
    # The message that carried this one's news, so that one buzz tells of several cases.
    carried_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="carries")

    # Who said what became of it, or had it sent again, when nothing tried it any more.
    settled_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, contact=None, hook=None)
                | Q(user=None, contact__isnull=False, hook=None)
                | Q(user=None, contact=None, hook__isnull=False),
                name="message_one_recipient",
            )
        ]
        indexes = [
            # The outbox step of the work loop, twice a second.
            models.Index(fields=["run_at"], name="message_due", condition=Q(run_at__isnull=False)),
            models.Index(fields=["kind", "subject_id"], name="message_subject"),
            # What is to reach somebody by another channel, twice a second.
            models.Index(fields=["failover_at"], name="message_failover", condition=Q(failover_at__isnull=False)),
            models.Index(fields=["ask_at"], name="message_ask", condition=Q(ask_at__isnull=False)),
            # What the audit and /readyz count: messages that a person has to settle.
            models.Index(fields=["created_at"], name="message_trouble", condition=Q(state__in=["unknown", "dead"])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} by {self.channel}"

    @property
    def to_staff(self) -> bool:
        """To people of the chain, who may be told twice; a shopper may not."""
        return self.contact_id is None


class IncomingText(Leased):
    """A text message that somebody sent in answer to one of ours, until the room of that one has heard it.

    The provider may hand it over twice: `sid`, its own name for it, makes it one. The words lie here only until then.
    """

    sid = models.CharField(max_length=64, unique=True)
    answers = models.ForeignKey(Message, models.CASCADE, related_name="replies")
    text = EncryptedTextField(blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["run_at"], name="text_due", condition=Q(run_at__isnull=False))]

    def __str__(self) -> str:
        return f"text {self.sid}"


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
