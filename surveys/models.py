"""What is asked, whom we ask, and what they answer."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.tokens import link_token, token_hash
from customers.models import Contact, Receipt
from stores.models import Store, Touchpoint
from surveys.choices import ContactWish, QuestionKind, ResponseChannel, SampleKind


class Survey(models.Model):
    """A question set that lives on through its versions."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


class SurveyVersion(models.Model):
    """One published, immutable state of a survey. Responses point here, so that each knows what it was asked.

    `document` is `surveys.documents.SurveyDocument` as JSON; `headline_kind` repeats its headline question's kind,
    the only one with typed columns.
    """

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    headline_kind = models.CharField(max_length=10, choices=QuestionKind)
    document = models.JSONField()
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["survey", "number"], name="version_once")]

    def __str__(self) -> str:
        return f"{self.survey} {self.number}"


class SurveyChoice(models.Model):
    """Which survey a channel asks, for one touchpoint or (without one) for the whole chain."""

    channel = models.CharField(max_length=10, choices=ResponseChannel)
    touchpoint = models.OneToOneField(Touchpoint, models.CASCADE, null=True, blank=True, related_name="survey_choice")
    survey = models.ForeignKey(Survey, models.PROTECT, related_name="choices")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel"], condition=Q(touchpoint=None), name="survey_choice_channel")
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.survey}"


class Call(models.Model):
    """A call that ended, as telephony told us; it is answered at most once."""

    external_id = models.CharField(max_length=80, unique=True)
    store = models.ForeignKey(Store, models.PROTECT, related_name="calls")
    queue = models.CharField(max_length=60, blank=True)
    agent = models.CharField(max_length=60, blank=True)
    ended_at = models.DateTimeField()
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="calls")

    def __str__(self) -> str:
        return f"call {self.pk}"


class Invitation(models.Model):
    """A single-use link for one receipt or one call: `/r/<token>/`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    store = models.ForeignKey(Store, models.PROTECT, related_name="invitations")
    receipt = models.OneToOneField(Receipt, models.PROTECT, null=True, blank=True, related_name="invitation")
    call = models.OneToOneField(Call, models.PROTECT, null=True, blank=True, related_name="invitation")
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="invitations")
    language = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    @property
    def token(self) -> str:
        """The secret of its link, computed from the id and never stored."""
        return link_token("invitation", self.pk, known_hash=self.token_hash)

    def save(self, *args: object, **kwargs: object) -> None:
        self.token_hash = token_hash(self.token)
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Response(models.Model):
    """One shopper's answers. Its id is the submission id that our server minted into the form."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    # Finds the response from the shopper's private link.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    version = models.ForeignKey(SurveyVersion, models.PROTECT, related_name="responses")
    store = models.ForeignKey(Store, models.PROTECT, related_name="responses")
    touchpoint = models.ForeignKey(Touchpoint, models.PROTECT, null=True, blank=True, related_name="responses")
    invitation = models.OneToOneField(Invitation, models.PROTECT, null=True, blank=True, related_name="response")
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    sample_kind = models.CharField(max_length=10, choices=SampleKind)
    # The language of the page, which need not be the language of the words.
    language = models.CharField(max_length=10)
    answers = models.JSONField(default=dict)
    headline_kind = models.CharField(max_length=10, choices=QuestionKind)
    score = models.SmallIntegerField(null=True, blank=True)
    contact_wish = models.CharField(max_length=10, choices=ContactWish, default=ContactWish.NONE)
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="responses")
    still_here = models.BooleanField(default=False)
    submitted_at = models.DateTimeField()
    # The date of the visit in the store's own zone; reports count by it.
    local_day = models.DateField()
    revision = models.PositiveSmallIntegerField(default=1)
    flags = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(score=None)
                | Q(headline_kind="nps", score__gte=0, score__lte=10)
                | Q(headline_kind="smiley5", score__gte=1, score__lte=5),
                name="response_score_in_range",
            ),
            models.CheckConstraint(
                condition=Q(touchpoint__isnull=False) | Q(invitation__isnull=False),
                name="response_came_from_somewhere",
            ),
        ]
        indexes = [
            # Recomputing a store's day; the newest verbatims of a store.
            models.Index(fields=["store", "local_day"], name="response_store_day"),
            models.Index(fields=["-submitted_at"], name="response_newest"),
        ]

    def __str__(self) -> str:
        return f"response {self.pk}"

    @property
    def token(self) -> str:
        """The secret of the shopper's private link `/c/<token>/`."""
        return link_token("response", self.pk, known_hash=self.token_hash)

    def save(self, *args: object, **kwargs: object) -> None:
        self.token_hash = token_hash(self.token)
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class ResponseRevision(models.Model):
    """What a response said before its shopper corrected it."""

    response = models.ForeignKey(Response, models.CASCADE, related_name="revisions")
    number = models.PositiveSmallIntegerField()
    answers = models.JSONField()
    score = models.SmallIntegerField(null=True)
    replaced_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["response", "number"], name="revision_once")]

    def __str__(self) -> str:
        return f"{self.response_id} {self.number}"


class Verbatim(models.Model):
    """A shopper's own words in answer to one open question. Hostile text: escape it wherever it is shown."""

    response = models.ForeignKey(Response, models.CASCADE, related_name="verbatims")
    question = models.CharField(max_length=40)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["response", "question"], name="verbatim_once")]

    def __str__(self) -> str:
        return f"verbatim {self.pk}"
