"""Whose pages a device may keep to be read without a connection."""

from core.tokens import keyed_hash
from stores.access import StaffRequest

_LENGTH = 16


def keeper_of(request: StaffRequest) -> str:
    """A name for what is kept for this person on their own device; empty where nothing may be kept.

    A store's shared device keeps nothing. Another person on the same browser has another name, so that what the first
    one left behind is found and deleted.
    """
    if getattr(request, "shared_device", None):
        return ""
    return keyed_hash("kept pages", str(request.user.pk))[:_LENGTH]
