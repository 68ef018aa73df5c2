"""Rows that belong to no room in particular."""

import uuid
from collections.abc import Iterator

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.leases import ClockNow, Leased


class Heartbeat(models.Model):
    """When a background process was last seen alive. `/readyz` and the audit read it."""

    name = models.CharField(max_length=80, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str) -> None:
        """Say that the process `name` is alive now, by the database's clock."""
        cls.objects.update_or_create(name=name, defaults={"beat_at": ClockNow()})


class JobState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class Job(Leased):
    """A long piece of work that a member of staff asked for: an import, an export, posters. See `core.jobs`.

    `cursor` is where the work stands, in the words of its kind; `done` of `total` is what people see of it. The file
    it makes lies in `JobChunk` rows, so that every web node can hand it over.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=40)
    # The id of who asked: people live in a room to the right of this one.
    owner = models.BigIntegerField(null=True)
    title = models.CharField(max_length=160)
    params = models.JSONField(default=dict)
    cursor = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # What came of it, or why it failed, for the one who asked.
    note = models.CharField(max_length=300, blank=True)
    # Where the one who asked goes on from here.
    back_url = models.CharField(max_length=200, blank=True)
    # What its owner might do when they asked: the file is theirs to read for as long as they might still do all of it.
    rights = models.JSONField(default=list)
    file_name = models.CharField(max_length=120, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["run_at"], name="job_due", condition=Q(run_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

    @property
    def outcome(self) -> str:
        """What came of it, or of a fault of ours what to do about it, for the one who asked."""
        if self.state == JobState.FAILED and not self.note:
            return gettext(
                "A fault of ours stopped it, and is in our log. What its finished steps did stays; please ask again."
            )
        return self.note

    def add_file(self, name: str, content_type: str) -> None:
        """Begin the file that this job makes; a second call begins it anew."""
        self.chunks.all().delete()
        self.file_name, self.content_type = name, content_type

    def write(self, data: bytes) -> None:
        """Append to the file, in the transaction of the step that made these bytes."""
        last = self.chunks.aggregate(last=models.Max("ordinal"))["last"]
        JobChunk.objects.create(job=self, ordinal=0 if last is None else last + 1, data=data)

    def read(self) -> Iterator[bytes]:
        """The file, piece by piece."""
        for data in self.chunks.order_by("ordinal").values_list("data", flat=True).iterator(chunk_size=1):
            yield bytes(data)


class JobChunk(models.Model):
    """A piece of the file that a job made."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="chunks")
    ordinal = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "ordinal"], name="job_chunk_once")]

    def __str__(self) -> str:
        return f"{self.ordinal} of {self.job_id}"


class ChainLook(models.Model):
    """A look that head office tried or chose, see `core.look`: the one that was chosen last holds.

    `second` is empty where there is no second colour; `logo` is SVG as `core.logo.sheet_logo` gives it, or empty. Rows
    that were chosen stay, so that one can go back to them.
    """

    accent = models.CharField(max_length=7)
    second = models.CharField(max_length=7, blank=True)
    logo = models.TextField(blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    # The id of who made it: people live in a room to the right of this one.
    made_by = models.BigIntegerField(null=True, blank=True)
    chosen_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.accent} {self.second}"
