"""Who calls the API: `Authorization: Bearer hh_….…`."""

from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from integrations.models import ApiKey

_USE_NOTED_EVERY = timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the ApiKey; there is no user behind a key."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        """None without the header; raises AuthenticationFailed for a key that is unknown, wrong or revoked."""
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        prefix, _dot, secret = text.strip().partition(".")
        # A NUL cannot be asked for in the database, and is in no key.
        key = None if "\x00" in prefix else ApiKey.objects.select_related("node").filter(prefix=prefix).first()
        if key is None or not key.fits(secret) or key.revoked_at is not None:
            raise AuthenticationFailed(_("This API key is unknown or revoked."))
        now = timezone.now()
        ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_NOTED_EVERY), pk=key.pk).update(
            last_used_at=now
        )
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes the above."""

    target_class = "integrations.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key made with `manage.py create_api_key`."}
