"""What is asked where, and what was answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from core.quick import Compiled
from core.tokens import clean_typed_code, token_hash
from stores.choices import Role, TouchpointKind
from stores.models import FormerCode, RoleAssignment, Store, Touchpoint
from stores.opening import HoursBeside
from surveys.choices import ResponseChannel
from surveys.documents import SurveyDocument, document_of
from surveys.models import Invitation, Response, SurveyVersion
from surveys.signed import SignedReceipt

# Spots where somebody of the store can come over.
IN_STORE = {TouchpointKind.TILL, TouchpointKind.FITTING_ROOM, TouchpointKind.EXIT, TouchpointKind.SERVICE_DESK}

_NOT_ON_A_WALL = {TouchpointKind.RECEIPT, TouchpointKind.CALL}


@dataclass(frozen=True)
class Asking:
    """One place that asks: a touchpoint, or an invitation, with the store and the survey version it asks now."""

    store: Store
    channel: ResponseChannel
    version: SurveyVersion
    touchpoint: Touchpoint | None = None
    invitation: Invitation | None = None
    # Of a link that the till signed itself; it has an invitation once an answer was sent.
    receipt: SignedReceipt | None = None

    @property
    def scope(self) -> str:
        """What its forms are signed for."""
        if self.receipt:
            return f"receipt {self.receipt.number_hash}"
        return f"invitation {self.invitation.pk.hex}" if self.invitation else f"touchpoint {self._touchpoint_id}"

    @property
    def _touchpoint_id(self) -> int:
        assert self.touchpoint is not None
        return self.touchpoint.pk

    @cached_property
    def document(self) -> SurveyDocument:
        """What is asked here: without the questions of other channels and stores."""
        return document_of(self.version).on(self.channel, self.store.code, in_store=self.in_store)

    @cached_property
    def names(self) -> dict[str, str]:
        """What stands in the places of its texts; the manager is looked up only where a text names one."""
        names = {"store": self.store.name}
        if "manager" in self.document.places:
            names["manager"] = manager_name(self.store)
        return names

    @property
    def in_store(self) -> bool:
        return self.touchpoint is not None and self.touchpoint.kind in IN_STORE


def manager_name(store: Store) -> str:
    """Who leads the store now, as shoppers may read it; empty when nobody does."""
    leads = RoleAssignment.objects.filter(store=store, role=Role.STORE_MANAGER, user__is_active=True)
    return leads.order_by("pk").values_list("user__name", flat=True).first() or ""


# Of a store, what no shopper's page and no case needs.
_UNUSED = ("address", "postcode", "city", "phone", "contact_emails", "closed_reason")
_UNUSED_KEYS = ("sort_key", "city_key", "search_text")
_SPARED = [f"store__{name}" for name in (*_UNUSED, *_UNUSED_KEYS)]


def touchpoint_by_code(typed: str, *, to_answer: bool = False) -> Touchpoint | None:
    """The touchpoint of a code as a person typed it, retired or not; it knows already which version it asks and,
    `to_answer`, when its store is open."""
    read = _by_code_to_answer if to_answer else _by_code
    return next(iter(read(clean_typed_code(typed))), None)


def _touchpoints_with_code(code: str) -> QuerySet[Touchpoint]:
    asked = _versions_asked(ResponseChannel.QR, OuterRef("pk"), OuterRef("kind")).values("pk")[:1]
    found = Touchpoint.objects.select_related("store__node").defer(*_SPARED)
    return found.filter(code=code).annotate(asked_version_id=Subquery(asked))


_by_code = Compiled(_touchpoints_with_code, "SAMPLE-CODE")
_by_code_to_answer = Compiled(
    lambda code: _touchpoints_with_code(code).annotate(hours_beside=HoursBeside("store_id")), "SAMPLE-CODE"
)


def former_code(typed: str) -> FormerCode | None:
    """A code that was replaced by another, whether it still leads somewhere or not."""
    code = clean_typed_code(typed)
    return FormerCode.objects.select_related("touchpoint__store").filter(code=code).first()


def touchpoint_instead_of(retired: Touchpoint) -> Touchpoint | None:
    """Another touchpoint of the same store that still asks, one of the same kind before others."""
    living = Touchpoint.objects.filter(store=retired.store, retired_at=None).exclude(kind__in=_NOT_ON_A_WALL)
    return min(living, key=lambda spot: (spot.kind != retired.kind, spot.pk), default=None)


def invitation_by_token(token: str) -> Invitation | None:
    """The invitation of a link, answered, expired or open."""
    found = Invitation.objects.select_related("store", "contact", "receipt", "call", "response")
    return found.filter(token_hash=token_hash(token)).first()


def response_by_token(token: str) -> Response | None:
    """The response of a shopper's private link."""
    return next(iter(_by_token(token_hash(token))), None)


