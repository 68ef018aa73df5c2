"""Who signs out on an enrolled phone means the phone too."""

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from stores.choices import DeviceEnd
from stores.devices import device_of, end_device
from stores.models import User


@receiver(user_logged_out)
def end_phone(request: HttpRequest, user: User | None, **_: Any) -> None:
    """Only by the form that says "Sign out": a session that ran out is just what the enrolment is for."""
    match = getattr(request, "resolver_match", None)
    if user is None or match is None or match.url_name != "account_logout":
        return
    shown = device_of(request)
    if shown is not None and shown.device.user_id == user.pk:
        end_device(shown.device, DeviceEnd.SIGNED_OUT, actor=user)
