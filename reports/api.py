"""What the systems of the chain tell reports."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.api.serializers import Problem
from integrations.choices import Scope
from integrations.models import ApiKey
from reports.traffic import MOST_TRANSACTIONS, NO_STORE, Count, record_traffic, wrong_with
from surveys.choices import ResponseChannel

_MOST_AT_ONCE = 5000


class TrafficRow(serializers.Serializer[Any]):
    """How many purchases, or calls, a store had on a day."""

    store = serializers.CharField(max_length=20, help_text="The store's code.")
    day = serializers.DateField(help_text="The store's own date.")
    channel = serializers.ChoiceField(
        choices=ResponseChannel.choices, help_text="The channel that asks about these purchases or calls."
    )
    transactions = serializers.IntegerField(min_value=0, max_value=MOST_TRANSACTIONS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if problem := wrong_with(attrs["day"], attrs["transactions"]):
            raise serializers.ValidationError({"day": str(problem)})
        return attrs


class TrafficRequest(serializers.Serializer[Any]):
    """Counts of any stores and days; each takes the place of what was told before."""

    rows = serializers.ListField(child=TrafficRow(), allow_empty=False, max_length=_MOST_AT_ONCE)


class TrafficAnswer(serializers.Serializer[Any]):
    """How many counts are known now that were told."""

    kept = serializers.IntegerField()


class TrafficView(APIView):
    """Answers are weighted by these, beside the unweighted figure."""

    required_scope = Scope.TRAFFIC_WRITE

    @extend_schema(
        operation_id="tell_traffic",
        summary="Purchases and calls by day",
        request=TrafficRequest,
        responses={200: TrafficAnswer} | {(code, "application/problem+json"): Problem for code in (400, 401, 403)},  # type: ignore[arg-type]
    )
    def put(self, request: Request) -> Response:
        """All of it is kept, or nothing. The same again changes nothing, so that no Idempotency-Key is needed."""
        assert isinstance(request.auth, ApiKey)
        sent = TrafficRequest(data=request.data)
        sent.is_valid(raise_exception=True)
        rows = sent.validated_data["rows"]
        stores = request.auth.stores().filter(code__in={row["store"] for row in rows})
        known = dict(stores.values_list("code", "pk"))
        unknown = [number for number, row in enumerate(rows) if row["store"] not in known]
        if unknown:
            raise ValidationError({"rows": {str(number): {"store": [str(NO_STORE)]} for number in unknown}})
        kept = record_traffic(
            Count(known[row["store"]], row["day"], row["channel"], row["transactions"]) for row in rows
        )
        return Response({"kept": kept})
