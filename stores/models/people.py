"""The people who work for the chain, and what each may see and answers for."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores.choices import Role
from stores.models.tree import Node, Store


class UserManager(BaseUserManager["User"]):
    """Creates staff accounts by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A member of staff. What they may see follows from their roles alone."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=10, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name


class RoleAssignment(models.Model):
    """One role of one person, at one store or for everything under one node of the tree."""

    user = models.ForeignKey(User, models.CASCADE, related_name="roles")
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
