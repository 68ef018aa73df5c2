"""Devices that open cases without a sign-in, and the PINs by which people change places at a store's own device."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q

from stores.choices import DeviceEnd
from stores.models.people import User
from stores.models.tree import Store


class Device(models.Model):
    """A browser that was enrolled from a full sign-in: one person's phone, or a store's shared device.

    Its cookie holds a series, which never changes, and a token, which does with use. Of both only hashes are
    kept: the token that was last seen, the one before it, and the one that was handed out in answer to it. A right
    series with any other token means that two browsers hold the same cookie, so that neither may go on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    # Exactly one of the two: whose phone, or which store's device.
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="devices")
    store = models.ForeignKey(Store, models.CASCADE, null=True, blank=True, related_name="devices")
    name = models.CharField(max_length=80)
    # Browser and system without their versions: the cookie is good for no other.
    family = models.CharField(max_length=60)
    series_hash = models.CharField(max_length=64, unique=True)
    token_hash = models.CharField(max_length=64)
    next_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64, blank=True)
    rotated_at = models.DateTimeField()
    # Of a phone: changes with its owner's password, whichever way that is changed.
    password_stamp = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=10, choices=DeviceEnd, blank=True)

    # Who is in front of a shared device, since when, and when they last touched it.
    person = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    person_since = models.DateTimeField(null=True, blank=True)
    touched_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-last_used_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None, store__isnull=False) | Q(user__isnull=False, store=None),
                name="device_of_a_person_or_a_store",
            ),
            models.CheckConstraint(condition=Q(user=None) | Q(person=None), name="device_person_only_if_shared"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        return self.store_id is not None

    def is_alive(self, at: datetime) -> bool:
        """Whether it still opens anything by itself."""
        return self.revoked_at is None and at < self.expires_at


class Pin(models.Model):
    """Six digits by which somebody is known at their store's shared devices. Kept as a slow hash of a keyed hash."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="pin")
    hash = models.CharField(max_length=128)
    set_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"PIN of {self.user_id}"
