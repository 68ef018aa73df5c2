"""The API for the systems of the chain: tills, telephony, data warehouse."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.utils import translation
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response as Answer
from rest_framework.views import APIView

from integrations.api import serializers
from integrations.api.pagination import ByCode, ByTime
from integrations.choices import Scope
from integrations.idempotency import idempotent
from integrations.models import ApiKey
from stores.models import Store
from surveys.choices import AUTOMATIC, UNSENT
from surveys.inviting import BadAddress, call_ended, receipt_link
from surveys.models import Response, Verbatim
from surveys.receipt_block import block_of

_KEY_HEADER = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="New for each new request; repeating it within 48 hours repeats the answer and does nothing.",
)


def _problems(*codes: int) -> dict[tuple[int, str], type[serializers.Problem]]:
    return {(code, "application/problem+json"): serializers.Problem for code in codes}


class ReceiptsView(APIView):
    required_scope = Scope.RECEIPTS_WRITE

    @extend_schema(
        operation_id="create_receipt_link",
        summary="A survey link for a receipt",
        parameters=[_KEY_HEADER],
        request=serializers.ReceiptRequest,
        responses={200: serializers.ReceiptLink, 201: serializers.ReceiptLink} | _problems(400, 401, 403, 409, 422),  # type: ignore[arg-type]
    )
    @idempotent
    def post(self, request: Request) -> Answer:
        """The same receipt again gives the same link. With an e-mail address the link is sent there as well."""
        sent = _checked(serializers.ReceiptRequest, request.data, request)
        try:
            invited = receipt_link(
                sent["store"],
                sent["number"],
                sent["purchased_at"],
                email=sent.get("email"),
                language=sent.get("language", ""),
                customer=sent["customer"],
            )
        except BadAddress:
            raise ValidationError({"email": [_("This is not an e-mail address that can be written to.")]}) from None
        answer = status.HTTP_201_CREATED if invited.created else status.HTTP_200_OK
        with translation.override(invited.invitation.language if invited.invitation else None):
            block = block_of(invited.invitation) if sent["block"] and invited.invitation else None
            link = {name: getattr(invited, name) for name in ("survey_url", "expires_at", "not_asked")}
            return Answer(serializers.ReceiptLink(link | {"block": block}).data, answer)


class CallsView(APIView):
    required_scope = Scope.CALLS_WRITE

    @extend_schema(
        operation_id="report_call",
        summary="A call has ended",
        parameters=[_KEY_HEADER],
        request=serializers.CallRequest,
        responses={202: serializers.CallAnswer} | _problems(400, 401, 403, 409, 422),  # type: ignore[arg-type]
    )
    @idempotent
    def post(self, request: Request) -> Answer:
        """Minutes later a text message asks the caller, who consented, how it was; each call is asked about once."""
        sent = _checked(serializers.CallRequest, request.data, request)
        try:
            invited = call_ended(
                sent["id"],
                sent["store"],
                sent["phone"],
                consent=sent["consent"],
                ended_at=sent["ended_at"],
                queue=sent["queue"],
                agent=sent["agent"],
                language=sent.get("language", ""),
                customer=sent["customer"],
            )
        except BadAddress:
            raise ValidationError({"phone": [_("This is not a phone number that can be dialled.")]}) from None
        return Answer(serializers.CallAnswer(invited).data, status.HTTP_202_ACCEPTED)


class StoresView(ListAPIView[Store]):
    """The stores that the key reaches."""

    required_scope = Scope.STORES_READ
    serializer_class = serializers.StoreAnswer
    pagination_class = ByCode

    def get_queryset(self) -> QuerySet[Store]:
        return _key(self.request).stores().filter(retired_at=None).select_related("node")

    @extend_schema(operation_id="list_stores", summary="Stores", responses={200: serializers.StoreAnswer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Answer:
        return super().get(request, *args, **kwargs)


class ResponsesView(ListAPIView[Response]):
    """Responses of the stores that the key reaches, oldest first; words only in their redacted form."""

    required_scope = Scope.RESPONSES_READ
    serializer_class = serializers.ResponseAnswer
    pagination_class = ByTime

    def get_queryset(self) -> QuerySet[Response]:
        query = _checked(serializers.ResponseQuery, self.request.query_params, self.request)
        stores = [query["store"]] if "store" in query else _key(self.request).stores()
        found = Response.objects.exclude(flags__overlap=[UNSENT, AUTOMATIC]).filter(store__in=stores)
        found = found.select_related("store", "touchpoint")
        if "since" in query:
            found = found.filter(submitted_at__gte=query["since"])
        words = Verbatim.objects.select_related("analysis").order_by("pk")
        return found.prefetch_related(Prefetch("verbatims", words))

    @extend_schema(
        operation_id="list_responses",
        summary="Responses",
        parameters=[serializers.ResponseQuery],
        responses={200: serializers.ResponseAnswer(many=True)} | _problems(400, 401, 403, 404),  # type: ignore[arg-type]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Answer:
        return super().get(request, *args, **kwargs)


@extend_schema(exclude=True)
class NothingHere(APIView):
    """Any other address of the API, so that a mistyped one is answered in the API's own form."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404


def _key(request: Request) -> ApiKey:
    assert isinstance(request.auth, ApiKey)
    return request.auth


def _checked(shape: type[Any], data: Any, request: Request) -> dict[str, Any]:
    """The valid fields of a request. Raises ValidationError."""
    serializer = shape(data=data, context={"api_key": _key(request)})
    serializer.is_valid(raise_exception=True)
    checked: dict[str, Any] = serializer.validated_data
    return checked
