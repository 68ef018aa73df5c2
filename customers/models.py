"""People we may contact, what they bought, and what they allowed."""

import uuid

from django.db import models

from core.fields import EncryptedTextField
from core.tokens import keyed_hash
from stores.models import Store


class ContactKind(models.TextChoices):
    PHONE = "phone"
    EMAIL = "email"


class Contact(models.Model):
    """An address a shopper gave for one response, receipt or call: ciphertext, and a hash to find it by.

    The same number typed twice is two rows: on a public page anyone can type anyone's number, so it must never pull
    in a history. `value` is E.164 for phones and lower case for e-mail; erasing blanks both columns.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=10, choices=ContactKind)
    value = EncryptedTextField(blank=True)
    value_hash = models.CharField(max_length=43, blank=True, db_index=True)
    language = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @classmethod
    def create(cls, kind: str, value: str, *, language: str = "") -> "Contact":
        """Store an already normalised address."""
        return cls.objects.create(kind=kind, value=value, value_hash=keyed_hash("contact", value), language=language)


class Receipt(models.Model):
    """A purchase that may be answered once. Its number is kept as a hash only."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="receipts")
    number_hash = models.CharField(max_length=43)
    purchased_at = models.DateTimeField()
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="receipts")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "number_hash"], name="receipt_once")]

    def __str__(self) -> str:
        return f"receipt {self.pk}"


class Suppression(models.Model):
    """An address that must not be written to again, by its hash, so that it outlives erasure."""

    value_hash = models.CharField(max_length=43, unique=True)
    reason = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"suppression {self.pk}"


class Permission(models.Model):
    """The ledger of what a shopper allowed: exactly which words they saw, when, and when they took it back."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="permissions")
    purpose = models.CharField(max_length=20, default="answer")
    wording = models.TextField()
    language = models.CharField(max_length=10)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
