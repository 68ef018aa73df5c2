"""The API's own description, and the pages that show it."""

from functools import lru_cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny


@lru_cache
def _document() -> dict[str, Any]:
    # Worked out once: it is the same for everyone, and takes longer than a page should.
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


@login_not_required
@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    """The OpenAPI 3 document, for everyone: it says nothing about the chain."""
    return JsonResponse(_document(), content_type="application/vnd.oai.openapi+json")


class Docs(SpectacularSwaggerSplitView):
    """The document to read and try, from our own files only."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    url_name = "openapi"
    template_name = "integrations/docs.html"
