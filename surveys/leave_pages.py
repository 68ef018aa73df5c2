"""The page on which somebody says that they want no more messages; also what a mail program asks for by one click."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from customers.leaving import UNSUBSCRIBED, contact_by_link, is_suppressed, stop_by_hash, write_again
from customers.models import Contact, Suppression
from surveys.forms import masked
from surveys.pages import lost_page, page, speak
from surveys.views import public


@public
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """A GET only asks: programs that look at links must not speak for anybody. The link itself is the proof, so that a
    mail program may send what RFC 8058 says without any form of ours."""
    contact = contact_by_link(token)
    if contact is None:
        return lost_page(request, leaving=True)
    if "lang" not in request.GET:
        speak(request, contact.language)
    if request.method != "POST":
        return page(request, "shopper/leave.html", _context(contact))
    if request.POST.get("do") == "again":
        write_again(contact)
    elif contact.value_hash:
        stop_by_hash(contact.value_hash, UNSUBSCRIBED)
    if request.POST.get("List-Unsubscribe") == "One-Click":
        return HttpResponse(status=200)
    response = HttpResponseRedirect(reverse("leave", args=[token]))
    response.status_code = 303
    return response


def _context(contact: Contact) -> dict[str, object]:
    return {
        "address": masked(contact) if contact.value else "",
        "gone": not contact.value or is_suppressed(contact.value_hash),
        "may_return": Suppression.objects.filter(value_hash=contact.value_hash, reason=UNSUBSCRIBED).exists(),
    }
