"""What people decide about readings."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from sentiment.holding import CERTAIN, JUDGED, SENTIMENTS, PeopleSay, held_by, model_said, overruled, value_of
from sentiment.models import Analysis, CorrectedField, Correction
from sentiment.signals import reading_corrected
from sentiment.topics import TOPICS
from sentiment.urgency import URGENCIES
from stores.models import User
from surveys.models import Response

_HELD = (*JUDGED, "corrected", "people_say", "model_reading")
# Of which keys people can say what.
_SAYABLE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    CorrectedField.SENTIMENT.value: (("",), SENTIMENTS),
    CorrectedField.TOPIC.value: (TOPICS, (*SENTIMENTS, "")),
    CorrectedField.URGENCY.value: (URGENCIES, (CERTAIN, "")),
}


class CorrectionRefused(Exception):
    """Nothing was changed; the message is for the person."""


@dataclass(frozen=True)
class Corrected:
    """`correction` is None where nothing was to do: the same person's word, or the same again."""

    analysis: Analysis
    correction: Correction | None
    raised: bool = False


def is_known(field: str, key: str, value: str | None) -> bool:
    """Whether a person can say `value` of `key`; None takes a judgement back."""
    keys, values = _SAYABLE.get(field, ((), ()))
    return key in keys and (value is None or value in values)


def correct(analysis_id: int, actor: User, *, field: str, key: str = "", value: str | None) -> Corrected:
    """Have a person's word hold from now on, whatever a model reads; `value` None lets the model's hold again.

    The same value as before confirms it. Raises CorrectionRefused for words that were not read yet, or are gone.
    """
    assert is_known(field, key, value)
    with transaction.atomic():
        # The response first, as whoever changes or erases its words does.
        Response.objects.select_for_update(of=("self",), no_key=True).only("pk").get(verbatims__analysis=analysis_id)
        # The worker that stores a reading holds this row too: one of the two comes first, and the other sees it.
        analysis = (
            Analysis.objects.select_for_update(of=("self",), no_key=True)
            .select_related("verbatim__response__store")
            .get(pk=analysis_id)
        )
        if analysis.analysed_at is None:
            raise CorrectionRefused(_("These words have not been read yet. Please try again in a moment."))
        if not analysis.verbatim.text:
            raise CorrectionRefused(_("These words have been deleted."))
        people, standing = _said_with(analysis.people_say, field, key, value)
        if standing == value:
            return Corrected(analysis, None)
        model, before = model_said(analysis), held_by(analysis)
        for name, held in overruled(model, people).items():
            setattr(analysis, name, held)
        analysis.save(update_fields=_HELD)
        correction = Correction.objects.create(
            analysis=analysis,
            field=field,
            key=key,
            old=value_of(before, field, key),
            new=value,
            model_said=value_of(model, field, key),
            model_version=analysis.model_version,
            actor=actor,
        )
        raised = value is not None and _raises(correction)
        reading_corrected.send(sender=Analysis, analysis=analysis, correction=correction, raised=raised)
    return Corrected(analysis, correction, raised)


def _said_with(said: dict[str, Any], field: str, key: str, value: str | None) -> tuple[PeopleSay, str | None]:
    """What people say with one judgement more or taken back, and what they said of it before (None: nothing)."""
    people = PeopleSay(
        sentiment=said.get("sentiment", ""),
        topics=dict(said.get("topics", {})),
        urgency=dict(said.get("urgency", {})),
    )
    if field == CorrectedField.SENTIMENT:
        standing = people["sentiment"] or None
        people["sentiment"] = value or ""
        return people, standing
    group = people["topics"] if field == CorrectedField.TOPIC else people["urgency"]
    standing = group.pop(key, None)
    if value is not None:
        group[key] = value
    return people, standing


def _raises(correction: Correction) -> bool:
    if correction.field == CorrectedField.URGENCY:
        return bool(correction.new) and not correction.old
    return correction.field == CorrectedField.SENTIMENT and correction.new == "negative" != correction.old
