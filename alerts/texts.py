"""What shoppers answer by text message lands in their case, as if they had written on its page."""

from uuid import NAMESPACE_OID, UUID, uuid5

from alerts.actions import shopper_reply
from alerts.models import CaseEntry, Verification
from alerts.notices import CASE_ANSWER, VERIFICATION
from alerts.queries import case_for_response
from messaging.automatic import is_automatic
from messaging.choices import Channel
from messaging.hearing import register_listener
from messaging.models import IncomingText, Message
from surveys.inviting import CALL_SURVEY, CALL_SURVEY_AGAIN, CALL_SURVEY_MORE
from surveys.models import Response


def hear_in_case(text: IncomingText) -> bool:
    """Put it into the case that the answered message is about; False when there is none. Twice is once."""
    # Held: who deletes it waits for us, or we for them.
    held, about = Response.objects.select_for_update(no_key=True), _about(text.answers)
    response = held.filter(pk=about).first() if about else None
    if response is None or response.erased_at:
        return False
    case = case_for_response(response.pk)
    if case is None:
        return False
    # Also where the answer was added to a case: that bears the same number, and here its owner writes.
    shopper_reply(
        case.response_id,
        text=text.text,
        form_id=uuid5(NAMESPACE_OID, f"text {text.sid}"),
        channel=Channel.SMS,
        writer=response.pk,
        automatic=is_automatic(text.text),
    )
    return True


def _about(message: Message) -> UUID | None:
    """The response that the answered message is about; of a survey's question, what came by its link already."""
    if message.kind == CASE_ANSWER:
        return CaseEntry.objects.filter(pk=message.subject_id).values_list("case__response", flat=True).first()
    if message.kind == VERIFICATION:
        return Verification.objects.filter(pk=message.subject_id).values_list("case__response", flat=True).first()
    return Response.objects.filter(invitation=UUID(message.subject_id)).values_list("pk", flat=True).first()


for _kind in (CASE_ANSWER, VERIFICATION, CALL_SURVEY, CALL_SURVEY_AGAIN, CALL_SURVEY_MORE):
    register_listener(_kind, hear_in_case)
