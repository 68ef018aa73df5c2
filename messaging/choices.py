from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("Text message")
    PUSH = "push", _("Push to the phone app")
    CHAT = "chat", _("Team chat")


class MessageState(models.TextChoices):
    PENDING = "pending", _("Waiting")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    UNKNOWN = "unknown", _("Outcome unknown")
    DEAD = "dead", _("Given up")
    CANCELLED = "cancelled", _("Not needed any more")


# What makes a phone buzz. Mail waits to be looked at, a team's chat has its own quiet.
BUZZING = (Channel.SMS, Channel.PUSH)


class ChatStyle(models.TextChoices):
    """Which chat listens at a webhook, and so what it is sent."""

    SLACK = "slack", "Slack, Mattermost"
    TEAMS = "teams", "Microsoft Teams"
