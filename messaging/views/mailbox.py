"""The demo's mailbox: what the catcher caught. Everywhere else these addresses do not exist."""

import re
from urllib.parse import urlencode
from uuid import uuid4

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from core.tokens import keyed_hash
from customers.models import Contact
from messaging.choices import Channel
from messaging.models import CaughtMessage
from messaging.views.inbound import heard

_SHOWN = 100
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
_BASE = '<base target="_blank">'
# The e-mail may style itself, but runs no script and loads nothing; its links open in a tab of their own.
_FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


def _require_demo() -> None:
    if not (settings.DEMO or settings.TESTING):
        raise Http404


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@csp_update({"frame-src": [SELF]})
def mailbox(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The newest messages, and the one that was chosen; `?to=` shows one recipient's only.

    A text message to a shopper is answered here, as from their phone.
    """
    _require_demo()
    recipient = request.GET.get("to", "")
    found = CaughtMessage.objects.all()
    if recipient:
        found = found.filter(recipient=recipient)
    chosen = get_object_or_404(CaughtMessage, pk=pk) if pk else None
    answerable = chosen is not None and _is_to_shopper(chosen)
    if request.method == "POST":
        if chosen is None or not answerable:
            raise Http404
        heard(chosen.recipient, f"demo{uuid4().hex}", request.POST.get("text", ""))
        return redirect(f"{reverse('mailbox')}?{urlencode({'to': chosen.recipient})}")
    context = {"caught": found[:_SHOWN], "chosen": chosen, "recipient": recipient, "answerable": answerable}
    return render(request, "messaging/mailbox.html", context)


def _is_to_shopper(caught: CaughtMessage) -> bool:
    to = keyed_hash("contact", caught.recipient)
    return caught.channel == Channel.SMS and Contact.objects.filter(value_hash=to).exists()


@login_not_required
@require_safe
@xframe_options_sameorigin
def mailbox_html(request: HttpRequest, pk: int) -> HttpResponse:
    """An e-mail's own HTML, for the frame on its page."""
    _require_demo()
    html = get_object_or_404(CaughtMessage, pk=pk).html
    head = _HEAD.search(html)
    at = head.end() if head else 0
    return HttpResponse(html[:at] + _BASE + html[at:], headers={"Content-Security-Policy": _FRAME_POLICY})
