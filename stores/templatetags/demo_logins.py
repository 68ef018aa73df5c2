"""The demo's logins on its sign-in page."""

import json
from typing import TypedDict

from django import template
from django.conf import settings

register = template.Library()


class Login(TypedDict):
    role: str
    email: str
    password: str
    store: str


@register.simple_tag
def demo_logins() -> list[Login]:
    """The logins that `make demo` wrote down; none outside the demo, or before it has written them."""
    if not settings.DEMO:
        return []
    try:
        known = json.loads((settings.VAR_DIR / "demo.json").read_text())["logins"]
    except (OSError, ValueError, KeyError):
        return []
    return [
        Login(role=entry["role"], email=entry["email"], password=entry["password"], store=entry.get("store", ""))
        for entry in known
        if {"role", "email", "password"} <= entry.keys()
    ]
