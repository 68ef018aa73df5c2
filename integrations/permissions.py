"""What a key may do: each view names its `required_scope`."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from integrations.models import ApiKey

if TYPE_CHECKING:  # that module imports this one, through the settings
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Refuses a view that names no scope: forgetting it must not open it."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, ApiKey):
            raise NotAuthenticated(_("Send your API key as “Authorization: Bearer …”."))
        scope = getattr(view, "required_scope", None)
        if scope is None or scope not in request.auth.scopes:
            raise PermissionDenied(_("This API key lacks the scope “%s”.") % scope)
        return True