_by_token = Compiled(
    lambda token_hash: (
        Response.objects.select_related("store", "contact", "version")
        .defer(*_SPARED, "version__document")
        .filter(token_hash=token_hash)
    ),
    "sample of a hash",
)


def version_for(channel: ResponseChannel, touchpoint: Touchpoint | None = None) -> SurveyVersion | None:
    """The newest version of the survey that a channel asks: at this touchpoint, at its kind, or in the whole chain.

    The closest choice holds. None when nobody has chosen a survey for it.
    """
    if touchpoint is None:
        return _versions_asked(channel, None, "").first()
    return _versions_asked(channel, touchpoint.pk, touchpoint.kind).first()


def _versions_asked(channel: ResponseChannel, touchpoint: object, kind: object) -> QuerySet[SurveyVersion]:
    """The versions that might be asked there, the one that is first."""
    chosen = Q(
        survey__choices__channel=channel,
        survey__choices__touchpoint=None,
        survey__choices__touchpoint_kind__in=["", kind],
    )
    if touchpoint is not None:
        chosen |= Q(survey__choices__touchpoint=touchpoint)
    closest = (F("survey__choices__touchpoint").asc(nulls_last=True), "-survey__choices__touchpoint_kind")
    return SurveyVersion.objects.filter(chosen).order_by(*closest, "-number")


_MOST_VERSIONS = 500
_versions: dict[int, SurveyVersion] = {}


def version_by_pk(pk: int) -> SurveyVersion | None:
    """A version, remembered because versions never change."""
    if pk not in _versions:
        version = SurveyVersion.objects.filter(pk=pk).first()
        if version is None:
            return None
        if len(_versions) >= _MOST_VERSIONS:
            _versions.clear()
        _versions[pk] = version
    return _versions[pk]


def asking_at(touchpoint: Touchpoint) -> Asking | None:
    """What a touchpoint asks now; None when no survey is chosen for it."""
    if "asked_version_id" in touchpoint.__dict__:
        asked: int | None = touchpoint.asked_version_id  # type: ignore[attr-defined]  # of `touchpoint_by_code`
        version = version_by_pk(asked) if asked else None
    else:
        version = version_for(ResponseChannel.QR, touchpoint)
    return Asking(touchpoint.store, ResponseChannel.QR, version, touchpoint=touchpoint) if version else None


def asking_by_text(invitation: Invitation) -> Asking | None:
    """What a text message about a call asked, to be answered by a number; None where only a link was sent."""
    if invitation.version is None:
        return None
    channel = ResponseChannel(invitation.channel)
    return Asking(invitation.store, channel, invitation.version, invitation=invitation)


# Under which words stand that answer no question of the survey: no question's key begins like this.
UNASKED = "_text"
# Beside the answers, by question, the words among them that came after a form or without one, which no form takes back.
ADDED = "_added"
# And what a phone wrote by itself: read, but in no figure, and by itself no case.
BY_A_PHONE = "_automatic"


def words_key(document: SurveyDocument, answers: Mapping[str, Any]) -> str:
    """The key of the open question to which words that come with these answers belong; UNASKED where there is none."""
    reached = document.reached(answers)
    asked = sorted(document.open_questions, key=lambda question: question not in reached)
    return asked[0].key if asked else UNASKED


def asking_without_question(invitation: Invitation) -> Asking | None:
    """Where words belong for which no question was put: to what the channel asks now, or else to whatever was published
    last; of either they answer nothing. None where nothing ever was."""
    channel = ResponseChannel(invitation.channel)
    version = version_for(channel) or SurveyVersion.objects.order_by("-pk").first()
    return Asking(invitation.store, channel, version, invitation=invitation) if version else None


def asking_in(invitation: Invitation) -> Asking | None:
    """What an invitation asks now; None when no survey is chosen for its channel."""
    channel = ResponseChannel(invitation.channel)
    version = version_for(channel)
    return Asking(invitation.store, channel, version, invitation=invitation) if version else None
