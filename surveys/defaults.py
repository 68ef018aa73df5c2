"""The surveys an installation starts with."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from stores.choices import TouchpointKind
from surveys.choices import QuestionKind, ResponseChannel
from surveys.documents import parse
from surveys.models import Survey, SurveyChoice, SurveyVersion

# The wording of the NPS question is the method's own and frozen: a changed word breaks every trend.
_RECOMMEND: dict[str, Any] = {
    "headline": "recommend",
    "questions": [
        {
            "key": "recommend",
            "kind": QuestionKind.NPS.value,
            "text": {
                "en": "How likely is it that you would recommend {store} to a friend or colleague?",
                "de": "Wie wahrscheinlich ist es, dass Sie {store} einem Freund oder Kollegen weiterempfehlen?",
                "uk": "Наскільки ймовірно, що ви порекомендуєте «{store}» другові чи колезі?",
            },
            "low": {"en": "Not at all likely", "de": "Äußerst unwahrscheinlich", "uk": "Зовсім не ймовірно"},
            "high": {"en": "Extremely likely", "de": "Äußerst wahrscheinlich", "uk": "Надзвичайно ймовірно"},
        },
        {
            "key": "reason",
            "kind": "text",
            "text": {
                "en": "What is the main reason for your score?",
                "de": "Was ist der wichtigste Grund für Ihre Bewertung?",
                "uk": "Яка головна причина вашої оцінки?",
            },
        },
    ],
}
_MOMENT: dict[str, Any] = {
    "headline": "moment",
    "questions": [
        {
            "key": "moment",
            "kind": QuestionKind.SMILEY5.value,
            "text": {
                "en": "How is your visit to {store} today?",
                "de": "Wie ist Ihr Besuch bei {store} heute?",
                "uk": "Як проходить ваш візит до «{store}» сьогодні?",
            },
        },
        {
            "key": "reason",
            "kind": "text",
            "text": _RECOMMEND["questions"][1]["text"],
        },
    ],
}
_FIRST = (("recommend", gettext_noop("Recommendation"), _RECOMMEND), ("moment", gettext_noop("Moment"), _MOMENT))
# Where people are in the middle of something, a face is quicker than a number.
SMILEY_TOUCHPOINTS = (TouchpointKind.FITTING_ROOM,)


@transaction.atomic
def ensure_surveys() -> dict[str, SurveyVersion]:
    """Create the two default surveys and the choices of each channel, unless they are there; keys are their slugs.

    Touchpoints in the middle of a visit get the smileys, those that are made later too.
    """
    versions = {}
    for slug, name, document in _FIRST:
        survey, _created = Survey.objects.get_or_create(slug=slug, defaults={"name": name})
        newest = survey.versions.order_by("-number").first()
        versions[slug] = newest or SurveyVersion.objects.create(
            survey=survey, number=1, headline_kind=parse(document).headline.kind, document=document
        )
    choices = [(channel, "", "recommend") for channel in ResponseChannel]
    choices += [(ResponseChannel.QR, kind, "moment") for kind in SMILEY_TOUCHPOINTS]
    for channel, kind, slug in choices:
        SurveyChoice.objects.get_or_create(
            channel=channel, touchpoint=None, touchpoint_kind=kind, defaults={"survey": versions[slug].survey}
        )
    return versions
