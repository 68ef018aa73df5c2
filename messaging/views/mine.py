"""How I am told: my channels in their order, my phones, and a test that shows whether it works."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.outbound import Forbidden, check_url
from messaging import testing
from messaging.choices import Channel, MessageState
from messaging.models import PushDevice
from messaging.preferences import channels_of, set_channels
from messaging.push import check_keys, public_key
from stores.access import STAFF_ROLES, StaffRequest, roles_required

_MOST_DEVICES = 10
_SETTLED = (MessageState.SENT, MessageState.DEAD, MessageState.CANCELLED, MessageState.UNKNOWN)


@roles_required(*STAFF_ROLES)
@require_safe
def my_alerts(request: StaffRequest) -> HttpResponse:
    """The page; htmx fetches the outcome of a test alone, until it is settled."""
    tested = testing.last_test(request.user)
    reached = channels_of([request.user])[request.user.pk]
    context = {
        "channels": [(channel, channel.label) for channel in reached],
        "devices": PushDevice.objects.filter(user=request.user, gone_at=None).order_by("-created_at"),
        "push_key": public_key(),
        "tested": tested,
        "test_runs": any(message.state not in _SETTLED for message in tested),
        "names": dict(Channel.choices),
    }
    template = "messaging/my_alerts.html"
    return render(request, f"{template}#outcome" if request.htmx else template, context)


@roles_required(*STAFF_ROLES)
@require_POST
def set_my_channels(request: StaffRequest) -> HttpResponse:
    """The channel that was chosen goes first; the others follow as they were."""
    first = request.POST.get("first", "")
    rest = [channel.value for channel in channels_of([request.user])[request.user.pk]]
    if first in rest:
        set_channels(request.user, [first, *(channel for channel in rest if channel != first)])
        messages.success(request, _("Kept: %(channel)s comes first.") % {"channel": Channel(first).label})
    return redirect("my_alerts")


@roles_required(*STAFF_ROLES)
@require_POST
def add_device(request: StaffRequest) -> HttpResponse:
    """What a browser says of itself once it has been allowed to notify. The same phone added again is one phone."""
    endpoint, keys = request.POST.get("endpoint", ""), (request.POST.get("p256dh", ""), request.POST.get("auth", ""))
    try:
        check_url(endpoint)
    except Forbidden:
        endpoint = ""
    if not endpoint or len(endpoint) > 2000 or len(keys[0]) > 120 or not check_keys(*keys):
        messages.error(request, _("This browser cannot be reached. Try again, or choose e-mail."))
        return redirect("my_alerts")
    PushDevice.objects.update_or_create(
        endpoint=endpoint,
        defaults={
            "user": request.user,
            "name": _device_name(request.headers.get("User-Agent", "")),
            "p256dh": keys[0],
            "auth": keys[1],
            "gone_at": None,
            "failed_at": None,
            "last_error": "",
        },
    )
    kept = PushDevice.objects.filter(user=request.user, gone_at=None).order_by("-pk").values_list("pk", flat=True)
    PushDevice.objects.filter(user=request.user).exclude(pk__in=list(kept[:_MOST_DEVICES])).delete()
    messages.success(request, _("Alerts now come to this device."))
    return redirect("my_alerts")


@roles_required(*STAFF_ROLES)
@require_POST
def remove_device(request: StaffRequest, pk: int) -> HttpResponse:
    """One of my own devices is told nothing more."""
    device = get_object_or_404(PushDevice, pk=pk, user=request.user, gone_at=None)
    PushDevice.objects.filter(pk=device.pk).update(gone_at=timezone.now())
    messages.success(request, _("Alerts no longer come to: %(device)s") % {"device": device.name})
    return redirect("my_alerts")


@roles_required(*STAFF_ROLES)
@require_POST
def test_my_alerts(request: StaffRequest) -> HttpResponse:
    """One message by every channel that reaches me."""
    if not testing.send_test(request.user):
        messages.info(request, _("A test went out a moment ago: look below what became of it."))
    return redirect("my_alerts")


_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux")
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))


def _device_name(agent: str) -> str:
    """“Android, Chrome”: enough to know one's own phone again."""
    system = next((name for name in _SYSTEMS if name in agent), "")
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    return ", ".join(part for part in (system, browser) if part) or _("Unknown device")
