"""The test that a member of staff sends to themselves: does it really reach me?"""

from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.models import ChatHook, Message
from messaging.outbox import Rendered, draft, put_all, register_renderer
from messaging.preferences import channels_of
from stores.models import User

ALERT_TEST, CHAT_TEST = "alert_test", "chat_test"
# Text messages cost money, and a second test tells nothing new.
PAUSE = timedelta(minutes=1)
_LIFETIME = timedelta(minutes=15)


@transaction.atomic
def send_test(user: User) -> bool:
    """Send one message by every channel that reaches this person. False when they did so a moment ago."""
    User.objects.select_for_update().get(pk=user.pk)
    now = timezone.now()
    if tests_of(user).filter(created_at__gt=now - PAUSE).exists():
        return False
    run = uuid4()
    put_all(
        [
            draft(
                ALERT_TEST,
                run,
                channel=channel,
                user=user,
                dedup_key=f"{ALERT_TEST}:{run}:{channel}",
                expires_at=now + _LIFETIME,
                priority=0,
            )
            for channel in channels_of([user])[user.pk]
        ]
    )
    return True


def tests_of(user: User) -> QuerySet[Message]:
    """The messages of this person's tests, whatever became of them."""
    return Message.objects.filter(kind=ALERT_TEST, user=user)


def last_test(user: User) -> list[Message]:
    """The messages of the latest test, in the order of the channels; empty when there was none of late."""
    latest = tests_of(user).order_by("-created_at").first()
    return list(tests_of(user).filter(subject_id=latest.subject_id).order_by("pk")) if latest else []


def send_chat_test(hook: ChatHook) -> None:
    """Send one message to a team's chat."""
    expires_at = timezone.now() + _LIFETIME
    key = f"{CHAT_TEST}:{hook.pk}:{uuid4()}:chat"
    put_all([draft(CHAT_TEST, hook.pk, channel="chat", hook=hook, dedup_key=key, expires_at=expires_at, priority=0)])


def render_alert_test(message: Message) -> Rendered:
    """Words that nobody takes for an unhappy shopper."""
    url = settings.PUBLIC_URL + reverse("my_alerts")
    subject = _("Test: alerts of %(chain)s reach you here") % {"chain": settings.CHAIN_NAME}
    return Rendered(subject, f"{subject}. {_('No shopper waits for you.')} {url}", url=url)


def render_chat_test(message: Message) -> Rendered:
    subject = _("Test: this chat is told of cases at %(chain)s") % {"chain": settings.CHAIN_NAME}
    return Rendered(subject, _("No shopper waits for you."), url="")


register_renderer(ALERT_TEST, render_alert_test, title=gettext_lazy("Test of one's own alerts"))
register_renderer(CHAT_TEST, render_chat_test, title=gettext_lazy("Test of a team chat"))
