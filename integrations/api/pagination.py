"""Pages that neither skip nor repeat when rows arrive meanwhile."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView


class Cursor(CursorPagination):
    page_size = 100
    max_page_size = 1000
    page_size_query_param = "page_size"

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError):  # a made-up cursor whose position is no value of the column
            raise NotFound(_("Invalid cursor")) from None


class ByTime(Cursor):
    ordering = ("submitted_at", "id")


class ByCode(Cursor):
    ordering = ("code",)
