"""Shapes of requests and answers."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from integrations.api.fields import FlagField, LanguageField, PastField, StoreField
from stores.choices import StoreKind
from stores.models import Store
from surveys.choices import Mark, NotAskedReason
from surveys.counting import counts
from surveys.models import Response


class ReceiptRequest(serializers.Serializer[Any]):
    """A purchase at the till, for whose receipt a survey link is wanted."""

    store = StoreField(kind=StoreKind.SHOP, help_text="The store's code.")
    number = serializers.CharField(max_length=80, help_text="As printed on the receipt. Only a keyed hash is kept.")
    purchased_at = PastField(within=settings.INVITATION_LIFETIME)
    email = serializers.EmailField(required=False, help_text="Where the shopper allowed us to answer.")
    language = LanguageField()
    customer = serializers.CharField(
        max_length=80,
        required=False,
        default="",
        allow_blank=True,
        help_text="Your own name for the person, the same in every channel, so that nobody is asked too often. Only a"
        " keyed hash is kept.",
    )
    block = FlagField(
        required=False, default=False, help_text="Whether the question is wanted for an e-receipt of your own."
    )


class BlockChoice(serializers.Serializer[Any]):
    """One answer of the block. Its link only preselects it."""

    value = serializers.IntegerField()
    name = serializers.CharField()
    face = serializers.CharField(help_text="A character to draw; empty where the question has no faces.")
    url = serializers.URLField()


class Block(serializers.Serializer[Any]):
    """The question for an e-receipt, as data and as a piece of HTML that loads nothing."""

    language = serializers.CharField()
    store = serializers.CharField()
    question = serializers.CharField()
    low = serializers.CharField()
    high = serializers.CharField()
    hint = serializers.CharField()
    survey_url = serializers.URLField()
    choices = BlockChoice(many=True)
    html = serializers.CharField(source="as_html")


class ReceiptLink(serializers.Serializer[Any]):
    """What to print on the receipt.

    `block` is there where it was asked for; `not_asked` says why no message goes to the address.
    """

    survey_url = serializers.URLField()
    expires_at = serializers.DateTimeField()
    not_asked = serializers.ChoiceField(choices=NotAskedReason.choices, required=False)
    block = Block(required=False)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Only what there is to say."""
        return {name: value for name, value in super().to_representation(instance).items() if value is not None}


class CallRequest(serializers.Serializer[Any]):
    """A call that has ended."""

    id = serializers.CharField(max_length=80, help_text="The telephony system's own id of the call.")
    store = StoreField(kind=StoreKind.CALL_CENTRE, help_text="The call centre's code.")
    phone = serializers.CharField(max_length=40, help_text="The caller's number, best with its country code.")
    queue = serializers.CharField(max_length=60, required=False, default="", allow_blank=True)
    agent = serializers.CharField(max_length=60, required=False, default="", allow_blank=True)
    ended_at = PastField(within=timedelta(days=1))
    language = LanguageField()
    consent = FlagField(help_text="Whether the caller allowed a text message about this call.")
    customer = serializers.CharField(
        max_length=80, required=False, default="", allow_blank=True, help_text="As for a receipt."
    )


class CallAnswer(serializers.Serializer[Any]):
    """What follows from the call."""

    invited = serializers.BooleanField(help_text="Whether a text message will ask about it.")


class StoreAnswer(serializers.ModelSerializer[Store]):
    area = serializers.CharField(source="node.name")

    class Meta:
        model = Store
        fields = ("code", "name", "kind", "area", "city", "country", "time_zone", "languages")


class TopicAnswer(serializers.Serializer[Any]):
    topic = serializers.CharField()
    sentiment = serializers.ChoiceField(["negative", "neutral", "positive"])


class CommentAnswer(serializers.Serializer[Any]):
    """The shopper's words without names, numbers and addresses, and what they were understood to mean."""

    text = serializers.CharField()
    language = serializers.CharField()
    sentiment = serializers.ChoiceField(["negative", "neutral", "positive"])
    topics = TopicAnswer(many=True)
    urgency = serializers.ListField(child=serializers.CharField())


class ResponseAnswer(serializers.ModelSerializer[Response]):
    """One response. `comments` holds those that have been read; a new one's follow within seconds."""

    store = serializers.CharField(source="store.code")
    touchpoint = serializers.SerializerMethodField()
    question = serializers.CharField(source="headline_kind")
    marks = serializers.ListField(
        source="flags",
        child=serializers.ChoiceField(choices=[one.value for one in Mark if one not in (Mark.UNSENT, Mark.AUTOMATIC)]),
        help_text="Why it may not be a shopper's; or `unfinished`: what was missing when it was sent never came.",
    )
    counts = serializers.SerializerMethodField(help_text="Whether it is in the headline figures, by its marks.")
    comments = serializers.SerializerMethodField()

    class Meta:
        model = Response
        fields = (
            "id",
            "store",
            "touchpoint",
            "channel",
            "sample_kind",
            "language",
            "question",
            "score",
            "submitted_at",
            "marks",
            "counts",
            "comments",
        )

    def get_touchpoint(self, response: Response) -> str | None:
        return response.touchpoint.kind if response.touchpoint else None

    def get_counts(self, response: Response) -> bool:
        return counts(response)

    @extend_schema_field(CommentAnswer(many=True))
    def get_comments(self, response: Response) -> list[dict[str, Any]]:
        read = [getattr(verbatim, "analysis", None) for verbatim in response.verbatims.all()]
        return [
            {
                "text": analysis.redacted,
                "language": analysis.language,
                "sentiment": analysis.sentiment,
                "topics": analysis.topics,
                "urgency": analysis.urgency,
            }
            for analysis in read
            if analysis is not None and analysis.analysed_at is not None and analysis.redacted
        ]


class ResponseQuery(serializers.Serializer[Any]):
    """What `GET /api/v1/responses/` may be asked for."""

    store = StoreField(required=False, help_text="Only this store's.")
    since = serializers.DateTimeField(required=False, help_text="Only those submitted at or after this moment.")


class Problem(serializers.Serializer[Any]):
    """https://www.rfc-editor.org/rfc/rfc9457"""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = serializers.ListField(  # type: ignore[assignment]  # a field here, a property there
        child=serializers.DictField(child=serializers.CharField()), required=False
    )
