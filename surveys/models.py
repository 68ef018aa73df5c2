"""What is asked, whom we ask, and what they answer."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import Q

from core.fields import EncryptedTextField
from core.tokens import link_token, token_hash
from customers.models import Contact, Receipt
from stores.choices import TouchpointKind
from stores.models import Store, Touchpoint, User
from surveys.choices import (
    FACES,
    SCORE_RANGE,
    WORST_AT_MOST,
    ContactWish,
    NotAskedReason,
    QuestionKind,
    ResponseChannel,
    SampleKind,
    ScanFlagKind,
    SurveyChangeKind,
)
from surveys.contact_times import ContactTime


class Survey(models.Model):
    """A question set that lives on through its versions."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


class SurveyVersion(models.Model):
    """One published state of a survey. Responses point here, so that each knows what it was asked.

    `document` is `surveys.documents.SurveyDocument` as JSON; `headline_kind` repeats its headline question's kind,
    the only one with typed columns. Immutable: the database refuses changes. `note` says why it was published;
    nobody published the first ones, which an installation starts with.
    """

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    headline_kind = models.CharField(max_length=10, choices=QuestionKind)
    document = models.JSONField()
    published_at = models.DateTimeField(auto_now_add=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["survey", "number"], name="version_once")]

    def __str__(self) -> str:
        return f"{self.survey} {self.number}"


class SurveyDraft(models.Model):
    """What a survey is going to ask: a document in the making, which may yet lack something.

    It began as `based_on` (None for a survey that was never published) and is gone once it is published or dropped.
    """

    survey = models.OneToOneField(Survey, models.CASCADE, related_name="draft")
    document = models.JSONField()
    based_on = models.ForeignKey(SurveyVersion, models.PROTECT, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"draft of {self.survey}"


class SurveyChange(models.Model):
    """Something that was done to a survey, and by whom. Append-only: the database refuses changes."""

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="changes")
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=20, choices=SurveyChangeKind)
    # What it was done to, in words that need no translating: a key, a language, a place.
    about = models.CharField(max_length=80, blank=True)
    old = models.JSONField(default=dict)
    new = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.survey} {self.kind} {self.at:%Y-%m-%d %H:%M}"


class SurveyChoice(models.Model):
    """Which survey a channel asks: at one touchpoint, at all touchpoints of a kind, or in the whole chain.

    The closest choice holds, so that a touchpoint that was made a moment ago asks what its kind asks.
    """

    channel = models.CharField(max_length=10, choices=ResponseChannel)
    touchpoint = models.OneToOneField(Touchpoint, models.CASCADE, null=True, blank=True, related_name="survey_choice")
    touchpoint_kind = models.CharField(max_length=20, choices=TouchpointKind, blank=True)
    survey = models.ForeignKey(Survey, models.PROTECT, related_name="choices")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "touchpoint_kind"], condition=Q(touchpoint=None), name="survey_choice_channel"
            ),
            models.CheckConstraint(
                condition=Q(touchpoint=None) | Q(touchpoint_kind=""), name="survey_choice_of_one_or_of_a_kind"
            ),
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

    class Meta:
        indexes = [
            # How many callers of a day were asked, queue by queue.
            models.Index(fields=["store", "ended_at"], name="call_of_store"),
        ]

    def __str__(self) -> str:
        return f"call {self.pk}"


class ReceiptKey(models.Model):
    """By what a store's tills sign survey links themselves, see `surveys.signed`. A store may have several.

    A key that is no longer used (`ended_at`) still proves the receipts that were printed with it; one that somebody
    else may know (`revoked_at`) proves nothing any more.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="receipt_keys")
    key_id = models.CharField(max_length=6, unique=True)
    secret = EncryptedTextField()
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.store_id} {self.key_id}"


class PartialAnswer(models.Model):
    """What a shopper has entered on a page whose answer is not there yet, under the page's submission id.

    Until Send it holds choices only, never words or an address; of a Send that was refused because something was
    missing (`refused`) it holds the words too. Send takes it away; `surveys.partials` makes the answer of whoever left
    at `run_at`, once.
    """

    id = models.UUIDField(primary_key=True)
    version = models.ForeignKey(SurveyVersion, models.PROTECT, related_name="+")
    store = models.ForeignKey(Store, models.CASCADE, related_name="+")
    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, null=True, blank=True, related_name="+")
    invitation = models.ForeignKey("Invitation", models.CASCADE, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    language = models.CharField(max_length=10)
    answers = models.JSONField(default=dict)
    refused = models.BooleanField(default=False)
    flags = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    # Which step of the page this is: of two that cross on their way the later one holds.
    step = models.PositiveSmallIntegerField(default=0)
    began_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField()
    # From when on it counts as left.
    run_at = models.DateTimeField()

    class Meta:
        indexes = [
            # Whose time is over, looked for by the work loop.
            models.Index(fields=["run_at"], name="partial_due"),
        ]

    def __str__(self) -> str:
        return f"partial {self.pk}"


class NotAsked(models.Model):
    """That somebody was not asked after a visit or a call, and why: it must be told apart from nobody being there."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="not_asked")
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    reason = models.CharField(max_length=20, choices=NotAskedReason)
    # Keyed, of what the outside calls the receipt or the call: told of twice it is counted once.
    about = models.CharField(max_length=43)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "about"], name="not_asked_once")]
        indexes = [models.Index(fields=["store", "at"], name="not_asked_of_store")]

    def __str__(self) -> str:
        return f"{self.channel} {self.reason}"


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
    # What a text message about a call asks: a number that comes back is read on the scale of this very version. None
    # where only a link was sent.
    # Nothing looks for it: an index would be built while every link waits.
    version = models.ForeignKey(SurveyVersion, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    # Keyed, of the chain's own name for the person and of every address: who was asked lately is left in peace.
    people = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            # Whether somebody was asked lately, by any channel.
            GinIndex(fields=["people"], name="invitation_people"),
            # Those of a week of the whole chain; they lie on disk in the order in which they were made.
            BrinIndex(fields=["created_at"], name="invitation_made"),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    @property
    def token(self) -> str:
        """The secret of its link, computed from the id and never stored."""
        return link_token("invitation", self.pk, known_hash=self.token_hash)

    def save(self, *args: object, **kwargs: object) -> None:
        self.token_hash = token_hash(self.token)
        super().save(*args, **kwargs)  # type: ignore[arg-type]


def _score_in_range() -> Q:
    """Whether a score lies on the scale of its headline's kind."""
    allowed = Q(score=None)
    for kind, (least, most) in SCORE_RANGE.items():
        allowed |= Q(headline_kind=kind.value, score__gte=least, score__lte=most)
    return allowed


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
    contact_when = models.CharField(max_length=10, choices=ContactTime, default=ContactTime.ANY)
    # In which language the shopper wants to be answered; empty means that of the page.
    contact_language = models.CharField(max_length=10, blank=True)
    still_here = models.BooleanField(default=False)
    submitted_at = models.DateTimeField()
    # The date of the visit in the store's own zone; reports count by it.
    local_day = models.DateField()
    revision = models.PositiveSmallIntegerField(default=1)
    flags = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_score_in_range(), name="response_score_in_range"),
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

    @property
    def face(self) -> int | None:
        """Which of the five faces was tapped; None where numbers were shown, or nothing was scored."""
        faces = FACES.get(self.headline_kind)
        return faces[self.score - 1] if faces and self.score else None

    @property
    def belies_praise(self) -> bool:
        """Whether its score is so low that words of praise beside it cannot be taken as they sound."""
        return self.score is not None and self.score <= WORST_AT_MOST[QuestionKind(self.headline_kind)]

    @property
    def best_score(self) -> int:
        """The upper end of its headline's scale."""
        return SCORE_RANGE[QuestionKind(self.headline_kind)][1]

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


