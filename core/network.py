"""Who is at the other end of a request."""

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address a request came from, as far as it can be known; empty when nobody said.

    Each proxy writes whom it was asked by behind what it was told, so that only what our own ones wrote is true: with
    TRUSTED_PROXY_HOPS of them it is that many from the right. Whoever says less than they should has gone around them.
    """
    hops: int = settings.TRUSTED_PROXY_HOPS
    said: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    told = [one.strip() for one in said.split(",") if one.strip()]
    if hops and len(told) >= hops:
        return told[-hops]
    found: str = request.META.get("REMOTE_ADDR", "")
    return found


def household_of(address: str) -> str:
    """What of an address belongs to one household: all of an IPv4 address, the first half of an IPv6 one, whose other
    half changes by the hour. What is no address stays as it is."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        return str(known.ipv4_mapped or IPv6Address(int(known) >> 64 << 64))
    return str(known)
