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
    DISMISSED = "dismissed", _("Left out")


# Somebody still has to do something.
TO_DO = (CaseState.OPEN, CaseState.ACKNOWLEDGED, CaseState.CONTACTED)


class Outcome(models.TextChoices):
    """What came of a case for the shopper, as the store says."""

    PUT_RIGHT = "put_right", _("Put right")
    MADE_UP = "made_up", _("Made up for")
    EXPLAINED = "explained", _("Explained or apologised")
    NOT_REACHED = "not_reached", _("Shopper not reached")
    NOT_SOLVED = "not_solved", _("Could not be put right")


class Exemption(models.TextChoices):
    """Why a case is left out of its store's shares, and shown beside them."""

    NOT_COMPLAINT = "not_complaint", _("Not a complaint")
    OUTSIDE = "outside", _("Outside our control")


class ExemptReason(models.TextChoices):
    """Why in particular; each belongs to one of the two, see EXEMPT_REASONS."""

    CONTENT = "content", _("The shopper is content")
    NOT_OURS = "not_ours", _("It is not about us")
    TEST = "test", _("A test or a joke")
    NO_WORDS = "no_words", _("It says nothing")
    CARRIER = "carrier", _("A carrier or partner")
    BUILDING = "building", _("The building or shopping centre")
    AUTHORITIES = "authorities", _("Law or authorities")
    WEATHER = "weather", _("Weather, power or network")


EXEMPT_REASONS = {
    Exemption.NOT_COMPLAINT: (
        ExemptReason.CONTENT,
        ExemptReason.NOT_OURS,
        ExemptReason.TEST,
        ExemptReason.NO_WORDS,
    ),
    Exemption.OUTSIDE: (
        ExemptReason.CARRIER,
        ExemptReason.BUILDING,
        ExemptReason.AUTHORITIES,
        ExemptReason.WEATHER,
    ),
}


class StopsOn(models.TextChoices):
    """What makes a step of the ladder unnecessary."""

    NEVER = "never", _("nothing: it always goes out")
    ACKNOWLEDGE = "acknowledge", _("somebody has taken notice")
    CONTACT = "contact", _("the shopper was reached")


class Counted(models.TextChoices):
    """Which minutes a clock counts."""

    OPEN = "open", _("minutes in which the store is open")
    WALL = "wall", _("minutes day and night")


class StepState(models.TextChoices):
    PENDING = "pending"
    FIRED = "fired"
    STOPPED = "stopped"


class EventKind(models.TextChoices):
    OPENED = "opened", _("Case opened")
    RESPONSE_ADDED = "response_added", _("Another response added")
    CORRECTED = "corrected", _("Shopper corrected the feedback")
    SEVERITY_RAISED = "severity_raised", _("Made severe")
    WIDENED = "widened", _("More people told")
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
    CONTACT_CHOSEN = "contact_chosen", _("Shopper chose how to be contacted")
    STARTED = "started", _("Call or message begun")
    DISMISSED = "dismissed", _("Left out of the shares")
    SAMPLED = "sampled", _("Looked at by the area")
    TAKEN_BACK = "taken_back", _("Reopened by a colleague")
    URGENT_LATER = "urgent_later", _("Reopened: its words are urgent")
    UNDONE = "undone", _("Taken back")
    SCORED_AGAIN = "scored_again", _("Shopper scored again")


# What begins a new round of a case.
REOPENINGS = (EventKind.REOPENED, EventKind.TAKEN_BACK, EventKind.URGENT_LATER)


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