class ScanHour(models.Model):
    """How often the page of a touchpoint was asked for in an hour, counted from 00 to 59 minutes UTC.

    Counts only, of nobody in particular. `scans` are requests of browsers, a reload among them; `opens` those that are
    known to have been looked at; `robots` programs, previews and what a browser fetched ahead; `staff` people who are
    signed in here. They come from memory in batches (`core.tally`), so a killed process takes a few seconds with it.
    """

    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, related_name="scan_hours")
    hour = models.DateTimeField()
    scans = models.PositiveIntegerField(default=0)
    opens = models.PositiveIntegerField(default=0)
    robots = models.PositiveIntegerField(default=0)
    staff = models.PositiveIntegerField(default=0)
    # Whether these scans, all of them, have been looked at for what is unusual.
    judged = models.BooleanField(default=False)
    # When looking at them is tried again, after it failed.
    judge_after = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["touchpoint", "hour"], name="scan_hour_once")]
        indexes = [
            # What the lane `facts` has yet to look at.
            models.Index(fields=["hour"], name="scan_hour_unjudged", condition=Q(judged=False)),
        ]

    def __str__(self) -> str:
        return f"{self.touchpoint_id} {self.hour:%Y-%m-%d %H}"


class ScanFlag(models.Model):
    """Scans of a touchpoint that look unlike shoppers in the store, by the rules of `surveys.scan_rules`.

    `usual` is what an hour usually brings there, where that is what it was compared with. A person may dismiss a flag
    and says why; the answers of the time bear the mark until then and are never dropped.
    """

    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, related_name="scan_flags")
    kind = models.CharField(max_length=10, choices=ScanFlagKind)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    scans = models.PositiveIntegerField()
    usual = models.FloatField(null=True, blank=True)
    found_at = models.DateTimeField()
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["touchpoint", "kind", "began_at"], name="scan_flag_once")]
        indexes = [
            # What head office has yet to look at.
            models.Index(fields=["-began_at"], name="scan_flag_open", condition=Q(dismissed_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.touchpoint_id} {self.kind} {self.began_at:%Y-%m-%d %H}"


class LinkHour(models.Model):
    """What the links of a store's receipts or calls brought in one hour, see `surveys.link_traffic`.

    `opens` are pages asked for by people's browsers, `taps` those of them whose link named an answer, which is none
    until Send. `scanners` are programs that look at links, counted apart.
    """

    store = models.ForeignKey(Store, models.CASCADE, related_name="link_hours")
    channel = models.CharField(max_length=10, choices=ResponseChannel)
    hour = models.DateTimeField()
    opens = models.PositiveIntegerField(default=0)
    taps = models.PositiveIntegerField(default=0)
    scanners = models.PositiveIntegerField(default=0)
    staff = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "channel", "hour"], name="link_hour_once")]

    def __str__(self) -> str:
        return f"{self.store_id} {self.channel} {self.hour:%Y-%m-%d %H}"


class DaySalt(models.Model):
    """What is hashed together with whatever comes from a browser on one day. Once it is deleted, nobody, not even who
    holds our keys, can find out whom the day's hashes stood for."""

    day = models.DateField(primary_key=True)
    salt = models.CharField(max_length=64)
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.day)


class AnswerCount(models.Model):
    """How many answers about a store came from one browser in one hour. `who` is salted by the day."""

    who = models.CharField(max_length=43, primary_key=True)
    number = models.PositiveIntegerField(default=0)
    hour = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.number} {self.hour:%Y-%m-%d %H}"
