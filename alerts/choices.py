"""The words of acting."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Trigger(models.TextChoices):
    SCORE = "score", _("Score")
    TEXT = "text", _("Words")


class Severity(models.TextChoices):
    NORMAL = "normal", _("Normal")
    SEVERE = "severe", _("Severe")


class CaseState(models.TextChoices):
    OPEN = "open", _("Open")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    CONTACTED = "contacted", _("Contacted")
    RESOLVED = "resolved", _("Waiting for the shopper's word")
    CONFIRMED = "confirmed", _("Confirmed")
    UNCONFIRMED = "unconfirmed", _("Unconfirmed")


# Somebody still has to do something.
TO_DO = (CaseState.OPEN, CaseState.ACKNOWLEDGED, CaseState.CONTACTED)


class StopsOn(models.TextChoices):
    """What makes a step of the ladder unnecessary."""

    NEVER = "never"
    ACKNOWLEDGE = "acknowledge"
    CONTACT = "contact"


class StepState(models.TextChoices):
    PENDING = "pending"
    FIRED = "fired"
    STOPPED = "stopped"


class EventKind(models.TextChoices):
    OPENED = "opened", _("Case opened")
    RESPONSE_ADDED = "response_added", _("Another response added")
    CORRECTED = "corrected", _("Shopper corrected the feedback")
    SEVERITY_RAISED = "severity_raised", _("Made severe")
    NOTIFIED = "notified", _("Notified")
    ESCALATED = "escalated", _("Escalated")
    HANDED_OVER = "handed_over", _("Handed over")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    CROSSED = "crossed", _("Acknowledged while a notice was on its way")
    ATTEMPTED = "attempted", _("Contact tried, nobody reached")
    CONTACTED = "contacted", _("Shopper contacted")
    FIXED = "fixed", _("Action recorded")
    NOTED = "noted", _("Note added")
    REPLIED = "replied", _("Shopper wrote")
    RESOLVED = "resolved", _("Resolved")
    ASKED = "asked", _("Shopper asked whether it is solved")
    CONFIRMED = "confirmed", _("Shopper confirmed")
    REOPENED = "reopened", _("Shopper said no: reopened")
    UNCONFIRMED = "unconfirmed", _("No word from the shopper")
    PERMISSION_WITHDRAWN = "permission_withdrawn", _("Shopper withdrew the contact permission")
    ERASED = "erased", _("Shopper deleted their words")


class EntryKind(models.TextChoices):
    NOTE = "note", _("Internal note")
    ANSWER = "answer", _("Answer to the shopper")
    SHOPPER = "shopper", _("Shopper")
    ACTION = "action", _("What was done")


class ReviewReason(models.TextChoices):
    """Why words wait for a person to read them, most pressing first."""

    URGENT = "urgent", _("Possibly urgent")
    CORRECTED = "corrected", _("A colleague says that it is negative")
    UNPROVEN = "unproven", _("Angry, in a language the model is not proven in")
    UNSURE = "unsure", _("The model is unsure what they mean")


class ReviewState(models.TextChoices):
    PENDING = "pending", _("To review")
    OPENED = "opened", _("A case was opened")
    DISMISSED = "dismissed", _("Not a complaint")
    EXPIRED = "expired", _("Expired, read by nobody")
    ERASED = "erased", _("The shopper has deleted their words.")


class Dismissal(models.TextChoices):
    """Why words that waited for a person are no complaint."""

    CONTENT = "content", _("The shopper is content")
    NOT_OURS = "not_ours", _("It is not about us")
    SETTLED = "settled", _("It is settled already")
    NO_WORDS = "no_words", _("It says nothing")
