"""Who answers the question after a call by text message, instead of opening its link, is told of the link once more."""

from datetime import timedelta

from messaging.choices import Channel
from messaging.hearing import register_listener
from messaging.models import IncomingText
from messaging.outbox import put
from surveys.inviting import CALL_SURVEY, CALL_SURVEY_AGAIN
from surveys.models import Invitation

# They hold the phone in their hand; later it would only disturb.
_WHILE_AWAKE = timedelta(hours=1)


def tell_of_the_link(text: IncomingText) -> bool:
    """One message, however often they write; none once the question is answered or too old, see its renderer."""
    invitation = Invitation.objects.select_related("contact").filter(pk=text.answers.subject_id).first()
    if invitation is None or invitation.contact is None:
        return False
    put(
        CALL_SURVEY_AGAIN,
        invitation.pk,
        channel=Channel.SMS,
        contact=invitation.contact,
        dedup_key=f"{CALL_SURVEY_AGAIN}:{invitation.pk}",
        expires_at=text.received_at + _WHILE_AWAKE,
        priority=2,
    )
    return True


for _kind in (CALL_SURVEY, CALL_SURVEY_AGAIN):
    register_listener(_kind, tell_of_the_link)
