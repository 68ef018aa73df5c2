"""Who is signed in where, what happened at the sign-in, and how often somebody may try."""

from typing import Any, NoReturn
from uuid import uuid4

from django.db import models

from stores.choices import SecurityEventKind
from stores.models.people import User


class StaffSession(models.Model):
    """One browser in which somebody is signed in. A session whose row is gone is over at its next request."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField()
    # Written at most once a minute, and not by pages that only look for news.
    last_seen_at = models.DateTimeField()
    # How they signed in (`stores.security.Way`), and on what, as "Firefox, Windows".
    way = models.CharField(max_length=20, blank=True)
    browser = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.browser or self.pk}"


class SecurityEvent(models.Model):
    """What happened to an account or at its door. Never changed; the database refuses to."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=30, choices=SecurityEventKind)
    # None: no account has the address that was typed. The address itself is not kept.
    user = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, db_index=False, related_name="security_events"
    )
    # Somebody else who did it, such as head office ending another's sessions.
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    # A word of ours that says how or why: "totp", "unverified_email".
    detail = models.CharField(max_length=40, blank=True)
    # Of a file that was taken: what it is of, in words of ours, and how many people's answers are in it. Of calls that
    # name nobody any more the store.
    scope = models.CharField(max_length=160, blank=True)
    rows = models.PositiveIntegerField(null=True, blank=True)
    browser = models.CharField(max_length=60, blank=True)
    # Equal addresses of one day have equal hashes, and nobody can tell the address.
    address_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            # The page of sign-ins, newest first, of everybody and of one person.
            models.Index(fields=["-at", "-id"], name="security_event_newest"),
            models.Index(fields=["user", "-at"], name="security_event_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        assert self._state.adding, "a log is only written to"
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AssertionError("a log is only written to")


class Allowance(models.Model):
    """How far ahead of its steady rate somebody is with trying, see `stores.security_limits`."""

    key = models.CharField(max_length=64, primary_key=True)
    full_at = models.DateTimeField(help_text="When nothing is used up any more.")

    def __str__(self) -> str:
        return self.key


class Identity(models.Model):
    """Whom the identity provider means: the first sign-in by a verified address binds its subject to the account.

    An address may be given to somebody else one day, a subject never is.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="identity")
    subject_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.subject_hash[:8]}"
