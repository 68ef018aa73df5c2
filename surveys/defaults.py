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
                "fr": "Dans quelle mesure est-il probable que vous recommandiez {store} à un ami ou à un collègue ?",
                "es": "¿Qué probabilidad hay de que recomiende {store} a un amigo o colega?",
                "it": "Quanto è probabile che Lei raccomandi {store} a un amico o a un collega?",
                "pl": "Na ile prawdopodobne jest, że poleci Pan/Pani {store} znajomemu lub współpracownikowi?",
                "da": "Hvor sandsynligt er det, at du vil anbefale {store} til en ven eller kollega?",
                "nl": "Hoe waarschijnlijk is het dat u {store} aanbeveelt aan een vriend of collega?",
                "pt": "Qual é a probabilidade de recomendar {store} a um amigo ou colega?",
                "cs": "Jak je pravděpodobné, že doporučíte {store} příteli nebo kolegovi?",
                "sv": "Hur troligt är det att du skulle rekommendera {store} till en vän eller kollega?",
                "ar": "ما مدى احتمال أن توصي صديقًا أو زميلًا بـ{store}؟",
            },
            "low": {
                "en": "Not at all likely",
                "de": "Äußerst unwahrscheinlich",
                "uk": "Зовсім не ймовірно",
                "fr": "Pas du tout probable",
                "es": "Nada probable",
                "it": "Per niente probabile",
                "pl": "Zupełnie nieprawdopodobne",
                "da": "Slet ikke sandsynligt",
                "nl": "Helemaal niet waarschijnlijk",
                "pt": "Nada provável",
                "cs": "Vůbec ne pravděpodobné",
                "sv": "Inte alls troligt",
                "ar": "غير محتمل على الإطلاق",
            },
            "high": {
                "en": "Extremely likely",
                "de": "Äußerst wahrscheinlich",
                "uk": "Надзвичайно ймовірно",
                "fr": "Extrêmement probable",
                "es": "Extremadamente probable",
                "it": "Estremamente probabile",
                "pl": "Niezwykle prawdopodobne",
                "da": "Yderst sandsynligt",
                "nl": "Uiterst waarschijnlijk",
                "pt": "Extremamente provável",
                "cs": "Mimořádně pravděpodobné",
                "sv": "Ytterst troligt",
                "ar": "محتمل للغاية",
            },
        },
        {
            "key": "reason",
            "kind": "text",
            "text": {
                "en": "What is the main reason for your score?",
                "de": "Was ist der wichtigste Grund für Ihre Bewertung?",
                "uk": "Яка головна причина вашої оцінки?",
                "fr": "Quelle est la raison principale de votre note ?",
                "es": "¿Cuál es la razón principal de su puntuación?",
                "it": "Qual è il motivo principale del Suo voto?",
                "pl": "Jaki jest główny powód tej oceny?",
                "da": "Hvad er den vigtigste grund til din bedømmelse?",
                "nl": "Wat is de belangrijkste reden voor uw score?",
                "pt": "Qual é a principal razão da sua pontuação?",
                "cs": "Jaký je hlavní důvod vašeho hodnocení?",
                "sv": "Vad är det främsta skälet till ditt betyg?",
                "ar": "ما السبب الرئيسي لتقييمك؟",
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
                "fr": "Comment se passe votre visite chez {store} aujourd’hui ?",
                "es": "¿Cómo va su visita a {store} hoy?",
                "it": "Come va la Sua visita da {store} oggi?",
                "pl": "Jak przebiega dzisiejsza wizyta w {store}?",
                "da": "Hvordan er dit besøg hos {store} i dag?",
                "nl": "Hoe is uw bezoek aan {store} vandaag?",
                "pt": "Como está a correr a sua visita a {store} hoje?",
                "cs": "Jaká je dnes vaše návštěva v {store}?",
                "sv": "Hur är ditt besök hos {store} i dag?",
                "ar": "كيف تسير زيارتك إلى {store} اليوم؟",
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
