"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language_bidi

from core.look import look


def site(request: HttpRequest) -> dict[str, Any]:
    """The chain's name and colour, and the reading direction of the page's language."""
    return {
        "chain_name": settings.CHAIN_NAME,
        "chain_accent": look().accent,
        "text_direction": "rtl" if get_language_bidi() else "ltr",
        "languages": settings.STAFF_LANGUAGES,
        "demo": settings.DEMO,
        "mailbox_url": settings.MAILBOX_URL,
        "shared_device_idle_secs": int(settings.SHARED_DEVICE_IDLE.total_seconds()),
    }
