"""The words of asking."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class QuestionKind(models.TextChoices):
    NPS = "nps", _("0 to 10 (NPS)")
    SMILEY5 = "smiley5", _("Five smileys")


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


class ContactWish(models.TextChoices):
    NONE = "none", _("Please do not contact me")
    CALL = "call", _("Call me")
    TEXT = "text", _("Text me")
    EMAIL = "email", _("E-mail me")


# Answers that open a case by themselves: detractors, and the two unhappy smileys.
UNHAPPY_AT_MOST = {QuestionKind.NPS: 6, QuestionKind.SMILEY5: 2}
PROMOTER_AT_LEAST = {QuestionKind.NPS: 9, QuestionKind.SMILEY5: 5}
SCORE_RANGE = {QuestionKind.NPS: (0, 10), QuestionKind.SMILEY5: (1, 5)}


class ScanFlagKind(models.TextChoices):
    CLOSED = "closed", _("Scans while the store is closed")
    BURST = "burst", _("Sudden burst of scans")


# What an answer bears that was given while its touchpoint's scans looked unlike shoppers in the store.
UNUSUAL_SCANS = "unusual_scans"
