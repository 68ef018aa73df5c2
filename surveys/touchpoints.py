"""Which survey a touchpoint asks, and choosing it."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q

from stores.choices import TouchpointKind
from stores.models import Touchpoint, User
from stores.touchpoints import record_change
from surveys.choices import ResponseChannel
from surveys.models import Survey, SurveyChoice


def survey_of_kind(kind: str) -> Survey | None:
    """What touchpoints of a kind ask that have no choice of their own; None when nobody has chosen."""
    chosen = SurveyChoice.objects.filter(channel=ResponseChannel.QR, touchpoint=None, touchpoint_kind__in=["", kind])
    choice = chosen.select_related("survey").order_by("-touchpoint_kind").first()
    return choice.survey if choice else None


def surveys_of(touchpoints: Collection[Touchpoint]) -> dict[int, Survey]:
    """What each of some touchpoints asks, by its id, in one query."""
    mine = Q(touchpoint__in=[one.pk for one in touchpoints])
    choices = SurveyChoice.objects.filter(mine | Q(touchpoint=None), channel=ResponseChannel.QR).select_related(
        "survey"
    )
    own, of_kind = {}, {}
    for choice in choices:
        if choice.touchpoint_id:
            own[choice.touchpoint_id] = choice.survey
        else:
            of_kind[choice.touchpoint_kind] = choice.survey
    found = {one.pk: own.get(one.pk) or of_kind.get(one.kind) or of_kind.get("") for one in touchpoints}
    return {pk: survey for pk, survey in found.items() if survey is not None}


def own_survey(touchpoint: Touchpoint) -> Survey | None:
    """The survey chosen for this very touchpoint; None where it asks what its kind asks."""
    choice = SurveyChoice.objects.filter(touchpoint=touchpoint).select_related("survey").first()
    return choice.survey if choice else None


@transaction.atomic
def choose_survey(touchpoint: Touchpoint, survey: Survey | None, *, actor: User | None) -> None:
    """Have it ask this survey; None is what its kind asks."""
    old = own_survey(touchpoint)
    if old == survey:
        return
    if survey is None:
        SurveyChoice.objects.filter(touchpoint=touchpoint).delete()
    else:
        SurveyChoice.objects.update_or_create(
            touchpoint=touchpoint, defaults={"survey": survey, "channel": ResponseChannel.QR}
        )
    names = [one.name if one else None for one in (old, survey)]
    record_change(touchpoint, actor=actor, old={"survey": names[0]}, new={"survey": names[1]})


def label_of(kind: str) -> str:
    """A kind of touchpoint in words."""
    return str(TouchpointKind(kind).label)
