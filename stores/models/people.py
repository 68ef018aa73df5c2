"""The people who work for the chain, what each may see and answers for, and when they are away."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from core.tokens import link_token, token_hash
from stores.choices import DETAILS, PersonEventKind, PersonState, Role
from stores.models.tree import Node, Store
from stores.sorting import folded, sort_key


class UserManager(BaseUserManager["User"]):
    """Creates staff accounts by e-mail address, and keeps the derived columns right where many are made at once."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def bulk_create(self, objs: Iterable["User"], *args: Any, **kwargs: Any) -> list["User"]:
        users = list(objs)
        for user in users:
            user.derive()
        return super().bulk_create(users, *args, **kwargs)


class User(AbstractBaseUser):
    """A member of staff. What they may see follows from their roles alone.

    Only an active account signs in, is told about cases and answers for a store: not one that was invited and has not
    joined yet, nor one that has left, which `left_at` tells apart.
    """

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=10, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    left_at = models.DateTimeField(null=True, blank=True)
    sort_key = models.BinaryField(editable=False, default=b"")
    # Name and address without case and accents: what the list of people is searched by.
    search_text = models.CharField(max_length=400, editable=False, default="")

    # At a store's shared device a person acts within that store only; None: wherever their roles hold.
    within_store_id: int | None = None

    # Their roles as the page that is being made has read them, see `stores.queries.roles_of`; None: not read yet.
    known_roles: "list[RoleAssignment] | None" = None

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(left_at=None) | Q(is_active=False), name="user_left_is_closed"),
        ]
        indexes = [models.Index(fields=["sort_key", "id"], name="user_by_name")]  # the list of people

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    @property
    def state(self) -> PersonState:
        if self.left_at:
            return PersonState.LEFT
        return PersonState.ACTIVE if self.is_active else PersonState.INVITED

    def derive(self) -> None:
        """Bring the columns that follow from others up to date."""
        self.sort_key = sort_key(self.name)
        self.search_text = folded(f"{self.name} {self.email}")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.derive()
        fields = kwargs.get("update_fields")
        if fields is not None and {"name", "email"} & set(fields):
            kwargs["update_fields"] = {*fields, "sort_key", "search_text"}
        super().save(*args, **kwargs)


class RoleAssignment(models.Model):
    """One role of one person, at one store or for everything under one node of the tree."""

    # No index of its own, here as below: another one begins with it.
    user = models.ForeignKey(User, models.CASCADE, db_index=False, related_name="roles")
    role = models.CharField(max_length=20, choices=Role)
    store = models.ForeignKey(Store, models.CASCADE, null=True, blank=True, related_name="staff")
    node = models.ForeignKey(Node, models.CASCADE, null=True, blank=True, related_name="staff")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(store=None, node__isnull=False) | Q(store__isnull=False, node=None),
                name="role_at_a_store_or_a_node",
            ),
            models.UniqueConstraint(fields=["user", "role", "store", "node"], name="role_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} ({self.store or self.node})"

    @property
    def place(self) -> Store | Node:
        """Where it holds."""
        place = self.store or self.node
        assert place is not None
        return place

    @property
    def path(self) -> str:
        """Of the node at which it holds, or above the store at which it holds."""
        node = self.store.node if self.store else self.node
        assert node is not None
        return node.path


class PersonEvent(models.Model):
    """What happened to a person's account: who gave or took which role, who let them in, which device was ended.

    Append-only: the database refuses changes. `what` names a place or a device as it was called then; no actor means
    that a program did it.
    """

    at = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="events")
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=24, choices=PersonEventKind)
    role = models.CharField(max_length=20, choices=Role, blank=True)
    what = models.CharField(max_length=160, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["user", "-at"], name="person_history")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"

    @property
    def detail(self) -> str:
        """What it was about, as its reader writes dates and names the fields that were changed."""
        if self.kind == PersonEventKind.DETAILS:
            return ", ".join(str(DETAILS[name]) for name in self.what.split() if name in DETAILS)
        if self.kind in {PersonEventKind.AWAY, PersonEventKind.BACK}:
            days = [parse_date(day) for day in self.what.split(" – ")]
            return " – ".join(date_format(day, "SHORT_DATE_FORMAT") for day in days if day)
        return self.what


class SingleUseLink(models.Model):
    """A link that somebody is written: it does what it is for once, until it is too old or withdrawn.

    Of the link only the hash is kept. `PURPOSE` keeps one sort of links from opening what another is for.
    """

    PURPOSE = ""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.token_hash:
            self.token_hash = token_hash(link_token(self.PURPOSE, self.id))
        super().save(*args, **kwargs)

    @property
    def token(self) -> str:
        """The secret of the link."""
        return link_token(self.PURPOSE, self.id, known_hash=self.token_hash)

    def is_open(self, at: datetime) -> bool:
        """Whether the link still does what it is for."""
        return self.accepted_at is None and self.revoked_at is None and at < self.expires_at


class StaffInvitation(SingleUseLink):
    """By its link somebody joins: it sets the password of an account that is not active yet. A new one ends the one
    before."""

    PURPOSE = "staff invitation"

    user = models.ForeignKey(User, models.CASCADE, related_name="invitations")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(accepted_at=None, revoked_at=None), name="one_invitation_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"invitation of {self.user_id}"


class AddressChange(SingleUseLink):
    """Another e-mail address that was entered for a person. It holds once whoever reads mail there has opened its link;
    until then they sign in with the old one."""

    PURPOSE = "address change"

    user = models.ForeignKey(User, models.CASCADE, related_name="address_changes")
    old = models.EmailField()
    new = models.EmailField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(accepted_at=None, revoked_at=None), name="one_address_change_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"address of {self.user_id}"


class Absence(models.Model):
    """From `starts_at` until `ends_at` a person does not answer; `stand_in` answers instead, if their roles reach."""

    user = models.ForeignKey(User, models.CASCADE, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    stand_in = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="stands_in")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="absence_in_order"),
            models.CheckConstraint(condition=Q(stand_in=None) | ~Q(stand_in=F("user")), name="absence_not_by_oneself"),
        ]
        # Who is away now: asked whenever somebody is to be told about a case.
        indexes = [
            models.Index(fields=["user", "ends_at"], name="absence_of_person", condition=Q(cancelled_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.user_id} away {self.starts_at:%Y-%m-%d}–{self.ends_at:%Y-%m-%d}"
