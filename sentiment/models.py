"""What a verbatim was understood to mean."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.leases import Leased
from core.models import Job
from stores.models import User
from surveys.models import Verbatim

# Room for a name and every mark that may stand behind it: of files, of what was learnt, of a service (`files.py`).
VERSION_LENGTH = 100


class Sentiment(models.TextChoices):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Analysis(Leased):
    """The reading of one verbatim: pending while `run_at` is set, done once `analysed_at` is.

    Made with the verbatim, in the same transaction, so that no words go unread. `priority` lets low scores go first.

    The columns say what holds. Where a person corrected something, that is the person's word, whatever a model reads
    later; `people_say` tells what it was about, and `model_reading` what the model makes of it: see `holding.py`.
    """

    verbatim = models.OneToOneField(Verbatim, models.CASCADE, primary_key=True, related_name="analysis")
    priority = models.PositiveSmallIntegerField(default=5)
    analysed_at = models.DateTimeField(null=True, blank=True)
    # What the words that were queued, and the score beside them, say to a reader: only what changed is read again.
    text_hash = models.CharField(max_length=43, blank=True)
    language = models.CharField(max_length=10, blank=True)
    language_confidence = models.FloatField(null=True)
    sentiment = models.CharField(max_length=10, choices=Sentiment, blank=True)
    p_negative = models.FloatField(null=True)
    p_neutral = models.FloatField(null=True)
    p_positive = models.FloatField(null=True)
    # False when the words were too few or too strange: such a reading never opens a case.
    confident = models.BooleanField(default=False)
    # The judgement that the words are a reason to act, and whether our own model was measured in their language: in any
    # other a person looks first, as they do at a service's word (`holding.is_by_service`). See `engine.Reading`.
    alarming = models.BooleanField(default=False)
    proven = models.BooleanField(default=False)
    # [{"topic": "staff", "sentiment": "negative"}, …]
    topics = models.JSONField(default=list)
    urgency = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    # True when pattern and model agree, so that the urgency may escalate by itself.
    urgency_certain = models.BooleanField(default=False)
    # The words without names, numbers and addresses: all that may be shared or printed.
    redacted = models.TextField(blank=True)
    model_version = models.CharField(max_length=VERSION_LENGTH, blank=True)
    # What the words are like, see `engine.Reading`; empty when there is nothing to compare. Erased with the words,
    # which could be guessed from it.
    embedding = models.BinaryField(default=b"", blank=True)
    # Some people have judged these words; the next two are empty for all others, where the columns are the model's own.
    corrected = models.BooleanField(default=False)
    people_say = models.JSONField(default=dict)
    model_reading = models.JSONField(default=dict)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            # The analysis step of the work loop, twice a second.
            models.Index(fields=["priority", "run_at"], name="analysis_due", condition=Q(run_at__isnull=False)),
            # What is given up, which the audit counts: a few of very many.
            models.Index(fields=["priority"], name="analysis_left", condition=Q(run_at=None, analysed_at=None)),
            # Training, evaluation and the comparison of models look at what people said: few of very many.
            models.Index(fields=["analysed_at"], name="analysis_corrected", condition=Q(corrected=True)),
        ]

    def __str__(self) -> str:
        return f"analysis {self.pk}"


class CorrectedField(models.TextChoices):
    SENTIMENT = "sentiment", _("Sentiment")
    TOPIC = "topic", _("Topic")
    URGENCY = "urgency", _("Urgency")


class Correction(models.Model):
    """One judgement of a person about a reading. Rows are only ever added: taking one back is another row.

    `key` is the topic or the kind of urgency. `old` and `new` are what held before and what the person says: a
    sentiment, `certain` for an urgency, empty for "this is not about it". `new` is None where the person takes a
    judgement back and the model's word holds again. `old` and `new` are the same where somebody confirms the reading.
    """

    analysis = models.ForeignKey(Analysis, models.CASCADE, related_name="corrections")
    field = models.CharField(max_length=10, choices=CorrectedField)
    key = models.CharField(max_length=20, blank=True)
    old = models.CharField(max_length=10, blank=True)
    new = models.CharField(max_length=10, blank=True, null=True)
    # What the model of that moment said, for a later one overwrites it.
    model_said = models.CharField(max_length=10, blank=True)
    model_version = models.CharField(max_length=VERSION_LENGTH, blank=True)
    actor = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.field} {self.key} of analysis {self.analysis_id}"


class WordKind(models.TextChoices):
    TOPIC = "topic", _("Topic")
    URGENCY = "urgency", _("Urgency")


class Effect(models.TextChoices):
    ADD = "add", _("added")
    OFF = "off", _("switched off")


class ChainWord(models.Model):
    """An entry of the chain's own in a word list, or one of the built-in lists that the chain has switched off.

    How an entry is read: `lexicon.py`. Rows are never changed but by ending them, so the lists know their history.
    """

    language = models.CharField(max_length=10)
    kind = models.CharField(max_length=10, choices=WordKind)
    target = models.CharField(max_length=20)
    entry = models.CharField(max_length=200)
    grade = models.CharField(max_length=10, default="certain")
    effect = models.CharField(max_length=3, choices=Effect, default=Effect.ADD)
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["language", "kind", "target", "entry", "grade", "effect"],
                condition=Q(ended_at=None),
                name="chain_word_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="chain_word_ended_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.language} {self.target}: {self.entry}"


class RereadingState(models.TextChoices):
    READING = "reading", _("Being read")
    READY = "ready", _("Waiting for a decision")
    GOING_LIVE = "going_live", _("Going live")
    LIVE = "live", _("Live")
    DISCARDED = "discarded", _("Discarded")


class Rereading(models.Model):
    """History read again by another model, with other weights or other words, beside what is live, until somebody
    decides. The newest that went live says what reads new words.

    `model` is the name of a ServedModel; `heads` are those learnt from corrections, None
    for those the model is served with. `read_to` and `live_to` are the last readings (by key) that have a candidate,
    and that were replaced by it.
    """

    model = models.CharField(max_length=300, blank=True)
    heads = models.ForeignKey("LearntHeads", models.PROTECT, null=True, blank=True, related_name="+")
    model_version = models.CharField(max_length=VERSION_LENGTH, blank=True)
    state = models.CharField(max_length=10, choices=RereadingState, default=RereadingState.READING)
    started_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    read_to = models.BigIntegerField(default=0)
    live_to = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    # {language: {"n": …, "sentiment": …, "topics": …, "urgency": …}}: how many were read, and how many differ in what.
    summary = models.JSONField(default=dict)
    # How often each of the two agrees with people, kept when the decision is made: see `comparison.py`.
    agreement = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(state__in=["reading", "ready", "going_live"]), name="one_open_rereading"
            ),
        ]

    def __str__(self) -> str:
        return f"rereading {self.pk}"


class Candidate(models.Model):
    """What a rereading made of one verbatim. Gone once it is live or discarded."""

    rereading = models.ForeignKey(Rereading, models.CASCADE, related_name="candidates")
    analysis = models.ForeignKey(Analysis, models.CASCADE, related_name="+")
    # Of the words that were read: other words are nobody's candidate.
    text_hash = models.CharField(max_length=43)
    # Columns of Analysis, but for the following two; `redacted` is empty where it is as before.
    reading = models.JSONField()
    redacted = models.TextField(blank=True)
    embedding = models.BinaryField(default=b"", blank=True)
    # The first of sentiment, topics and urgency in which it differs from the live reading; empty when in none.
    differs = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rereading", "analysis"], name="candidate_once")]
        # The samples of the comparison.
        indexes = [
            models.Index(
                fields=["rereading", "differs", "-analysis"], name="candidate_differs", condition=~Q(differs="")
            )
        ]

    def __str__(self) -> str:
        return f"candidate {self.pk}"


class LearntHeads(models.Model):
    """What finds topics and urgency, moved by people's corrections: see `learning.py`. Rows are only ever added.

    They count, for the model version they were fitted to, once a rereading with them went live. `before` and `after`
    are their figures on the evaluation sets, without and with the corrections; those have so many `comments`, of which
    so many are `urgent`. They hold also how far people's words are met on the `held_out` corrected comments, which had
    no part in learning; there people said so many things (`judged`).
    """

    model_version = models.CharField(max_length=VERSION_LENGTH)
    content = models.BinaryField()
    corrections = models.PositiveIntegerField()
    held_out = models.PositiveIntegerField(default=0)
    judged = models.PositiveIntegerField(default=0)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    comments = models.PositiveIntegerField(default=0)
    urgent = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"heads {self.pk} for {self.model_version}"


class ServedModel(models.Model):
    """A model that reads or may read comments here.

    Those of our own kind are named by the sum of their files, `sha256:…`, and `kept` with them, so that every node has
    them and a release that replaces them ends nothing; any other is named as `transformers` knows it: see `keeping.py`.
    """

    name = models.CharField(max_length=300, unique=True)
    version = models.CharField(max_length=VERSION_LENGTH, blank=True)
    kept = models.BooleanField(default=False)
    # When a worker or a command last had it installed.
    seen_at = models.DateTimeField(null=True, blank=True)
    # When a worker last should have read with it, could not, and read with what it had.
    missed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.version} ({self.name})"


class ModelPart(models.Model):
    """A piece of one of the files of a model, `at` so many bytes from its start."""

    model = models.ForeignKey(ServedModel, models.CASCADE, related_name="parts")
    file = models.CharField(max_length=40)
    at = models.PositiveBigIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "file", "at"], name="model_part_once")]

    def __str__(self) -> str:
        return f"{self.file} of model {self.model_id} from {self.at}"
