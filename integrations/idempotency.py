"""The same request twice is one piece of work: the `Idempotency-Key` header.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from json import dumps, loads
from typing import Any, TypeVar

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.models import ApiKey, IdempotentAnswer

KEPT_FOR = timedelta(days=2)
_LONGEST = 255


class KeyMissing(APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = _("Send an Idempotency-Key header of 1 to 255 printable characters, new for each new request.")


class KeyReused(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = _("This Idempotency-Key was used for a different request.")


class InFlight(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = _("The first request with this Idempotency-Key is still being worked on. Try again shortly.")
    wait = 1


View = TypeVar("View", bound=APIView)
Handler = Callable[[View, Request], Response]


def idempotent(handler: Handler[View]) -> Handler[View]:
    """Run the handler once for each key; its writes and the record of its answer are one transaction.

    An exception stores nothing, so that a corrected request may use the same key.
    """

    @wraps(handler)
    def once(view: View, request: Request) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not (0 < len(key) <= _LONGEST and key.isprintable()):
            raise KeyMissing
        assert isinstance(request.auth, ApiKey)
        fingerprint = _fingerprint(request)
        with transaction.atomic():
            # Held until commit. A waiting second request would be a stuck one, so it is told instead.
            if not _lock(f"{request.auth.pk} {key}"):
                raise InFlight
            fresh = IdempotentAnswer.objects.filter(created_at__gt=timezone.now() - KEPT_FOR)
            known = fresh.filter(api_key=request.auth, key=key).first()
            if known is None:
                response = handler(view, request)
                _remember(request.auth, key, fingerprint, response)
                return response
        if known.fingerprint != fingerprint:
            raise KeyReused
        return Response(loads(known.body), known.status, headers={"Idempotent-Replayed": "true"})

    return once


def _fingerprint(request: Request) -> str:
    # The parsed body, since spaces and the order of keys mean nothing.
    body = dumps(request.data, sort_keys=True)
    return hashlib.sha256(f"{request.method} {request.path} {body}".encode()).hexdigest()


def _lock(name: str) -> bool:
    number = int.from_bytes(hashlib.sha256(f"idempotency {name}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        row: tuple[Any, ...] = cursor.fetchone()
    return bool(row[0])


def _remember(api_key: ApiKey, key: str, fingerprint: str, response: Response) -> None:
    IdempotentAnswer.objects.filter(created_at__lte=timezone.now() - KEPT_FOR).delete()
    IdempotentAnswer.objects.create(
        api_key=api_key, key=key, fingerprint=fingerprint, status=response.status_code, body=dumps(response.data)
    )
