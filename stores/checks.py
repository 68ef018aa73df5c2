"""What `manage.py check` says about the sign-in."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def second_factor(**_: Any) -> list[CheckMessage]:
    """Staff read what shoppers said in confidence."""
    if settings.MFA_REQUIRED:
        return []
    return [Warning("Staff may sign in without a second factor.", hint="Leave MFA_REQUIRED unset.", id="stores.W001")]


@register(Tags.security)
def single_sign_on(**_: Any) -> list[CheckMessage]:
    """An issuer alone is half a single sign-on."""
    if bool(settings.OIDC_ISSUER) == bool(settings.OIDC_CLIENT_ID and settings.OIDC_CLIENT_SECRET):
        return []
    hint = "Set OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET together, or none of them."
    return [Error("Single sign-on is configured in part.", hint=hint, id="stores.E001")]
