"""Keys of the API, and what was already answered to them."""

import hashlib
import hmac

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, QuerySet

from core import tokens
from core.fields import EncryptedTextField
from integrations.choices import Scope
from stores.models import Node, Store


class ApiKey(models.Model):
    """A system that may call the API: all stores, or one, or everything under a node.

    The secret is shown once and kept as its SHA-256 only; it is random enough to need no slow hash. `prefix` finds
    the row and may be shown and logged.
    """

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=11, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope))
    store = models.ForeignKey(Store, models.CASCADE, null=True, blank=True, related_name="+")
    node = models.ForeignKey(Node, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # Written at most once a minute.
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(store=None) | Q(node=None), name="key_store_or_node"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @classmethod
    def create(
        cls, name: str, scopes: list[str], *, store: Store | None = None, node: Node | None = None
    ) -> tuple["ApiKey", str]:
        """A new key and its full text, which cannot be had again."""
        text = tokens.api_key()
        prefix, _, secret = text.partition(".")
        key = cls.objects.create(
            name=name, prefix=prefix, secret_hash=hash_of(secret), scopes=sorted(scopes), store=store, node=node
        )
        return key, text

    def fits(self, secret: str) -> bool:
        """Whether `secret` is this key's, in constant time."""
        return hmac.compare_digest(self.secret_hash, hash_of(secret))

    def stores(self) -> QuerySet[Store]:
        """The stores this key reaches."""
        if self.store_id:
            return Store.objects.filter(pk=self.store_id)
        if self.node:
            return Store.objects.filter(node__path__startswith=self.node.path)
        return Store.objects.all()


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class IdempotentAnswer(models.Model):
    """What was answered to an `Idempotency-Key`, written in the transaction of the work it answers for."""

    api_key = models.ForeignKey(ApiKey, models.CASCADE, related_name="answers")
    key = models.CharField(max_length=255)
    # SHA-256 of method, path and body: the same key with another request is a mistake.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    # Holds a shopper's link, hence encrypted.
    body = EncryptedTextField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="idempotent_once")]

    def __str__(self) -> str:
        return f"answer {self.pk}"
