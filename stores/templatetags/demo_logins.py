"""The demo's logins on its sign-in page."""

import json
from typing import TypedDict

from django import template
from django.conf import settings

from stores.choices import Role

register = template.Library()


class Login(TypedDict):
    role: str
    email: str
    password: str
    store: str


class Logins(TypedDict):
    """One of each role, and everybody else."""

    first: list[Login]
    others: list[Login]


@register.simple_tag
def demo_logins() -> Logins | None:
    """The logins that `make demo` wrote down; none outside the demo, or before it has written them."""
    if not settings.DEMO:
        return None
    try:
        known = json.loads((settings.VAR_DIR / "demo.json").read_text())["logins"]
    except (OSError, ValueError, KeyError):
        return None
    found = Logins(first=[], others=[])
    names = {role.value: str(role.label) for role in Role}
    for entry in known:
        if not {"role", "email", "password"} <= entry.keys():
            continue
        name = names.get(entry["role"], entry["role"])
        login = Login(role=name, email=entry["email"], password=entry["password"], store=entry.get("store", ""))
        found["others" if any(name == one["role"] for one in found["first"]) else "first"].append(login)
    return found
