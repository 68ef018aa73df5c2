"""Where the provider of text messages says what became of one."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import SIGNATURE_SETTINGS_HEADER, RequestValidator, get_signature_algorithm

from messaging.provider import Word, learn

LONGEST_SID = 64


@csrf_exempt
@login_not_required
@require_POST
def message_status(request: HttpRequest, pk: UUID) -> HttpResponse:
    """`/messages/status/<id>/`: a callback, believed only with the provider's signature. It may come more than once and
    about a message that is not there any more: both are answered alike."""
    if not is_signed(request):
        return HttpResponse(status=403)
    sid, error = request.POST.get("MessageSid", ""), request.POST.get("ErrorCode", "")
    if not sid or len(sid) > LONGEST_SID:
        return HttpResponse(status=400)
    code = int(error) if error.isascii() and error.isdigit() and len(error) < 9 else 0
    learn(pk, Word(sid, request.POST.get("MessageStatus", ""), code))
    return HttpResponse(status=204)


def is_signed(request: HttpRequest) -> bool:
    """https://www.twilio.com/docs/usage/security#validating-requests: over our public address as the provider was given
    it, not as a proxy passes it on, and all that was sent. Without a token of ours nothing is believed."""
    if not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN):
        return False
    algorithm = get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER, ""))
    validator = RequestValidator(settings.TWILIO_AUTH_TOKEN)
    address = f"{settings.PUBLIC_URL}{request.get_full_path()}"
    signature = request.headers.get("X-Twilio-Signature", "")
    of_ours = request.POST.get("AccountSid", "") == settings.TWILIO_ACCOUNT_SID
    return of_ours and bool(validator.validate(address, request.POST, signature, algorithm))
