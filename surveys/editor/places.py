"""Which survey is asked where: in the whole chain by channel, at kinds of touchpoints, and at single ones."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from stores.choices import TouchpointKind
from stores.models import Store, Touchpoint, User
from surveys.choices import ResponseChannel
from surveys.editor.drafts import Stale, record_choice
from surveys.models import Survey, SurveyChoice

ON_WALLS = [kind for kind in TouchpointKind if kind not in (TouchpointKind.RECEIPT, TouchpointKind.CALL)]


@dataclass(frozen=True)
class Place:
    """Where a survey may be chosen: a channel, or a kind of touchpoint on the channel of QR codes."""

    name: str
    label: str
    channel: ResponseChannel
    kind: str = ""


def sample_store(stores: QuerySet[Store], *, wanted: str = "") -> Store | None:
    """A store to show pages of: the one with the code `wanted`, else the first that has codes on its walls."""
    used = stores.filter(retired_at=None).order_by("name")
    found = used.filter(code=wanted).first() if wanted else None
    return found or used.filter(touchpoints__kind__in=ON_WALLS).first() or used.first()


def places() -> list[Place]:
    """The channels, then the kinds of touchpoints."""
    channels = [Place(one.value, str(one.label), one) for one in ResponseChannel]
    qr = ResponseChannel.QR
    return channels + [Place(f"{qr.value}-{kind.value}", str(kind.label), qr, kind.value) for kind in ON_WALLS]


def chosen_at(place: Place) -> SurveyChoice | None:
    """The choice that holds just there; None where the one above holds."""
    found = SurveyChoice.objects.select_related("survey")
    return found.filter(channel=place.channel, touchpoint=None, touchpoint_kind=place.kind).first()


@transaction.atomic
def choose(place: Place, survey: Survey | None, actor: User, *, seen: str) -> bool:
    """Ask `survey` there from now on; None: what is asked above. False when it was so already.

    `seen` is the slug that the form showed. Raises Stale.
    """
    choice = SurveyChoice.objects.select_for_update().filter(
        channel=place.channel, touchpoint=None, touchpoint_kind=place.kind
    )
    known = choice.select_related("survey").first()
    old, new = known.survey.slug if known else "", survey.slug if survey else ""
    if old == new:
        return False
    if old != seen:
        raise Stale(None)
    if survey is None:
        choice.delete()
    elif known is None:
        _choose_first(place, survey)
    else:
        choice.update(survey=survey)
    _note(actor, place.name, known.survey if known else None, survey)
    return True


def _choose_first(place: Place, survey: Survey) -> None:
    """Where nothing was chosen there is no row to lock: of two at once the later is told. Raises Stale."""
    try:
        with transaction.atomic():
            SurveyChoice.objects.create(channel=place.channel, touchpoint_kind=place.kind, survey=survey)
    except IntegrityError as error:
        raise Stale(None) from error


@transaction.atomic
def choose_at(touchpoint: Touchpoint, survey: Survey | None, actor: User) -> bool:
    """The same for one touchpoint; None: what its kind asks."""
    known = SurveyChoice.objects.select_for_update(of=("self",)).select_related("survey").filter(touchpoint=touchpoint)
    before = known.first()
    if (before.survey if before else None) == survey:
        return False
    if survey is None:
        known.delete()
    else:
        SurveyChoice.objects.update_or_create(
            touchpoint=touchpoint, defaults={"survey": survey, "channel": ResponseChannel.QR, "touchpoint_kind": ""}
        )
    _note(actor, f"{touchpoint.store.code} {touchpoint.code}", before.survey if before else None, survey)
    return True


def _note(actor: User, place: str, old: Survey | None, new: Survey | None) -> None:
    """Into the history of both surveys."""
    names = {"old": old.slug if old else "", "new": new.slug if new else ""}
    for survey in {one for one in (old, new) if one}:
        record_choice(survey, actor, place=place, **names)
