"""Where the provider hands over text messages that people send to our number."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.tokens import keyed_hash
from customers.leaving import STOP, is_suppressed, said_start, says_stop, stop_by_hash
from customers.models import Contact
from messaging.hearing import take
from messaging.views.callbacks import LONGEST_SID, is_signed

_NOTHING = "<Response/>"
# https://www.twilio.com/docs/glossary/what-sms-character-limit: no text message is longer.
_LONGEST_TEXT = 1600
# In every language.
_PICTURE = "[MMS]"


@csrf_exempt
@login_not_required
@require_POST
def text_came(request: HttpRequest) -> HttpResponse:
    """`/messages/texts/`: somebody writes to our number. That they want no more messages holds at once, and is
    confirmed once; anything else is for the room whose message they answer, see `messaging.hearing`.

    English words for "no more" the provider understands itself: it blocks the number, answers, and says so by
    `OptOutType`. What answers nothing of ours is not kept.
    """
    if not is_signed(request):
        return HttpResponse(status=403)
    answer = heard(
        request.POST.get("From", ""),
        request.POST.get("MessageSid", ""),
        request.POST.get("Body", ""),
        told=request.POST.get("OptOutType", ""),
        attached=request.POST.get("NumMedia", "0") not in ("", "0"),
    )
    return HttpResponse(answer, content_type="text/xml; charset=utf-8")


def heard(number: str, sid: str, words: str, *, told: str = "", attached: bool = False) -> str:
    """What the provider is to answer to the owner of a number, whose text it calls `sid`; `told` is what it has
    understood itself, `attached` that there is more than words."""
    known, answer = keyed_hash("contact", number), _NOTHING
    if told == "START":
        said_start(known)
    elif told == "STOP" or says_stop(words[:100]):
        if not told and not is_suppressed(known):
            answer = f"<Response><Message>{escape(_confirmation(known))}</Message></Response>"
        stop_by_hash(known, STOP)
    elif not told and 0 < len(sid) <= LONGEST_SID:
        # A picture is not fetched and nobody sees it, but that there was one.
        take(known, sid, f"{words[:_LONGEST_TEXT]}\n{_PICTURE}" if attached else words[:_LONGEST_TEXT])
    return answer


def _confirmation(value_hash: str) -> str:
    """In the language in which we last wrote to the number."""
    last = Contact.objects.filter(value_hash=value_hash).order_by("-created_at").first()
    language = last.language if last and last.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(language):
        return _("%(chain)s: you get no more text messages from us.") % {"chain": settings.CHAIN_NAME}
