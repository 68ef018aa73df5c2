"""A file that somebody wants to set the chain up from, between being sent and being carried out."""

import uuid

from django.db import models

from core.models import Job
from stores.choices import ImportState
from stores.models.people import User


class StoreImport(models.Model):
    """`report` is what a check found, as `stores.importing.jobs.Report` has it; `digest` names the plan that was shown,
    so that no other one is carried out. The file is deleted once that is done."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=120)
    data = models.BinaryField()
    retire_missing = models.BooleanField(default=False)
    invite = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.CHECKING)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    report = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.file_name
