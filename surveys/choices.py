"""The words of asking."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class QuestionKind(models.TextChoices):
    """Questions with a score. One of them is a version's headline, which alone is counted in reports."""

    NPS = "nps", _("0 to 10 (NPS)")
    SMILEY3 = "smiley3", _("Three smileys")
    SMILEY4 = "smiley4", _("Four smileys")
    SMILEY5 = "smiley5", _("Five smileys")
    CSAT = "csat", _("1 to 5 (CSAT)")
    CES = "ces", _("1 to 7 (CES)")


class OtherKind(models.TextChoices):
    """Questions without a score."""

    TEXT = "text", _("Open text")
    SINGLE = "single", _("One of several answers")
    MULTIPLE = "multiple", _("Any of several answers")
    CONTACT = "contact", _("Contact wish")
    CONSENT = "consent", _("Consent")
    HERE = "here", _("“I am still here”")


# Which of the five drawn faces stands for each score, the lowest first.
FACES: dict[str, tuple[int, ...]] = {
    QuestionKind.SMILEY3: (2, 3, 4),
    QuestionKind.SMILEY4: (1, 2, 4, 5),
    QuestionKind.SMILEY5: (1, 2, 3, 4, 5),
}


class ResponseChannel(models.TextChoices):
    QR = "qr", _("QR code")
    RECEIPT = "receipt", _("Receipt")
    CALL = "call", _("Call")


class SampleKind(models.TextChoices):
    """How the respondent came to answer; the kinds are never silently pooled."""

    VERIFIED = "verified", _("Verified purchase or call")
    INVITED = "invited", _("Invited")
    VOLUNTEER = "volunteer", _("Volunteer")


# What staff sent while they were signed in: a trial, which counts nowhere.
STAFF_FLAG = "staff"
# Tapped and left without Send, see `surveys.partials`: no answer yet, which alerts nobody and counts nowhere.
UNSENT = "unsent"
# Send was pressed and something was missing that never came: an answer, without what was missing.
UNFINISHED = "unfinished"
# Nothing but what a phone sends by itself, see `messaging.automatic`: kept and read, but no answer of its owner.
AUTOMATIC = "automatic"
# What lacks something still: an answer that comes after it completes it, however late.
WAITING = frozenset({UNFINISHED, AUTOMATIC})
# A program filled in the field that no person sees; nobody can have read the page so quickly; many answers from one
# browser in an hour. They only mark an answer: it is kept, and whoever it is about is reached all the same.
TRAPPED, HASTY, MANY = "trap", "hasty", "many"
# Its page was opened at a spot inside the store while nobody but staff can have been there.
CLOSED = "closed"


class NotAskedReason(models.TextChoices):
    """Why somebody was not asked after a visit or a call."""

    NO_CONSENT = "no_consent", _("Did not allow it")
    SUPPRESSED = "suppressed", _("Wants no messages")
    RESTING = "resting", _("Was asked a short time ago")
    SAMPLED = "sampled", _("Not in the sample")
    COUNTRY = "country", _("A number of a country we do not text to")


class ContactWish(models.TextChoices):
    NONE = "none", _("Please do not contact me")
    CALL = "call", _("Call me")
    TEXT = "text", _("Text me")
    EMAIL = "email", _("E-mail me")


SCORE_RANGE = {
    QuestionKind.NPS: (0, 10),
    QuestionKind.SMILEY3: (1, 3),
    QuestionKind.SMILEY4: (1, 4),
    QuestionKind.SMILEY5: (1, 5),
    QuestionKind.CSAT: (1, 5),
    QuestionKind.CES: (1, 7),
}
# Answers that open a case by themselves, and those of happy shoppers. Each scale has marks of its own: a smiley is
# never read as a number from 0 to 10.
UNHAPPY_AT_MOST = {
    QuestionKind.NPS: 6,
    QuestionKind.SMILEY3: 1,
    QuestionKind.SMILEY4: 2,
    QuestionKind.SMILEY5: 2,
    QuestionKind.CSAT: 2,
    QuestionKind.CES: 3,
}
# Answers beside which words of praise are hardly meant so: irony, or the scale was read from the wrong end.
WORST_AT_MOST = {
    QuestionKind.NPS: 3,
    QuestionKind.SMILEY3: 1,
    QuestionKind.SMILEY4: 1,
    QuestionKind.SMILEY5: 1,
    QuestionKind.CSAT: 1,
    QuestionKind.CES: 2,
}
PROMOTER_AT_LEAST = {
    QuestionKind.NPS: 9,
    QuestionKind.SMILEY3: 3,
    QuestionKind.SMILEY4: 4,
    QuestionKind.SMILEY5: 5,
    QuestionKind.CSAT: 4,
    QuestionKind.CES: 6,
}


class ScanFlagKind(models.TextChoices):
    CLOSED = "closed", _("Scans while the store is closed")
    BURST = "burst", _("Sudden burst of scans")


# What an answer bears that was given while its touchpoint's scans looked unlike shoppers in the store.
UNUSUAL_SCANS = "unusual_scans"


class Mark(models.TextChoices):
    """Every mark an answer may bear; which of them keep it out of headline figures says `surveys.counting`."""

    STAFF = STAFF_FLAG, _("By people of the chain")
    UNSENT = UNSENT, _("Tapped and never sent")
    UNFINISHED = UNFINISHED, _("Sent without what was missing")
    AUTOMATIC = AUTOMATIC, _("Sent by a phone by itself")
    TRAPPED = TRAPPED, _("Filled in by a program")
    HASTY = HASTY, _("Sent sooner than anybody can read")
    MANY = MANY, _("One of many from one browser")
    CLOSED = CLOSED, _("Opened in the store while it was closed")
    UNUSUAL_SCANS = UNUSUAL_SCANS, _("During unusual scans")


class SurveyChangeKind(models.TextChoices):
    """What was done to a survey."""

    CREATED = "created", _("Made")
    PUBLISHED = "published", _("Published")
    DROPPED = "dropped", _("Draft dropped")
    CHOSEN = "chosen", _("Asked in another place")
    IMPORTED = "imported", _("Translations brought in")
